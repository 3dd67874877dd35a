package console

import (
	"net/http"
	"slices"
	"time"

	"github.com/a-h/templ"
	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/web"
)

// GET /gruppen/neu
func (h *Handler) newGroup(c *gin.Context) error {
	if _, err := visitor(c).branch(); err != nil {
		return err
	}
	schools, err := h.schoolOptions(c, placeOf(visitor(c)))
	if err != nil {
		return err
	}
	return page(c, web.GroupEdit(web.GroupEditPage{Frame: frame(c), Kind: web.KindClass, Schools: schools}))
}

// GET /gruppen/:group/bearbeiten
func (h *Handler) editGroup(c *gin.Context) error {
	v := visitor(c)
	group, err := h.Roster.Group(c.Request.Context(), v.actor, param(c, "group"))
	if err != nil {
		return err
	}
	if _, err := may.Do(v.actor, may.GroupWrite, group.Branch()); err != nil {
		return err
	}
	return page(c, web.GroupEdit(web.GroupEditPage{
		Frame: v.frame, ID: group.ID.String(), Name: group.Name, Kind: web.GroupKind(group.Kind), Room: group.Room,
		From: dayValue(group.Starts, v.frame.Location), Until: dayValue(lastDay(group.Ends), v.frame.Location), Priority: group.Priority,
	}))
}

// POST /gruppen/neu, POST /gruppen/:group/bearbeiten
func (h *Handler) saveGroup(c *gin.Context) error {
	group, err := h.storeGroup(c)
	if err != nil {
		schools, _ := h.schoolOptions(c, org.ID(field(c, "school"))) // without them the form still stands
		return again(c, err, func(problem *web.Problem) templ.Component {
			return web.GroupEdit(web.GroupEditPage{
				Frame: frame(c), ID: c.Param("group"), Name: field(c, "name"), Kind: web.GroupKind(field(c, "kind")), Schools: schools, Room: field(c, "room"),
				From: field(c, "from"), Until: field(c, "until"), Priority: number(c, "priority", 0), Problem: problem,
			})
		})
	}
	h.flash(c.Request.Context(), web.FlashDone, "group_saved", "name", group.Name)
	return seeOther(c, web.To(web.PathGroup, group.ID.String()))
}

func (h *Handler) storeGroup(c *gin.Context) (roster.Group, error) {
	ctx, v := c.Request.Context(), visitor(c)
	name, kind, room, priority := field(c, "name"), org.GroupKind(field(c, "kind")), field(c, "room"), number(c, "priority", 0)
	starts, err := readDay(field(c, "from"), "from", v.frame.Location)
	if err != nil {
		return roster.Group{}, err
	}
	ends, err := readDay(field(c, "until"), "until", v.frame.Location)
	if err != nil {
		return roster.Group{}, err
	}
	ends = endOfDay(ends)
	change := roster.GroupUpdate{Name: &name, Kind: &kind, Room: &room, Priority: &priority, Starts: &starts, Ends: &ends}
	if id := param(c, "group"); id != "" {
		return h.Roster.UpdateGroup(ctx, v.actor, id, change)
	}
	school := placeOf(v)
	if asked := field(c, "school"); asked != "" {
		school = org.ID(asked)
	}
	return h.Roster.CreateGroup(ctx, v.actor, school, change)
}

// readDay reads a date of a form as the beginning of that day in school time;
// nothing typed is the zero time.
func readDay(typed, field string, zone *time.Location) (time.Time, error) {
	if typed == "" {
		return time.Time{}, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, typed, zone)
	if err != nil {
		return time.Time{}, errs.E(errs.Invalid, "date.bad").In(field)
	}
	return day, nil
}

// endOfDay is the end of the day that a form names as the last one.
func endOfDay(day time.Time) time.Time {
	if day.IsZero() {
		return day
	}
	return day.AddDate(0, 0, 1)
}

// lastDay is the other way round.
func lastDay(end time.Time) time.Time {
	if end.IsZero() {
		return end
	}
	return end.Add(-time.Second)
}

func dayValue(at time.Time, zone *time.Location) string {
	if at.IsZero() {
		return ""
	}
	return at.In(zone).Format(time.DateOnly)
}

// POST /gruppen/:group/loeschen
func (h *Handler) deleteGroup(c *gin.Context) error {
	if err := h.Roster.DeleteGroup(c.Request.Context(), actor(c), param(c, "group")); err != nil {
		return err
	}
	h.flash(c.Request.Context(), web.FlashDone, "group_deleted")
	return seeOther(c, web.PathGroups)
}

// GET /gruppen/:group/geraete
func (h *Handler) chooseDevices(c *gin.Context) error {
	return h.drawChooseDevices(c, http.StatusOK, nil)
}

func (h *Handler) drawChooseDevices(c *gin.Context, status int, problem *web.Problem) error {
	ctx, v := c.Request.Context(), visitor(c)
	group, err := h.Roster.Group(ctx, v.actor, param(c, "group"))
	if err != nil {
		return err
	}
	devices, next, err := h.Roster.Devices(ctx, v.actor, roster.DeviceFilter{Query: query(c, "q"), School: group.School, Cursor: query(c, "cursor")})
	if err != nil {
		return err
	}
	rows, err := h.deviceRows(c, devices)
	if err != nil {
		return err
	}
	inside := map[string]bool{}
	for _, device := range devices {
		inside[device.ID.String()] = slices.ContainsFunc(device.Groups, func(g roster.Group) bool { return g.ID == group.ID })
	}
	return show(c, status, web.GroupDevices(web.GroupDevicesPage{
		Frame: v.frame, Group: groupRef(group), Query: query(c, "q"), Rows: rows, Inside: inside, Pager: pager(c, next, len(rows)),
		From: field(c, "from"), Until: field(c, "until"), Problem: problem,
	}))
}

// POST /gruppen/:group/geraete
func (h *Handler) changeDevices(c *gin.Context) error {
	ctx, v, group := c.Request.Context(), visitor(c), param(c, "group")
	if c.PostForm("action") == "remove" {
		if err := h.Roster.RemoveDevices(ctx, v.actor, group, ticked(c, "device")); err != nil {
			return err
		}
		h.flash(ctx, web.FlashDone, "devices_removed", "count", len(ticked(c, "device")))
		return seeOther(c, web.To(web.PathGroup, group.String()))
	}
	starts, err := readDay(field(c, "from"), "from", v.frame.Location)
	var ends time.Time
	if err == nil {
		ends, err = readDay(field(c, "until"), "until", v.frame.Location)
	}
	if err == nil {
		err = h.Roster.AddDevices(ctx, v.actor, group, ticked(c, "device"), starts, endOfDay(ends))
	}
	if problem := startFault(err); problem != nil {
		return h.drawChooseDevices(c, http.StatusUnprocessableEntity, problem)
	}
	if err != nil {
		return err
	}
	h.flash(ctx, web.FlashDone, "devices_added", "count", len(ticked(c, "device")))
	return seeOther(c, web.To(web.PathGroup, group.String()))
}

// POST /gruppen/:group/lehrkraefte
func (h *Handler) changeTeachers(c *gin.Context) error {
	ctx, who, group, person := c.Request.Context(), actor(c), param(c, "group"), org.ID(field(c, "person"))
	if c.PostForm("action") == "remove" {
		if err := h.Roster.RemoveTeacher(ctx, who, group, person); err != nil {
			return err
		}
		name := ""
		if found, err := h.Staff.Find(ctx, who, person); err == nil {
			name = found.Display()
		}
		h.flash(ctx, web.FlashDone, "teacher_removed", "name", name)
		return seeOther(c, web.To(web.PathGroup, group.String()))
	}
	found, err := h.Staff.Find(ctx, who, person)
	if err != nil {
		return h.drawGroup(c, http.StatusUnprocessableEntity, &web.Problem{Key: "group.no_teacher", Field: "person"})
	}
	if err := h.Roster.AddTeacher(ctx, who, group, found.ID); err != nil {
		return err
	}
	h.flash(ctx, web.FlashDone, "teacher_added", "name", found.Display())
	return seeOther(c, web.To(web.PathGroup, group.String()))
}
