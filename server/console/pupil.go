package console

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/policies/presets"
	"schulwart.org/server/board"
	"schulwart.org/server/errs"
	"schulwart.org/server/lesson"
	"schulwart.org/web"
)

// The pages for pupils are public by a link that belongs to the device. It
// names the device and proves that we made it; it gives nothing but these two
// pages, so it may stand on a sticker.

// pupilKey returns the last part of the link.
func (h *Handler) pupilKey(device org.ID) string {
	raw, err := uuid.Parse(device.String())
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(append(raw[:], h.linkMark(raw[:])...))
}

// markLength is how many bytes of the mark a link carries.
const markLength = 8

func (h *Handler) linkMark(device []byte) []byte {
	mac := hmac.New(sha256.New, h.LinkKey)
	mac.Write([]byte("pupil:"))
	mac.Write(device)
	return mac.Sum(nil)[:markLength]
}

// PupilURL returns the address of a device's page for pupils, "" for an id that
// is none of ours.
func (h *Handler) pupilURL(device org.ID) string {
	key := h.pupilKey(device)
	if key == "" || len(h.LinkKey) == 0 {
		return ""
	}
	return web.To(web.PathPupilNow, key)
}

// readPupilKey returns the device of a link. A link that we did not make is not
// found.
func (h *Handler) readPupilKey(key string) (org.ID, error) {
	raw, err := base64.RawURLEncoding.DecodeString(key)
	if err != nil || len(raw) != 16+markLength || len(h.LinkKey) == 0 || !hmac.Equal(raw[16:], h.linkMark(raw[:16])) {
		return "", errs.E(errs.NotFound, "not_found")
	}
	device, err := uuid.FromBytes(raw[:16])
	return org.ID(device.String()), err
}

// forPupil finds the device of the link and forgets who is signed in: whoever
// holds the link sees the same.
func (h *Handler) forPupil(c *gin.Context) (board.Device, error) {
	v := visitor(c)
	v.frame.Person, v.frame.Nav = web.Person{}, nil
	device, err := h.readPupilKey(c.Param("key"))
	if err != nil {
		return board.Device{}, err
	}
	return h.Board.ForPupil(c.Request.Context(), device)
}

// GET /g/:key
func (h *Handler) showPupilNow(c *gin.Context) error {
	found, err := h.forPupil(c)
	if err != nil {
		return err
	}
	shown := web.PupilNowPage{
		Frame: frame(c), Key: c.Param("key"), Device: found.Name, School: found.School, Seen: found.Contact.Seen,
	}
	for _, line := range found.Modes {
		if line.State != lesson.Ended && h.Now().Before(line.Lease.Ends) && !h.Now().Before(line.Lease.Starts) {
			shown.Modes = append(shown.Modes, pupilMode(line.Lease))
		}
	}
	shown.Set = settingsOf(found, nil)
	return page(c, web.PupilNow(shown))
}

func pupilMode(l lesson.Lease) web.PupilMode {
	names := l.Rules.Sites
	if l.Kind == lease.Focus {
		names = presets.Names(l.Rules.Apps)
	}
	return web.PupilMode{Kind: web.ModeKind(l.Kind), What: names, Message: l.Rules.Message, By: l.ByName, Ends: l.Ends}
}

// What the school sees of a device of ours, and what it never does. The lists
// follow from what the agent reports (see ddm.Facts) and are the same for all.
var (
	sees    = []string{"seen", "modes", "battery", "disk", "model", "system", "tamper", "settings"}
	seesNot = []string{"screen", "browsing", "files", "keys", "camera", "location"}
	// keptFor is how long what was seen is kept, as the help on data protection
	// says it.
	keptFor = []string{"modes", "events", "facts", "audit"}
)

// GET /g/:key/was-sieht-die-schule
func (h *Handler) showPupilSees(c *gin.Context) error {
	found, err := h.forPupil(c)
	if err != nil {
		return err
	}
	shown := web.PupilSeesPage{Frame: frame(c), Key: c.Param("key"), Device: found.Name, School: found.School, Sees: sees, Never: seesNot, Kept: keptFor,
		Tongue: web.PupilLanguage(query(c, "sprache"), frame(c).Lang), Set: settingsOf(found, nil)}
	const most = 10
	entries, _, err := h.Audit.About(c.Request.Context(), found.Branch, "device", found.Device, "", most)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !entry.ByPerson() {
			continue
		}
		shown.Looks = append(shown.Looks, web.Look{At: entry.At, By: entry.ActorName, What: look(entry)})
	}
	return page(c, web.PupilSees(shown))
}
