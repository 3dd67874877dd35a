package reconcile

import (
	"time"

	"schulwart.org/agent/memory"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

// Tick looks at the clock and the drivers once, and returns after how long it
// wants to look again.
func (l *Loop) Tick() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ticked.Store(time.Now().UnixNano())
	clock := l.readClock()
	elapsed := clock.Elapsed
	slept := l.looked != 0 && elapsed-l.looked > max(resumed, 3*l.config.Rest)
	l.looked = elapsed
	if slept && l.config.Woken != nil {
		l.config.Woken()
	}
	l.settle(clock, slept)
	if watch := l.watch(); elapsed-l.watched >= watch || l.watched == 0 || l.urgent {
		l.urgent = false
		l.watched = elapsed
		l.check()
		l.sightings()
		l.watchPage(clock)
	}
	l.cleared()
	if elapsed-l.saved >= max(checkpoint, l.config.Rest) || l.saved == 0 {
		l.saved = elapsed
		l.checkpoint()
	}
	return l.pause(clock)
}

func (l *Loop) watch() time.Duration {
	if l.holding.Any() {
		return watchHolding
	}
	return l.config.Rest
}

// pause is how long nothing is due.
func (l *Loop) pause(clock memory.Clock) time.Duration {
	pause := l.watch() - (clock.Elapsed - l.watched)
	pause = min(pause, max(checkpoint, l.config.Rest)-(clock.Elapsed-l.saved))
	if next := l.holding.Next; !next.IsZero() {
		pause = min(pause, next.Sub(clock.Now))
	}
	for _, p := range l.parts {
		if p.retry > clock.Elapsed && !p.settled() {
			pause = min(pause, p.retry-clock.Elapsed)
		}
	}
	return max(pause, time.Millisecond)
}

// settle makes the answer of this instant the one in force. again also repeats
// what already holds, for where the remaining time in the system may be wrong.
func (l *Loop) settle(clock memory.Clock, again bool) {
	l.endings(clock)
	rules, holding := Decide(l.state.base, l.leases, clock, l.config.Speech)
	l.holding = holding
	l.invigilate(clock)
	l.rules = waiting(rules, rememberedExam(l.config.Memory), clock)
	l.examination(clock)
	l.applying()
	for _, p := range l.parts {
		l.aim(p)
	}
	for _, p := range l.parts {
		l.want(p, again, clock.Elapsed)
	}
	l.released()
	l.phasing(clock.Now)
}

// examination notes whether an exam runs, in the clock: a restart of the system
// must know.
func (l *Loop) examination(clock memory.Clock) {
	if running := l.holding.Exam != nil; running != clock.Exams {
		clock.Exams = running
		l.config.Memory.SetClock(clock)
		l.checkpoint()
	}
}

// endings moves leases that are over from what may hold to what has ended.
func (l *Loop) endings(clock memory.Clock) {
	var over []memory.Ended
	var running, passed []lease.Lease
	for i, moved := range onOneClock(l.leases, clock) {
		if !moved.Ended(clock.Now) {
			running = append(running, l.leases[i])
			continue
		}
		end := memory.Ended{ID: moved.ID, Rev: moved.Rev, Kind: moved.Kind, At: moved.Expires, How: memory.ByTime}
		if l.early[moved.ID] == moved.Rev {
			end.How = memory.ByRevision
		} else if clock.Trust != memory.TrustServer {
			passed = append(passed, l.leases[i])
		}
		over = append(over, end)
	}
	if len(over) == 0 {
		return
	}
	l.leaves(over)
	l.leases, l.early = running, nil
	l.unstored = append(l.unstored, over...)
	l.update(func(s *memory.State) {
		s.Pass(keptOf(s.Leases, passed))
		s.Leases = keptOf(s.Leases, running)
	})
	for _, end := range over {
		if end.Kind == lease.Exam {
			l.seal(end.ID, ddm.DeedEnded, map[string]string{"how": end.How}, nil)
		}
	}
	l.tell()
}

// keptOf drops what no longer may hold. Only the signature's content tells which
// lease it is.
func keptOf(kept []memory.Kept, running []lease.Lease) []memory.Kept {
	alive := map[string]int{}
	for _, l := range running {
		alive[l.ID] = l.Rev
	}
	var left []memory.Kept
	for _, k := range kept {
		if id, rev, ok := peek(k.JWS); ok {
			if want, runs := alive[id]; runs && want == rev {
				left = append(left, k)
			}
		}
	}
	return left
}
