package linux_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"schulwart.org/agent/display"
	"schulwart.org/agent/enforce"
	"schulwart.org/agent/enforce/linux"
	"schulwart.org/agent/host"
	"schulwart.org/policies/ddm"
)

func covering(m *machine, minutes time.Duration) enforce.Rules {
	return enforce.Rules{Screen: &enforce.Screen{By: "Frau Oert", Until: m.Read().Wall.Add(minutes * time.Minute), Release: minutes * time.Minute}}
}

func newScreen(m *machine, seen display.Seen) (*linux.Screen, *host.FakeHolds) {
	holds := &host.FakeHolds{Clock: m, Report: func(string, []byte) []byte {
		data, _ := json.Marshal(display.Report{":0": seen})
		return data
	}}
	return linux.NewScreen(linux.ScreenOptions{Holds: holds, Desktops: m.desktops, Clock: m}), holds
}

func TestScreenTellsWhatTheHelperSees(t *testing.T) {
	covered := display.Seen{Covered: true, Held: true, Screens: 1}
	wayland := host.Desktop{UID: 1001, Wayland: true}
	x11 := host.Desktop{UID: 1001, Display: ":0"}
	for name, c := range map[string]struct {
		desktops []host.Desktop
		seen     display.Seen
		later    time.Duration
		state    ddm.PartState
		code     string
	}{
		"covered":                    {[]host.Desktop{x11}, covered, 0, ddm.PartOK, ""},
		"nobody is logged in":        {nil, covered, 0, ddm.PartOK, "screen.no-session"},
		"wayland is not possible":    {[]host.Desktop{wayland}, covered, 0, ddm.PartNotPossible, "screen.wayland"},
		"a menu holds the keyboard":  {[]host.Desktop{x11}, display.Seen{Covered: true}, 0, ddm.PartPending, "screen.keyboard"},
		"coming up":                  {[]host.Desktop{x11}, display.Seen{}, 0, ddm.PartPending, "screen.starting"},
		"not covered after a while":  {[]host.Desktop{x11}, display.Seen{}, 5 * time.Second, ddm.PartDeviating, "screen.gone"},
		"display refuses for longer": {[]host.Desktop{x11}, display.Seen{Fault: "no key"}, 5 * time.Second, ddm.PartDeviating, "screen.display"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine()
			m.desktops.SetDesktops(c.desktops...)
			s, _ := newScreen(m, c.seen)
			set(t, s, covering(m, 5))
			s.Check(context.Background())
			m.Advance(c.later)
			wantState(t, s, c.state, c.code)
		})
	}
}

func TestKilledHelperIsMissed(t *testing.T) {
	m := newMachine()
	s, holds := newScreen(m, display.Seen{Covered: true, Held: true})
	set(t, s, covering(m, 5))
	holds.Kill(display.Name)
	wantState(t, s, ddm.PartDeviating, "screen.gone")
	set(t, s, covering(m, 5))
	wantState(t, s, ddm.PartOK, "")
}

func TestUncoveringEndsTheHelper(t *testing.T) {
	m := newMachine()
	s, holds := newScreen(m, display.Seen{Covered: true, Held: true})
	set(t, s, covering(m, 5))
	set(t, s, nothing)
	if holds.Held(display.Name).Wanted {
		t.Error("still held")
	}
	wantState(t, s, ddm.PartOK, "")
}

// The ring stands for the whole time also after the agent has started again.
func TestRingKeepsItsWhole(t *testing.T) {
	m := newMachine()
	s, holds := newScreen(m, display.Seen{Covered: true, Held: true})
	set(t, s, covering(m, 5))
	until := m.Read().Wall.Add(5 * time.Minute)
	m.Advance(4 * time.Minute)
	again := linux.NewScreen(linux.ScreenOptions{Holds: holds, Desktops: m.desktops, Clock: m})
	set(t, again, enforce.Rules{Screen: &enforce.Screen{By: "Frau Oert", Until: until, Release: time.Minute}})
	var order display.Order
	if err := json.Unmarshal(holds.Held(display.Name).Content, &order); err != nil || order.Total != 5*time.Minute {
		t.Errorf("whole is %v (%v)", order.Total, err)
	}
}
