package console

import (
	"slices"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/standard"
	"schulwart.org/web"
)

// The catalogue and the room of the standard in the terms of the pages.

func policyField(family, in string, f catalog.Field) web.PolicyField {
	d := web.PolicyField{
		Family: family, In: in, Name: f.Name, Kind: string(f.Kind), Merge: string(f.Merge), Unit: f.Unit, Min: f.Min, Max: f.Max, Most: f.Most,
		Form: string(f.Form), Choices: f.Choices, Key: f.Key, Required: f.Required, Secret: f.Secret,
	}
	for _, part := range f.Fields {
		d.Fields = append(d.Fields, policyField(family, f.Name, part))
	}
	return d
}

// fieldOf finds a field of the catalogue; one that it does not know has its name
// only.
func fieldOf(family, field string) web.PolicyField {
	if known, ok := catalog.Find(family); ok {
		if f, ok := known.Field(field); ok {
			return policyField(family, "", f)
		}
	}
	return web.PolicyField{Family: family, Name: field, Kind: web.KindText}
}

// policyValue is a value of a field; nil says nothing.
func policyValue(d web.PolicyField, value any) web.PolicyValue {
	switch v := value.(type) {
	case bool:
		return web.PolicyValue{Set: true, On: v}
	case int:
		return web.PolicyValue{Set: true, Number: v}
	case float64: // out of a JSON document
		return web.PolicyValue{Set: true, Number: int(v)}
	case string:
		if v == standard.Kept && d.Secret {
			return web.PolicyValue{Hidden: true}
		}
		return web.PolicyValue{Set: true, Text: v}
	case []string:
		return web.PolicyValue{Set: true, Names: v}
	case []catalog.Settings:
		shown := web.PolicyValue{Set: true}
		for _, entry := range v {
			parts := web.PolicyEntry{}
			for _, part := range d.Fields {
				parts[part.Name] = policyValue(part, entry[part.Name])
			}
			shown.Entries = append(shown.Entries, parts)
		}
		return shown
	}
	return web.PolicyValue{}
}

func abilities(family catalog.Family, field string) []web.PolicyAbility {
	list := make([]web.PolicyAbility, len(catalog.Platforms))
	known, _ := family.Field(field)
	for i, platform := range catalog.Platforms {
		list[i] = web.PolicyAbility{
			Platform: string(platform), Ability: string(family.Ability(field, platform)), Supervised: family.NeedsSupervision(field, platform), Since: known.Since[platform],
		}
	}
	return list
}

// everywhereID stands in addresses for the operator's place.
const everywhereID = "alle"

func policyPlace(p standard.Place) web.PolicyPlace {
	shown := web.PolicyPlace{Level: string(p.Level), ID: p.ID.String(), Name: p.Name}
	if p.Level == org.Operator {
		shown.ID, shown.Name = everywhereID, ""
	}
	shown.URL = web.To(web.PathPlacePolicies, shown.Level, shown.ID)
	return shown
}

// placeAmong is a place with the name that a sheet or an impact knows.
func placeAmong(known map[desired.Place]standard.Place, place desired.Place) web.PolicyPlace {
	if found, ok := known[place]; ok {
		return policyPlace(found)
	}
	return policyPlace(standard.Place{Place: place})
}

func policySources(d web.PolicyField, known map[desired.Place]standard.Place, from []desired.Source) []web.PolicySource {
	list := make([]web.PolicySource, len(from))
	for i, source := range from {
		list[i] = web.PolicySource{Place: placeAmong(known, source.Place), Value: policyValue(d, source.Value), Effect: string(source.Effect)}
		if source.Exception != "" {
			list[i].Exception, list[i].TakesOut = web.To(web.PathException, source.Exception.String()), takesOut(d)
		}
		// Of several that each are stricter, the last one's value is what holds.
		if source.Effect == desired.Tightens {
			for j := range i {
				if before := from[j].Effect; before == desired.Decides || before == desired.Tightens {
					list[j].Effect = "surpassed"
				}
			}
		}
	}
	return list
}

// policyChanges are differences at one place.
func policyChanges(place standard.Place, list []standard.Difference) []web.PolicyChange {
	changes := make([]web.PolicyChange, len(list))
	for i, d := range list {
		field := fieldOf(d.Family, d.Field)
		added, removed := moved(field, d.Old, d.New)
		changes[i] = web.PolicyChange{
			Place: policyPlace(place), Field: field, Before: policyValue(field, d.Old), After: policyValue(field, d.New),
			HoldBefore: string(d.OldHold), HoldAfter: string(d.NewHold), Added: added, Removed: removed,
		}
	}
	return changes
}

// moved says what comes into a list of names and what goes out of it.
func moved(d web.PolicyField, before, after any) (added, removed []string) {
	if d.Kind != web.KindNames {
		return nil, nil
	}
	was, _ := before.([]string)
	is, _ := after.([]string)
	for _, name := range is {
		if !slices.Contains(was, name) {
			added = append(added, name)
		}
	}
	for _, name := range was {
		if !slices.Contains(is, name) {
			removed = append(removed, name)
		}
	}
	return added, removed
}

// GET /richtlinien/systeme
func (h *Handler) showCoverage(c *gin.Context) error {
	return page(c, web.Coverage(coverage(frame(c))))
}

// coverage is the table of what works where, made from the catalogue.
func coverage(frame web.Frame) web.CoveragePage {
	shown := web.CoveragePage{Frame: frame}
	for _, kind := range []lease.Kind{lease.Screen, lease.Offline, lease.Sites, lease.Focus} {
		mode := web.CoverageMode{Kind: web.ModeKind(kind)}
		for _, platform := range catalog.Platforms {
			mode.Platforms = append(mode.Platforms, web.PolicyAbility{
				Platform: string(platform), Ability: string(catalog.ModeCoverage[kind][platform]), Supervised: platform == org.IPadOS && web.ModeKind(kind) != web.ModeSites,
			})
		}
		shown.Modes = append(shown.Modes, mode)
	}
	for _, topic := range catalog.Topics {
		part := web.CoverageTopic{Topic: string(topic)}
		for _, family := range catalog.Families {
			if family.Topic != topic {
				continue
			}
			row := web.CoverageFamily{Family: family.Name, Platforms: abilities(family, "")}
			for _, field := range family.Fields {
				row.Fields = append(row.Fields, web.CoverageField{Field: policyField(family.Name, "", field), Platforms: abilities(family, field.Name)})
			}
			part.Families = append(part.Families, row)
		}
		if len(part.Families) > 0 {
			shown.Topics = append(shown.Topics, part)
		}
	}
	return shown
}
