package e2e

import (
	"os"
	"strings"
	"time"
)

// examDesk is a desktop as pupils have one, with a window manager.
type examDesk struct{ *desktop }

// examDesktop starts the desktop. The real browser's guard against its own pages
// needs rights that a test machine does not give.
func (s *seat) examDesktop() *examDesk {
	s.t.Helper()
	s.furnish()
	s.sh(`echo 'export CHROMIUM_FLAGS="$CHROMIUM_FLAGS --no-sandbox --disable-gpu --disable-background-networking --disable-dev-shm-usage --ignore-certificate-errors"' >/etc/chromium.d/test`)
	d := &examDesk{s.desktop()}
	manager := s.pupil([]string{"DISPLAY=" + display}, "openbox")
	must(s.t, manager.Start())
	go func() { _ = manager.Wait() }()
	await(s.t, "the window manager", func() bool { return strings.Contains(d.xprop("-root", "_NET_SUPPORTED"), "_NET_ACTIVE_WINDOW") })
	d.tool("search", "--class", "xterm", "windowactivate", "--sync")
	return d
}

func (d *examDesk) xprop(args ...string) string {
	cmd := d.m.command("timeout", append([]string{"10", "xprop"}, args...)...)
	cmd.Env = append(cmd.Env, "DISPLAY="+display)
	out, _ := cmd.CombinedOutput()
	return string(out)
}

// front is the class of the window that has the keyboard.
func (d *examDesk) front() string {
	_, id, _ := strings.Cut(d.xprop("-root", "_NET_ACTIVE_WINDOW"), "# ")
	return d.xprop("-id", strings.TrimSpace(id), "WM_CLASS")
}

func (d *examDesk) inFront() bool { return strings.Contains(d.front(), "schulwart-exam") }

// bypasses are what a pupil tries who wants out, each as the pupil and with no
// more rights. What happens within the session alone, agent/aside tries in
// TestBypassesOfTheExamScreen.
func (x *sitting) bypasses(s *seat, desk *examDesk) {
	t := x.t
	within := func(what string) bool {
		if time.Until(x.ends.Add(time.Minute)) < 5*time.Second {
			t.Fatalf("the machine is too slow: the examination ends before the pupil has tried %q", what)
		}
		return true
	}
	env := []string{"DISPLAY=" + display}
	s.refuses(x.town) // other sites, name servers, QUIC
	for what, line := range map[string]string{
		"a copy of a program":                 "/home/pupil/copy",
		"a script":                            `printf '#!/bin/sh\necho out' >/home/pupil/tried.sh; chmod +x /home/pupil/tried.sh; /home/pupil/tried.sh`,
		"a terminal":                          "timeout 5 xterm -e true",
		"a picture of the screen":             "timeout 5 xwd -root -out /home/pupil/tried.xwd",
		"a connection to elsewhere":           "timeout 5 ssh -V",
		"a program from a mount of one's own": "timeout 5 unshare -Urm sh -c 'mount -t tmpfs t /mnt && cp /bin/true /mnt/t && /mnt/t'",
		"the loader of programs":              "/lib64/ld-linux-x86-64.so.2 /home/pupil/copy",
		"killing the agent":                   "kill -9 " + itoa(s.agent.pid()),
		"flushing the packet rules":           "nft flush ruleset",
		"the browser's policies":              "echo '{}' >/etc/chromium/policies/managed/schulwart.json",
		"a policy of one's own":               "echo '{}' >/etc/chromium/policies/managed/zz.json",
		"the agent's memory":                  "mv " + agentState + " /home/pupil/ || touch " + agentState + "/x",
		"ending it by the command line":       "schulwart-agent sweep --state " + agentState,
		"taking the agent off":                "schulwart-agent uninstall --state " + agentState,
		"the wall clock":                      "date -s '2030-01-01'",
		"another address":                     "ip link set eth0 down",
	} {
		within(what)
		if out, err := s.pupil(env, "sh", "-c", line).CombinedOutput(); err == nil {
			t.Errorf("%s works: %s", what, out)
		}
	}
	for range 6 {
		if out, err := s.pupil(nil, "schulwart-agent", "release", "0000 0000", "--state", agentState).CombinedOutput(); err == nil {
			t.Errorf("guessing a code works: %s", out)
		}
	}
	within("closing the window")
	shown := time.Now()
	desk.tool("key", "alt+F4")
	await(t, "the page to be there again", func() bool { return x.page.shown(shown.Add(time.Second)) && desk.inFront() })
	desk.tool("search", "--class", "xterm", "windowactivate")
	await(t, "the examination in front again", desk.inFront)
	s.shut("spiel.example")
	if _, err := os.Stat(s.disk("/home/pupil/tried.xwd")); err == nil {
		t.Error("there is a picture of the screen")
	}
}
