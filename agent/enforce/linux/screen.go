package linux

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"schulwart.org/agent/display"
	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
)

// ScreenOptions are what a screen driver works with.
type ScreenOptions struct {
	Holds    host.Holds
	Desktops host.Desktops
	Clock    host.Clock
	// Unlock lets people switch to text consoles again if the helper kept them
	// from it and could not undo that; nil for nothing.
	Unlock func() error
	// Consoles keeps people from text consoles while the screen is covered.
	Consoles bool
	// State is the directory in which the agent listens for codes that are typed on
	// the cover.
	State string
	// Displays are the only ones to cover; empty for all.
	Displays []string
}

// Screen covers the screens of X11 sessions. A helper that outlives the agent
// does the work and ends it in time; the driver tells it what and until when.
type Screen struct {
	o ScreenOptions

	mu     sync.Mutex
	wanted *display.Order
	missed map[string]time.Duration // displays found uncovered, since when (host.Reading.Elapsed)
}

// NewScreen returns the driver of the screen part.
func NewScreen(o ScreenOptions) *Screen { return &Screen{o: o, missed: map[string]time.Duration{}} }

// Part is the screen.
func (s *Screen) Part() catalog.Part { return catalog.Screen }

// Set covers the screens, or uncovers them.
func (s *Screen) Set(_ context.Context, rules enforce.Rules) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if rules.Screen == nil || rules.Screen.Release <= 0 {
		return s.uncover()
	}
	order := s.order(*rules.Screen)
	content, err := json.Marshal(order)
	if err != nil {
		return fmt.Errorf("encoding screen: %w", err)
	}
	if err := s.o.Holds.Hold(display.Name, content, rules.Screen.Release); err != nil {
		return fmt.Errorf("covering screen: %w", err)
	}
	s.wanted = &order
	return nil
}

func (s *Screen) uncover() error {
	if err := s.o.Holds.Drop(display.Name); err != nil {
		return fmt.Errorf("uncovering screen: %w", err)
	}
	s.wanted = nil
	clear(s.missed)
	if s.o.Unlock != nil {
		return s.o.Unlock()
	}
	return nil
}

// order keeps what the full ring stands for while the end stays the same, also
// over a restart of the agent.
func (s *Screen) order(screen enforce.Screen) display.Order {
	order := display.Order{By: screen.By, Message: screen.Message, Until: screen.Until.UTC(), Total: screen.Release.Round(time.Second), Consoles: s.o.Consoles, Displays: s.o.Displays}
	if screen.Code {
		order.Code, order.State = true, s.o.State
	}
	var held display.Order
	if h := s.o.Holds.Held(display.Name); h.Wanted && json.Unmarshal(h.Content, &held) == nil {
		// The end may move by the correction of the clock; more is a new end.
		if held.By == order.By && held.Message == order.Message && held.Code == order.Code && held.Until.Sub(order.Until).Abs() < 2*time.Second {
			return held
		}
	}
	return order
}

// starting is how long a cover may take to come up before it is missed.
const starting = 3 * time.Second

// Check reads back what the helper sees on every display.
func (s *Screen) Check(context.Context) enforce.Reading {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.o.Holds.Held(display.Name)
	if s.wanted == nil {
		if held.Running {
			return deviating("screen.still")
		}
		return asWanted()
	}
	if !held.Running {
		return deviating("screen.gone")
	}
	desktops, err := s.o.Desktops.Desktops()
	if err != nil {
		return deviating("screen.display", "error", err.Error())
	}
	return s.covered(desktops, held)
}

// covered compares the sessions that are there with those that are covered. The
// worst of them is told.
func (s *Screen) covered(desktops []host.Desktop, held host.Held) enforce.Reading {
	var report display.Report
	_ = json.Unmarshal(held.Report, &report)
	wayland, sessions := false, 0
	worst := asWanted()
	for _, d := range desktops {
		if d.Wayland {
			wayland = true
			continue
		}
		if !s.concerns(d) {
			continue
		}
		sessions++
		if one := s.seenAs(d.Display, report[d.Display], held.Age); severity[one.State] > severity[worst.State] {
			worst = one
		}
	}
	switch {
	case worst.State != ddm.PartOK:
		return worst
	case wayland:
		return notPossible("screen.wayland")
	case sessions == 0:
		worst.Reason = reason("screen.no-session")
	}
	return worst
}

var severity = map[ddm.PartState]int{ddm.PartOK: 0, ddm.PartPending: 1, ddm.PartDeviating: 2}

func (s *Screen) concerns(d host.Desktop) bool {
	if len(s.o.Displays) == 0 {
		return true
	}
	for _, display := range s.o.Displays {
		if display == d.Display {
			return true
		}
	}
	return false
}

// seenAs judges one display. One that is not covered is given a moment: its
// session may have just begun, or the cover was closed by a trick and is on its
// way back.
func (s *Screen) seenAs(name string, seen display.Seen, age time.Duration) enforce.Reading {
	now := s.o.Clock.Read().Elapsed
	if seen.Covered && age < starting {
		delete(s.missed, name)
		if !seen.Held {
			return pending("screen.keyboard")
		}
		return asWanted()
	}
	since, known := s.missed[name]
	if !known {
		since, s.missed[name] = now, now
	}
	state := pending
	if now-since >= starting {
		state = deviating
	}
	switch {
	case seen.Fault != "":
		return state("screen.display", "error", seen.Fault)
	case now-since < starting:
		return state("screen.starting")
	}
	return state("screen.gone")
}
