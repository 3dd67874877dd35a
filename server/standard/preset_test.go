package standard_test

import (
	"testing"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/presets"
	"schulwart.org/server/errs"
	"schulwart.org/server/standard"
)

func TestAPresetBecomesADraftAndThenHolds(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		sets, err := presets.Sets()
		h.must(err)
		for _, set := range sets {
			draft, err := h.BeginPreset(ctx, h.admin, at(h.school), set.Key, "Vorlage "+set.Key)
			h.must(err)
			same(t, "source", draft.Source.Name, set.Key)
			review, err := h.Review(ctx, h.admin, draft.ID)
			h.must(err)
			if len(review.Faults) > 0 {
				t.Errorf("%s cannot be published: %+v", set.Key, review.Faults)
			}
			_, err = h.Discard(ctx, h.admin, draft.ID)
			h.must(err)
		}
		draft, err := h.BeginPreset(ctx, h.admin, at(h.school), "klassensatz", "Vorlage Klassensatz")
		h.must(err)
		_, _, err = h.Publish(ctx, h.admin, draft.ID, standard.Release{})
		h.must(err)
		for name, family := range sets[4].Sheet.Families {
			for field, value := range family.Settings {
				if held := h.held(at(h.school), name, field); !catalog.Same(held, value) {
					t.Errorf("%s.%s: %v holds, the preset says %v", name, field, held, value)
				}
			}
		}
		_, err = h.BeginPreset(ctx, h.admin, at(h.school), "zauberei", "x")
		want(t, err, errs.NotFound, "preset.not_found")
		_, err = h.BeginPreset(ctx, h.teacher, at(h.school), "klassensatz", "x")
		want(t, err, errs.Denied, "denied")
	})
}
