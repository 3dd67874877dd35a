package console

import (
	"github.com/gin-gonic/gin"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/policies/presets"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
	"schulwart.org/web"
)

// POST /richtlinien/an/:level/:place/aendern
func (h *Handler) changePolicy(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	sheet, err := h.Standard.At(ctx, v.actor, policyAt(c))
	if err != nil {
		return err
	}
	family := field(c, "family")
	for _, draft := range sheet.Drafts {
		// One's own open draft takes the change; a second one would only clash.
		if draft.Author == v.actor.ID && (draft.State == standard.Open || draft.State == standard.Proposed) {
			return seeOther(c, web.To(web.PathDraftFamily, draft.ID.String(), family))
		}
	}
	draft, err := h.Standard.Begin(ctx, v.actor, sheet.Place.Place, standard.NewDraft{})
	if err != nil {
		return err
	}
	return seeOther(c, web.To(web.PathDraftFamily, draft.ID.String(), family))
}

// GET /richtlinien/an/:level/:place/uebernehmen
func (h *Handler) askTakeOver(c *gin.Context) error { return h.drawTakeOver(c, 200, nil) }

func (h *Handler) drawTakeOver(c *gin.Context, status int, problem *web.Problem) error {
	ctx, v := c.Request.Context(), visitor(c)
	place, err := h.Standard.Place(ctx, v.actor, policyAt(c))
	if err != nil {
		return err
	}
	schools, err := h.schoolsOf(c, "")
	if err != nil {
		return err
	}
	shown := web.TakeOverPage{Frame: v.frame, Place: policyPlace(place), Above: h.above(c, place), Problem: problem}
	from := org.ID(query(c, "von"))
	if from == "" {
		from = org.ID(field(c, "von"))
	}
	for _, school := range schools {
		if school.ID != place.ID && may.Can(v.actor, may.PolicyRead, school.Branch()) {
			shown.From = append(shown.From, web.Option{Value: school.ID.String(), Label: school.Name, Chosen: school.ID == from})
			if school.ID == from {
				shown.Name = school.Name
			}
		}
	}
	if len(shown.From) > 0 && shown.Name == "" {
		shown.From = append([]web.Option{{Chosen: true}}, shown.From...)
	}
	if shown.Name != "" {
		if err := h.compare(c, &shown, from, place); err != nil {
			return err
		}
	}
	return show(c, status, web.TakeOver(shown))
}

// compare lists by family in what another school differs.
func (h *Handler) compare(c *gin.Context, shown *web.TakeOverPage, from org.ID, to standard.Place) error {
	differs, err := h.Standard.Compare(c.Request.Context(), actor(c), desired.Place{Level: org.School, ID: from}, to.Place)
	if err != nil {
		return err
	}
	for _, change := range policyChanges(to, differs) {
		family := change.Field.Family
		if n := len(shown.Parts); n == 0 || shown.Parts[n-1].Family != family {
			shown.Parts = append(shown.Parts, web.TakePart{Value: family, Family: family})
		}
		last := &shown.Parts[len(shown.Parts)-1]
		last.Changes = append(last.Changes, change)
	}
	return nil
}

// POST /richtlinien/an/:level/:place/uebernehmen
func (h *Handler) takeOver(c *gin.Context) error {
	v := visitor(c)
	var parts []standard.Part
	for _, family := range c.PostFormArray("part") {
		parts = append(parts, standard.Part{Family: family})
	}
	draft, err := h.Standard.TakeOver(c.Request.Context(), v.actor, desired.Place{Level: org.School, ID: org.ID(field(c, "von"))}, policyAt(c), "", parts)
	if err != nil {
		if problem := problemOf(err); problem != nil && canMend(err) {
			return h.drawTakeOver(c, 422, problem)
		}
		return err
	}
	return seeOther(c, web.To(web.PathDraft, draft.ID.String()))
}

// presetsFor are the presets that can be begun with at a place.
func presetsFor(sheet standard.Sheet) []string {
	sets, err := presets.Sets()
	if err != nil || !sheet.MayPropose || sheet.Place.Level == org.Device {
		return nil // a test holds every preset against the catalogue
	}
	keys := make([]string, len(sets))
	for i, set := range sets {
		keys[i] = set.Key
	}
	return keys
}

// POST /richtlinien/an/:level/:place/vorlage
func (h *Handler) beginPreset(c *gin.Context) error {
	v, key := visitor(c), field(c, "preset")
	title := web.T(v.frame.Lang, "preset.draft", "name", web.T(v.frame.Lang, "preset."+key))
	draft, err := h.Standard.BeginPreset(c.Request.Context(), v.actor, policyAt(c), key, title)
	if err != nil {
		return err
	}
	return seeOther(c, web.To(web.PathDraft, draft.ID.String()))
}
