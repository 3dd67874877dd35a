package console

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
	"schulwart.org/web"
)

// ownPlace is the place that a person acts in.
func ownPlace(v *visit) desired.Place {
	branches := may.Branches(v.actor, may.PolicyRead)
	switch {
	case v.school != nil:
		return desired.Place{Level: org.School, ID: v.school.ID}
	case len(branches) > 0 && branches[0].School != "":
		return desired.Place{Level: org.School, ID: branches[0].School}
	case len(branches) > 0 && branches[0].Authority != "":
		return desired.Place{Level: org.Authority, ID: branches[0].Authority}
	}
	return desired.Place{Level: org.Operator}
}

// templatePlace is the place that an address or form names, else the one that the
// person acts in.
func templatePlace(c *gin.Context) desired.Place {
	where := query(c, "wo")
	if where == "" {
		where = field(c, "wo")
	}
	if level, id, ok := strings.Cut(where, "/"); ok {
		return toPlace(level, id)
	}
	return ownPlace(visitor(c))
}

// GET /richtlinien/vorlagen/:template
func (h *Handler) showTemplate(c *gin.Context) error { return h.drawTemplate(c, http.StatusOK, nil) }

func (h *Handler) drawTemplate(c *gin.Context, status int, problem *web.Problem) error {
	v := visitor(c)
	offer, err := h.Standard.Offer(c.Request.Context(), v.actor, param(c, "template"), templatePlace(c))
	if err != nil {
		return err
	}
	shown := web.TemplatePage{
		Frame: v.frame, Row: templateRow(offer.Pack, ""), Place: policyPlace(offer.Place), Says: templateSays(offer.Says),
		Coming: policyChanges(offer.Place, offer.Coming), Kept: policyChanges(offer.Place, offer.Kept),
		MayTake: offer.MayTake, MayDecline: offer.MayDecline, Problem: problem, Reason: field(c, "reason"),
	}
	if len(offer.Coming) > 0 {
		shown.Impact = impactOf(offer.Impact, "", h.Now())
	}
	if offer.Former != nil {
		shown.Former = offer.Former.Version
	}
	if offer.Declined != nil {
		shown.Declined = &web.TemplateDecline{Reason: offer.Declined.Reason, By: offer.Declined.ByName, At: offer.Declined.At}
	}
	if offer.Draft != "" {
		shown.DraftURL = web.To(web.PathDraft, offer.Draft.String())
	}
	if shown.Places, err = h.templatePlaces(c, offer); err != nil {
		return err
	}
	return show(c, status, web.Template(shown))
}

// templatePlaces are the places to choose from: the one shown, those around it,
// and what the person acts in.
func (h *Handler) templatePlaces(c *gin.Context, offer standard.Offer) ([]web.Option, error) {
	places := append(h.above(c, offer.Place), policyPlace(offer.Place))
	if found, err := h.Standard.Place(c.Request.Context(), actor(c), ownPlace(visitor(c))); err == nil {
		places = append(places, policyPlace(found))
	}
	below, err := h.belowPlace(c, offer.Place)
	if err != nil {
		return nil, err
	}
	lang, here := frame(c).Lang, policyPlace(offer.Place)
	var list []web.Option
	seen := map[string]bool{}
	for _, place := range append(places, below...) {
		value := place.Level + "/" + place.ID
		if seen[value] || offer.Pack.Authority != "" && place.Level == string(org.Operator) {
			continue
		}
		seen[value] = true
		label := web.T(lang, "policy.level."+place.Level)
		if place.Name != "" {
			label = web.T(lang, "policy.place", "name", place.Name, "level", label)
		}
		list = append(list, web.Option{Value: value, Label: label, Chosen: place.Level == here.Level && place.ID == here.ID})
	}
	return list, nil
}

// POST /richtlinien/vorlagen/:template
func (h *Handler) decideTemplate(c *gin.Context) error {
	ctx, who, place := c.Request.Context(), actor(c), templatePlace(c)
	if field(c, "do") == "decline" {
		if err := h.Standard.DeclineTemplate(ctx, who, param(c, "template"), place, field(c, "reason")); err != nil {
			return h.templateFault(c, err)
		}
		h.flash(ctx, web.FlashDone, "template_declined")
		return seeOther(c, web.PathTemplates)
	}
	draft, err := h.Standard.TakeTemplate(ctx, who, param(c, "template"), place, "")
	if err != nil {
		return h.templateFault(c, err)
	}
	return seeOther(c, web.To(web.PathDraft, draft.ID.String()))
}

func (h *Handler) templateFault(c *gin.Context, err error) error {
	if problem := problemOf(err); problem != nil && canMend(err) {
		return h.drawTemplate(c, http.StatusUnprocessableEntity, problem)
	}
	return err
}

// templatesAt adds which templates hold at a place, and newer versions of them.
func (h *Handler) templatesAt(c *gin.Context, shown *web.PoliciesPage, place standard.Place) error {
	ctx, who := c.Request.Context(), actor(c)
	here := shown.Place.Level + "/" + shown.Place.ID
	shown.TemplatesURL = web.With(web.PathTemplates, "wo", here)
	taken, err := h.Standard.TakenOver(ctx, who, place.Place)
	if err != nil || len(taken) == 0 {
		return err
	}
	for _, one := range taken {
		row := templateRow(one.Pack, here)
		row.By, row.At = one.ByName, one.At
		shown.Templates = append(shown.Templates, row)
	}
	offers, err := h.Standard.Proposals(ctx, who, place.Branch)
	for _, proposal := range proposalsOf(offers) {
		if proposal.Place.Level+"/"+proposal.Place.ID == here {
			shown.Proposals = append(shown.Proposals, proposal)
		}
	}
	return err
}
