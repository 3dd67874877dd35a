package console

import (
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/lesson"
	"schulwart.org/server/roster"
	"schulwart.org/web"
)

// known is what is known of a device now: its state, since when and why.
type known struct {
	state  web.State
	since  time.Time
	reason *web.Sentence
	lines  []lesson.DeviceMode
}

// stateOf says of a device what its tile on a board would say.
func (h *Handler) stateOf(enrolment org.ID, seen time.Time, lines []lesson.DeviceMode, now time.Time) known {
	if line := loudest(lines, now); line != nil {
		return known{web.State(line.State), line.Since, reason(line.Reason), lines}
	}
	state, why := h.free(lesson.Member{Enrolment: enrolment, Seen: seen}, now)
	return known{state, seen, why, lines}
}

// seenAt is the last contact: presence knows better than the store.
func (h *Handler) seenAt(enrolment org.ID, stored time.Time) time.Time {
	if contact := h.Presence.Contact(enrolment); contact.Seen.After(stored) {
		return contact.Seen
	}
	return stored
}

// deviceRow is one device of a list.
func (h *Handler) deviceRow(c *gin.Context, d roster.Device, lines []lesson.DeviceMode) web.DeviceRow {
	seen := h.seenAt(d.Enrolment, d.LastSeen)
	now := h.stateOf(d.Enrolment, seen, lines, h.Now())
	row := web.DeviceRow{
		ID: d.ID.String(), Name: d.Name, Person: d.PersonName, Serial: d.Serial, Platform: string(d.Platform), System: d.System,
		School: d.SchoolName, State: now.state, Reason: now.reason, Seen: seen, Simulated: d.Simulated,
	}
	for _, group := range d.Groups {
		row.Groups = append(row.Groups, group.Name)
	}
	return row
}

// deviceRows reads the leases of the devices of one page of a list.
func (h *Handler) deviceRows(c *gin.Context, devices []roster.Device) ([]web.DeviceRow, error) {
	rows := make([]web.DeviceRow, len(devices))
	for i, device := range devices {
		lines, err := h.Lessons.Leases(c.Request.Context(), device.Branch(), device.ID)
		if err != nil {
			return nil, err
		}
		rows[i] = h.deviceRow(c, device, lines)
	}
	return rows, nil
}

// devicesInState lists the devices of a school that are in a state now. It
// looks at all of them: a state is computed, never stored.
func (h *Handler) devicesInState(c *gin.Context, state web.State, school org.ID) ([]org.ID, error) {
	ctx, who := c.Request.Context(), actor(c)
	found := []org.ID{} // not nil: an empty list means that none is in the state
	filter := roster.DeviceFilter{School: school, Limit: 200}
	for {
		devices, next, err := h.Roster.Devices(ctx, who, filter)
		if err != nil {
			return nil, err
		}
		rows, err := h.deviceRows(c, devices)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if row.State == state {
				found = append(found, org.ID(row.ID))
			}
		}
		if next == "" {
			return found, nil
		}
		filter.Cursor = next
	}
}

// overdueDevices lists the devices of the school whose mode is past its end and
// was not read back as ended.
func (h *Handler) overdueDevices(c *gin.Context) ([]org.ID, error) {
	v := visitor(c)
	branch, err := v.branch()
	if err != nil {
		return nil, err
	}
	found, err := h.Board.School(c.Request.Context(), v.actor, branch, startOfDay(h.Now(), v.frame.Location))
	if err != nil {
		return nil, err
	}
	late := []org.ID{}
	for _, one := range found.Overdue {
		late = append(late, one.Device)
	}
	return late, nil
}
