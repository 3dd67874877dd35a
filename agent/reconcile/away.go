package reconcile

import (
	"slices"
	"time"

	"schulwart.org/agent/memory"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
)

// awayAtLeast is how long the page of an examination must be gone before that is
// told: a browser that was closed is there again within seconds.
const awayAtLeast = 10 * time.Second

// withoutPage are the readings of a session in which nobody can write: no browser,
// no window of it in front, nobody signed in, no helper that would open it.
var withoutPage = []string{
	"session.closed", "session.opening", "session.behind", "session.nobody", "session.starting", "session.gone", "session.fault",
}

// sitting is what this run of the agent saw of the page of an examination.
type sitting struct {
	exam string    // its lease
	gone time.Time // since when the page is gone, by the clock of examinations; zero while it is there
}

// page follows whether the pupil can write. Before the page was there once, its
// absence is the start's own time; while the resume code is waited for, the restart
// tells what was lost.
func (l *Loop) page(clock memory.Clock) {
	exam := l.holding.Exam
	if exam == nil || exam.ID != l.sat.exam {
		l.pageIsBack(clock)
		l.sat = sitting{}
	}
	if exam == nil || rememberedExam(l.config.Memory)(exam.ID).Waits {
		return
	}
	for _, p := range l.parts {
		if p.name != catalog.Session || !p.settled() {
			continue
		}
		switch reason := code(p.reading.Reason); {
		case slices.Contains(withoutPage, reason):
			if l.sat.exam != "" && l.sat.gone.IsZero() {
				l.sat.gone = clock.Exam
			}
		case p.reading.State == ddm.PartOK, p.reading.State == ddm.PartRepaired, reason == "session.screens", reason == "session.darkening":
			l.pageIsBack(clock)
			l.sat = sitting{exam: exam.ID}
		}
	}
}

// pageIsBack tells for how long the page was gone.
func (l *Loop) pageIsBack(clock memory.Clock) {
	if l.sat.gone.IsZero() {
		return
	}
	since := l.sat.gone
	l.sat.gone = time.Time{}
	if gone := clock.Exam.Sub(since); gone >= awayAtLeast {
		l.seal(l.sat.exam, ddm.DeedAway, map[string]string{"seconds": seconds(gone)}, nil)
		l.lost(l.sat.exam, "browser", since, clock)
	}
}
