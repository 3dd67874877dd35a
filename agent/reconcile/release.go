package reconcile

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"time"

	"schulwart.org/agent/memory"
	"schulwart.org/agent/words"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

// Tries at a release code before waits begin, the first wait, and the longest.
const (
	freeTries   = 5
	firstWait   = time.Minute
	longestWait = time.Hour
)

// Outcome is how a try at a release code ended: a key of words and its
// arguments.
type Outcome struct {
	Key  string            `json:"key"`
	Args map[string]string `json:"args,omitempty"`
	// Ended names the leases that are over by it.
	Ended []string `json:"ended,omitempty"`
}

// Release ends the lease for which the code was made, without any connection, or
// lets an examination go on that waits for its resume code. leaseID narrows it to
// one; empty tries every lease that runs. A code works once. Five wrong ones in a
// row are free, then waits double, and a reboot forgets none of that.
func (l *Loop) Release(digits, leaseID string) Outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	clock := l.readClock()
	l.settle(clock, false)
	state := l.config.Memory.State().Release
	if clock.Now.Before(state.Wait) {
		return l.wait(state.Wait)
	}
	candidates := l.running(clock, leaseID)
	if len(candidates) == 0 {
		return Outcome{Key: "release.nothing"}
	}
	// The try is counted on disk before the code is looked at, so that pulling
	// the plug gives no further try.
	if !l.update(func(s *memory.State) { s.Release = missed(s.Release, clock.Now) }) {
		return Outcome{Key: "release.not-stored"}
	}
	var over []memory.Ended
	var used []memory.Used
	number := 0
	for _, candidate := range candidates {
		means, ok := l.meaning(candidate, digits, state, clock)
		if !ok {
			continue
		}
		hash := usedHash(candidate.ID, digits)
		if spent(state.Used, hash) {
			return Outcome{Key: "release.used"}
		}
		if means.use == lease.UseResume {
			return l.resume(candidate, means.number, memory.Used{ID: candidate.ID, Hash: hash, At: clock.Now})
		}
		number = means.number
		over = append(over, memory.Ended{ID: candidate.ID, Rev: candidate.Rev + beyondCode, Kind: candidate.Kind, At: clock.Now, How: memory.ByCode})
		used = append(used, memory.Used{ID: candidate.ID, Hash: hash, At: clock.Now})
	}
	if len(over) == 0 {
		return l.wrong(clock)
	}
	return l.release(over, used, number, clock)
}

// beyondCode is how many revisions a code ends beyond the one that it found: those
// that the server gave before it heard of the code, as when a mode was extended for
// the whole class. What it gives afterwards is above what was reported to it.
const beyondCode = 100

// release ends what a code was for. number is that of a code that was made
// beforehand.
func (l *Loop) release(over []memory.Ended, used []memory.Used, number int, clock memory.Clock) Outcome {
	ended := map[string]bool{}
	outcome := Outcome{Key: "release.done"}
	for _, end := range over {
		ended[end.ID] = true
		outcome.Ended = append(outcome.Ended, end.ID)
	}
	var running []lease.Lease
	for _, known := range l.leases {
		if !ended[known.ID] {
			running = append(running, known)
		}
	}
	l.leaves(over)
	if !l.update(func(s *memory.State) {
		s.Release.Failed, s.Release.Wait, s.Release.Challenge = 0, time.Time{}, ""
		for _, u := range used {
			s.Spend(u)
		}
		for _, end := range over {
			s.End(end)
		}
		s.Leases = keptOf(s.Leases, running)
	}) {
		for id := range ended {
			delete(l.left, id)
		}
		return Outcome{Key: "release.not-stored"}
	}
	l.leases = running
	l.happened("release.used", map[string]string{"lease": outcome.Ended[0]})
	for _, end := range over {
		if end.Kind == lease.Exam {
			l.seal(end.ID, ddm.DeedReleased, numbered(number), nil)
			l.seal(end.ID, ddm.DeedEnded, map[string]string{"how": end.How}, nil)
		}
	}
	l.settle(clock, false)
	l.poke()
	return outcome
}

func (l *Loop) wrong(clock memory.Clock) Outcome {
	now := l.config.Memory.State().Release
	if now.Failed == freeTries {
		l.happened("release.blocked", nil)
	}
	if now.Failed >= freeTries {
		l.noted(ddm.DeedTries, map[string]string{"count": strconv.Itoa(now.Failed)})
	}
	if clock.Now.Before(now.Wait) {
		return l.wait(now.Wait)
	}
	return Outcome{Key: "release.wrong", Args: map[string]string{"left": strconv.Itoa(freeTries - now.Failed)}}
}

// wait names the minute at which the wait is certainly over.
func (l *Loop) wait(until time.Time) Outcome {
	shown := until.Add(time.Minute - time.Nanosecond)
	return Outcome{Key: "release.wait", Args: map[string]string{"at": words.Clock(shown, l.config.Speech.Zone)}}
}

// missed counts one try.
func missed(r memory.Release, now time.Time) memory.Release {
	r.Failed++
	if over := r.Failed - freeTries; over >= 0 {
		r.Wait = now.Add(min(firstWait<<min(over, 10), longestWait))
	}
	return r
}

// running lists the leases that a code could end: those in force, also covered.
func (l *Loop) running(clock memory.Clock, leaseID string) []lease.Lease {
	var found []lease.Lease
	for i, moved := range onOneClock(l.leases, clock) {
		if moved.Holds(clock.Now) && (leaseID == "" || leaseID == moved.ID) {
			found = append(found, l.leases[i])
		}
	}
	return found
}

func (l *Loop) matches(leaseID, digits string, state memory.Release, clock memory.Clock) bool {
	if len(l.config.Secret) == 0 || len(lease.Digits(digits)) != 8 {
		return false
	}
	ok := lease.ReleaseMatches(l.config.Secret, leaseID, digits, clock.Now)
	if state.Challenge != "" {
		if want, err := lease.ChallengeCode(l.config.Secret, leaseID, state.Challenge); err == nil {
			ok = hmac.Equal([]byte(want), []byte(lease.Digits(digits))) || ok
		}
	}
	return ok
}

// challenge returns the number that stands for the time while the time is not
// trusted, empty while it is or while nothing could be released. It stays the
// same until a code was made of it and used.
func (l *Loop) challenge(clock memory.Clock) string {
	if clock.Trust.Good() || len(l.running(clock, "")) == 0 {
		return ""
	}
	var number string
	l.config.Memory.Look(func(s *memory.State) { number = s.Release.Challenge })
	if number != "" {
		return number
	}
	random, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return ""
	}
	number = fmt.Sprintf("%0*d", lease.ChallengeDigits, random.Int64())
	if !l.update(func(s *memory.State) { s.Release.Challenge = number }) {
		return ""
	}
	return number
}

func usedHash(leaseID, digits string) string {
	sum := sha256.Sum256([]byte(leaseID + "\x00" + lease.Digits(digits)))
	return hex.EncodeToString(sum[:12])
}

func spent(used []memory.Used, hash string) bool {
	for _, u := range used {
		if u.Hash == hash {
			return true
		}
	}
	return false
}
