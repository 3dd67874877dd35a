package display_test

import (
	"bufio"
	"bytes"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"schulwart.org/agent/host"
	"schulwart.org/scripts/need"
)

// A notice appears on the pupil's desktop although the agent is somebody else.
func TestNoticeIsShown(t *testing.T) {
	daemon, dunst := need.Tool(t, "dbus-daemon"), need.Tool(t, "dunst")
	s := startSession(t)
	// A message bus wants its person to have a name.
	const nobody = 65534
	as := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	bus := exec.Command(daemon, "--session", "--nofork", "--print-address")
	bus.SysProcAttr = as
	out, err := bus.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := bus.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bus.Process.Kill(); _ = bus.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	env := append(s.openTo(t, nobody), "DBUS_SESSION_BUS_ADDRESS="+strings.TrimSpace(address))
	desktop := host.Desktop{UID: nobody, GID: nobody, Display: s.name, Env: env}
	if err := (host.SystemDesktops{}).Notify(desktop, "Schulwart", "Hallo"); err == nil {
		t.Error("a desktop without notices should be an error")
	}
	shower := exec.Command(dunst)
	shower.Env, shower.SysProcAttr = env, as
	if err := shower.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = shower.Process.Kill(); _ = shower.Wait() })
	before := s.picture(t)
	eventually(t, 5*time.Second, "the desktop takes the notice", func() bool {
		return (host.SystemDesktops{}).Notify(desktop, "Schulwart", "Frau Oert hat das Internet bis 10:35 Uhr ausgeschaltet. Danach ist alles wieder wie vorher.") == nil
	})
	eventually(t, 5*time.Second, "the notice is on the screen", func() bool { return !bytes.Equal(before.Pix, s.picture(t).Pix) })
	last := s.picture(t)
	eventually(t, 5*time.Second, "the notice stands still", func() bool {
		former := last
		last = s.picture(t)
		return bytes.Equal(former.Pix, last.Pix)
	})
	s.keep(t, "notice")
}
