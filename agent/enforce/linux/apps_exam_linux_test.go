package linux_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

// The bypasses that begin with a program, each by its name. The kernel itself asks
// before a program starts.
func TestBypassesByPrograms(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	s := newSchool(t, -1)
	for name, from := range map[string]string{
		"usr/bin/xterm": "echo", "usr/bin/scrot": "echo", "usr/bin/ssh": "echo", "usr/libexec/xdg-desktop-portal-gtk": "echo", "usr/libexec/bluetooth/obexd": "echo",
	} {
		s.install(t, name, from)
	}
	at := func(name string) string { return filepath.Join(s.root, name) }
	if !start(t, pupil, at("usr/bin/xterm")) {
		t.Fatal("nothing starts here at all")
	}
	rules := focus(time.Minute, "geogebra")
	rules.Exam = &enforce.Exam{ID: "e"}
	set(t, s.driver, rules)
	s.judging(t)
	for trick, name := range map[string]string{
		"a terminal by a key of the desktop": "usr/bin/xterm", "a picture by the print key": "usr/bin/scrot", "a picture through the session bus": "usr/libexec/xdg-desktop-portal-gtk",
		"a tunnel to a friend": "usr/bin/ssh", "files over Bluetooth": "usr/libexec/bluetooth/obexd", "another browser": "usr/bin/firefox-esr", "a script of one's own": "usr/bin/python3",
	} {
		t.Run(trick, func(t *testing.T) {
			if start(t, pupil, at(name)) {
				t.Error("it starts")
			}
		})
	}
	t.Run("a copy under another name", func(t *testing.T) {
		copied := copyFile(t, "/bin/echo", at("home/notes"), pupil)
		if start(t, pupil, copied) {
			t.Error("it starts")
		}
	})
	if !start(t, pupil, at("usr/bin/mousetweaks")) {
		t.Error("an aid for people who move differently does not start")
	}
	if !start(t, pupil, at("usr/bin/geogebra"), "0") {
		t.Error("what the exam allows does not start")
	}
	eventually(t, "the tries are seen", func() bool {
		names := ""
		for _, seen := range s.driver.Sightings() {
			if seen.What == ddm.DeedRefused {
				names += seen.Args["program"] + " "
			}
		}
		return strings.Contains(names, "xterm") && strings.Contains(names, "scrot") && strings.Contains(names, "ssh")
	})
	for _, seen := range s.driver.Sightings() {
		if strings.Contains(seen.Args["program"], "portal") || seen.Args["program"] == "obexd" {
			t.Errorf("%s is told, which nobody at the desk asked for", seen.Args["program"])
		}
	}
	t.Run("an exam that allows pictures", func(t *testing.T) {
		rules.Exam = &enforce.Exam{ID: "e", Examination: lease.Examination{Capture: true}}
		set(t, s.driver, rules)
		eventually(t, "it starts", func() bool { return start(t, pupil, at("usr/bin/scrot")) })
		if start(t, pupil, at("usr/bin/ssh")) {
			t.Error("so does everything else")
		}
	})
	t.Run("a script out of the exam's browser", func(t *testing.T) {
		rules.Exam = &enforce.Exam{ID: "e", Examination: lease.Examination{Page: "https://moodle.example"}}
		set(t, s.driver, rules)
		eventually(t, "the browser starts", func() bool { return start(t, pupil, at("usr/bin/editor"), "-c", "true") })
		if start(t, pupil, at("usr/bin/editor"), "-c", at("usr/bin/python3")+" /etc/hostname; exit $?") {
			t.Error("it starts")
		}
	})
	t.Run("an aid that the exam does not name", func(t *testing.T) {
		rules.Exam = &enforce.Exam{ID: "e", Examination: lease.Examination{Aids: []string{"reader"}}}
		set(t, s.driver, rules)
		eventually(t, "it does not start", func() bool { return !start(t, pupil, at("usr/bin/mousetweaks")) })
	})
	set(t, s.driver, enforce.Rules{})
	if !start(t, pupil, at("usr/bin/xterm")) {
		t.Error("after the exam a terminal does not start")
	}
}
