package console

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/rollout"
	"schulwart.org/server/roster"
	"schulwart.org/web"
)

// GET /apps/:app
func (h *Handler) showApp(c *gin.Context) error { return h.drawApp(c, http.StatusOK, nil, nil) }

func (h *Handler) drawApp(c *gin.Context, status int, preview *rollout.View, problem *web.Problem) error {
	ctx, v := c.Request.Context(), visitor(c)
	pack, err := h.Packages.Find(ctx, v.actor, param(c, "app"))
	if err != nil {
		return err
	}
	shown := web.AppPage{
		Frame: v.frame, Row: appRow(pack, v.frame.Lang), Text: pack.Description.In(v.frame.Lang), Architecture: pack.Architecture, Licence: pack.Licence, Source: pack.Source,
		SHA256: pack.SHA256, URL: pack.URL, Depends: pack.Depends, MayRemove: pack.MayRemove, MayRun: may.Anywhere(v.actor, may.RolloutRun), Problem: problem,
	}
	shown.Look = web.AppLook{Title: pack.Title.DE, TitleEN: pack.Title.EN, Text: pack.Description.DE, TextEN: pack.Description.EN}
	if shown.Form, err = h.rolloutForm(c, pack.Kind); err != nil {
		return err
	}
	if preview != nil {
		shown.Preview = h.rolloutPreview(c, *preview)
	}
	return show(c, status, web.App(shown))
}

// POST /apps/:app
func (h *Handler) planRollout(c *gin.Context) error {
	ctx, who := c.Request.Context(), actor(c)
	wanted, err := h.wantedRollout(c)
	var view rollout.View
	start := field(c, "do") == "start"
	switch {
	case err != nil:
	case start:
		view, err = h.Rollouts.Create(ctx, who, wanted)
	default:
		view, err = h.Rollouts.Preview(ctx, who, wanted)
	}
	if err != nil {
		if problem := problemOf(err); problem != nil && canMend(err) {
			return h.drawApp(c, http.StatusUnprocessableEntity, nil, problem)
		}
		return err
	}
	if !start {
		return h.drawApp(c, http.StatusOK, &view, nil)
	}
	h.flash(ctx, web.FlashDone, "rollout_started")
	return seeOther(c, web.To(web.PathRollout, view.ID.String()))
}

func (h *Handler) rolloutPreview(c *gin.Context, view rollout.View) *web.RolloutPreview {
	preview := &web.RolloutPreview{Opens: view.Opens, Now: !view.Opens.IsZero() && !view.Opens.After(h.Now()), Rings: h.rolloutRings(c, view), Short: shortage(view.Licences)}
	if view.Former != nil {
		preview.Former = view.Former.Version
	}
	for _, ring := range view.Rings {
		preview.Total += ring.Devices
	}
	return preview
}

// Defaults of the form: careful ones.
const (
	usualFailed   = "2"
	usualAiling   = "5"
	usualVerified = "10"
	usualHours    = "24"
)

// ringSets are the ways that the form offers to go from few to all.
var ringSets = map[string][]ground.Ring{
	"careful": rollout.UsualRings,
	"quick":   {{Kind: ground.RingShare, Share: 20}, {Kind: ground.RingAll}},
	"all":     {{Kind: ground.RingAll}},
}

// windows are those that the form offers.
var windows = map[string]ground.Window{
	"any":       {},
	"afternoon": {Open: weekly(14, 18, time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday)},
	"friday":    {Open: weekly(14, 18, time.Friday)},
	"evening":   {Open: weekly(18, 22, time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday)},
	"free":      {Free: ground.FreeOnly},
}

func weekly(from, to int, days ...time.Weekday) []ground.Hours {
	return []ground.Hours{{Days: days, Span: ground.Span{From: ground.Clock(from * 60), To: ground.Clock(to * 60)}}}
}

func choices(chosen string, values ...string) []web.Option {
	options := make([]web.Option, len(values))
	for i, value := range values {
		options[i] = web.Option{Value: value, Chosen: value == chosen}
	}
	return options
}

func (h *Handler) rolloutForm(c *gin.Context, kind ground.Kind) (web.RolloutForm, error) {
	v := visitor(c)
	form := web.RolloutForm{
		Rings: choices(field(c, "rings"), "careful", "quick", "all"), Windows: choices(field(c, "window"), "any", "afternoon", "friday", "evening", "free"),
		Failed: cmp.Or(field(c, "failed"), usualFailed), Ailing: cmp.Or(field(c, "ailing"), usualAiling), Verified: cmp.Or(field(c, "verified"), usualVerified), Hours: cmp.Or(field(c, "hours"), usualHours), Deadline: field(c, "deadline"),
		Sharing: choices(cmp.Or(field(c, "sharing"), "together"), "together", "alone"), Rate: field(c, "rate"),
		First: []web.Option{{Value: "", Label: web.T(v.frame.Lang, "rollout.first.none")}},
	}
	var err error
	filter := roster.GroupFilter{Limit: 500}
	if form.Targets, err = h.rolloutTargets(c); err != nil || v.school == nil && kind != ground.Agent {
		return form, err
	}
	if v.school != nil {
		filter.School = v.school.ID
	}
	if kind == ground.Agent {
		form.Room, form.First = true, nil // one is proposed, and none is no choice
	}
	groups, _, err := h.Roster.Groups(c.Request.Context(), v.actor, filter)
	slices.SortStableFunc(groups, func(a, b roster.Group) int { return roomFirst(a) - roomFirst(b) })
	for _, group := range groups {
		form.First = append(form.First, web.Option{Value: group.ID.String(), Label: group.Name, Chosen: field(c, "first") == group.ID.String()})
	}
	return form, err
}

// roomFirst orders rooms before other groups.
func roomFirst(g roster.Group) int {
	if g.Kind == org.Room {
		return 0
	}
	return 1
}

// rolloutTargets are the places that the person may roll out to: authorities,
// schools, and the groups of the own school.
func (h *Handler) rolloutTargets(c *gin.Context) ([]web.Option, error) {
	ctx, v := c.Request.Context(), visitor(c)
	list, err := h.placesFor(c, may.RolloutRun, field(c, "target"))
	if err != nil || v.school == nil || !may.Can(v.actor, may.RolloutRun, v.school.Branch()) {
		return list, err
	}
	groups, _, err := h.Roster.Groups(ctx, v.actor, roster.GroupFilter{School: v.school.ID})
	for _, group := range groups {
		list = append(list, placeOption(v.frame.Lang, org.Group, group.ID, group.Name, field(c, "target")))
	}
	return list, err
}

// placesFor are the authorities and schools in which the person may do something.
func (h *Handler) placesFor(c *gin.Context, action may.Action, chosen string) ([]web.Option, error) {
	ctx, v := c.Request.Context(), visitor(c)
	var list []web.Option
	if may.Anywhere(v.actor, may.SchoolRead) {
		authorities, err := h.Roster.Authorities(ctx, v.actor)
		if err != nil {
			return nil, err
		}
		for _, authority := range authorities {
			if may.Can(v.actor, action, org.Branch{Authority: authority.ID}) {
				list = append(list, placeOption(v.frame.Lang, org.Authority, authority.ID, authority.Name, chosen))
			}
		}
	}
	schools, _, err := h.Roster.Schools(ctx, v.actor, "", "", 200)
	for _, school := range schools {
		if may.Can(v.actor, action, school.Branch()) {
			list = append(list, placeOption(v.frame.Lang, org.School, school.ID, school.Name, chosen))
		}
	}
	return list, err
}

func placeOption(lang string, level org.Level, id org.ID, name, chosen string) web.Option {
	value := string(level) + "/" + id.String()
	return web.Option{Value: value, Label: web.T(lang, "policy.place", "name", name, "level", web.T(lang, "policy.level."+string(level))), Chosen: chosen == value}
}

func (h *Handler) wantedRollout(c *gin.Context) (rollout.New, error) {
	level, id, _ := strings.Cut(field(c, "target"), "/")
	wanted := rollout.New{Package: param(c, "app"), Level: org.Level(level), Place: org.ID(id), Window: windows[field(c, "window")]}
	if first := field(c, "first"); first != "" {
		wanted.Rings = append(wanted.Rings, ground.Ring{Kind: ground.RingGroup, Place: org.ID(first)})
	}
	wanted.Rings = append(wanted.Rings, ringSets[cmp.Or(field(c, "rings"), "careful")]...)
	failed, err := strconv.ParseFloat(strings.ReplaceAll(cmp.Or(field(c, "failed"), usualFailed), ",", "."), 64)
	verified, other := strconv.Atoi(cmp.Or(field(c, "verified"), usualVerified))
	hours, third := strconv.Atoi(cmp.Or(field(c, "hours"), usualHours))
	ailing, fourth := strconv.ParseFloat(strings.ReplaceAll(cmp.Or(field(c, "ailing"), usualAiling), ",", "."), 64)
	if err != nil || other != nil || third != nil || fourth != nil {
		return wanted, errs.E(errs.Invalid, "rollout.bad_gates").In("failed")
	}
	rate, err := strconv.Atoi(cmp.Or(field(c, "rate"), "0"))
	if err != nil {
		return wanted, errs.E(errs.Invalid, "rollout.bad_rate", "most", ground.FastestLine).In("rate")
	}
	wanted.Line = ground.Line{Rate: rate, Alone: field(c, "sharing") == "alone"}
	// One device of a small ring is no reason to halt.
	wanted.Gates = ground.Gates{Verified: verified, Hours: hours, Failed: failed, Ailing: ailing, Least: 1}
	if day := field(c, "deadline"); day != "" {
		at, err := time.ParseInLocation(time.DateOnly, day, zoneOf(c))
		if err != nil {
			return wanted, errs.E(errs.Invalid, "rollout.bad_deadline").In("deadline")
		}
		wanted.Window.Deadline = at
	}
	return wanted, nil
}

func zoneOf(c *gin.Context) *time.Location {
	if zone := frame(c).Location; zone != nil {
		return zone
	}
	return time.UTC
}

// ringPlace names the group or school of a ring, where the person sees it.
func (h *Handler) ringPlace(ctx context.Context, who may.Actor, ring ground.Ring) string {
	switch ring.Kind {
	case ground.RingGroup:
		if group, err := h.Roster.Group(ctx, who, ring.Place); err == nil {
			return group.Name
		}
	case ground.RingSchool:
		if school, err := h.Roster.School(ctx, who, ring.Place); err == nil {
			return school.Name
		}
	}
	return ""
}
