package reconcile

import (
	"crypto/hmac"
	"strconv"
	"time"

	"schulwart.org/agent/memory"
	"schulwart.org/policies/lease"
)

// meant is what a code is for. Codes of the hour have no number.
type meant struct {
	use    lease.Use
	number int
}

// meaning finds out what digits are for, if they are a code of the lease. The
// codes that an invigilator carries on paper are made for examinations alone.
func (l *Loop) meaning(candidate lease.Lease, digits string, state memory.Release, clock memory.Clock) (meant, bool) {
	if l.matches(candidate.ID, digits, state, clock) {
		return meant{use: lease.UseRelease}, true
	}
	if candidate.Kind != lease.Exam || len(l.config.Secret) == 0 {
		return meant{}, false
	}
	found, ok := meant{}, false
	for _, use := range []lease.Use{lease.UseRelease, lease.UseResume} {
		for number := 1; number <= lease.PreparedCodes; number++ {
			// All are compared, so that the time it takes tells nothing.
			if hmac.Equal([]byte(lease.PreparedCode(l.config.Secret, candidate.ID, use, number)), []byte(lease.Digits(digits))) {
				found, ok = meant{use, number}, true
			}
		}
	}
	return found, ok
}

// resume lets an examination go on by a code. One that does not wait spends none.
func (l *Loop) resume(exam lease.Lease, number int, used memory.Used) Outcome {
	forgiven := func(s *memory.State) { s.Release.Failed, s.Release.Wait = 0, time.Time{} }
	if !rememberedExam(l.config.Memory)(exam.ID).Waits {
		l.update(forgiven)
		return Outcome{Key: "release.not-waiting"}
	}
	stored := l.resumed(exam.ID, map[string]string{"by": "code", "number": strconv.Itoa(number)}, func(s *memory.State) {
		forgiven(s)
		s.Spend(used)
	})
	if !stored {
		return Outcome{Key: "release.not-stored"}
	}
	l.settle(l.readClock(), false)
	l.poke()
	return Outcome{Key: "release.resumed"}
}

func numbered(number int) map[string]string {
	if number == 0 {
		return nil
	}
	return map[string]string{"number": strconv.Itoa(number)}
}
