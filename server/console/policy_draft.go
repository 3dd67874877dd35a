package console

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/standard"
	"schulwart.org/web"
)

// canMend reports whether a person can mend the fault by doing something else
// on the page.
func canMend(err error) bool {
	return errs.Is(err, errs.Invalid) || errs.Is(err, errs.Conflict) || errs.KindOf(err) == errs.Denied && problemOf(err).Key != "denied"
}

func draftRef(d standard.Draft) web.DraftRef {
	return web.DraftRef{ID: d.ID.String(), Title: d.Title, State: string(d.State), By: d.AuthorName, Changed: d.Changed, Place: policyPlace(d.Place), Changes: len(d.Changes)}
}

// GET /richtlinien/entwuerfe
func (h *Handler) listDrafts(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	drafts, _, err := h.Standard.Drafts(ctx, v.actor, standard.DraftFilter{Limit: 100})
	if err != nil {
		return err
	}
	shown := web.DraftsPage{Frame: v.frame}
	for _, draft := range drafts {
		if draft.State == standard.Proposed && draft.Author != v.actor.ID && may.Can(v.actor, may.PolicyApprove, draft.Place.Branch) {
			shown.Waiting = append(shown.Waiting, draftRef(draft))
		} else {
			shown.Open = append(shown.Open, draftRef(draft))
		}
	}
	return page(c, web.Drafts(shown))
}

// GET /richtlinien/entwuerfe/:draft
func (h *Handler) showDraft(c *gin.Context) error { return h.drawDraft(c, http.StatusOK, nil) }

func (h *Handler) drawDraft(c *gin.Context, status int, problem *web.Problem) error {
	ctx, v := c.Request.Context(), visitor(c)
	draft, err := h.Standard.Draft(ctx, v.actor, param(c, "draft"))
	if err != nil {
		return err
	}
	review, err := h.Standard.Review(ctx, v.actor, draft.ID)
	if err != nil {
		return err
	}
	shown := web.DraftPage{
		Frame: v.frame, Draft: draftRef(draft), Reason: draft.Reason, Changes: policyChanges(draft.Place, draft.Differences()), Problem: problem,
		NeedsTwo: review.NeedsSecond, ApprovedBy: draft.ApproverName, Seen: strconv.FormatInt(draft.Changed.UnixMilli(), 10),
		MayEdit: review.MayChange, MayPublish: review.MayPublish, MayPropose: review.MayPropose, MayApprove: review.MayApprove, MayDiscard: review.MayDiscard, MayEndPilot: review.MayTakeBack,
	}
	shown.From = sourceOf(draft.Source)
	open := draft.State != standard.Published && draft.State != standard.Discarded
	shown.MayDiscard = shown.MayDiscard && open
	if review.MayChange {
		editable(&shown, draft)
	}
	for _, fault := range review.Faults {
		shown.Faults = append(shown.Faults, draftFault(draft, fault, review.MayChange))
	}
	for _, clash := range review.Clashes {
		shown.Conflicts = append(shown.Conflicts, conflict(draft.Place, clash))
	}
	if open && len(draft.Changes) > 0 {
		if shown.Impact, err = h.impact(ctx, v, draft); err != nil {
			return err
		}
	}
	if draft.State == standard.Pilot {
		if shown.Pilot, err = h.pilot(ctx, v, draft); err != nil {
			return err
		}
	} else if shown.MayPilot = (review.MayPublish || review.MayApprove) && draft.Place.Level != org.Group && draft.Place.Level != org.Device; shown.MayPilot {
		if err = h.pilotGroups(c, &shown, draft); err != nil {
			return err
		}
	}
	return show(c, status, web.Draft(shown))
}

// editable adds the ways into the editor.
func editable(shown *web.DraftPage, draft standard.Draft) {
	for i := range shown.Changes {
		shown.Changes[i].URL = web.To(web.PathDraftFamily, draft.ID.String(), shown.Changes[i].Field.Family)
	}
	for _, family := range catalog.Families {
		if _, in := draft.Changes[family.Name]; !in {
			shown.AddTo = append(shown.AddTo, web.PolicyFamilyLink{Family: family.Name, URL: web.To(web.PathDraftFamily, draft.ID.String(), family.Name)})
		}
	}
}

// draftFault is what stands in the way of a draft, with the way out.
func draftFault(draft standard.Draft, fault standard.Fault, mayEdit bool) web.DraftFault {
	shown := web.DraftFault{Field: fieldOf(fault.Family, fault.Field), Problem: faultProblem(fault)}
	if fault.Place != nil {
		place := policyPlace(*fault.Place)
		shown.Place = &place
	}
	switch {
	case fault.Exception && fault.Grants:
		shown.Way, shown.Except = deviateAt(draft.Place, fault.Family, fault.Field), true
	case mayEdit:
		shown.Way = web.To(web.PathDraftFamily, draft.ID.String(), fault.Family)
	}
	return shown
}

// deviateAt is where an exception from a field is filed at a place.
func deviateAt(place standard.Place, family, field string) string {
	at := policyPlace(place)
	return web.With(web.PathExceptionNew, "wo", at.Level+"/"+at.ID, "was", family+"."+field)
}

func conflict(place standard.Place, clash standard.Clash) web.DraftConflict {
	shown := web.DraftConflict{Family: clash.Family, Changes: policyChanges(place, clash.Fields), Title: clash.Title, By: clash.ByName, At: clash.At, URL: web.To(web.PathRevision, clash.Version.String())}
	for _, field := range clash.Both {
		shown.Both = append(shown.Both, fieldOf(clash.Family, field))
	}
	return shown
}

// fewSchools is how many schools an impact lists.
const fewSchools = 12

func (h *Handler) impact(ctx context.Context, v *visit, draft standard.Draft) (*web.Impact, error) {
	found, err := h.Standard.Impact(ctx, v.actor, draft.ID)
	if err != nil {
		return nil, err
	}
	return impactOf(found, draft.ID.String(), h.Now()), nil
}

// impactOf is what a draft would change; without a draft, schools lead nowhere.
func impactOf(found standard.Impact, draft string, now time.Time) *web.Impact {
	shown := &web.Impact{Devices: found.Changed, Looked: found.Devices, MoreLines: found.More, At: found.At, Lines: impactLines(found.Names, found.Fields)}
	for _, school := range found.Schools {
		if school.Changed > 0 {
			shown.Schools++
		}
		shown.Unable += school.Cannot
		if len(shown.Where) == fewSchools {
			shown.MoreSchools++
			continue
		}
		where := web.ImpactSchool{Name: school.Name, Devices: school.Changed, Unable: school.Cannot}
		if draft != "" {
			where.URL = web.To(web.PathDraftDevices, draft, school.School.School.String())
		}
		shown.Where = append(shown.Where, where)
	}
	for _, cannot := range found.Cannot {
		shown.Unables = append(shown.Unables, unable(cannot))
	}
	for _, e := range found.Exceptions {
		shown.Exceptions = append(shown.Exceptions, web.ImpactException{Row: exceptionRow(e.Exception, now), Needless: e.Needless})
	}
	shown.Lower, shown.Heard = impactWords(found.Names, found.Lower), impactWords(found.Names, found.Heard)
	for _, strand := range found.Strands {
		shown.Strands = append(shown.Strands, web.ImpactStrand{Problem: faultProblem(strand.Fault), Field: fieldOf(strand.Family, strand.Field), School: strand.Name, Devices: strand.Devices})
	}
	return shown
}

func impactLines(known map[desired.Place]standard.Place, fields []standard.FieldImpact) []web.ImpactLine {
	lines := make([]web.ImpactLine, len(fields))
	for i, f := range fields {
		d := fieldOf(f.Family, f.Field)
		added, removed := moved(d, f.Old, f.New)
		lines[i] = web.ImpactLine{Field: d, Before: policyValue(d, f.Old), After: policyValue(d, f.New), Added: added, Removed: removed, Devices: f.Devices}
		if _, named := known[f.From]; named {
			place := placeAmong(known, f.From)
			lines[i].From = &place
		}
	}
	return lines
}

func impactWords(known map[desired.Place]standard.Place, words []standard.Unheard) []web.ImpactWord {
	list := make([]web.ImpactWord, len(words))
	for i, w := range words {
		d := fieldOf(w.Family, w.Field)
		list[i] = web.ImpactWord{Place: placeAmong(known, w.Place), Field: d, Value: policyValue(d, w.Value), Effect: string(w.Effect), Devices: w.Devices}
	}
	return list
}

func unable(cannot standard.Cannot) web.ImpactUnable {
	shown := web.ImpactUnable{Devices: cannot.Devices, Platform: string(cannot.Platform), Why: cannot.Why}
	if cannot.Field != "" {
		shown.Field = fieldOf(cannot.Family, cannot.Field)
	}
	return shown
}

// pilotState says of a pilot's device what a lease's states say.
var pilotState = map[string]web.State{"active": web.StateActive, "waiting": web.StateDelivered, "deviating": web.StateDeviating, "absent": web.StateAbsent}

func (h *Handler) pilot(ctx context.Context, v *visit, draft standard.Draft) (*web.PilotState, error) {
	found, err := h.Standard.Pilot(ctx, v.actor, draft.ID)
	if err != nil {
		return nil, err
	}
	shown := &web.PilotState{Group: found.Name, Since: found.Since, Devices: found.Devices, Active: found.Active, Waiting: found.Waiting, Failed: found.Deviating, Absent: found.Absent}
	for _, line := range found.Lines {
		if line.State == "active" {
			continue
		}
		one := web.PilotLine{ID: line.Device.String(), Name: line.Name, State: pilotState[line.State], Family: line.Family, Seen: line.Seen}
		if len(line.Reasons) > 0 {
			one.Reason = &web.Sentence{Key: line.Reasons[0].Code, Args: arguments(line.Reasons[0].Args)}
		}
		shown.Lines = append(shown.Lines, one)
	}
	return shown, nil
}

// pilotGroups adds the groups of the draft's place that can try it first. Where
// there are more than a page of them, they are looked for by name.
func (h *Handler) pilotGroups(c *gin.Context, shown *web.DraftPage, draft standard.Draft) error {
	branch := draft.Place.Branch
	shown.GroupQuery = query(c, "gruppe")
	groups, next, err := h.Roster.Groups(c.Request.Context(), visitor(c).actor, roster.GroupFilter{Query: shown.GroupQuery, Authority: branch.Authority, School: branch.School})
	if err != nil {
		return err
	}
	shown.MoreGroups = next != ""
	for _, group := range groups {
		shown.Groups = append(shown.Groups, web.Option{Value: group.ID.String(), Label: group.Name, Chosen: group.ID == draft.Pilot})
	}
	return nil
}

// sourceOf says where a draft's content comes from; nil for what somebody typed.
func sourceOf(source standard.Source) *web.DraftSource {
	switch source.Kind {
	case standard.SourceSchool, standard.SourceFile:
		return &web.DraftSource{Kind: source.Kind, Name: source.Name}
	case standard.SourcePreset:
		return &web.DraftSource{Kind: source.Kind, Preset: source.Name}
	case standard.SourcePackage:
		return &web.DraftSource{Kind: source.Kind, Name: source.Name, URL: web.To(web.PathTemplate, source.Package.String())}
	case standard.SourceUndo:
		return &web.DraftSource{Kind: source.Kind, Name: source.Name, URL: web.To(web.PathRevision, source.Version.String())}
	}
	return nil
}

// POST /richtlinien/entwuerfe/:draft
func (h *Handler) saveDraft(c *gin.Context) error {
	title, reason := field(c, "title"), field(c, "reason")
	_, err := h.Standard.Change(c.Request.Context(), actor(c), param(c, "draft"), standard.DraftChange{Title: &title, Reason: &reason, Seen: seenAt(c)})
	return h.afterDraft(c, err, "draft_saved")
}

// seenAt is when the draft had changed last as the person saw it.
func seenAt(c *gin.Context) time.Time {
	if at, err := strconv.ParseInt(field(c, "seen"), 10, 64); err == nil {
		return time.UnixMilli(at)
	}
	return time.Time{}
}

// afterDraft leads back to the draft, or says there what went wrong.
func (h *Handler) afterDraft(c *gin.Context, err error, said string) error {
	if err != nil {
		if problem := problemOf(err); problem != nil && canMend(err) {
			return h.drawDraft(c, http.StatusUnprocessableEntity, problem)
		}
		return err
	}
	if said != "" {
		h.flash(c.Request.Context(), web.FlashDone, said)
	}
	return seeOther(c, web.To(web.PathDraft, c.Param("draft")))
}

// POST /richtlinien/entwuerfe/:draft/vorschlagen
func (h *Handler) proposeDraft(c *gin.Context) error {
	_, err := h.Standard.Propose(c.Request.Context(), actor(c), param(c, "draft"))
	return h.afterDraft(c, err, "draft_proposed")
}

// POST /richtlinien/entwuerfe/:draft/wegwerfen
func (h *Handler) discardDraft(c *gin.Context) error {
	draft, err := h.Standard.Discard(c.Request.Context(), actor(c), param(c, "draft"))
	if err != nil {
		return h.afterDraft(c, err, "")
	}
	h.flash(c.Request.Context(), web.FlashDone, "draft_discarded")
	return seeOther(c, policyPlace(draft.Place).URL)
}

// POST /richtlinien/entwuerfe/:draft/abgleichen
func (h *Handler) rebaseDraft(c *gin.Context) error {
	_, err := h.Standard.Rebase(c.Request.Context(), actor(c), param(c, "draft"))
	return h.afterDraft(c, err, "draft_rebased")
}

// POST /richtlinien/entwuerfe/:draft/pilot
func (h *Handler) pilotDraft(c *gin.Context) error {
	ctx, who, id := c.Request.Context(), actor(c), param(c, "draft")
	if field(c, "action") == "end" {
		_, err := h.Standard.TakeBack(ctx, who, id)
		return h.afterDraft(c, err, "pilot_ended")
	}
	group := org.ID(field(c, "group"))
	if group == "" {
		return h.afterDraft(c, errs.E(errs.Invalid, "policy.no_pilot_group").In("group"), "")
	}
	_, _, err := h.Standard.Publish(ctx, who, id, standard.Release{Pilot: group, Seen: seenAt(c)})
	return h.afterDraft(c, err, "pilot_started")
}

// POST /richtlinien/entwuerfe/:draft/veroeffentlichen
func (h *Handler) publishDraft(c *gin.Context) error {
	_, version, err := h.Standard.Publish(c.Request.Context(), actor(c), param(c, "draft"), standard.Release{Seen: seenAt(c)})
	return h.published(c, version, err)
}

// POST /richtlinien/entwuerfe/:draft/freigeben
func (h *Handler) approveDraft(c *gin.Context) error {
	_, version, err := h.Standard.Approve(c.Request.Context(), actor(c), param(c, "draft"), standard.Release{Seen: seenAt(c)})
	return h.published(c, version, err)
}

// published leads to the history, where one click takes it back, and offers
// that click at once.
func (h *Handler) published(c *gin.Context, version standard.Version, err error) error {
	if err != nil {
		return h.afterDraft(c, err, "")
	}
	ctx, place := c.Request.Context(), policyPlace(version.Place)
	h.offerUndo(ctx, web.To(web.PathRevision, version.ID.String()), version.ID.String(), "policy_published", "title", version.Title)
	return seeOther(c, web.To(web.PathPolicyHistory, place.Level, place.ID))
}

// GET /richtlinien/entwuerfe/:draft/geraete/:school
func (h *Handler) showDraftDevices(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	draft, err := h.Standard.Draft(ctx, v.actor, param(c, "draft"))
	if err != nil {
		return err
	}
	school, err := h.Standard.Place(ctx, v.actor, desired.Place{Level: org.School, ID: param(c, "school")})
	if err != nil {
		return err
	}
	const few = 50
	list, err := h.Standard.ImpactDevices(ctx, v.actor, draft.ID, school.ID, query(c, "cursor"), few)
	if err != nil {
		return err
	}
	shown := web.ImpactDevicesPage{Frame: v.frame, Draft: draftRef(draft), School: school.Name, Devices: list.Total, Pager: pager(c, list.Next, len(list.Devices))}
	shown.Pager.Total = list.Total
	for _, device := range list.Devices {
		row := web.ImpactDevice{ID: device.Device.String(), Name: device.Name, Lines: impactLines(nil, device.Fields)}
		for i := range row.Lines {
			row.Lines[i].Devices = 0
		}
		for _, cannot := range device.Cannot {
			row.Unable = append(row.Unable, unable(cannot))
		}
		shown.Rows = append(shown.Rows, row)
	}
	return page(c, web.ImpactDevices(shown))
}
