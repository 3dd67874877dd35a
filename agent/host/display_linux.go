package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// SystemDesktops is the graphical sessions of this machine, found by what the
// programs of people have in their environment: that holds with and without
// logind, and for every display manager.
type SystemDesktops struct{ SystemPrograms }

// sessionEnv is what a program needs to take part in a session.
var sessionEnv = []string{"DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "XDG_SESSION_ID", "XDG_SESSION_TYPE", "HOME", "USER", "LOGNAME", "PATH", "SHELL", "LANG", "LC_ALL", "LC_MESSAGES"}

// Desktops lists one entry per person and display.
func (s SystemDesktops) Desktops() ([]Desktop, error) {
	programs, err := s.Programs()
	if err != nil {
		return nil, err
	}
	found := map[string]Desktop{}
	for _, p := range programs {
		env, err := s.Environ(p)
		if err != nil {
			continue
		}
		d, ok := desktopOf(p, env)
		if !ok {
			continue
		}
		key := strconv.Itoa(p.UID) + d.Display
		// The entry with most to go by wins: some programs clean their environment.
		if known, ok := found[key]; !ok || len(d.Env) > len(known.Env) {
			d.Wayland = d.Wayland || known.Wayland
			found[key] = d
		} else if d.Wayland {
			known.Wayland = true
			found[key] = known
		}
	}
	desktops := make([]Desktop, 0, len(found))
	for _, d := range found {
		if d.Display != "" || d.Wayland {
			desktops = append(desktops, d)
		}
	}
	sort.Slice(desktops, func(i, j int) bool {
		a, b := desktops[i], desktops[j]
		return a.UID < b.UID || a.UID == b.UID && a.Display < b.Display
	})
	return desktops, nil
}

func desktopOf(p Program, env []string) (Desktop, bool) {
	d := Desktop{UID: p.UID, GID: p.GID, Groups: p.Groups}
	values := map[string]string{}
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		values[name] = value
	}
	for _, name := range sessionEnv {
		if value := values[name]; value != "" {
			d.Env = append(d.Env, name+"="+value)
		}
	}
	d.Wayland = values["WAYLAND_DISPLAY"] != "" || values["XDG_SESSION_TYPE"] == "wayland"
	if number, ok := localDisplay(values["DISPLAY"]); ok {
		if _, err := os.Stat("/tmp/.X11-unix/X" + number); err == nil {
			d.Display = ":" + number
		}
	}
	d.Authority = values["XAUTHORITY"]
	if d.Authority == "" && values["HOME"] != "" {
		d.Authority = values["HOME"] + "/.Xauthority"
	}
	return d, d.Display != "" || d.Wayland
}

// localDisplay returns the number of a display of this machine ("unix:0.1", ":0").
// Others would let a person lead us to a foreign host.
func localDisplay(value string) (number string, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimPrefix(value, "unix"), ":")
	if !ok {
		return "", false
	}
	number, screen, several := strings.Cut(rest, ".")
	return number, len(number) <= 4 && isNumber(number) && (!several || isNumber(screen))
}

func isNumber(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

// consolesMark says that we locked the consoles, so that nobody else's lock is
// ever undone.
const consolesMark = "consoles"

// LockConsoles keeps people from switching to another virtual terminal, or lets
// them again if we had kept them (VT_LOCKSWITCH, ioctl_console(2)). dir is where
// helpers keep their orders. A machine without consoles is no error.
func LockConsoles(dir string, locked bool) error {
	mark := filepath.Join(dir, consolesMark)
	_, err := os.Stat(mark)
	if marked := err == nil; marked == locked {
		return nil
	}
	if locked {
		if err := os.WriteFile(mark, nil, 0o600); err != nil {
			return fmt.Errorf("locking consoles: %w", err)
		}
	}
	if err := switchConsoles(locked); err != nil {
		return err
	}
	if !locked {
		if err := os.Remove(mark); err != nil {
			return fmt.Errorf("unlocking consoles: %w", err)
		}
	}
	return nil
}

func switchConsoles(locked bool) error {
	const lockSwitch, unlockSwitch = 0x560B, 0x560C
	console, err := os.OpenFile("/dev/tty0", os.O_WRONLY, 0)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ENXIO) || errors.Is(err, unix.ENODEV) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("opening console: %w", err)
	}
	defer console.Close()
	request := uint(unlockSwitch)
	if locked {
		request = lockSwitch
	}
	if err := unix.IoctlSetInt(int(console.Fd()), request, 1); err != nil && !errors.Is(err, unix.ENOTTY) {
		return fmt.Errorf("switching console lock: %w", err)
	}
	return nil
}
