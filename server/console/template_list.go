package console

import (
	"errors"
	"io"
	"net/http"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/policies/sheet"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
	"schulwart.org/web"
)

// GET /richtlinien/vorlagen
func (h *Handler) listTemplates(c *gin.Context) error {
	return h.drawTemplates(c, http.StatusOK, nil, nil)
}

func (h *Handler) drawTemplates(c *gin.Context, status int, opened *web.OpenedTemplate, problem *web.Problem) error {
	ctx, v := c.Request.Context(), visitor(c)
	packages, err := h.Standard.Packages(ctx, v.actor)
	if err != nil {
		return err
	}
	publishers, err := h.Standard.Publishers(ctx, v.actor)
	if err != nil {
		return err
	}
	shown := web.TemplatesPage{Frame: v.frame, Opened: opened, Problem: problem, Name: field(c, "name"), Key: field(c, "key"), Fingerprint: field(c, "fingerprint")}
	if opened != nil && !opened.Known {
		shown.Key, shown.Name = opened.Key, opened.Publisher
	}
	if shown.Scopes, err = h.scopesFor(c, may.PolicyWrite); err != nil {
		return err
	}
	where := query(c, "wo")
	seen := map[string]bool{}
	for _, pack := range packages {
		// Below the newest version of a template the older ones say nothing new.
		if key := pack.Name + string(pack.Key) + pack.Authority.String(); !seen[key] {
			seen[key] = true
			shown.Rows = append(shown.Rows, templateRow(pack, where))
		}
	}
	for _, publisher := range publishers {
		shown.Publishers = append(shown.Publishers, web.PublisherRow{
			ID: publisher.ID.String(), Name: publisher.Name, Fingerprint: sheet.Fingerprint(publisher.Key), By: publisher.ByName, At: publisher.At,
			Everywhere: publisher.Authority == "", MayRemove: publisher.MayRemove,
		})
	}
	for _, branch := range may.Branches(v.actor, may.PolicyRead) {
		offers, err := h.Standard.Proposals(ctx, v.actor, branch)
		if err != nil {
			return err
		}
		shown.Proposals = append(shown.Proposals, proposalsOf(offers)...)
	}
	return show(c, status, web.Templates(shown))
}

func templateRow(pack standard.Package, where string) web.TemplateRow {
	row := web.TemplateRow{
		ID: pack.ID.String(), Title: pack.Title, Version: pack.Version, Publisher: pack.Publisher, Fingerprint: sheet.Fingerprint(pack.Key), Trusted: pack.Trusted,
		By: pack.ByName, At: pack.At, URL: web.To(web.PathTemplate, pack.ID.String()),
	}
	if where != "" {
		row.URL = web.With(row.URL, "wo", where)
	}
	return row
}

// scopesFor are those for whom the person may do what is done for an authority or,
// by the operator, for all.
func (h *Handler) scopesFor(c *gin.Context, action may.Action) ([]web.Option, error) {
	who := actor(c)
	var list []web.Option
	if may.Can(who, action, org.Branch{}) {
		list = append(list, web.Option{Value: "", Label: web.T(frame(c).Lang, "templates.for_all")})
	}
	if !may.Anywhere(who, may.SchoolCreate) {
		return list, nil // only whoever looks after authorities has some
	}
	authorities, err := h.Roster.Authorities(c.Request.Context(), who)
	for _, authority := range authorities {
		if may.Can(who, action, org.Branch{Authority: authority.ID}) {
			list = append(list, web.Option{Value: authority.ID.String(), Label: authority.Name})
		}
	}
	return list, err
}

func proposalsOf(offers []standard.Offer) []web.TemplateProposal {
	var list []web.TemplateProposal
	for _, offer := range offers {
		place := policyPlace(offer.Place)
		list = append(list, web.TemplateProposal{
			Title: offer.Pack.Title, Version: offer.Pack.Version, Former: offer.Former.Version, Place: place, Coming: len(offer.Coming), Kept: len(offer.Kept),
			URL: web.With(web.To(web.PathTemplate, offer.Pack.ID.String()), "wo", place.Level+"/"+place.ID),
		})
	}
	return list
}

// POST /richtlinien/vorlagen
//
// What cannot be taken in is shown all the same: what is in it, from whom, and why
// not.
func (h *Handler) takeInTemplate(c *gin.Context) error {
	ctx, who, scope := c.Request.Context(), actor(c), org.ID(field(c, "scope"))
	data, err := templateFile(c)
	if err != nil {
		return h.drawTemplates(c, http.StatusUnprocessableEntity, nil, problemOf(err))
	}
	pack, err := h.Standard.TakeIn(ctx, who, scope, data)
	if err == nil {
		h.flash(ctx, web.FlashDone, "template_taken_in", "title", pack.Label())
		return seeOther(c, web.To(web.PathTemplate, pack.ID.String()))
	}
	problem := problemOf(err)
	if problem == nil || !canMend(err) {
		return err
	}
	var shown *web.OpenedTemplate
	if opened, err := h.Standard.OpenPackage(ctx, who, scope, data); err == nil {
		shown = openedTemplate(frame(c), opened)
	}
	return h.drawTemplates(c, http.StatusUnprocessableEntity, shown, problem)
}

func templateFile(c *gin.Context) ([]byte, error) {
	sent, err := c.FormFile("file")
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, errs.E(errs.Invalid, "template.too_long").In("file")
		}
		return nil, errs.E(errs.Invalid, "template.no_file").In("file")
	}
	file, err := sent.Open()
	if err != nil {
		return nil, errs.E(errs.Invalid, "template.no_file").In("file").Because(err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, sheet.MostPackage+1))
	if err != nil {
		return nil, errs.E(errs.Invalid, "template.no_file").In("file").Because(err)
	}
	return data, nil
}

func openedTemplate(frame web.Frame, opened standard.Opened) *web.OpenedTemplate {
	shown := &web.OpenedTemplate{
		Title: opened.Title, Version: opened.Version, Publisher: opened.Publisher, Fingerprint: sheet.Fingerprint(opened.Key), Known: opened.Known != nil, Key: sheet.WriteKey(opened.Key),
		Says: templateSays(opened.Says),
	}
	for _, fault := range opened.Faults {
		var args []any
		for name, value := range fault.Args {
			args = append(args, name, value)
		}
		shown.Faults = append(shown.Faults, web.TemplateFault{Line: fault.Line, Where: fault.Field, Text: web.T(frame.Lang, "error."+fault.Key, args...)})
	}
	return shown
}

// templateSays is all that a template says, field by field.
func templateSays(says map[string]standard.Say) []web.PolicyChange {
	return policyChanges(standard.Place{}, standard.Draft{Base: map[string]standard.Say{}, Changes: says}.Differences())
}

// POST /richtlinien/herausgeber
func (h *Handler) trustPublisher(c *gin.Context) error {
	ctx := c.Request.Context()
	publisher, err := h.Standard.Trust(ctx, actor(c), org.ID(field(c, "scope")), field(c, "name"), field(c, "key"), field(c, "fingerprint"))
	if err != nil {
		if problem := problemOf(err); problem != nil && canMend(err) {
			return h.drawTemplates(c, http.StatusUnprocessableEntity, nil, problem)
		}
		return err
	}
	h.flash(ctx, web.FlashDone, "publisher_known", "name", publisher.Name)
	return seeOther(c, web.PathTemplates)
}

// POST /richtlinien/herausgeber/:publisher/entfernen
func (h *Handler) distrustPublisher(c *gin.Context) error {
	if err := h.Standard.Distrust(c.Request.Context(), actor(c), param(c, "publisher")); err != nil {
		return err
	}
	h.flash(c.Request.Context(), web.FlashDone, "publisher_removed")
	return seeOther(c, web.PathTemplates)
}
