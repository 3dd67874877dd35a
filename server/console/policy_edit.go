package console

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/standard"
	"schulwart.org/web"
)

// GET /richtlinien/entwuerfe/:draft/familie/:family
func (h *Handler) editPolicy(c *gin.Context) error {
	return h.drawEditor(c, http.StatusOK, nil, nil)
}

// drawEditor draws the form: from what the draft says, or from what was typed.
func (h *Handler) drawEditor(c *gin.Context, status int, typedIn *catalog.Family, problems []web.Problem) error {
	ctx, v := c.Request.Context(), visitor(c)
	family, ok := catalog.Find(c.Param("family"))
	if !ok {
		return errs.E(errs.NotFound, "not_found")
	}
	draft, err := h.Standard.Draft(ctx, v.actor, param(c, "draft"))
	if err != nil {
		return err
	}
	sheet, err := h.Standard.At(ctx, v.actor, draft.Place.Place)
	if err != nil {
		return err
	}
	shown := web.PolicyEditPage{
		Frame: v.frame, Draft: draftRef(draft), Place: policyPlace(draft.Place), Family: family.Name, Platforms: abilities(family, ""),
		Below: draft.Place.Level != org.Device, Action: c.Request.URL.Path, Problems: problems,
	}
	say, changed := draft.Changes[family.Name]
	if changed {
		shown.DropURL = web.To(web.PathDraftDrop, draft.ID.String(), family.Name)
	} else {
		say = draft.Base[family.Name]
	}
	for _, field := range family.Fields {
		at := slices.IndexFunc(sheet.Fields, func(f standard.Field) bool { return f.Family == family.Name && f.Field == field.Name })
		edit := editField(sheet, family, field, sheet.Fields[at])
		edit.Value, edit.Hold = policyValue(edit.Def, say.Settings[field.Name]), string(say.Holds[field.Name])
		if typedIn != nil {
			edit.Value, edit.Raw = typed(c, field, edit.Def, "v."+field.Name)
			edit.Hold = c.PostForm("hold." + field.Name)
		} else if !changed && sheet.Fields[at].Effect != "" {
			edit.Heard = string(sheet.Fields[at].Effect)
		}
		shown.Fields = append(shown.Fields, edit)
	}
	for _, other := range catalog.Families {
		if _, in := draft.Changes[other.Name]; in || other.Name == family.Name {
			shown.Others = append(shown.Others, web.PolicyFamilyLink{Family: other.Name, URL: web.To(web.PathDraftFamily, draft.ID.String(), other.Name), Current: other.Name == family.Name})
		}
	}
	return show(c, status, web.PolicyEdit(shown))
}

// editField is a field with what the levels above say about it.
func editField(sheet standard.Sheet, family catalog.Family, field catalog.Field, said standard.Field) web.EditField {
	d := policyField(family.Name, "", field)
	edit := web.EditField{Def: d, Platforms: abilities(family, field.Name)}
	if said.Above != nil {
		edit.Above, edit.Effective = policySources(d, sheet.Names, said.Above.From), policyValue(d, said.Above.Value)
		if edit.AboveHold = string(said.Above.Hold); said.Leeway == standard.LeewayLocked {
			edit.AboveHold = "locked"
		}
		if said.Grant {
			edit.Deviate = deviateAt(sheet.Place, family.Name, field.Name)
		}
	}
	return edit
}

// POST /richtlinien/entwuerfe/:draft/familie/:family
func (h *Handler) savePolicy(c *gin.Context) error {
	family, ok := catalog.Find(c.Param("family"))
	if !ok {
		return errs.E(errs.NotFound, "not_found")
	}
	if c.PostForm("add") != "" || c.PostForm("remove") != "" {
		return h.drawEditor(c, http.StatusOK, &family, nil)
	}
	_, err := h.Standard.Change(c.Request.Context(), actor(c), param(c, "draft"), standard.DraftChange{Families: map[string]standard.Wish{family.Name: readWish(c, family)}})
	if err != nil {
		if problems := wrongs(err); len(problems) > 0 && canMend(err) {
			return h.drawEditor(c, http.StatusUnprocessableEntity, &family, problems)
		}
		return err
	}
	return seeOther(c, web.To(web.PathDraft, c.Param("draft")))
}

// POST /richtlinien/entwuerfe/:draft/familie/:family/verwerfen
func (h *Handler) dropPolicy(c *gin.Context) error {
	_, err := h.Standard.Change(c.Request.Context(), actor(c), param(c, "draft"), standard.DraftChange{Leave: []string{c.Param("family")}})
	return h.afterDraft(c, err, "")
}
