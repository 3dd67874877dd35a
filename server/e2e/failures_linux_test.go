package e2e

import (
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/scripts/rig"
	"schulwart.org/server/lesson"
)

// lookout tries all the time whether a page is reached from the pupil's side.
type lookout struct {
	stop chan struct{}
	done sync.WaitGroup

	mu     sync.Mutex
	tries  int
	opened []time.Time
}

// every is how often it tries.
const every = 50 * time.Millisecond

// lookout begins to try a site by its addresses: names may be answered or not.
func (m *machine) lookout(site rig.Site) *lookout {
	return m.lookoutEvery(every, site, site.Addr, site.Addr6)
}

// lookoutEvery tries as often as is said, by the addresses given.
func (m *machine) lookoutEvery(pause time.Duration, site rig.Site, addrs ...netip.Addr) *lookout {
	l := &lookout{stop: make(chan struct{})}
	for _, addr := range addrs {
		l.done.Go(func() {
			tick := time.NewTicker(pause)
			defer tick.Stop()
			for {
				select {
				case <-l.stop:
					return
				case <-tick.C:
				}
				got := m.world.Ask(m.Namespace, "https://"+site.Name+"/", rig.Ask{Addr: addr})
				l.mu.Lock()
				l.tries++
				if got.Outcome == rig.OK {
					l.opened = append(l.opened, time.Now())
				}
				l.mu.Unlock()
			}
		})
	}
	return l
}

// end ends it and returns when it got through.
func (l *lookout) end() (tries int, opened []time.Time) {
	close(l.stop)
	l.done.Wait()
	return l.tries, l.opened
}

// shutUntil fails if the pupil got through before the instant.
func (l *lookout) shutUntil(t testing.TB, until time.Time) {
	t.Helper()
	tries, opened := l.end()
	if tries < 3 {
		t.Errorf("tried %d times only", tries)
	}
	for _, at := range opened {
		// The end counts whole seconds and the server's clock is the device's to
		// about two of them.
		if at.Before(until.Add(-2 * time.Second)) {
			t.Errorf("open %v before the end", until.Sub(at).Round(time.Millisecond))
			return
		}
	}
	t.Logf("%d tries, none got through before the end", tries)
}

// released waits for the end as the pupil meets it.
func (m *machine) released(until time.Time, by time.Duration) {
	m.t.Helper()
	m.opens("lernen.example")
	if late := time.Since(until); late > by {
		m.t.Errorf("free %v after the end", late.Round(time.Millisecond))
	} else {
		m.t.Logf("free %v after the end", late.Round(time.Millisecond))
	}
	if now := time.Now(); now.Before(until.Add(-2 * time.Second)) {
		m.t.Errorf("free %v before the end", until.Sub(now).Round(time.Millisecond))
	}
}

// late is how long after its end a mode may hold on a busy test machine.
const late = 8 * time.Second

func TestWhatGoesWrong(t *testing.T) {
	c := newTown(t)
	m := c.laptop(theAgent(t))
	p := c.as(oert)
	m.opens("lernen.example")

	step(t, "the server is killed in mid-mode", func() {
		until := soon(10 * time.Second)
		short := c.mode(p, lease.Offline, until)
		long := c.mode(p, lease.Screen, soon(5*time.Minute))
		c.stop(syscall.SIGKILL)
		look := m.lookout(rig.Spiel)
		m.released(until, late)
		look.shutUntil(t, until)
		c.start()
		p = c.as(oert)
		p.reaches(short, lesson.Ended, 1)
		if state := p.mode(long).Devices[0].State; state == lesson.Ended {
			t.Errorf("what still runs is %s", state)
		}
		await(t, "the laptop back on its stream", func() bool { return m.status().Link == "stream" })
		p.end(long)
		p.reaches(long, lesson.Ended, 1)
	})

	step(t, "the agent is killed with -9", func() {
		id := c.mode(p, lease.Offline, soon(15*time.Minute))
		look := m.lookout(rig.Spiel)
		for range 3 {
			before := m.agent.pid()
			m.kill()
			began := time.Now()
			await(t, "another agent", func() bool { now := m.agent.pid(); return now != 0 && now != before && m.status().Running })
			t.Logf("answers %v after it was killed", time.Since(began).Round(time.Millisecond))
		}
		await(t, "the agent to agree", func() bool { return m.status().Agrees })
		look.shutUntil(t, time.Now().Add(time.Hour))
		p.reaches(id, lesson.Active, 1)
		p.end(id)
		p.reaches(id, lesson.Ended, 1)
		m.opens("lernen.example")
	})

	step(t, "the agent is killed while only some sites are open", func() {
		id := c.mode(p, lease.Sites, soon(15*time.Minute))
		m.opens("lernen.example")
		look := m.lookout(rig.Spiel)
		m.kill()
		await(t, "the agent to agree", func() bool { return m.agent.pid() != 0 && m.status().Agrees })
		m.opens("lernen.example")
		look.shutUntil(t, time.Now().Add(time.Hour))
		p.end(id)
		p.reaches(id, lesson.Ended, 1)
	})

	step(t, "the agent is gone for good in mid-mode", func() {
		until := soon(12 * time.Second)
		id := c.mode(p, lease.Offline, until)
		policy := m.disk("/etc/chromium/policies/managed/schulwart.json")
		await(t, "the browser's policy", func() bool { _, err := os.Stat(policy); return err == nil })
		m.unwatch()
		look := m.lookout(rig.Spiel)
		m.sh("schulwart-agent sweep --state " + agentState) // nothing is over: it lifts nothing
		m.shut("lernen.example")
		m.released(until, late)
		look.shutUntil(t, until)
		if _, err := os.Stat(policy); err != nil {
			t.Errorf("nothing is left for the sweep: %v", err)
		}
		m.sh("schulwart-agent sweep --state " + agentState)
		if _, err := os.Stat(policy); err == nil {
			t.Error("the browser's policy is left")
		}
		m.watch()
		p.reaches(id, lesson.Ended, 1)
		if s := m.status(); len(s.Leases) != 0 || len(s.Ended) == 0 {
			t.Errorf("the agent says %+v", s.Leases)
		}
	})

	// Root can end any mode. That is not prevented; it is told.
	step(t, "root takes the rules away and the agent with them", func() {
		id := c.mode(p, lease.Offline, soon(15*time.Minute))
		m.sh("nft delete table inet schulwart")
		await(t, "the agent to restore it", func() bool { return m.reach("lernen.example").Blocked() })
		await(t, "the board to tell that it was changed", func() bool { return p.mode(id).Devices[0].Reason == "part_repaired" })
		m.unwatch()
		m.sh("nft flush ruleset")
		m.opens("lernen.example")
		await(t, "the board to say that it hears nothing of it", func() bool { return p.mode(id).Devices[0].Reason == "held_without_contact" }, func() any { return p.mode(id).Devices })
		m.watch()
		await(t, "the agent to restore it", func() bool { return m.reach("lernen.example").Blocked() })
		// What it told before is there until it reads back anew: one or the other is seen.
		await(t, "the board to hear of the agent that came back", func() bool {
			device := p.mode(id).Devices[0]
			return device.State == lesson.Active && device.Reason != "held_without_contact"
		}, func() any { return p.mode(id).Devices })
		p.end(id)
		p.reaches(id, lesson.Ended, 1)
		m.opens("lernen.example")
	})

	step(t, "the cable is pulled", func() {
		until := soon(8 * time.Second)
		id := c.mode(p, lease.Offline, until)
		c.Unplug(t, m.Namespace)
		if s := m.status(); len(s.Leases) != 1 || s.Leases[0].Phase != ddm.LeaseActive {
			t.Errorf("without a cable: %+v", s.Leases)
		}
		// Nobody read the end back, so nobody says that it was.
		await(t, "the board to say that it does not know", func() bool { return p.mode(id).Devices[0].State == lesson.Unreachable })
		if s := m.status(); len(s.Leases) != 0 {
			t.Errorf("without a cable it holds past its end: %+v", s.Leases)
		}
		c.Plug(t, m.Namespace)
		m.opens("lernen.example")
		p.reaches(id, lesson.Ended, 1)
		early := c.mode(p, lease.Offline, soon(15*time.Minute))
		c.Unplug(t, m.Namespace)
		p.end(early)
		await(t, "it to hold on without contact", func() bool { s := m.status(); return len(s.Leases) == 1 })
		c.Plug(t, m.Namespace)
		p.reaches(early, lesson.Ended, 1)
		m.opens("lernen.example")
	})

	step(t, "a release code without a network", func() {
		id := c.mode(p, lease.Offline, soon(15*time.Minute))
		var said struct{ Code string }
		p.want(http.StatusOK, "POST", "/api/v1/modes/"+id.String()+"/release-code", map[string]any{"device": p.mode(id).Devices[0].ID}, &said)
		c.Unplug(t, m.Namespace)
		if out, err := m.pupil(nil, "schulwart-agent", "release", said.Code, "--state", agentState).CombinedOutput(); err != nil {
			t.Fatalf("release %s: %v: %s", said.Code, err, out)
		}
		await(t, "nothing to hold", func() bool { return len(m.status().Leases) == 0 })
		c.Plug(t, m.Namespace)
		m.opens("lernen.example")
		p.reaches(id, lesson.Ended, 1)
	})
}

// A machine that is switched off and on in mid-mode, without a network: what
// holds is there before anything else, and it ends on time.
func TestARebootWithoutANetwork(t *testing.T) {
	c := newTown(t)
	m := c.laptop(theAgent(t))
	p := c.as(oert)
	until := soon(25 * time.Second)
	id := c.mode(p, lease.Offline, until)
	c.Unplug(t, m.Namespace)
	m.off()
	c.stop(syscall.SIGKILL)
	m.on()
	if s := m.status(); s.Running || len(s.Leases) != 1 {
		t.Errorf("before the agent runs: %+v", s)
	}
	m.watch()
	await(t, "the mode in force", func() bool { s := m.status(); return s.Running && s.Agrees && len(s.Leases) == 1 }, func() any { return m.log() })
	c.Plug(t, m.Namespace)
	m.shut("lernen.example")
	m.shut("spiel.example")
	m.released(until, late)
	c.start()
	p = c.as(oert)
	p.reaches(id, lesson.Ended, 1)
}

func TestAWallClockThatIsMovedByADay(t *testing.T) {
	c := newTown(t)
	m := c.laptop(movableAgent(t))
	p := c.as(oert)
	move := func(by time.Duration) {
		if m.outer == nil {
			m.write(agentState+"/wall-shift", by.String()+"\n")
			return
		}
		m.sh("echo " + by.String() + " >" + agentState + "/wall-shift")
	}
	for _, by := range []time.Duration{24 * time.Hour, -24 * time.Hour} {
		step(t, "by "+by.String(), func() {
			until := soon(12 * time.Second)
			id := c.mode(p, lease.Offline, until)
			look := m.lookout(rig.Spiel)
			move(by)
			await(t, "the agent to see it", func() bool { ahead := m.status().WallAhead; return ahead > 80000 || ahead < -80000 })
			if s := m.status(); len(s.Leases) != 1 || !s.Leases[0].Until.Equal(until) {
				t.Errorf("the mode is now %+v", s.Leases)
			}
			m.released(until, late)
			look.shutUntil(t, until)
			move(0)
			p.reaches(id, lesson.Ended, 1)
		})
	}
	step(t, "a day ahead over a start without a network, until the server says what time it is", func() {
		id := c.mode(p, lease.Offline, soon(15*time.Minute))
		c.Unplug(t, m.Namespace)
		m.off()
		move(24 * time.Hour)
		m.on()
		m.watch()
		await(t, "the wall clock to be believed", func() bool { s := m.status(); return s.Running && len(s.Leases) == 0 }, func() any { return m.status() })
		c.Plug(t, m.Namespace)
		await(t, "it to hold again", func() bool { s := m.status(); return s.Agrees && len(s.Leases) == 1 }, func() any { return m.status() })
		m.shut("lernen.example")
		p.reaches(id, lesson.Active, 1)
		p.end(id)
		p.reaches(id, lesson.Ended, 1)
	})
	step(t, "a day behind over a start without a network", func() {
		move(0)
		until := soon(25 * time.Second)
		id := c.mode(p, lease.Offline, until)
		c.Unplug(t, m.Namespace)
		m.off()
		move(-24 * time.Hour)
		m.on()
		m.watch()
		await(t, "the mode in force", func() bool { s := m.status(); return s.Agrees && len(s.Leases) == 1 })
		c.Plug(t, m.Namespace)
		m.released(until, late+10*time.Second) // the last checkpoint may be ten seconds old
		p.reaches(id, lesson.Ended, 1)
	})
}

// The disk on which the agent's state lies is full: what holds ends on time, a
// new mode is not taken (it could not survive a restart), and both are said.
func TestAFullDisk(t *testing.T) {
	c := newTown(t)
	m := newMachine(t, c.World, c.Pupils[0], theAgent(t))
	m.off()
	m.small = 1024
	m.on()
	c.enrol(m)
	p := c.as(oert)
	until := soon(20 * time.Second)
	first := c.mode(p, lease.Sites, until)
	m.opens("lernen.example")
	m.fill()
	second := p.start(order{"target": in(c.house.class), "kind": "offline", "minutes": 15})
	p.reaches(second.ID, lesson.Active, 1) // which spends the reserve
	third := p.start(order{"target": in(c.house.class), "kind": "focus", "apps": []string{"geogebra"}, "minutes": 15})
	m.fill()
	fourth := p.start(order{"target": in(c.house.class), "kind": "screen", "minutes": 5})
	await(t, "the agent to say that its disk is full", func() bool {
		for _, fault := range m.status().Faults {
			if fault.Code == "memory.full" {
				return true
			}
		}
		m.fill()
		return false
	}, func() any { return m.status() })
	if state := p.mode(fourth.ID).Devices[0].State; state == lesson.Active {
		t.Errorf("a mode that could not be stored is %s", state)
	}
	p.reaches(first, lesson.Ended, 1)
	m.sh("rm " + agentState + "/ballast*")
	for _, mode := range []string{second.ID.String(), third.ID.String(), fourth.ID.String()} {
		p.want(http.StatusOK, "DELETE", "/api/v1/modes/"+mode, nil, nil)
	}
	p.reaches(second.ID, lesson.Ended, 1)
	p.reaches(fourth.ID, lesson.Ended, 1)
	m.opens("spiel.example")
	await(t, "the fault to be gone", func() bool { return len(m.status().Faults) == 0 })
	again := c.mode(p, lease.Offline, soon(10*time.Minute))
	m.shut("lernen.example")
	p.end(again)
	p.reaches(again, lesson.Ended, 1)
}

var ballast int

// fill writes until nothing fits any more.
func (m *machine) fill() {
	m.t.Helper()
	ballast++
	file := agentState + "/ballast" + strconv.Itoa(ballast)
	_ = m.command("sh", "-c", "dd if=/dev/zero of="+file+" bs=4k 2>/dev/null").Run()
}
