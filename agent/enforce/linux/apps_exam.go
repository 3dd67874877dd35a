package linux

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/words"
	"schulwart.org/policies/ddm"
)

// captureCommands take pictures or films of the screen, from a key or a script.
var captureCommands = []string{
	"scrot", "maim", "import", "import-im6.q16", "xwd", "gnome-screenshot", "ksnapshot", "spectacle", "flameshot", "shutter", "xfce4-screenshooter", "mate-screenshot", "lximage-qt", "deepin-screenshot",
	"grim", "slurp", "wf-recorder", "recordmydesktop", "simplescreenrecorder", "kazam", "peek", "obs", "ffmpeg", "vokoscreen", "vokoscreenNG", "byzanz-record", "gpu-screen-recorder",
}

// capturePortals let programs take pictures through the session bus. They start
// when somebody asks the bus for them.
var capturePortals = []string{
	"xdg-desktop-portal", "xdg-desktop-portal-gnome", "xdg-desktop-portal-gtk", "xdg-desktop-portal-kde", "xdg-desktop-portal-wlr", "xdg-desktop-portal-xapp", "xdg-desktop-portal-lxqt", "xdg-desktop-portal-hyprland",
}

// remoteCommands let somebody elsewhere see or steer the session, or carry files
// in and out.
var remoteCommands = []string{
	"ssh", "scp", "sftp", "rsync", "nc", "nc.openbsd", "nc.traditional", "ncat", "socat", "telnet", "curl", "wget", "x11vnc", "x0vncserver", "vncserver", "Xtigervnc", "vino-server", "krfb", "gnome-remote-desktop-daemon",
	"anydesk", "teamviewer", "rustdesk", "remmina", "xfreerdp", "vncviewer", "tmate", "ttyd", "xpra",
}

// quietRemote are parts of the same that the session starts by itself.
var quietRemote = []string{"obexd"}

// terminals are what people type commands into; entries of menus name most of
// them, and a key of the desktop starts some without an entry.
var terminals = []string{
	"xterm", "uxterm", "lxterm", "rxvt", "urxvt", "st", "stterm", "x-terminal-emulator", "gnome-terminal", "kgx", "ptyxis", "konsole", "xfce4-terminal", "mate-terminal", "lxterminal", "qterminal", "terminator", "tilix", "alacritty", "kitty", "foot", "wezterm", "guake", "yakuake",
	"gmrun", "dmenu_run", "rofi", "xfrun4", "xfce4-appfinder", "krunner",
}

// aidCommands are programs of aids, by the names that examinations give them.
// Contrast and what desktops magnify by themselves are settings and no programs.
var aidCommands = map[string][]string{
	"reader": {"orca"}, "magnifier": {"kmag", "magnus", "xzoom"}, "keyboard": {"onboard", "florence", "caribou", "squeekboard", "mousetweaks"},
}

// closedAids are those that an examination does not name, if it names any.
func closedAids(named []string) (closed []string) {
	if named == nil {
		return nil
	}
	for _, aid := range sorted(aidCommands) {
		if !slices.Contains(named, aid) {
			closed = append(closed, aidCommands[aid]...)
		}
	}
	return closed
}

// during narrows the order by an examination. What the examination names stays
// startable, whatever it is.
func (o appsOrder) during(exam enforce.Exam, browser string) appsOrder {
	if exam.Page != "" && browser != "" && !slices.Contains(o.Allow, browser) {
		o.Allow, o.Browser = append(slices.Clone(o.Allow), browser), browser
	}
	o.Refuse = slices.Concat(terminals, remoteCommands)
	o.Quiet = slices.Clone(quietRemote)
	o.Aids = closedAids(exam.Aids)
	o.Refuse = append(o.Refuse, o.Aids...)
	if !exam.Capture {
		o.Refuse = append(o.Refuse, captureCommands...)
		o.Quiet = append(o.Quiet, capturePortals...)
	}
	return o
}

// Rehearse says which of the programs are not on the device.
func (a *Apps) Rehearse(rules enforce.Rules) *enforce.Reading {
	if a.o.Tree == nil || rules.Apps == nil {
		return nil
	}
	entries := readEntries(a.o.Tree)
	var missing, names []string
	for _, id := range rules.Apps.Allow {
		if !slices.ContainsFunc(entries, func(e entry) bool { return e.called(id) }) {
			missing, names = append(missing, id), append(names, words.AppName(id))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	// A program may have several ids, of which a device needs one. Which belong
	// together the server knows.
	return differs("app-missing", "app", strings.Join(names, ", "), "ids", strings.Join(missing, " "))
}

// Sightings are the programs that were asked to start and did not.
func (a *Apps) Sightings() []enforce.Sighting {
	var report appsReport
	if json.Unmarshal(a.o.Holds.Held(AppsName).Report, &report) != nil {
		return nil
	}
	var seen []enforce.Sighting
	for _, name := range sorted(report.Refused) {
		// Whether it was tried twice or thirty times is worth no line each.
		times := report.Refused[name]
		for times > 10 && times%10 != 0 {
			times--
		}
		seen = append(seen, enforce.Sighting{What: ddm.DeedRefused, Args: map[string]string{"program": name, "times": strconv.Itoa(times)}})
	}
	return seen
}
