package console

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/server/errs"
	"schulwart.org/server/lesson"
	"schulwart.org/server/may"
	"schulwart.org/web"
)

// GET, POST /unterricht/:group/freigabe/:device
func (h *Handler) showRelease(c *gin.Context) error {
	if pretended(c) {
		return errs.E(errs.NotFound, "not_found")
	}
	v := visitor(c)
	found, err := h.findClass(c.Request.Context(), v.actor, c.Param("group"))
	if err != nil {
		return err
	}
	v.at(found.school)
	var lines []lesson.DeviceMode
	for _, running := range found.Modes {
		for _, line := range running.Lines {
			if line.Device == param(c, "device") {
				lines = append(lines, line)
			}
		}
	}
	return h.drawRelease(c, lines, web.To(web.PathBoard, c.Param("group")))
}

// drawRelease answers with the code for the mode that holds on the device. A
// post carries the challenge that the device shows.
func (h *Handler) drawRelease(c *gin.Context, lines []lesson.DeviceMode, back string) error {
	page := web.ReleasePage{Frame: frame(c), Back: back}
	part, err := h.releasePart(c, lines)
	if err != nil {
		return err
	}
	page.Part = part
	status := http.StatusOK
	if part.Problem != nil {
		status = http.StatusUnprocessableEntity
	}
	return show(c, status, web.Release(page))
}

func (h *Handler) releasePart(c *gin.Context, lines []lesson.DeviceMode) (web.ReleasePart, error) {
	held := holding(lines, h.Now())
	if held == nil {
		return web.ReleasePart{}, errs.E(errs.NotFound, "mode.device_not_in_mode")
	}
	name := held.Name
	if may.SeesNames(actor(c), held.Lease.Branch) {
		name = displayName(held.Person, held.Name)
	}
	part := web.ReleasePart{
		Frame: frame(c), URL: c.Request.URL.Path, Device: name,
		Mode: web.ModeKind(held.Lease.Kind), Ends: held.Lease.Ends, Challenge: field(c, "challenge"),
	}
	code, err := h.Lessons.ReleaseCode(c.Request.Context(), actor(c), held.Lease.Mode, held.Device, part.Challenge)
	if err != nil {
		if part.Problem = startFault(err); part.Problem == nil {
			return part, err
		}
		return part, nil
	}
	part.Code, part.ValidUntil = code.Digits, code.Until
	return part, nil
}

// holding picks the mode that a release is about: the strongest that is not
// known to have ended. An examination that has not begun is none.
func holding(lines []lesson.DeviceMode, now time.Time) *lesson.DeviceMode {
	var best *lesson.DeviceMode
	for i := range lines {
		if lines[i].State != lesson.Ended && !armed(lines[i].Lease, now) && (best == nil || strength(lines[i].Lease.Kind) < strength(best.Lease.Kind)) {
			best = &lines[i]
		}
	}
	return best
}
