package web

import "strings"

// headline is the answer to the page's question: for whom does what change?
func (p DraftPage) headline() string {
	switch {
	case p.Draft.State == DraftPublished:
		return p.T("draft.published.headline", "title", p.draftTitle(p.Draft))
	case p.Draft.State == DraftDiscarded:
		return p.T("draft.discarded.headline", "title", p.draftTitle(p.Draft))
	case len(p.Changes) == 0:
		return p.T("draft.empty.headline")
	case p.Impact == nil || p.Impact.Devices == 0:
		return p.T("impact.none")
	case p.Impact.Schools > 1:
		return p.T("impact.headline", "count", p.Impact.Devices, "schools", p.T("impact.schools", "count", p.Impact.Schools))
	}
	return p.T("impact.change", "count", p.Impact.Devices)
}

// subline says what does not go along.
func (p DraftPage) subline() string {
	parts := []string{p.draftTitle(p.Draft) + "."}
	if p.Impact != nil && len(p.Changes) > 0 {
		if p.Impact.Unable > 0 {
			parts = append(parts, p.T("impact.unable.count", "count", p.Impact.Unable))
		}
		if n := len(p.Impact.Exceptions); n > 0 {
			parts = append(parts, p.T("impact.exceptions.count", "count", n))
		}
		if p.Impact.Devices > 0 {
			parts = append(parts, p.T("impact.no_mode"))
		}
	}
	return strings.Join(parts, " ")
}

func (p DraftPage) publishWord() string {
	if p.Pilot != nil {
		return p.T("draft.publish.all")
	}
	return p.T("draft.publish")
}

func primaryUnless(other bool) string {
	if other {
		return "button"
	}
	return "button primary"
}

type draftStep struct {
	word     string
	on, over bool
}

// steps is the way of a draft. Pilot and approval stand in it where they are
// needed or were chosen.
func (p DraftPage) steps() []draftStep {
	order := []string{DraftOpen}
	if p.Pilot != nil || p.Draft.State == DraftPilot || p.MayPilot {
		order = append(order, DraftPilot)
	}
	if p.NeedsTwo || p.Draft.State == DraftProposed || p.ApprovedBy != "" {
		order = append(order, DraftProposed)
	}
	order = append(order, DraftPublished)
	at := 0
	for i, step := range order {
		if step == p.Draft.State {
			at = i
		}
	}
	steps := make([]draftStep, len(order))
	for i, step := range order {
		steps[i] = draftStep{p.T("draft.step." + step), i == at, i < at || p.Draft.State == DraftPublished}
	}
	return steps
}

// unableText is "3 iPads: …".
func (f Frame) unableText(u ImpactUnable) string {
	platform := f.T("platform.other")
	if u.Platform != "" {
		platform = f.known("platform."+u.Platform, u.Platform)
	}
	return f.T("impact.unable.line", "count", u.Devices, "platform", platform, "why", f.unableWhy(u))
}

// unableWhy is what a device cannot, and why.
func (f Frame) unableWhy(u ImpactUnable) string {
	why := f.known("policy.unable."+u.Why, f.T("policy.unable.unknown"))
	if u.Field.Name == "" {
		return why
	}
	return f.policyName(u.Field) + ": " + why
}

// countedFrom says on how many devices, and who decides then.
func (f Frame) countedFrom(line ImpactLine) string {
	if line.From == nil {
		return f.T("impact.devices", "count", line.Devices)
	}
	return dotted(f.T("impact.devices", "count", line.Devices), f.from(*line.From))
}

func (f Frame) fieldNames(fields []PolicyField) string {
	names := make([]string, len(fields))
	for i, d := range fields {
		names[i] = f.policyName(d)
	}
	return f.List(names)
}

func (f Frame) pilotLine(line PilotLine) string {
	text := f.T("state." + string(line.State))
	if line.Family != "" {
		text = dotted(text, f.familyName(line.Family))
	}
	if line.Reason != nil {
		text = dotted(text, f.Say("reason", *line.Reason))
	}
	return dotted(text, f.Age(line.Seen))
}

// sourceWords say where a draft's content comes from.
func (f Frame) sourceWords(source DraftSource) string {
	if source.Kind == "preset" {
		source.Name = f.known("preset."+source.Preset, source.Preset)
	}
	return f.T("draft.from."+source.Kind, "name", source.Name)
}
