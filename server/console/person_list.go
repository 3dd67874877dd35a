package console

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/staff"
	"schulwart.org/web"
)

// GET /personen
func (h *Handler) listPeople(c *gin.Context) error {
	ctx, v := c.Request.Context(), visitor(c)
	branch, err := v.branch()
	if err != nil {
		return err
	}
	filter := staff.Filter{Query: query(c, "q"), Role: may.Role(query(c, "role")), School: branch.School, Cursor: query(c, "cursor")}
	people, next, err := h.Staff.List(ctx, v.actor, filter)
	if err != nil {
		return err
	}
	names := h.placeNames(c)
	rows := make([]web.PersonRow, len(people))
	for i, person := range people {
		rows[i] = personRow(person, names)
	}
	roles := []string{""}
	for _, role := range may.Roles {
		roles = append(roles, string(role))
	}
	return page(c, web.People(web.PeoplePage{
		Frame: v.frame, Query: filter.Query, Roles: options(string(filter.Role), roles...), Rows: rows, Pager: pager(c, next, len(rows)),
		MayInvite: may.Can(v.actor, may.StaffWrite, branch),
	}))
}

func personRow(person staff.Person, names *placeNames) web.PersonRow {
	row := web.PersonRow{
		ID: person.ID.String(), Name: person.Full(), Email: person.Login, LastSeen: person.LastSeen, Invited: person.Invited,
		Locked: !person.Locked.IsZero(), Factor: person.Factor,
	}
	for _, grant := range person.Grants {
		row.Roles = append(row.Roles, web.RoleAt{Role: web.Role(grant.Role), Place: names.of(grant.Branch), PlaceID: placeValue(grant.Branch)})
	}
	return row
}

// GET /personen/:person
func (h *Handler) showPerson(c *gin.Context) error { return h.drawPerson(c, http.StatusOK, nil) }

func (h *Handler) drawPerson(c *gin.Context, status int, problem *web.Problem) error {
	ctx, v := c.Request.Context(), visitor(c)
	person, err := h.Staff.Find(ctx, v.actor, param(c, "person"))
	if err != nil {
		return err
	}
	kept, err := h.Staff.Handover(ctx, v.actor, person.ID)
	if err != nil {
		return err
	}
	places, err := h.workplaces(c)
	if err != nil {
		return err
	}
	shown := web.PersonPage{
		Frame: v.frame, Row: personRow(person, h.placeNames(c)), Roles: roleOptions(v.actor, places, ""), Places: h.placeOptions(c, places, placeValue(branchOf(v))),
		Self: person.ID == v.actor.ID, MayEdit: mayEdit(v.actor, person), Made: h.madeCode(kept), Problem: problem,
	}
	// The person's groups as far as whoever looks may see them.
	groups, err := h.Roster.MyGroups(ctx, may.Actor{ID: person.ID, Grants: v.actor.Grants})
	if err != nil {
		return err
	}
	for _, teaching := range groups {
		shown.Groups = append(shown.Groups, groupRef(teaching.Group))
	}
	return show(c, status, web.PersonDetail(shown))
}

func branchOf(v *visit) org.Branch {
	branch, _ := v.branch()
	return branch
}

// mayEdit is for the buttons: who could have given every role of the person may
// act on the account.
func mayEdit(who may.Actor, person staff.Person) bool {
	for _, grant := range person.Grants {
		if !may.Hands(who, grant) {
			return false
		}
	}
	return may.Anywhere(who, may.StaffWrite)
}
