package selftest_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/agent/selftest"
	"schulwart.org/agent/words"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
)

// laptop is a machine and its drivers in one. A part in idle claims to hold and
// does nothing.
type laptop struct {
	rules map[catalog.Part]enforce.Rules
	idle  map[catalog.Part]bool
	state ddm.PartState // of the programs
}

type driver struct {
	*laptop
	part catalog.Part
}

func (d driver) Part() catalog.Part { return d.part }

func (d driver) Set(_ context.Context, rules enforce.Rules) error {
	if !d.idle[d.part] {
		d.rules[d.part] = rules
	}
	return nil
}

func (d driver) Check(context.Context) enforce.Reading {
	if d.part == catalog.Apps && d.state != "" {
		return enforce.Reading{State: d.state, Reason: &ddm.Reason{Code: "apps.fanotify"}}
	}
	return enforce.Reading{State: ddm.PartOK}
}

func (l *laptop) Reach(_ context.Context, name string) error {
	n := l.rules[catalog.Network].Network
	if name == "server:443" || n.Reach == enforce.Open || n.Reach == enforce.Only && n.Allow[0] == name {
		return nil
	}
	return errors.New("refused")
}

func (l *laptop) Start(_ context.Context, path string, _ ...string) error {
	if path == "/home/copy" && l.rules[catalog.Apps].Apps != nil {
		return host.ErrRefused
	}
	return nil
}

func (l *laptop) Copy(string) (string, func(), error) { return "/home/copy", func() {}, nil }

func (l *laptop) Covered(context.Context, host.Desktop) (bool, error) {
	return l.rules[catalog.Screen].Screen != nil, nil
}

func (l *laptop) Page(context.Context, string) (string, error) {
	if l.rules[catalog.Browser].Network.Reach == enforce.Never {
		return "ERR_BLOCKED_BY_ADMINISTRATOR", nil
	}
	return "ERR_NAME_NOT_RESOLVED", nil
}

func (l *laptop) Desktops() ([]host.Desktop, error) { return []host.Desktop{{Display: ":0"}}, nil }

func tryOn(l *laptop) []selftest.Trial {
	l.rules = map[catalog.Part]enforce.Rules{}
	var drivers []enforce.Driver
	for _, part := range []catalog.Part{catalog.Apps, catalog.Network, catalog.Screen, catalog.Browser} {
		drivers = append(drivers, driver{l, part})
	}
	return selftest.Run(context.Background(), selftest.Options{Drivers: drivers, Machine: l, Server: "server:443", Site: "a.test", Other: "b.test", Lang: words.German})
}

func TestGoodLaptopPasses(t *testing.T) {
	l := &laptop{}
	trials := tryOn(l)
	if !selftest.Good(trials) {
		t.Errorf("%+v", trials)
	}
	for part, rules := range l.rules {
		if rules.Screen != nil || rules.Apps != nil || rules.Network.Reach != enforce.Open {
			t.Errorf("%s was not taken back: %+v", part, rules)
		}
	}
	var out bytes.Buffer
	selftest.Print(&out, words.German, trials)
	if text := out.String(); !strings.Contains(text, "b.test wird sofort abgewiesen") || !strings.Contains(text, "bestanden: Was das Gerät meldet, stimmt.") || strings.Contains(text, "{") {
		t.Errorf("printed:\n%s", text)
	}
}

// A driver that only says so must not get away with it.
func TestClaimWithoutEffectFails(t *testing.T) {
	for _, part := range []catalog.Part{catalog.Network, catalog.Browser, catalog.Screen, catalog.Apps} {
		t.Run(string(part), func(t *testing.T) {
			trials := tryOn(&laptop{idle: map[catalog.Part]bool{part: true}})
			if selftest.Good(trials) {
				t.Fatal("passed")
			}
			for _, trial := range trials {
				if trial.Outcome == selftest.Failed && trial.Part != part {
					t.Errorf("blamed on %s: %+v", trial.Part, trial)
				}
			}
		})
	}
}

func TestWhatIsNotPossibleIsNoFailure(t *testing.T) {
	trials := tryOn(&laptop{state: ddm.PartNotPossible})
	if !selftest.Good(trials) {
		t.Errorf("%+v", trials)
	}
	var out bytes.Buffer
	selftest.Print(&out, words.English, trials)
	if !strings.Contains(out.String(), "not possible on this device") {
		t.Errorf("printed:\n%s", out.String())
	}
}
