package console

import (
	"errors"
	"io"
	"net/http"

	"github.com/gin-gonic/gin"

	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/packages"
	"schulwart.org/server/shelf"
	"schulwart.org/web"
)

// POST /apps/:app/aussehen
func (h *Handler) dressApp(c *gin.Context) error {
	ctx := c.Request.Context()
	look, err := wantedLook(c)
	if err == nil {
		_, err = h.Packages.SetLook(ctx, actor(c), param(c, "app"), look)
	}
	if err != nil {
		if problem := problemOf(err); problem != nil && canMend(err) {
			return h.drawApp(c, http.StatusUnprocessableEntity, nil, problem)
		}
		return err
	}
	h.flash(ctx, web.FlashDone, "app_dressed")
	return seeOther(c, web.To(web.PathApp, c.Param("app")))
}

// wantedLook reads the form. Without a file the picture stays, unless it shall go.
func wantedLook(c *gin.Context) (packages.Look, error) {
	large := func() error {
		return errs.E(errs.Invalid, "package.large_picture", "megabytes", packages.LargestPicture>>20).In("picture")
	}
	sent, err := c.FormFile("picture")
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return packages.Look{}, large()
	}
	look := packages.Look{Title: ground.Text{DE: field(c, "title"), EN: field(c, "title-en")}, Description: ground.Text{DE: field(c, "text"), EN: field(c, "text-en")}}
	if field(c, "drop") == "1" {
		look.Picture = []byte{}
	}
	if err != nil || sent.Size == 0 {
		return look, nil
	}
	if sent.Size > packages.LargestPicture {
		return look, large()
	}
	file, err := sent.Open()
	if err != nil {
		return look, err
	}
	defer file.Close()
	look.Picture, err = io.ReadAll(file)
	return look, err
}

// GET /symbole/:icon
//
// What a hash names never changes, so it is kept for long.
func (h *Handler) showIcon(c *gin.Context) error {
	picture, err := h.Packages.Icon(c.Request.Context(), c.Param("icon"))
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "public, max-age=31536000, immutable")
	c.Data(http.StatusOK, "image/png", picture)
	return nil
}

// addIcons shows the pictures of apps that somebody may pick, all of one school.
func (h *Handler) addIcons(c *gin.Context, offers []shelf.Offer, rows []web.PickRow) error {
	if len(offers) == 0 {
		return nil
	}
	icons, err := h.Packages.Icons(c.Request.Context(), offers[0].Branch.Authority)
	for i := range rows {
		rows[i].Icon = icons[offers[i].Package.App()]
	}
	return err
}
