package console

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
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
