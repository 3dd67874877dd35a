package linux

import (
	"context"
	"strings"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
)

// quietUnits keep services of the system from running while a family says so. A
// condition that is never met holds against every way to start a unit: at boot,
// by hand, by its socket, by the message bus.
func quietUnits(units []string) map[string]File {
	files := map[string]File{}
	for _, unit := range units {
		files["/etc/systemd/system/"+unit+".d/50-schulwart.conf"] = File{Data: []byte("[Unit]\nConditionPathExists=/nonexistent/schulwart\n")}
	}
	return files
}

// applyUnits stops those that shall be quiet, and starts the others if the system
// is set up to have them running.
func applyUnits(ctx context.Context, d *Doors, quiet, others []string) error {
	if !booted(d) {
		return nil
	}
	if err := systemctl(ctx, d, "daemon-reload"); err != nil {
		return err
	}
	if installed := installedUnits(ctx, d, quiet); len(installed) > 0 {
		if err := systemctl(ctx, d, append([]string{"stop"}, installed...)...); err != nil {
			return err
		}
	}
	for _, unit := range installedUnits(ctx, d, others) {
		if systemctl(ctx, d, "is-enabled", "--quiet", unit) == nil {
			if err := systemctl(ctx, d, "start", "--no-block", unit); err != nil {
				return err
			}
		}
	}
	return nil
}

// installedUnits are those of the units that the system knows.
func installedUnits(ctx context.Context, d *Doors, units []string) []string {
	if len(units) == 0 {
		return nil
	}
	out, _ := d.Commands.Run(ctx, host.Command{Name: "systemctl", Args: append([]string{"list-unit-files", "--no-legend", "--plain"}, units...)})
	var known []string
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[1] != "masked" {
			known = append(known, fields[0])
		}
	}
	return known
}

func systemctl(ctx context.Context, d *Doors, args ...string) error {
	_, err := d.Commands.Run(ctx, host.Command{Name: "systemctl", Args: args})
	return err
}

// lookQuiet finds a unit that runs although it shall not.
func lookQuiet(ctx context.Context, d *Doors, units []string) *enforce.Reading {
	for _, unit := range units {
		if systemctl(ctx, d, "is-active", "--quiet", unit) == nil {
			return differs("service.running", "name", unit)
		}
	}
	return nil
}

func needsSystemd(d *Doors, _ catalog.Settings) *ddm.Reason {
	if !booted(d) {
		return reason("service.no-systemd")
	}
	return missing(d, "systemctl")
}

// off reports whether a flag is set to false.
func off(s catalog.Settings, field string) bool {
	on, set := s.Bool(field)
	return set && !on
}
