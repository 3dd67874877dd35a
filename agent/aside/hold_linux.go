package aside

import (
	"fmt"

	"schulwart.org/agent/display"
	"schulwart.org/agent/host"
)

func hold(name, dir string) error {
	switch name {
	case display.Name:
		return display.Hold(dir, host.SystemDesktops{}, host.SystemPrograms{})
	}
	return fmt.Errorf("nothing is called %q", name)
}
