package console

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/staff"
	"schulwart.org/web"
)

// GET /gruppen
func (h *Handler) listGroups(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	branch, err := v.branch()
	if err != nil {
		return err
	}
	filter := roster.GroupFilter{Query: query(c, "q"), School: branch.School, Kind: org.GroupKind(query(c, "kind")), Cursor: query(c, "cursor")}
	groups, next, err := h.Roster.Groups(ctx, v.actor, filter)
	if err != nil {
		return err
	}
	running, err := h.runningByGroup(ctx, v, branch)
	if err != nil {
		return err
	}
	rows := make([]web.GroupRow, len(groups))
	for i, group := range groups {
		rows[i] = groupRow(group)
		rows[i].Mode = running[group.ID]
	}
	kinds := []string{""}
	for _, kind := range org.GroupKinds {
		kinds = append(kinds, string(kind))
	}
	return page(c, web.Groups(web.GroupsPage{
		Frame: v.frame, Query: filter.Query, Kinds: options(string(filter.Kind), kinds...), Rows: rows, Pager: pager(c, next, len(rows)),
		Any: len(rows) > 0 || filter.Query != "" || filter.Kind != "", MayEdit: may.Can(v.actor, may.GroupWrite, branch),
	}))
}

// runningByGroup returns the strongest mode that runs in each group of a school.
func (h *Handler) runningByGroup(ctx context.Context, v *visit, branch org.Branch) (map[org.ID]*web.RunningMode, error) {
	found, err := h.Board.School(ctx, v.actor, branch, startOfDay(h.Now(), v.frame.Location))
	if err != nil {
		return nil, err
	}
	best := map[org.ID]*web.RunningMode{}
	for _, one := range found.Running {
		group := one.Mode.Branch.Group
		if known := best[group]; known == nil || strength(one.Mode.Kind) < strength(lease.Kind(known.Kind)) {
			mode := runningMode(v.actor, one.Mode, h.Now())
			best[group] = &mode
		}
	}
	return best, nil
}

func groupRow(group roster.Group) web.GroupRow {
	row := web.GroupRow{Group: groupRef(group), Devices: group.Devices, From: group.Starts, Until: group.Ends}
	for _, teacher := range group.Teachers {
		row.Teachers = append(row.Teachers, teacher.Name)
	}
	return row
}

// GET /gruppen/:group
func (h *Handler) showGroup(c *gin.Context) error { return h.drawGroup(c, http.StatusOK, nil) }

func (h *Handler) drawGroup(c *gin.Context, status int, problem *web.Problem) error {
	ctx, v := c.Request.Context(), visitor(c)
	group, err := h.Roster.Group(ctx, v.actor, param(c, "group"))
	if err != nil {
		return err
	}
	members, next, err := h.Roster.Members(ctx, v.actor, group.ID, query(c, "cursor"), 0)
	if err != nil {
		return err
	}
	shown := web.GroupPage{
		Frame: v.frame, Row: groupRow(group), Room: group.Room, Imported: profileOf(group.Source), Pager: pager(c, next, len(members)),
		MayEdit: may.Can(v.actor, may.GroupWrite, group.Branch()), Problem: problem,
	}
	for _, teacher := range group.Teachers {
		if teacher.How == roster.Owner {
			shown.Teachers = append(shown.Teachers, web.DeviceRef{ID: teacher.Staff.String(), Name: teacher.Name})
		}
	}
	if shown.Members, err = h.members(c, group, members); err != nil {
		return err
	}
	if shown.MayEdit {
		if shown.Staff, err = h.staffOptions(ctx, v, group); err != nil {
			return err
		}
	}
	if group.Kind == org.Set || group.Kind == org.Room {
		shown.QR = code(h.PublicURL + web.With(web.PathBorrow, "set", group.ID.String()))
	}
	return show(c, status, web.Group(shown))
}

// profileOf names the import that made a thing, "" when a person did.
func profileOf(source string) string {
	rest, imported := strings.CutPrefix(source, "import:")
	if !imported {
		return ""
	}
	if _, profile, found := strings.Cut(rest, ":"); found {
		return profile
	}
	return rest
}

func (h *Handler) members(c *gin.Context, group roster.Group, found []roster.Membership) ([]web.Member, error) {
	ctx := c.Request.Context()
	board, err := h.Lessons.Class(ctx, actor(c), group.ID)
	if err != nil {
		return nil, err
	}
	tiles := map[string]web.TilePart{}
	for _, tile := range h.tiles(frame(c), actor(c), board, h.Now()) {
		tiles[tile.Device] = tile
	}
	members := make([]web.Member, len(found))
	for i, m := range found {
		tile, inside := tiles[m.Device.ID.String()]
		members[i] = web.Member{
			Device: web.DeviceRef{ID: m.Device.ID.String(), Name: m.Device.Name}, Person: m.Person, State: tile.State, Seen: tile.Seen,
			From: m.Starts, Until: m.Ends, Imported: profileOf(m.Source) != "",
		}
		if !inside { // joins later
			members[i].State, members[i].Seen = web.StatePlanned, m.LastSeen
		}
	}
	return members, nil
}

// staffOptions lists colleagues of the school who do not have the group yet.
func (h *Handler) staffOptions(ctx context.Context, v *visit, group roster.Group) ([]web.Option, error) {
	if !may.Can(v.actor, may.StaffRead, org.Branch{Authority: group.Authority, School: group.School}) {
		return nil, nil
	}
	const most = 500
	people, _, err := h.Staff.List(ctx, v.actor, staff.Filter{School: group.School, Role: may.Teacher, Limit: most})
	if err != nil {
		return nil, err
	}
	var list []web.Option
	for _, person := range people {
		has := slices.ContainsFunc(group.Teachers, func(t roster.Teacher) bool { return t.Staff == person.ID && t.How == roster.Owner })
		if !has {
			list = append(list, web.Option{Value: person.ID.String(), Label: person.Name})
		}
	}
	return list, nil
}
