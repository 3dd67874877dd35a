package memory

import (
	"time"

	"schulwart.org/agent/host"
)

// Trust says where the device's idea of the time comes from.
type Trust string

// From the best to the worst.
const (
	TrustServer     Trust = "server"     // confirmed by the server since the system started
	TrustWall       Trust = "wall"       // the wall clock was believed at start
	TrustCheckpoint Trust = "checkpoint" // the wall clock was behind; time goes on from where it was
	TrustNone       Trust = "none"       // nothing was known before
)

// Good reports whether a release code made for the time of day can be expected
// to fit. Otherwise the device shows a challenge.
func (t Trust) Good() bool { return t == TrustServer || t == TrustWall }

// Tolerance is how far a wall clock may lag behind the checkpoint at a start and
// still be believed: hardware clocks count whole seconds and drift.
const Tolerance = 2 * time.Minute

// Clock is what the device believes about the time at one reading of its clocks.
// It is a value: every step returns a new one, and nothing here looks at a real
// clock. The zero Clock knows nothing.
type Clock struct {
	Boot    string        `json:"boot"`
	Elapsed time.Duration `json:"elapsed"` // of the reading, since that boot
	// Now is the time that counts for everything but the ends of exams.
	Now time.Time `json:"now"`
	// Exam is the time that counts for the ends of exams. It goes as Now does,
	// but is not moved by a wall clock at start while an exam runs: then the
	// remaining time is used up.
	Exam time.Time `json:"exam"`
	// Exams says that an exam was running at Now.
	Exams bool  `json:"exams,omitempty"`
	Trust Trust `json:"trust"`
	// Ahead is how far the wall clock stood before Now.
	Ahead time.Duration `json:"ahead"`
}

// At returns the clock at a later reading.
//
// While the system runs, time is elapsed time and nothing else, so a jump of the
// wall clock moves no end. After a start, a wall clock later than the checkpoint
// is believed (a mode of Friday must not hold on Monday), except for exams that
// were running; an earlier one is not, and time goes on from the checkpoint.
func (c Clock) At(r host.Reading) Clock {
	wall := r.Wall.UTC()
	next := Clock{Boot: r.Boot, Elapsed: r.Elapsed, Exams: c.Exams, Trust: c.Trust}
	switch {
	case c.Now.IsZero():
		next.Now, next.Exam, next.Trust = wall, wall, TrustNone
	case c.Boot == r.Boot:
		passed := max(r.Elapsed-c.Elapsed, 0)
		next.Now, next.Exam = c.Now.Add(passed), c.Exam.Add(passed)
		if !c.Exams {
			next.Exam = next.Now
		}
	default:
		next.start(c, r.Elapsed, wall)
	}
	next.Ahead = wall.Sub(next.Now)
	return next
}

// start sets the clock after a start of the system. All that is certain to have
// passed since the checkpoint is the time since the start.
func (c *Clock) start(before Clock, passed time.Duration, wall time.Time) {
	earliest := before.Now.Add(passed)
	c.Now, c.Trust = earliest, TrustCheckpoint
	if !wall.Before(earliest.Add(-Tolerance)) {
		c.Trust = TrustWall
	}
	if before.Trust == TrustNone {
		c.Trust = TrustNone
	}
	if wall.After(earliest) {
		c.Now = wall
	}
	c.Exam = c.Now
	if before.Exams {
		c.Exam = before.Exam.Add(passed)
	}
}

// Precision is how exactly the server's time is known: its Date header counts
// whole seconds, and the answer was under way.
const Precision = 2 * time.Second

// Confirmed returns the clock after the server told its time, and by how much
// the time was corrected (zero within the precision). The server is right in
// both directions, and for exams too.
func (c Clock) Confirmed(server time.Time) (Clock, time.Duration) {
	server = server.UTC()
	by := server.Sub(c.Now)
	c.Trust = TrustServer
	if by.Abs() <= Precision && c.Exam.Equal(c.Now) {
		return c, 0
	}
	c.Ahead -= by
	c.Now, c.Exam = server, server
	return c, by
}

// Moved returns by how much the wall clock was moved since the former value of
// the clock, zero if less than the tolerance or across a start of the system.
func (c Clock) Moved(former Clock) time.Duration {
	if former.Boot != c.Boot || former.Now.IsZero() {
		return 0
	}
	if by := c.Ahead - former.Ahead; by.Abs() > Tolerance {
		return by
	}
	return 0
}
