package console

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/policies/presets"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/standard"
	"schulwart.org/web"
)

// policyAt is the place of an address.
func policyAt(c *gin.Context) desired.Place { return toPlace(c.Param("level"), c.Param("place")) }

func toPlace(level, id string) desired.Place {
	place := desired.Place{Level: org.Level(level), ID: org.ID(id)}
	if place.Level == org.Operator {
		place.ID = ""
	}
	return place
}

// GET /richtlinien
func (h *Handler) showPolicies(c *gin.Context) error {
	return seeOther(c, policyPlace(standard.Place{Place: ownPlace(visitor(c))}).URL)
}

// GET /richtlinien/an/:level/:place
func (h *Handler) showPlacePolicies(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	sheet, err := h.Standard.At(ctx, v.actor, policyAt(c))
	if err != nil {
		return err
	}
	shown := web.PoliciesPage{
		Frame: v.frame, Place: policyPlace(sheet.Place), Above: h.above(c, sheet.Place), Query: query(c, "q"), OnlyHere: query(c, "nur") == "hier",
		FourEyes: sheet.FourEyes, EyesURL: eyesURL(sheet.Place), MayWrite: sheet.MayPropose, Presets: presetsFor(sheet), MayTake: sheet.MayPropose && sheet.Place.Level == org.School,
	}
	shown.Topics = topics(v.frame, sheet, shown.Query, shown.OnlyHere)
	for _, draft := range sheet.Drafts {
		shown.Drafts = append(shown.Drafts, draftRef(draft))
	}
	if shown.Below, err = h.belowPlace(c, sheet.Place); err != nil {
		return err
	}
	today, err := h.Standard.Today(ctx, v.actor, sheet.Place.Branch)
	if err != nil {
		return err
	}
	shown.Ending = today.Ending
	if err := h.templatesAt(c, &shown, sheet.Place); err != nil {
		return err
	}
	return page(c, web.Policies(shown))
}

// above lists the places above one, as far as the person may read them.
func (h *Handler) above(c *gin.Context, place standard.Place) []web.PolicyPlace {
	who := actor(c)
	var list []web.PolicyPlace
	add := func(level org.Level, id org.ID, name string, branch org.Branch) {
		if may.Can(who, may.PolicyRead, branch) {
			list = append(list, policyPlace(standard.Place{Place: desired.Place{Level: level, ID: id}, Name: name}))
		}
	}
	if place.Level == org.Operator {
		return nil
	}
	add(org.Operator, "", "", org.Branch{})
	if place.Level != org.Authority {
		add(org.Authority, place.Branch.Authority, place.Authority, org.Branch{Authority: place.Branch.Authority})
	}
	if place.Level == org.Group || place.Level == org.Device {
		add(org.School, place.Branch.School, place.School, org.Branch{Authority: place.Branch.Authority, School: place.Branch.School})
	}
	return list
}

// fewBelow is how many places below one are listed.
const fewBelow = 60

// belowPlace lists what lies below a place: authorities, schools or groups.
func (h *Handler) belowPlace(c *gin.Context, place standard.Place) ([]web.PolicyPlace, error) {
	ctx, who := c.Request.Context(), actor(c)
	var list []web.PolicyPlace
	switch place.Level {
	case org.Operator:
		authorities, err := h.Roster.Authorities(ctx, who)
		if err != nil {
			return nil, err
		}
		for _, one := range authorities {
			list = append(list, policyPlace(standard.Place{Place: desired.Place{Level: org.Authority, ID: one.ID}, Name: one.Name}))
		}
	case org.Authority:
		schools, err := h.schoolsOf(c, place.ID)
		if err != nil {
			return nil, err
		}
		for _, one := range schools {
			list = append(list, policyPlace(standard.Place{Place: desired.Place{Level: org.School, ID: one.ID}, Name: one.Name}))
		}
	case org.School:
		groups, _, err := h.Roster.Groups(ctx, who, roster.GroupFilter{School: place.ID})
		if err != nil {
			return nil, err
		}
		for _, one := range groups {
			list = append(list, policyPlace(standard.Place{Place: desired.Place{Level: org.Group, ID: one.ID}, Name: one.Name}))
		}
	}
	return list[:min(len(list), fewBelow)], nil
}

// schoolsOf lists the schools of an authority that the person can reach.
func (h *Handler) schoolsOf(c *gin.Context, authority org.ID) ([]roster.School, error) {
	const most = 200
	schools, _, err := h.Roster.Schools(c.Request.Context(), actor(c), "", "", most)
	return slices.DeleteFunc(schools, func(s roster.School) bool { return authority != "" && s.Branch().Authority != authority }), err
}

// topics are the families of a sheet, by topic, as far as they are looked for.
func topics(frame web.Frame, sheet standard.Sheet, search string, onlyHere bool) []web.PolicyTopic {
	var list []web.PolicyTopic
	for _, topic := range catalog.Topics {
		part := web.PolicyTopic{Topic: string(topic)}
		for _, family := range catalog.Families {
			if family.Topic != topic {
				continue
			}
			card := policyCard(sheet, family.Name)
			if onlyHere && card.Here == "" || search != "" && !mentions(frame, family, card, search) {
				continue
			}
			part.Families = append(part.Families, card)
		}
		if len(part.Families) > 0 {
			list = append(list, part)
		}
	}
	return list
}

func policyCard(sheet standard.Sheet, family string) web.PolicyCard {
	card := web.PolicyCard{Family: family}
	for _, field := range sheet.Fields {
		if field.Family != family {
			continue
		}
		card.Exceptions += len(field.Exceptions)
		card.Here = louder(card.Here, hereOf(field))
		if field.Here == nil {
			continue
		}
		d := fieldOf(family, field.Field)
		card.Lines = append(card.Lines, web.PolicyLine{
			Field: d, Value: policyValue(d, field.Here.Value), From: policySources(d, sheet.Names, field.Here.From), Hold: string(field.Here.Hold), Until: field.Here.Until,
		})
	}
	return card
}

// hereOf is what a place itself does about a field.
func hereOf(field standard.Field) string {
	switch {
	case len(field.Exceptions) > 0:
		return "excepts"
	case field.Own == nil:
		return ""
	}
	switch field.Effect {
	case desired.Decides, desired.Adds, desired.Tightens, desired.Agrees:
		return string(field.Effect)
	}
	return "unheard"
}

// louder chooses of what several fields of a family do the one that is said.
func louder(a, b string) string {
	order := []string{"", "agrees", "adds", "tightens", "decides", "excepts", "unheard"}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// mentions reports whether a family's words or values hold what is looked for.
func mentions(frame web.Frame, family catalog.Family, card web.PolicyCard, search string) bool {
	var text strings.Builder
	key := "policy." + family.Name
	for _, field := range family.Fields {
		fmt.Fprintln(&text, web.T(frame.Lang, key+"."+field.Name))
	}
	for _, line := range card.Lines {
		fmt.Fprintln(&text, line.Value.Text, line.Value.Names, line.Value.Entries)
	}
	fmt.Fprintln(&text, web.T(frame.Lang, key), web.T(frame.Lang, key+".hint"), family.Name)
	whole := strings.ToLower(text.String())
	for _, word := range strings.Fields(strings.ToLower(search)) {
		if !strings.Contains(whole, word) {
			return false
		}
	}
	return true
}

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

// GET /richtlinien/an/:level/:place/verlauf
func (h *Handler) showPolicyHistory(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	place, err := h.Standard.Place(ctx, v.actor, policyAt(c))
	if err != nil {
		return err
	}
	versions, next, err := h.Standard.Versions(ctx, v.actor, standard.VersionFilter{Place: &place.Place, Cursor: query(c, "cursor"), Limit: 20})
	if err != nil {
		return err
	}
	shown := web.PolicyHistoryPage{Frame: v.frame, Place: policyPlace(place), Above: h.above(c, place), Pager: pager(c, next, len(versions))}
	for _, version := range versions {
		shown.Rows = append(shown.Rows, revisionRow(version))
	}
	return page(c, web.PolicyHistory(shown))
}

func revisionRow(version standard.Version) web.RevisionRow {
	return web.RevisionRow{
		ID: version.ID.String(), Title: version.Title, Reason: version.Reason, By: version.ByName, At: version.At, ApprovedBy: version.ApproverName,
		Place: policyPlace(version.Place), Undoes: version.Undoes != "", Undone: version.Undone != "", Changes: policyChanges(version.Place, version.Differences()),
	}
}

// GET /richtlinien/verlauf/:revision
func (h *Handler) showRevision(c *gin.Context) error {
	return h.drawRevision(c, 200, nil, nil)
}

func (h *Handler) drawRevision(c *gin.Context, status int, later []standard.Version, problem *web.Problem) error {
	v := visitor(c)
	version, err := h.Standard.Version(c.Request.Context(), v.actor, param(c, "revision"))
	if err != nil {
		return err
	}
	shown := web.RevisionPage{
		Frame: v.frame, Above: h.above(c, version.Place), Row: revisionRow(version), Problem: problem,
		MayRevert: version.Undone == "" && may.Can(v.actor, may.PolicyPropose, version.Place.Branch),
	}
	if shown.MayRevert {
		if shown.Asks, err = h.Standard.Asks(c.Request.Context(), v.actor, version.Place.Branch); err != nil {
			return err
		}
	}
	for _, change := range shown.Row.Changes {
		change.Before, change.After, change.HoldBefore, change.HoldAfter = change.After, change.Before, change.HoldAfter, change.HoldBefore
		change.Added, change.Removed = change.Removed, change.Added
		shown.Back = append(shown.Back, change)
	}
	for _, other := range later {
		shown.Later = append(shown.Later, revisionRow(other))
	}
	return show(c, status, web.Revision(shown))
}

// POST /richtlinien/verlauf/:revision
func (h *Handler) undoRevision(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	draft, version, err := h.Standard.Undo(ctx, v.actor, param(c, "revision"))
	if err != nil {
		if problem := problemOf(err); problem != nil && canMend(err) {
			return h.drawRevision(c, 422, standard.TouchedLater(err), problem)
		}
		return err
	}
	if draft.ID != "" {
		h.flash(ctx, web.FlashDone, "draft_proposed")
		return seeOther(c, web.To(web.PathDraft, draft.ID.String()))
	}
	h.offerUndo(ctx, web.To(web.PathRevision, version.ID.String()), version.ID.String(), "policy_reverted", "title", version.Title)
	return seeOther(c, web.To(web.PathPolicyHistory, policyPlace(version.Place).Level, policyPlace(version.Place).ID))
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
