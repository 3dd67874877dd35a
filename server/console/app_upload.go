package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/packages"
	"schulwart.org/web"
)

// A page's script sends a file in pieces; these answers are for it.

// pieceSent is what one piece of a file may have, with room to spare.
const pieceSent = 8 << 20

type uploadSaid struct {
	URL     string `json:"url,omitempty"`
	Offset  int64  `json:"offset"`
	Done    string `json:"done,omitempty"`    // address of what it became
	Problem string `json:"problem,omitempty"` // for the person
}

// POST /apps/hochladen
func (h *Handler) beginUpload(c *gin.Context) error {
	size, _ := strconv.ParseInt(field(c, "size"), 10, 64)
	wanted := ground.Package{Name: field(c, "name"), Version: field(c, "version"), SHA256: field(c, "sha256"), Licence: field(c, "licence"), Title: ground.Text{DE: field(c, "label")}}
	upload, err := h.Packages.Begin(c.Request.Context(), actor(c), org.ID(field(c, "scope")), field(c, "file"), size, wanted)
	return h.tellUpload(c, upload, nil, err)
}

// GET /apps/hochladen/:upload
func (h *Handler) showUpload(c *gin.Context) error {
	upload, err := h.Packages.FindUpload(c.Request.Context(), actor(c), param(c, "upload"))
	return h.tellUpload(c, upload, nil, err)
}

// POST /apps/hochladen/:upload
func (h *Handler) continueUpload(c *gin.Context) error {
	offset, err := strconv.ParseInt(c.GetHeader("Upload-Offset"), 10, 64)
	if err != nil {
		offset = -1
	}
	upload, pack, err := h.Packages.Append(c.Request.Context(), actor(c), param(c, "upload"), offset, c.Request.Body)
	return h.tellUpload(c, upload, pack, err)
}

func (h *Handler) tellUpload(c *gin.Context, upload packages.Upload, pack *packages.Package, err error) error {
	said, status := uploadSaid{URL: web.To(web.PathAppUpload, upload.ID.String()), Offset: upload.Received}, http.StatusOK
	switch {
	case err != nil:
		problem := problemOf(err)
		if problem == nil || errs.Is(err, errs.NotFound) || errs.Is(err, errs.Denied) {
			return err
		}
		frame := frame(c)
		said, status = uploadSaid{Offset: upload.Received, Problem: frame.Fault(problem)}, statusOf(err)
	case pack != nil:
		said = uploadSaid{Offset: upload.Received, Done: web.To(web.PathApp, pack.ID.String())}
		h.flash(c.Request.Context(), web.FlashDone, "app_taken_in", "title", pack.Title.In("de"))
	}
	data, err := json.Marshal(said)
	if err != nil {
		return fmt.Errorf("writing answer: %w", err)
	}
	return write(c, status, "application/json", data)
}
