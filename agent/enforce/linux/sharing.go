package linux

import (
	"context"

	"schulwart.org/agent/enforce"
	"schulwart.org/policies/catalog"
)

// sharing keeps the services quiet through which devices pass things on.
var sharing = Family{
	Of:       catalog.Sharing,
	Possible: needsSystemd,
	Files: func(s catalog.Settings, _ Before) (map[string]File, error) {
		quiet, _ := sharingUnits(s)
		return quietUnits(quiet), nil
	},
	Apply: func(ctx context.Context, d *Doors, s catalog.Settings) error {
		quiet, others := sharingUnits(s)
		return applyUnits(ctx, d, quiet, others)
	},
	Look: func(ctx context.Context, d *Doors, s catalog.Settings) *enforce.Reading {
		quiet, _ := sharingUnits(s)
		return lookQuiet(ctx, d, quiet)
	},
}

var (
	bluetoothUnits = []string{"bluetooth.service"}
	shareUnits     = []string{"smbd.service", "nmbd.service", "nfs-server.service"}
)

func sharingUnits(s catalog.Settings) (quiet, others []string) {
	for field, units := range map[string][]string{"bluetooth": bluetoothUnits, "network-shares": shareUnits} {
		if off(s, field) {
			quiet = append(quiet, units...)
		} else {
			others = append(others, units...)
		}
	}
	return quiet, others
}
