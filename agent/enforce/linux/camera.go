package linux

import (
	"context"
	"path"
	"strings"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/policies/catalog"
)

// camera closes the nodes of cameras, and of everything that records sound, to
// all but root: those that are there and those that come when somebody plugs
// something in. Loudspeakers have nodes of their own.
var camera = Family{
	Of:       catalog.Camera,
	Possible: needs("udevadm"),
	Files: func(s catalog.Settings, _ Before) (map[string]File, error) {
		rules := ""
		for _, closed := range closedNodes(s) {
			rules += closed.rule + "\n"
		}
		if rules == "" {
			return nil, nil
		}
		return map[string]File{cameraFile: {Data: []byte(rules)}}, nil
	},
	Apply: func(ctx context.Context, d *Doors, s catalog.Settings) error {
		for _, args := range [][]string{
			{"control", "--reload"},
			{"trigger", "--action=change", "--subsystem-match=video4linux", "--subsystem-match=media", "--subsystem-match=sound"},
			{"settle", "--timeout=10"},
		} {
			if _, err := d.Commands.Run(ctx, host.Command{Name: "udevadm", Args: args}); err != nil {
				return err
			}
		}
		return nil
	},
	Look: func(_ context.Context, d *Doors, s catalog.Settings) *enforce.Reading {
		const others = 0o077 // the group's bits are also what a list of single people is limited by
		for _, closed := range closedNodes(s) {
			for _, name := range d.Tree.List(closed.dir) {
				if !closed.is(name) {
					continue
				}
				if status, err := d.Tree.Status(path.Join(closed.dir, name)); err == nil && status.Mode&others != 0 {
					return differs("camera.open", "name", path.Join(closed.dir, name))
				}
			}
		}
		return nil
	},
}

// cameraFile is read after the rules that give devices to whoever sits at the
// desk (70-uaccess), and before those that carry it out (73-seat-late).
const cameraFile = "/etc/udev/rules.d/72-schulwart-camera.rules"

// closed is a kind of node.
type closed struct {
	rule, dir string
	is        func(name string) bool
}

func closedNodes(s catalog.Settings) []closed {
	const shut = `OWNER="root", GROUP="root", MODE="0600", TAG-="uaccess"`
	var kinds []closed
	if on, set := s.Bool("camera"); set && !on {
		kinds = append(kinds,
			closed{`SUBSYSTEM=="video4linux", ` + shut, "/dev", func(name string) bool { return strings.HasPrefix(name, "video") }},
			closed{`SUBSYSTEM=="media", ` + shut, "/dev", func(name string) bool { return strings.HasPrefix(name, "media") }})
	}
	if on, set := s.Bool("microphone"); set && !on {
		kinds = append(kinds, closed{`SUBSYSTEM=="sound", KERNEL=="pcmC*D*c", ` + shut, "/dev/snd", func(name string) bool {
			return strings.HasPrefix(name, "pcm") && strings.HasSuffix(name, "c")
		}})
	}
	return kinds
}
