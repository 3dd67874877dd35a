package console

import (
	"context"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/web"
)

// Keys are those under which modes are signed.
type Keys interface {
	Current() (id string, made time.Time)
	// Keys lists every key that devices still believe.
	Keys() []lease.Key
	Rotate(ctx context.Context, actor may.Actor) error
}

func (h *Handler) keyState() web.KeyState {
	id, made := h.Keys.Current()
	return web.KeyState{ID: id, Made: made, Others: max(0, len(h.Keys.Keys())-1)}
}

// GET /betrieb/schluessel
func (h *Handler) askRotate(c *gin.Context) error {
	if _, err := may.Do(actor(c), may.OperationRun, org.Branch{}); err != nil {
		return err
	}
	return page(c, web.KeyRotate(web.KeyRotatePage{Frame: frame(c), Key: h.keyState(), Until: h.Now().Add(lease.KeyOverlap)}))
}

// POST /betrieb/schluessel
func (h *Handler) rotateKeys(c *gin.Context) error {
	ctx := c.Request.Context()
	if err := h.Keys.Rotate(ctx, actor(c)); err != nil {
		return err
	}
	h.flash(ctx, web.FlashDone, "key_rotated")
	return seeOther(c, web.PathOperations)
}
