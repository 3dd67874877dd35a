package console

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/board"
	"schulwart.org/server/errs"
	"schulwart.org/server/lesson"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/web"
)

// Enrolments ends what a device and we have with each other: its certificate is
// void from then on. While a mode may still hold on the device, that waits, at
// the latest until the instant it returns.
type Enrolments interface {
	Leave(ctx context.Context, actor may.Actor, device org.ID) (until time.Time, err error)
}

// POST /geraete/:device/bearbeiten
//
// An empty person takes the device from whoever had it; a name must be one that
// the school keeps.
func (h *Handler) editDevice(c *gin.Context) error {
	ctx, who, device := c.Request.Context(), actor(c), param(c, "device")
	name := field(c, "name")
	change := roster.DeviceUpdate{Name: &name}
	before, err := h.Roster.Device(ctx, who, device)
	if err != nil {
		return err
	}
	if typed := field(c, "person"); typed != before.PersonName {
		person, err := h.findPupil(c, before.School, typed)
		if err != nil {
			return h.deviceDone(c, err, "")
		}
		change.Person = &person
	}
	_, err = h.Roster.UpdateDevice(ctx, who, device, change)
	return h.deviceDone(c, err, "device_saved")
}

// findPupil turns a typed name into the pupil, empty for nobody.
func (h *Handler) findPupil(c *gin.Context, school org.ID, typed string) (org.ID, error) {
	if typed == "" {
		return "", nil
	}
	persons, _, err := h.Roster.Persons(c.Request.Context(), actor(c), typed, school, "", 2)
	if err != nil {
		return "", err
	}
	for _, person := range persons {
		if strings.EqualFold(person.Name, typed) {
			return person.ID, nil
		}
	}
	if len(persons) == 1 {
		return persons[0].ID, nil
	}
	return "", errs.E(errs.Invalid, "device.unknown_person", "name", typed).In("person")
}

// POST /geraete/:device/ende
func (h *Handler) endOnDevice(c *gin.Context) error {
	err := h.letGo(c.Request.Context(), actor(c), org.ID(field(c, "mode")), param(c, "device"))
	return h.deviceDone(c, err, "mode_ended_here")
}

func (h *Handler) deviceDone(c *gin.Context, err error, said string) error {
	switch {
	case err == nil:
		h.flash(c.Request.Context(), web.FlashDone, said)
		return seeOther(c, web.To(web.PathDevice, c.Param("device")))
	case startFault(err) != nil:
		return h.drawDevice(c, http.StatusUnprocessableEntity, startFault(err))
	}
	return err
}

// GET, POST /geraete/:device/freigabe
func (h *Handler) showDeviceRelease(c *gin.Context) error {
	found, err := h.Board.Device(c.Request.Context(), actor(c), param(c, "device"))
	if err != nil {
		return err
	}
	return h.drawRelease(c, named(found), web.To(web.PathDevice, found.Device.String()))
}

// named gives the lines of one device its name, which they do not carry when
// they are read by device.
func named(d board.Device) []lesson.DeviceMode {
	lines := make([]lesson.DeviceMode, len(d.Modes))
	for i, line := range d.Modes {
		line.Name, line.Person = d.Name, d.Person
		lines[i] = line
	}
	return lines
}

// GET /geraete/:device/ausser-betrieb
func (h *Handler) askRetire(c *gin.Context) error {
	found, err := h.Board.Device(c.Request.Context(), actor(c), param(c, "device"))
	if err != nil {
		return err
	}
	if _, err := may.Do(actor(c), may.DeviceWrite, found.Branch); err != nil {
		return err
	}
	return page(c, web.DeviceRetire(web.DeviceRetirePage{
		Frame: frame(c), ID: found.Device.String(), Name: found.Name, Groups: len(found.Groups),
		Modes: len(deviceModes(actor(c), found.Modes, h.Now())),
	}))
}

// POST /geraete/:device/ausser-betrieb
//
// The device's modes end, it leaves its groups, and its certificate is void as
// soon as it has read back the end. Its history stays.
func (h *Handler) retireDevice(c *gin.Context) error {
	ctx, who := c.Request.Context(), actor(c)
	found, err := h.Board.Device(ctx, who, param(c, "device"))
	if err != nil {
		return err
	}
	for _, line := range found.Modes {
		if line.State == lesson.Ended || !h.Now().Before(line.Lease.Ends) {
			continue
		}
		// Who may retire a device may not always end a colleague's mode; it ends
		// for the device because that is out of use.
		if err := h.letGo(ctx, who, line.Lease.Mode, found.Device); err != nil && !errs.Is(err, errs.Denied) {
			return err
		}
	}
	if _, err := h.Roster.RetireDevice(ctx, who, found.Device); err != nil {
		return err
	}
	if found.Enrolment != "" {
		until, err := h.Enrolments.Leave(ctx, who, found.Device)
		if err != nil {
			return err
		}
		if !until.IsZero() {
			h.flash(ctx, web.FlashDone, "device_leaving", "name", found.Name)
			return seeOther(c, web.To(web.PathDevice, found.Device.String()))
		}
	}
	h.flash(ctx, web.FlashDone, "device_retired", "name", found.Name)
	return seeOther(c, web.PathDevices)
}

// letGo ends a mode on one device; out of an examination it is let by the room of
// examinations.
func (h *Handler) letGo(ctx context.Context, who may.Actor, mode, device org.ID) error {
	_, err := h.Lessons.End(ctx, who, mode, device)
	if fault := errs.Find(err); fault != nil && fault.Key == "mode.is_exam" {
		return h.Exams.LetOut(ctx, who, mode, device)
	}
	return err
}
