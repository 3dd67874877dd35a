package rollout

import "time"

// State is where a rollout stands.
type State string

// The states.
const (
	Draft      State = "draft"       // nobody has started it
	Running    State = "running"     // devices install
	Waiting    State = "waiting"     // no window is open; goes on by itself
	Halted     State = "halted"      // offers nothing new until a person decides; Status.Why says why
	Done       State = "done"        // every ring has it
	RolledBack State = "rolled_back" // devices go back to the version before
)

// Why is what halted a rollout.
type Why string

// The reasons to halt.
const (
	WhyFailed Why = "failed" // too many devices of a ring failed
	WhyAiling Why = "ailing" // too many that have it are worse off than before
	WhyPaused Why = "paused" // a person said so
)

// Status is how far a rollout came. Ring is the last one that is offered it,
// Outside before the first; Since is when that one began.
type Status struct {
	State State     `json:"state"`
	Why   Why       `json:"why,omitempty"`
	Ring  int       `json:"ring"`
	Since time.Time `json:"since,omitzero"`
	// Where is the ring that halted it, Count of its Of devices the reason.
	Where int `json:"where,omitempty"`
	Count int `json:"count,omitempty"`
	Of    int `json:"of,omitempty"`
	// Try grows with each retry: a device that failed tries a higher one again.
	Try int `json:"try"`
}

// Figures count the devices of one ring by what is known of them.
type Figures struct {
	Devices  int `json:"devices"`
	Begun    int `json:"begun"`    // are at it
	Verified int `json:"verified"` // the system itself says that the version is there
	Failed   int `json:"failed"`
	Unable   int `json:"unable"` // say that they cannot, whatever anybody does
	Ailing   int `json:"ailing"` // of the verified ones
	// Unlicensed devices wait for a licence. They hold up nobody.
	Unlicensed int `json:"unlicensed"`
}

// able is how many devices of the ring can have it.
func (f Figures) able() int { return f.Devices - f.Unable - f.Unlicensed }

// pending is how many devices may still get it.
func (f Figures) pending() int { return f.able() - f.Verified - f.Failed }

func above(count, of int, percent float64) bool { return float64(count)*100 > percent*float64(of) }

// halts reports whether the figures of a ring stop the rollout, and what counted.
func (g Gates) halts(f Figures) (why Why, count, of int) {
	switch {
	case f.Failed > g.Least && above(f.Failed, f.Devices-f.Unlicensed, g.Failed):
		return WhyFailed, f.Failed, f.Devices - f.Unlicensed
	case g.Ailing > 0 && f.Ailing > g.Least && above(f.Ailing, f.Verified, g.Ailing):
		return WhyAiling, f.Ailing, f.Verified
	}
	return "", 0, 0
}

// passed reports whether the gate behind a ring opens. A ring without a device
// that can have it proves nothing and holds up nobody.
func (g Gates) passed(f Figures, since, now time.Time) bool {
	if f.able() == 0 {
		return true
	}
	return f.Verified >= min(max(g.Verified, 1), f.able()) && now.Sub(since) >= time.Duration(g.Hours)*time.Hour
}

// Start returns the status of a rollout that begins now.
func Start(now time.Time) Status {
	return Status{State: Running, Ring: 0, Since: now.UTC()}
}

// Decide returns the status that follows from what is known: figures are those of
// the rings, in order; open says whether some device's window is open now. Drafts
// and what a person or a gate stopped stay as they are. Asked again with the same,
// it changes nothing.
func Decide(plan Plan, status Status, figures []Figures, open bool, now time.Time) Status {
	if status.State != Running && status.State != Waiting || len(figures) != len(plan.Rings) || status.Ring < 0 {
		return status
	}
	for {
		for ring, f := range figures[:status.Ring+1] {
			if why, count, of := plan.Gates.halts(f); why != "" {
				status.State, status.Why, status.Where, status.Count, status.Of = Halted, why, ring, count, of
				return status
			}
		}
		if !plan.Gates.passed(figures[status.Ring], status.Since, now) {
			break
		}
		if status.Ring == len(plan.Rings)-1 {
			if pending(figures) > 0 {
				break
			}
			status.State = Done
			return status
		}
		status.Ring++
		status.Since = now.UTC()
	}
	status.State = Waiting
	if open {
		status.State = Running
	}
	return status
}

func pending(figures []Figures) int {
	n := 0
	for _, f := range figures {
		n += f.pending()
	}
	return n
}

// Pause halts a rollout because a person says so. It reports false where there is
// nothing to halt.
func (s Status) Pause() (Status, bool) {
	if s.State != Running && s.State != Waiting {
		return s, false
	}
	s.State, s.Why, s.Where, s.Count, s.Of = Halted, WhyPaused, s.Ring, 0, 0
	return s, true
}

// Resume lets a halted rollout go on where it stood. What failed counts on, so
// one that halted for failures halts again unless they are retried.
func (s Status) Resume() (Status, bool) {
	if s.State != Halted {
		return s, false
	}
	s.State, s.Why, s.Where, s.Count, s.Of = Running, "", 0, 0, 0
	return s, true
}

// Retry lets devices that failed try again, and a halted rollout go on.
func (s Status) Retry() (Status, bool) {
	switch s.State {
	case Halted:
		s, _ = s.Resume()
	case Running, Waiting, Done:
		s.State = Running
	default:
		return s, false
	}
	s.Try++
	return s, true
}

// RollBack sends devices back to the version before. It ends the rollout.
func (s Status) RollBack() (Status, bool) {
	switch s.State {
	case Running, Waiting, Halted, Done:
		s.State = RolledBack
		s.Try++
		return s, true
	}
	return s, false
}

// Offered reports whether devices of the ring are told of the rollout at all.
func (s Status) Offered(ring int) bool {
	return ring != Outside && s.State != Draft && ring <= s.Ring
}

// Held reports whether devices that have not begun must not begin.
func (s Status) Held() bool { return s.State == Halted }
