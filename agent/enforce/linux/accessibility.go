package linux

import (
	"context"
	"strconv"

	"schulwart.org/agent/enforce"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
)

// accessibility gives every session its aids to begin with. Only that they are
// offered is locked: nobody takes an aid away from anybody.
var accessibility = Family{
	Of: catalog.Accessibility,
	Possible: func(d *Doors, _ catalog.Settings) *ddm.Reason {
		if why := onDesktops(d, gnome); why != nil {
			return why
		}
		return missing(d, "dconf")
	},
	Files: func(s catalog.Settings, _ Before) (map[string]File, error) {
		return dconfFiles("accessibility", accessibilityKeys(s)), nil
	},
	Apply: func(ctx context.Context, d *Doors, _ catalog.Settings) error { return dconfApply(ctx, d) },
	Look: func(ctx context.Context, d *Doors, s catalog.Settings) *enforce.Reading {
		if found := dconfLook(ctx, d, accessibilityKeys(s)); found != nil {
			return found
		}
		if s.On("screen-reader") && !d.Commands.Has("orca") {
			r := pending("family.no-program", "program", "orca")
			return &r
		}
		return elsewhere(d, gnome)
	},
}

func accessibilityKeys(s catalog.Settings) []dconfKey {
	const a11y = "/org/gnome/desktop/a11y/"
	var keys []dconfKey
	if s.On("offered") {
		keys = append(keys, dconfKey{a11y + "always-show-universal-access-status", "true", true})
	}
	for field, path := range map[string]string{
		"screen-reader": a11y + "applications/screen-reader-enabled", "magnifier": a11y + "applications/screen-magnifier-enabled",
		"contrast": a11y + "interface/high-contrast", "sticky-keys": a11y + "keyboard/stickykeys-enable",
	} {
		if on, set := s.Bool(field); set {
			keys = append(keys, dconfKey{path: path, value: dconfBool(on)})
		}
	}
	if percent, set := s.Int("text-size"); set {
		value := strconv.FormatFloat(float64(percent)/100, 'f', -1, 64)
		if percent%100 == 0 {
			value += ".0"
		}
		keys = append(keys, dconfKey{path: "/org/gnome/desktop/interface/text-scaling-factor", value: value})
	}
	return keys
}
