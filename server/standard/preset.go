package standard

import (
	"context"
	"fmt"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/policies/presets"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// BeginPreset makes a draft that brings a preset to a place: its families as they
// come with the product, all others as they are. What the place says about a
// family already is replaced in the draft, where everybody sees the difference.
func (s *Service) BeginPreset(ctx context.Context, actor may.Actor, place desired.Place, key, title string) (Draft, error) {
	if place.Level == org.Device {
		return Draft{}, errs.E(errs.Invalid, "preset.not_for_device")
	}
	sets, err := presets.Sets()
	if err != nil {
		return Draft{}, fmt.Errorf("reading presets: %w", err)
	}
	for _, set := range sets {
		if set.Key != key {
			continue
		}
		wishes := map[string]Wish{}
		for name, family := range set.Sheet.Families {
			wishes[name] = Wish{Settings: family.Settings, Holds: family.Holds}
		}
		return s.Begin(ctx, actor, place, NewDraft{Title: title, Families: wishes, Source: Source{Kind: SourcePreset, Name: key}})
	}
	return Draft{}, errs.E(errs.NotFound, "preset.not_found")
}
