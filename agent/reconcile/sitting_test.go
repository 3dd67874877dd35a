package reconcile_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

// sitting is an examination that a device goes through without its server, but for
// what it is handed now and then.
type sitting struct {
	*device
	t        *rapid.T
	exam     lease.Lease
	now      time.Time     // exam time, by what was let pass
	real     time.Time     // the time of the day
	doubt    time.Duration // by how much less the device may believe to have passed
	over     bool          // its end was reached
	out      bool          // by code, or let out, and not let in again
	began    bool
	codes    map[lease.Use]int
	rebooted bool // since it was let go on
	log      []ddm.Sealed
}

func (s *sitting) runs() bool { return !s.over && !s.out && !s.now.Before(s.exam.NotBefore) }

func (s *sitting) let(d time.Duration) { s.now, s.real = s.now.Add(d), s.real.Add(d) }

// contact is that the server says what time it is, which corrects everything.
func (s *sitting) contact() {
	s.loop.Confirm(s.real)
	s.now, s.doubt = s.real, 0
}

// revise hands the device the next revision.
func (s *sitting) revise(expires time.Time) {
	s.exam.Rev++
	revised := s.exam
	revised.Expires = expires
	if err := s.hand(revised); err != nil {
		s.t.Fatal(err)
	}
}

// leave is that the device is out: from now on the time of the day counts for it.
func (s *sitting) leave() { s.out, s.now, s.doubt = true, s.real, 0 }

// within reports whether the examination goes on for everybody at the time of the
// day.
func (s *sitting) within() bool {
	return !s.over && s.real.After(s.exam.NotBefore) && s.real.Before(s.exam.Expires.Add(-time.Minute))
}

// code spends the next of the codes that the invigilator carries.
func (s *sitting) code(use lease.Use) string {
	s.codes[use]++
	if n := s.codes[use]; n <= lease.PreparedCodes {
		return s.loop.Release(lease.PreparedCode(secret, "e", use, n), "").Key
	}
	return "none left"
}

func (s *sitting) step() {
	actions := []string{"pass", "pass", "sleep", "kill", "reboot", "wall", "resume", "release", "guess", "cable", "told", "longer", "let out", "let in", "let in", "hand", "told the time"}
	switch rapid.SampledFrom(actions).Draw(s.t, "action") {
	case "pass":
		for range rapid.IntRange(1, 6).Draw(s.t, "times") {
			d := time.Duration(rapid.IntRange(1, 400).Draw(s.t, "seconds")) * time.Second
			s.pass(d)
			s.let(d)
		}
	case "sleep": // the lid is closed: nothing runs, and the time goes on
		d := time.Duration(rapid.IntRange(1, 3000).Draw(s.t, "asleep")) * time.Second
		s.host.Advance(d)
		s.let(d)
	case "kill":
		s.start()
	case "reboot":
		off := time.Duration(rapid.IntRange(1, 900).Draw(s.t, "off")) * time.Second // until it runs for a second
		s.real = s.real.Add(off)
		if s.runs() {
			s.doubt += 11 * time.Second
			s.now = s.now.Add(time.Second)
		} else {
			s.now = s.real
		}
		s.rebooted = s.rebooted || s.began
		s.reboot(off)
	case "wall":
		s.host.MoveWall(time.Duration(rapid.Int64Range(-int64(50*time.Hour), int64(50*time.Hour)).Draw(s.t, "by")))
		s.loop.Tick()
		s.host.MoveWall(s.real.Sub(s.host.Read().Wall)) // before the next start, the battery's clock is right
	case "resume":
		if s.code(lease.UseResume) == "release.resumed" {
			s.rebooted = false
		}
	case "release":
		if rapid.IntRange(0, 5).Draw(s.t, "now") == 0 && s.code(lease.UseRelease) == "release.done" {
			s.exam.Rev = s.loop.Report().Status.StatusItems.Agent.Leases[0].Rev // the server goes on above what it is told
			s.leave()
		}
	case "guess":
		s.loop.Release("00000000", "")
	case "cable":
		s.unplugged = !s.unplugged
	case "told":
		report := s.loop.Report()
		s.log = append(s.log, report.Status.StatusItems.Agent.Sealed...)
		s.loop.Told(report)
	case "longer": // more time, or a pause
		if !s.over && !s.out && s.real.Before(s.exam.Expires) && s.exam.Expires.Sub(s.exam.NotBefore) < 3*time.Hour {
			s.contact()
			s.exam.Expires = s.exam.Expires.Add(5 * time.Minute)
			s.revise(s.exam.Expires)
		}
	case "let out": // released, swapped, or ended for everybody
		if s.within() && !s.out {
			s.contact()
			s.revise(s.now.Add(-2 * time.Second).Truncate(time.Second)) // as exactly as the time is known
			s.leave()
		}
	case "let in":
		if s.within() && s.out {
			s.contact()
			s.out = false
			s.revise(s.exam.Expires)
		}
	case "hand":
		s.loop.Hand(rapid.Bool().Draw(s.t, "up"))
	case "told the time":
		s.contact()
	}
}

// Whatever happens while the server is silent, or says little: nothing leaves a
// device locked after its end or open in its window, a restart is always
// acknowledged first, and the log is whole.
func TestNoSittingLeavesADeviceLockedOrOpen(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := &sitting{device: newExaminee(t), t: rt, now: monday, real: monday, codes: map[lease.Use]int{}}
		s.exam = s.device.exam(1, 10*time.Minute, 70*time.Minute, lease.Examination{Resume: true})
		if err := s.hand(s.exam); err != nil {
			rt.Fatal(err)
		}
		for range rapid.IntRange(5, 40).Draw(rt, "steps") {
			s.step()
			s.loop.Tick()
			all, some := s.locked()
			switch {
			case s.over || s.out || s.now.Before(s.exam.NotBefore):
				if some {
					rt.Fatalf("locked at %s, outside its window", s.now.Sub(monday))
				}
			case s.now.Before(s.exam.Expires):
				s.began = true
				if !all {
					rt.Fatalf("open at %s, in its window", s.now.Sub(monday))
				}
				if s.covered() != s.rebooted {
					rt.Fatalf("covered is %v, restarted %v", s.covered(), s.rebooted)
				}
			case !s.now.Add(-s.doubt).Before(s.exam.Expires):
				if some {
					rt.Fatalf("locked at %s, after its end", s.now.Sub(monday))
				}
				s.over = true
			default:
				s.over = !some // it ended, or will within the doubt
			}
		}
		log := append(s.log, s.wire().Sealed...)
		if !ddm.Unbroken(ddm.Sealed{}, log) {
			rt.Fatalf("the log is broken: %+v", log)
		}
		if s.over && log[len(log)-1].What != ddm.DeedEnded {
			rt.Fatalf("the log ends with %s", log[len(log)-1].What)
		}
	})
}
