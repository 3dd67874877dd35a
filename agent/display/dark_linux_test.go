package display_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"schulwart.org/agent/display"
	"schulwart.org/agent/host"
	"schulwart.org/scripts/need"
)

// twoScreens is a display of the real Xorg with two screens that nobody sees.
func twoScreens(t *testing.T) (name string, run func(args ...string) string) {
	t.Helper()
	need.Root(t)
	server := need.Tool(t, "Xorg")
	need.Tool(t, "xrandr")
	if drivers, _ := filepath.Glob("/usr/lib/xorg/modules/drivers/dummy_drv.so"); len(drivers) == 0 {
		need.Missing(t, "xserver-xorg-video-dummy")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "xorg.conf")
	const text = `Section "Device"
 Identifier "d"
 Driver "dummy"
 VideoRam 65536
EndSection
Section "Screen"
 Identifier "s"
 Device "d"
 DefaultDepth 24
 SubSection "Display"
  Modes "1024x768"
  Virtual 4096 2048
 EndSubSection
EndSection
Section "ServerFlags"
 Option "AutoAddDevices" "false"
EndSection
`
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	x := exec.Command(server, "-displayfd", "3", "-noreset", "-ac", "-config", config, "-logfile", filepath.Join(dir, "log"), "-novtswitch", "-sharevts", "-nolisten", "tcp")
	x.ExtraFiles = []*os.File{write}
	if err := x.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Process.Signal(syscall.SIGTERM); _ = x.Wait() })
	write.Close()
	number := make([]byte, 16)
	n, err := read.Read(number)
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		t.Fatalf("%v: %s", err, log)
	}
	name = ":" + strings.TrimSpace(string(number[:n]))
	run = func(args ...string) string {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "DISPLAY="+name)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v: %s", args, err, out)
		}
		return string(out)
	}
	run("xrandr", "--addmode", "DUMMY1", "1024x768")
	return name, run
}

func TestBypassAPictureOnASecondScreen(t *testing.T) {
	name, run := twoScreens(t)
	monitors := func() string { return run("xrandr", "--listactivemonitors") }
	for how, place := range map[string][]string{"beside": {"--right-of", "DUMMY0"}, "mirrored": {"--same-as", "DUMMY0"}} {
		t.Run(how, func(t *testing.T) {
			run(append([]string{"xrandr", "--output", "DUMMY1", "--mode", "1024x768"}, place...)...)
			before := monitors()
			if !strings.Contains(before, "DUMMY1") {
				t.Fatalf("there is no second screen: %s", before)
			}
			attendant, err := display.Attend(host.Desktop{Display: name})
			if err != nil {
				t.Fatal(err)
			}
			dark := func() bool {
				attendant.Tell(display.DeskOrder{Left: time.Hour})
				seen := attendant.Seen()
				return !strings.Contains(monitors(), "DUMMY1") && seen.Screens == 1 && seen.Dark == 1
			}
			eventually(t, 10*time.Second, "the second screen is dark", dark)
			if !strings.Contains(monitors(), "DUMMY0") {
				t.Fatal("the first one is dark, too")
			}
			t.Run("switching it on again", func(t *testing.T) {
				run(append([]string{"xrandr", "--output", "DUMMY1", "--mode", "1024x768"}, place...)...)
				eventually(t, 10*time.Second, "it is dark again", dark)
			})
			t.Run("killing what keeps it dark", func(t *testing.T) {
				pid := attendantOf(name)
				if pid == 0 {
					t.Fatal("nobody looks after the display")
				}
				if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
				eventually(t, 5*time.Second, "it is gone", attendant.Gone)
				if strings.Contains(monitors(), "DUMMY1") {
					t.Error("the screen is on again")
				}
				if attendant, err = display.Attend(host.Desktop{Display: name}); err != nil {
					t.Fatal(err)
				}
				eventually(t, 5*time.Second, "the next one knows of it", dark)
			})
			attendant.Leave()
			eventually(t, 5*time.Second, "both show the same as before", func() bool { return monitors() == before })
		})
	}
}

// attendantOf finds the process that looks after a display.
func attendantOf(name string) int {
	return processOf("desk", name)
}
