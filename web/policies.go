package web

import "strings"

func (p PoliciesPage) headline() string {
	if p.Place.Name == "" {
		return p.T("policies.headline." + p.Place.Level)
	}
	return p.T("policies.headline", "name", p.Place.Name)
}

// placePairs are places as crumbs lead through them.
func (f Frame) placePairs(above []PolicyPlace) []string {
	pairs := []string{f.T("nav.policies"), PathPolicies}
	for _, place := range above {
		if place.URL == "" {
			continue
		}
		name := place.Name
		if name == "" {
			name = f.T("policy.level." + place.Level)
		}
		pairs = append(pairs, name, place.URL)
	}
	return pairs
}

// unsaid lists the families of a topic about which nobody says anything.
func (t PolicyTopic) unsaid() []string {
	var families []string
	for _, card := range t.Families {
		if len(card.Lines) == 0 {
			families = append(families, card.Family)
		}
	}
	return families
}

// mostSaid is how many fields a family's sentence names.
const mostSaid = 4

// cardText is what holds, "Zugriff: gesperrt; Sperrliste: a.example, b.example".
func (f Frame) cardText(card PolicyCard) string {
	var said []string
	for i, line := range card.Lines {
		if i == mostSaid {
			said = append(said, f.T("policies.more", "count", len(card.Lines)-i))
			break
		}
		said = append(said, f.policyName(line.Field)+": "+f.policyText(line.Field, line.Value))
	}
	return strings.Join(said, "; ") + "."
}

// cardFrom names the places that decide, from the top.
func (f Frame) cardFrom(card PolicyCard) string {
	var names []string
	seen, locked := map[PolicyPlace]bool{}, false
	for _, line := range card.Lines {
		locked = locked || line.Hold == "locked"
		for _, source := range line.From {
			if unheard(source.Effect) || seen[source.Place] {
				continue
			}
			seen[source.Place] = true
			names = append(names, f.from(source.Place))
		}
	}
	if len(names) == 0 {
		return ""
	}
	key := "policies.from"
	if locked {
		key = "policies.from.locked"
	}
	return f.T(key, "from", f.List(names))
}

// here says what the place itself does.
func (f Frame) here(place PolicyPlace, card PolicyCard) string {
	if card.Here == "" {
		return f.T("policy.here.nothing." + place.Level)
	}
	return f.T("policy.here." + card.Here + "." + place.Level)
}

// unheard reports whether what a place says has no effect.
func unheard(effect string) bool {
	switch effect {
	case "overridden", "looser", "deviating", "locked-out":
		return true
	}
	return false
}

// sourceText is what one place says and what became of it.
func (f Frame) sourceText(d PolicyField, source PolicySource) string {
	value := f.policyText(d, source.Value)
	if source.TakesOut {
		value = f.T("exceptions.without", "what", value)
	}
	return f.T("policy.source", "place", f.from(source.Place), "value", value, "effect", f.known("policy.effect."+source.Effect, ""))
}

func (f Frame) draftTitle(d DraftRef) string {
	if d.Title == "" {
		return f.T("draft.untitled")
	}
	return d.Title
}

func (f Frame) draftLine(d DraftRef) string {
	return dotted(f.placeName(d.Place), f.T("draft.families", "count", d.Changes), d.By, f.When(d.Changed))
}

func draftTone(state string) string {
	switch state {
	case DraftProposed:
		return "warn"
	case DraftPublished:
		return "ok"
	case DraftPilot:
		return "info"
	}
	return ""
}
