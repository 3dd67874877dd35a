package console

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/standard"
	"schulwart.org/web"
)

// eyesURL is where four eyes are switched for a place: only authorities and the
// operator have them.
func eyesURL(place standard.Place) string {
	if place.Level != org.Authority && place.Level != org.Operator {
		return ""
	}
	shown := policyPlace(place)
	return web.To(web.PathFourEyes, shown.Level, shown.ID)
}

// GET /richtlinien/an/:level/:place/vier-augen
func (h *Handler) showEyes(c *gin.Context) error { return h.drawEyes(c, http.StatusOK, nil) }

func (h *Handler) drawEyes(c *gin.Context, status int, problem *web.Problem) error {
	v := visitor(c)
	place, eyes, err := h.eyesAt(c)
	if err != nil {
		return err
	}
	return show(c, status, web.FourEyes(web.EyesPage{
		Frame: v.frame, Place: policyPlace(place), Above: h.above(c, place), On: eyes.On, AskedBy: eyes.Asked.ByName, AskedAt: eyes.Asked.At,
		MayChange: eyes.MayChange, MayConfirm: eyes.MayConfirm, Problem: problem,
	}))
}

func (h *Handler) eyesAt(c *gin.Context) (standard.Place, standard.Eyes, error) {
	ctx, who := c.Request.Context(), actor(c)
	place, err := h.Standard.Place(ctx, who, policyAt(c))
	if err == nil && eyesURL(place) == "" {
		err = errs.E(errs.NotFound, "not_found")
	}
	if err != nil {
		return place, standard.Eyes{}, err
	}
	eyes, err := h.Standard.FourEyes(ctx, who, place.Branch.Authority)
	return place, eyes, err
}

// POST /richtlinien/an/:level/:place/vier-augen
func (h *Handler) setEyes(c *gin.Context) error {
	ctx := c.Request.Context()
	place, _, err := h.eyesAt(c)
	if err != nil {
		return err
	}
	eyes, err := h.Standard.SetFourEyes(ctx, actor(c), place.Branch.Authority, field(c, "on") == "1")
	if err != nil {
		if problem := problemOf(err); problem != nil && canMend(err) {
			return h.drawEyes(c, http.StatusUnprocessableEntity, problem)
		}
		return err
	}
	said := "eyes_off"
	switch {
	case eyes.Asked.By != "":
		said = "eyes_asked"
	case eyes.On:
		said = "eyes_on"
	}
	h.flash(ctx, web.FlashDone, said)
	return seeOther(c, eyesURL(place))
}
