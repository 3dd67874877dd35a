package main

import (
	"encoding/json"
	"net/netip"

	"schulwart.org/agent/display"
	"schulwart.org/agent/enforce"
	"schulwart.org/agent/enforce/linux"
	"schulwart.org/agent/host"
	"schulwart.org/agent/packages"
	"schulwart.org/policies/rollout"
)

// pinsFile remembers under which addresses the server was reached, so that a
// start in mid-mode finds it before any name can be resolved.
const pinsFile = "pins.json"

// sessions finds who sits at the device.
func sessions() host.Desktops { return host.SystemDesktops{} }

// apps is what installs packages, by their kinds.
func apps(agents packages.System) packages.System {
	commands, tree := host.SystemCommands{}, host.SystemTree{}
	return packages.Kinds{
		rollout.Deb: packages.Debian{Commands: commands, Tree: tree}, rollout.Flatpak: packages.Flatpak{Commands: commands, Tree: tree},
		rollout.AppImage: packages.AppImage{Places: tree}, rollout.WebApp: packages.WebApp{Places: tree, Commands: commands},
		rollout.Agent: agents,
	}
}

// drivers returns what this system can enforce. This is the only place where
// drivers and the real machine meet.
func drivers(o driverOptions) ([]enforce.Driver, error) {
	holds, err := host.NewHolds(host.HoldDir, "")
	if err != nil {
		return nil, err
	}
	desktops, programs, tree := host.SystemDesktops{}, host.SystemPrograms{}, host.SystemTree{}
	_, examBrowser := linux.ExamBrowser(tree)
	// Two parts lock consoles: the last one unlocks them.
	unlock := func() error {
		if holds.Held(linux.SessionName).Wanted || holds.Held(display.Name).Wanted {
			return nil
		}
		return host.LockConsoles(host.HoldDir, false)
	}
	modes := []enforce.Driver{
		linux.NewNetwork(host.NewNetwork(), linux.NetworkOptions{
			Server: o.servers, Pages: o.pages, Pins: readPins(o.files), Pinned: func(addrs []netip.Addr) { writePins(o.files, addrs) }, Clock: o.clock, Log: o.log,
		}),
		linux.NewScreen(linux.ScreenOptions{
			Holds: holds, Desktops: desktops, Clock: o.clock, Consoles: true, State: o.state, Unlock: unlock,
		}),
		linux.NewApps(linux.AppsOptions{Holds: holds, Clock: o.clock, Browser: examBrowser, Tree: tree}),
		linux.NewSession(linux.SessionOptions{
			Holds: holds, Desktops: desktops, Clock: o.clock, Tree: tree, Profiles: host.DirProfiles(host.ProfileDir), Consoles: true, State: o.state, Unlock: unlock,
		}),
		linux.NewBrowser(linux.BrowserOptions{
			Tree: tree, Files: o.files, Programs: programs, Desktops: desktops, Notices: desktops, Clock: o.clock, Home: o.home,
		}),
		linux.NewNotice(linux.NoticeOptions{Files: o.files, Desktops: desktops, Notices: desktops, Clock: o.clock}),
	}
	return append(modes, linux.Families(linux.Doors{
		Tree: tree, Files: o.files, Commands: host.SystemCommands{}, Programs: programs, Desktops: desktops, Clock: o.clock, Holds: holds,
	})...), nil
}

func readPins(files host.Files) []netip.Addr {
	var addrs []netip.Addr
	if data, err := files.Read(pinsFile); err == nil {
		_ = json.Unmarshal(data, &addrs) // a broken file names nothing
	}
	return addrs
}

func writePins(files host.Files, addrs []netip.Addr) {
	if data, err := json.Marshal(addrs); err == nil {
		_ = files.Write(pinsFile, data)
	}
}
