package reconcile

import (
	"time"

	"schulwart.org/agent/memory"
	"schulwart.org/policies/ddm"
)

// handRest is how long a hand that was raised is not raised anew: whoever plays
// with it makes no flood of events.
const handRest = 10 * time.Second

// Hand raises the pupil's hand in the examination that holds, or takes it down.
// The outcome's key is hand.up or hand.down for what stands then, hand.nothing
// where no examination holds, and hand.soon if it was raised moments ago.
func (l *Loop) Hand(up bool) Outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	clock := l.readClock()
	l.settle(clock, false)
	if l.holding.Exam == nil {
		return Outcome{Key: "hand.nothing"}
	}
	id := l.holding.Exam.ID
	known := rememberedExam(l.config.Memory)(id)
	outcome, event := Outcome{Key: "hand.down"}, ddm.EventExamHandDown
	if up {
		outcome, event = Outcome{Key: "hand.up"}, ddm.EventExamHand
	}
	if known.Hand == up {
		return outcome
	}
	if up && clock.Exam.Before(known.Raised.Add(handRest)) {
		return Outcome{Key: "hand.soon"}
	}
	stored := l.update(func(s *memory.State) {
		exam := s.ExamOf(id)
		exam.Hand = up
		if up {
			exam.Raised = clock.Exam
		}
		s.SetExam(exam)
	})
	if !stored {
		return Outcome{Key: "hand.not-stored"}
	}
	l.happened(event, map[string]string{"lease": id})
	return outcome
}
