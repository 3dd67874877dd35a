package display

import (
	"strings"
	"testing"
	"time"

	"schulwart.org/agent/host"
)

// Who uses a screen reader hears at once what the covered screen says, and what is
// typed and answered on it; nobody else does unasked.
func TestTheCoveredScreenIsReadToWhoUsesAScreenReader(t *testing.T) {
	programs := &host.FakePrograms{}
	programs.Run(host.Program{PID: 7, UID: 1001, Path: "/usr/bin/python3.11", Args: []string{"/usr/bin/python3", "/usr/bin/orca", "--replace"}})
	programs.Run(host.Program{PID: 8, UID: 1002, Path: "/usr/bin/python3.11", Args: []string{"python3", "orca-whale.py"}})
	order := Order{By: "Frau Oert", Until: time.Date(2026, 3, 16, 9, 35, 0, 0, time.UTC), Code: true}
	k := &keeper{programs: programs, voice: "/usr/bin/spd-say", covered: map[string]*covered{
		":1": {desktop: host.Desktop{UID: 1001, Display: ":1"}, seen: Seen{Covered: true}},
		":2": {desktop: host.Desktop{UID: 1002, Display: ":2"}, seen: Seen{Covered: true}},
	}}
	speak := func() (all []string) {
		for _, c := range k.covered {
			_, speech := c.take()
			for _, s := range speech {
				k.readAloud(c.desktop, s, order)
			}
		}
		for _, launch := range programs.Launched() {
			if launch.UID != 1001 {
				t.Errorf("somebody else hears %v", launch.Args)
			}
			all = append(all, launch.Args[len(launch.Args)-1])
		}
		return all
	}
	k.readers()
	if got := speak(); len(got) != 1 || !strings.Contains(got[0], "Deine Prüfung wartet.") || !strings.Contains(got[0], "8 Ziffern") {
		t.Fatalf("at first it says %q", got)
	}
	k.readers()
	if got := speak(); len(got) != 1 {
		t.Errorf("it says everything again: %q", got)
	}
	reader := k.covered[":1"]
	reader.speech = append(reader.speech, said{Speak: "de", Say: "5"}, said{Speak: "de", Say: "Dieser Code passt nicht."})
	if got := speak(); len(got) != 3 || got[1] != "5" || got[2] != "Dieser Code passt nicht." {
		t.Errorf("it says %q", got)
	}
	k.voice = ""
	k.readers()
	if reader.reader {
		t.Error("it means to speak without a voice")
	}
}
