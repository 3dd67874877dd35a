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

// pageWatch is what this run of the agent saw of the page of an examination.
type pageWatch struct {
	exam string    // its lease
	ends time.Time // its end, as it was told last
	gone time.Time // since when the page is gone, by the clock of examinations; zero while it is there
}

// watchPage follows whether the pupil can write. Before the page was there once,
// its absence is the start's own time; while the resume code is waited for, the
// restart tells what was lost.
func (l *Loop) watchPage(clock memory.Clock) {
	exam := l.holding.Exam
	if exam == nil || exam.ID != l.seen.exam {
		l.pageIsBack(clock)
		l.seen = pageWatch{}
	}
	if exam == nil || rememberedExam(l.config.Memory)(exam.ID).Waits {
		return
	}
	l.seen.ends = exam.Expires
	for _, p := range l.parts {
		if p.name != catalog.Session || !p.settled() {
			continue
		}
		switch reason := code(p.reading.Reason); {
		case slices.Contains(withoutPage, reason):
			if l.seen.exam != "" && l.seen.gone.IsZero() {
				l.seen.gone = clock.Exam
			}
		case p.reading.State == ddm.PartOK, p.reading.State == ddm.PartRepaired, reason == "session.screens", reason == "session.darkening":
			l.pageIsBack(clock)
			l.seen.exam = exam.ID
		}
	}
}

// pageIsBack tells for how long the page was gone, at the most to the end of the
// examination.
func (l *Loop) pageIsBack(clock memory.Clock) {
	if l.seen.gone.IsZero() {
		return
	}
	since := l.seen.gone
	l.seen.gone = time.Time{}
	if clock.Exam.After(l.seen.ends) {
		clock.Exam = l.seen.ends
	}
	if gone := clock.Exam.Sub(since); gone >= awayAtLeast {
		l.seal(l.seen.exam, ddm.DeedAway, map[string]string{"seconds": seconds(gone)}, nil)
		l.lost(l.seen.exam, "browser", since, clock)
	}
}
