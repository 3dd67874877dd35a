package console

import (
	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/web"
)

// GET /geraete
func (h *Handler) listDevices(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	filter := roster.DeviceFilter{
		Query: query(c, "q"), School: placeOf(v), Group: org.ID(query(c, "group")), Platform: org.Platform(query(c, "platform")),
		Seen: roster.Seen(query(c, "seen")), Cursor: query(c, "cursor"),
	}
	if asked := query(c, "school"); asked != "" {
		filter.School = org.ID(asked)
	}
	state := query(c, "state")
	if err := h.filterByState(c, state, &filter); err != nil {
		return err
	}
	devices, next, err := h.Roster.Devices(ctx, v.actor, filter)
	if err != nil {
		return err
	}
	rows, err := h.deviceRows(c, devices)
	if err != nil {
		return err
	}
	groups, _, err := h.Roster.Groups(ctx, v.actor, roster.GroupFilter{School: filter.School, Limit: 200})
	if err != nil {
		return err
	}
	shown := web.DevicesPage{
		Frame: v.frame, Query: filter.Query, States: options(state, "", "deviating", "unreachable", overdue, "delivered", "active", "ready"),
		Platform: options(string(filter.Platform), "", web.PlatformLinux, web.PlatformIPadOS, web.PlatformWindows, web.PlatformMacOS),
		Groups:   groupOptions(groups, filter.Group), Seen: options(string(filter.Seen), "", "today", "14d", "never"),
		Rows: rows, Pager: pager(c, next, len(rows)), Any: len(rows) > 0, MayEnrol: may.Anywhere(v.actor, may.TokenWrite),
	}
	if !shown.Any {
		n, err := h.Roster.CountDevices(ctx, v.actor)
		if err != nil {
			return err
		}
		shown.Any = n > 0
	}
	if shown.Schools, err = h.schoolOptions(c, filter.School); err != nil {
		return err
	}
	return page(c, web.Devices(shown))
}

// overdue is the filter for devices whose mode should have ended.
const overdue = "overdue"

func (h *Handler) filterByState(c *gin.Context, state string, filter *roster.DeviceFilter) error {
	var err error
	switch state {
	case "":
	case overdue:
		filter.Devices, err = h.overdueDevices(c)
	default:
		filter.Devices, err = h.devicesInState(c, web.State(state), filter.School)
	}
	return err
}

// options are the values of a filter; the empty one means any.
func options(chosen string, values ...string) []web.Option {
	list := make([]web.Option, len(values))
	for i, value := range values {
		list[i] = web.Option{Value: value, Chosen: value == chosen}
	}
	return list
}

func groupOptions(groups []roster.Group, chosen org.ID) []web.Option {
	list := []web.Option{{Value: "", Chosen: chosen == ""}}
	for _, group := range groups {
		list = append(list, web.Option{Value: group.ID.String(), Label: group.Name, Chosen: group.ID == chosen})
	}
	return list
}

// schoolOptions lists the schools of who has several, nothing for all others.
func (h *Handler) schoolOptions(c *gin.Context, chosen org.ID) ([]web.Option, error) {
	const most = 200
	schools, _, err := h.Roster.Schools(c.Request.Context(), actor(c), "", "", most)
	if err != nil || len(schools) < 2 {
		return nil, err
	}
	list := make([]web.Option, len(schools))
	for i, school := range schools {
		list[i] = web.Option{Value: school.ID.String(), Label: school.Name, Chosen: school.ID == chosen}
	}
	return list, nil
}
