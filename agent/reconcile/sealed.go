package reconcile

import (
	"strconv"
	"time"

	"schulwart.org/agent/memory"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

// silentAfter is how long the server must be out of reach during an examination
// before the log says so.
const silentAfter = 10 * time.Second

// seal adds a line to the log of an examination, together with what has to be
// remembered for it, or nothing of both if it cannot be stored.
func (l *Loop) seal(id string, what ddm.Deed, args map[string]string, change func(*memory.Exam)) bool {
	return l.sealWith(id, what, args, change, nil)
}

func (l *Loop) sealWith(id string, what ddm.Deed, args map[string]string, change func(*memory.Exam), also func(*memory.State)) bool {
	clock := l.config.Memory.Clock()
	stored := l.update(func(s *memory.State) {
		if also != nil {
			also(s)
		}
		if change != nil {
			exam := s.ExamOf(id)
			change(&exam)
			s.SetExam(exam)
		}
		s.Seal(ddm.Sealed{Lease: id, At: clock.Exam, Boot: clock.Boot, Elapsed: clock.Elapsed.Milliseconds(), What: what, Args: args})
	})
	if stored {
		l.tell()
	}
	return stored
}

// noted adds a line about the examination that holds now; without one it does
// nothing.
func (l *Loop) noted(what ddm.Deed, args map[string]string) {
	if l.holding.Exam != nil {
		l.seal(l.holding.Exam.ID, what, args, nil)
	}
}

// armed says which examinations have come, or come with other times.
func (l *Loop) armed(fresh []arrived, now time.Time) {
	for _, a := range fresh {
		if a.lease.Kind == lease.Exam && !a.lease.Ended(now) {
			l.seal(a.lease.ID, ddm.DeedArmed, map[string]string{
				"from": a.lease.NotBefore.Format(time.RFC3339), "until": a.lease.Expires.Format(time.RFC3339), "rev": strconv.Itoa(a.lease.Rev),
			}, nil)
		}
	}
}

// invigilate follows the examination that holds: that it began, that this is
// another run of the agent or of the system, that it may go on.
func (l *Loop) invigilate(clock memory.Clock) {
	exam := l.holding.Exam
	if exam == nil {
		return
	}
	known := rememberedExam(l.config.Memory)(exam.ID)
	switch {
	case known.Boot == "":
		l.seal(exam.ID, ddm.DeedStarted, nil, func(e *memory.Exam) { e.Boot, e.Process = clock.Boot, l.salt })
	case known.Process != l.salt:
		l.restarted(*exam, known, clock)
	case known.Waits && !resumes(*exam):
		l.resumed(exam.ID, map[string]string{"by": "server"}, nil)
	}
	l.linked(exam.ID, clock)
}

func resumes(exam lease.Lease) bool { return exam.Rules.Exam != nil && exam.Rules.Exam.Resume }

// restarted notes that the agent, or the system with it, began anew in the midst
// of an examination.
func (l *Loop) restarted(exam lease.Lease, known memory.Exam, clock memory.Clock) {
	since := l.before.Exam
	args := map[string]string{"cause": "agent", "seconds": seconds(clock.Exam.Sub(since))}
	if l.before.Boot == clock.Boot && (known.Boot == clock.Boot || known.Waits) {
		l.seal(exam.ID, ddm.DeedRestarted, args, func(e *memory.Exam) { e.Process, e.Active = l.salt, false })
		return
	}
	args["cause"] = "system"
	l.seal(exam.ID, ddm.DeedRestarted, args, func(e *memory.Exam) {
		e.Process, e.Active = l.salt, false
		if !e.Waits {
			e.Since = since
		}
		if !resumes(exam) {
			e.Boot, e.Waits, e.Since = clock.Boot, false, time.Time{}
		}
	})
	if !resumes(exam) {
		l.lost(exam.ID, "restart", since, clock)
		return
	}
	if l.seal(exam.ID, ddm.DeedCovered, nil, func(e *memory.Exam) { e.Waits = true }) {
		l.happened(ddm.EventExamWaits, map[string]string{"lease": exam.ID})
	}
}

// lost tells for how long nobody could write.
func (l *Loop) lost(id, cause string, since time.Time, clock memory.Clock) {
	if gone := clock.Exam.Sub(since); gone > 0 && !since.IsZero() {
		l.happened(ddm.EventExamLost, map[string]string{"lease": id, "seconds": seconds(gone), "cause": cause})
	}
}

// resumed lets an examination go on after a restart. It is false if that could not
// be stored; spend is what else must be stored with it.
func (l *Loop) resumed(id string, args map[string]string, spend func(*memory.State)) bool {
	clock := l.config.Memory.Clock()
	since := rememberedExam(l.config.Memory)(id).Since
	if !l.sealWith(id, ddm.DeedResumed, args, func(e *memory.Exam) { e.Boot, e.Waits, e.Since = clock.Boot, false, time.Time{} }, spend) {
		return false
	}
	told := map[string]string{"lease": id}
	if number := args["number"]; number != "" {
		told["number"] = number
	}
	l.happened(ddm.EventExamResumed, told)
	l.lost(id, "restart", since, clock)
	return true
}

// linked notes when the server is out of reach, and when it is back.
func (l *Loop) linked(id string, clock memory.Clock) {
	if l.config.Linked == nil {
		return
	}
	lost := rememberedExam(l.config.Memory)(id).Lost
	switch on := l.config.Linked(); {
	case on && !lost.IsZero():
		l.seal(id, ddm.DeedOnline, map[string]string{"seconds": seconds(clock.Exam.Sub(lost))}, func(e *memory.Exam) { e.Lost = time.Time{} })
	case on:
		l.unlinked = 0
	case l.unlinked == 0:
		l.unlinked = max(clock.Elapsed, 1)
	case lost.IsZero() && clock.Elapsed-l.unlinked >= silentAfter:
		l.seal(id, ddm.DeedOffline, nil, func(e *memory.Exam) { e.Lost = clock.Exam })
	}
}

// inForce notes that every part of the examination was read back, once for each
// run of the agent.
func (l *Loop) inForce() {
	exam := l.holding.Exam
	if exam == nil {
		return
	}
	known := rememberedExam(l.config.Memory)(exam.ID)
	if known.Active || known.Boot == "" {
		return
	}
	for _, name := range catalog.PartsOf(lease.Exam) {
		for _, p := range l.parts {
			if p.name == name && !p.settled() {
				return
			}
		}
	}
	at := l.config.Memory.Clock().Exam
	l.seal(exam.ID, ddm.DeedActive, map[string]string{"late": strconv.FormatInt(max(at.Sub(exam.NotBefore), 0).Milliseconds(), 10)}, func(e *memory.Exam) { e.Active = true })
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d.Round(time.Second) / time.Second)) }
