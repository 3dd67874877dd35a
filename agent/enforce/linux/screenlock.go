package linux

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
)

// screenLock says when a session locks (GNOME, KDE), when the device sleeps
// (GNOME), and what lid and power button do (logind, whatever runs above it).
var screenLock = Family{
	Of: catalog.ScreenLock,
	Possible: func(d *Doors, s catalog.Settings) *ddm.Reason {
		if says(s, "sleep-battery", "sleep-mains") {
			if why := onDesktops(d, gnome); why != nil {
				return why
			}
		}
		if says(s, "minutes", "password") {
			if why := onDesktops(d, gnome, kde); why != nil {
				return why
			}
			if _, some := without(d.Tree, gnome); !some {
				return nil
			}
			return missing(d, "dconf")
		}
		return nil
	},
	Files: func(s catalog.Settings, _ Before) (map[string]File, error) {
		files := dconfFiles("screen-lock", screenLockKeys(s))
		if files == nil {
			files = map[string]File{}
		}
		if text := logindText(s); text != "" {
			files[logindFile] = File{Data: []byte(text)}
		}
		if text := kdeLockText(s); text != "" {
			files[kdeLockFile] = File{Data: []byte(text)}
		}
		return files, nil
	},
	Apply: func(ctx context.Context, d *Doors, _ catalog.Settings) error {
		if booted(d) {
			// logind reads its files again and keeps its sessions.
			if _, err := d.Commands.Run(ctx, host.Command{Name: "systemctl", Args: []string{"kill", "--signal=HUP", "systemd-logind.service"}}); err != nil {
				return err
			}
		}
		if !d.Commands.Has("dconf") {
			return nil
		}
		return dconfApply(ctx, d)
	},
	Look: func(ctx context.Context, d *Doors, s catalog.Settings) *enforce.Reading {
		if d.Commands.Has("dconf") {
			if found := dconfLook(ctx, d, screenLockKeys(s)); found != nil {
				return found
			}
		}
		if found := logindLook(ctx, d, s); found != nil {
			return found
		}
		switch {
		case says(s, "sleep-battery", "sleep-mains"):
			return elsewhere(d, gnome)
		case says(s, "minutes", "password"):
			return elsewhere(d, gnome, kde)
		}
		return nil
	},
}

const (
	// What is read last counts.
	logindFile  = "/etc/systemd/logind.conf.d/zz-schulwart.conf"
	kdeLockFile = "/etc/xdg/kscreenlockerrc"
)

func screenLockKeys(s catalog.Settings) []dconfKey {
	const session, saver, power = "/org/gnome/desktop/session/", "/org/gnome/desktop/screensaver/", "/org/gnome/settings-daemon/plugins/power/"
	var keys []dconfKey
	add := func(path, value string) { keys = append(keys, dconfKey{path, value, true}) }
	if minutes, set := s.Int("minutes"); set {
		add(session+"idle-delay", fmt.Sprintf("uint32 %d", minutes*60))
		add(saver+"idle-activation-enabled", "true")
	}
	if s.On("password") {
		add(saver+"lock-enabled", "true")
		add(saver+"lock-delay", "uint32 0")
	}
	for field, source := range map[string]string{"sleep-battery": "battery", "sleep-mains": "ac"} {
		if minutes, set := s.Int(field); set {
			add(power+"sleep-inactive-"+source+"-type", "'suspend'")
			add(power+"sleep-inactive-"+source+"-timeout", fmt.Sprint(minutes*60))
		}
	}
	return keys
}

// kdeLockText is for KDE: [$i] lets nobody choose otherwise.
func kdeLockText(s catalog.Settings) string {
	text := ""
	if minutes, set := s.Int("minutes"); set {
		text += fmt.Sprintf("Autolock[$i]=true\nTimeout[$i]=%d\n", minutes)
	}
	if s.On("password") {
		text += "LockGrace[$i]=0\nLockOnResume[$i]=true\n"
	}
	if text != "" {
		text = "[Daemon]\n" + text
	}
	return text
}

// logindWants is what logind must say.
func logindWants(s catalog.Settings) map[string]string {
	action := map[string]string{"nothing": "ignore", "lock": "lock", "suspend": "suspend", "power-off": "poweroff"}
	wants := map[string]string{}
	if lid := s.Text("lid"); lid != "" {
		wants["HandleLidSwitch"], wants["HandleLidSwitchExternalPower"], wants["LidSwitchIgnoreInhibited"] = action[lid], action[lid], "yes"
	}
	if button := s.Text("power-button"); button != "" {
		// Desktops ask to do it themselves; the school has decided.
		wants["HandlePowerKey"], wants["PowerKeyIgnoreInhibited"] = action[button], "yes"
	}
	return wants
}

func logindText(s catalog.Settings) string {
	wants := logindWants(s)
	if len(wants) == 0 {
		return ""
	}
	return "[Login]\n" + lines(wants)
}

// logindLook asks the running logind, or where none runs what it would read.
func logindLook(ctx context.Context, d *Doors, s catalog.Settings) *enforce.Reading {
	wants := logindWants(s)
	if len(wants) == 0 {
		return nil
	}
	if booted(d) {
		for _, name := range sorted(wants) {
			if strings.HasSuffix(name, "Inhibited") {
				continue // logind tells only the actions
			}
			out, err := d.Commands.Run(ctx, host.Command{Name: "busctl", Args: []string{"get-property", "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager", name}})
			if err != nil || strings.TrimSpace(string(out)) != `s "`+wants[name]+`"` {
				return differs("family.other-value", "what", name, "value", strings.TrimSpace(string(out)))
			}
		}
		return nil
	}
	return configLook(ctx, d, "systemd/logind.conf", wants)
}

// configLook asks systemd what it reads from a file and all that lies beside it.
func configLook(ctx context.Context, d *Doors, file string, wants map[string]string) *enforce.Reading {
	out, err := d.Commands.Run(ctx, host.Command{Name: "systemd-analyze", Args: []string{"cat-config", file}})
	if err != nil {
		return differs("family.other-value", "what", file, "value", "")
	}
	found := map[string]string{}
	scanner := bufio.NewScanner(strings.NewReader(string(out)))
	for scanner.Scan() {
		if name, value, ok := strings.Cut(strings.TrimSpace(scanner.Text()), "="); ok && !strings.HasPrefix(name, "#") {
			found[name] = value
		}
	}
	for _, name := range sorted(wants) {
		if found[name] != wants[name] {
			return differs("family.other-value", "what", name, "value", found[name])
		}
	}
	return nil
}
