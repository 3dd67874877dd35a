package aside

import (
	"fmt"

	"schulwart.org/agent/display"
	"schulwart.org/agent/enforce/linux"
	"schulwart.org/agent/host"
)

func hold(name, dir string) error {
	switch name {
	case display.Name:
		return display.Hold(dir, host.SystemDesktops{}, host.SystemPrograms{}, askAgent)
	case linux.AppsName:
		return linux.HoldApps(dir, judge())
	case linux.ProgramsName:
		return linux.HoldPrograms(dir, judge())
	case linux.SessionName:
		return linux.HoldSession(dir, linux.SessionHelper{
			Tree: host.SystemTree{}, Programs: host.SystemPrograms{}, Desktops: host.SystemDesktops{}, Profiles: func(dir string) host.Profiles { return host.DirProfiles(dir) },
			Consoles: func(locked bool) error { return host.LockConsoles(dir, locked) }, Pupil: pupilOf, Attach: display.Attend,
		})
	}
	return fmt.Errorf("nothing is called %q", name)
}

// judge is what a helper works with that says which programs start.
func judge() linux.AppsHelper {
	return linux.AppsHelper{
		Gate:  func(mounts ...string) (linux.ExecGate, error) { return host.OpenExecGate(mounts...) },
		Files: host.SystemTree{}, Programs: host.SystemPrograms{}, Desktops: host.SystemDesktops{}, Notices: host.SystemDesktops{}, Lineage: host.Lineage, Own: host.OwnFile(),
	}
}
