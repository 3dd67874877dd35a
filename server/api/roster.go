package api

import (
	"context"
	"net/http"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
)

// Named is enough to name a thing.
type Named struct {
	ID   org.ID `json:"id"`
	Name string `json:"name"`
}

// School is a school.
type School struct {
	ID        org.ID `json:"id"`
	Name      string `json:"name"`
	Short     string `json:"short,omitempty"`
	Authority Named  `json:"authority"`
	Devices   int    `json:"devices" doc:"Devices in use."`
}

// Group is a class, course, room, set or pilot group.
type Group struct {
	ID       org.ID        `json:"id"`
	Kind     org.GroupKind `json:"kind" enum:"class,course,room,set,pilot"`
	Name     string        `json:"name"`
	School   Named         `json:"school"`
	Room     string        `json:"room,omitempty"`
	Devices  int           `json:"devices" doc:"How many devices are in it now."`
	Teachers []Named       `json:"teachers" nullable:"false" doc:"Who has it now."`
}

// Authority is a Schulträger.
type Authority struct {
	ID      org.ID `json:"id"`
	Name    string `json:"name"`
	Schools int    `json:"schools"`
	Devices int    `json:"devices"`
}

type byID struct {
	ID org.ID `path:"id" maxLength:"64"`
}

type schoolsIn struct {
	Paging
	Q string `query:"q" maxLength:"200"`
}

type newSchoolIn struct {
	Body struct {
		Authority org.ID `json:"authority"`
		Name      string `json:"name" maxLength:"200"`
		Short     string `json:"short,omitempty" maxLength:"12"`
	}
}

type groupsIn struct {
	Paging
	Q      string        `query:"q" maxLength:"200" doc:"Words that begin the name, the room or a teacher's name."`
	Kind   org.GroupKind `query:"kind" enum:"class,course,room,set,pilot"`
	School org.ID        `query:"school" maxLength:"64"`
}

type newGroupIn struct {
	Body struct {
		School org.ID        `json:"school"`
		Kind   org.GroupKind `json:"kind" enum:"class,course,room,set,pilot"`
		Name   string        `json:"name" maxLength:"200"`
		Room   string        `json:"room,omitempty" maxLength:"200"`
	}
}

type membersIn struct {
	ID   org.ID `path:"id" maxLength:"64"`
	Body struct {
		Devices []org.ID  `json:"devices" minItems:"1" maxItems:"1000"`
		From    time.Time `json:"from,omitempty" doc:"When they join; now if it is left out."`
		Until   time.Time `json:"until,omitempty" doc:"When they leave; open if it is left out."`
	}
}

type memberIn struct {
	ID     org.ID `path:"id" maxLength:"64"`
	Device org.ID `path:"device" maxLength:"64"`
}

func registerRoster(d *door) {
	handle(d, op{id: "list-authorities", method: http.MethodGet, path: "/api/v1/authorities", summary: "List authorities", needs: may.SchoolRead}, d.listAuthorities)
	handle(d, op{id: "list-schools", method: http.MethodGet, path: "/api/v1/schools", summary: "List schools", needs: may.GroupRead}, d.listSchools)
	handle(d, op{id: "create-school", method: http.MethodPost, path: "/api/v1/schools", summary: "Make a school", needs: may.SchoolCreate, status: http.StatusCreated}, d.createSchool)
	handle(d, op{id: "list-groups", method: http.MethodGet, path: "/api/v1/groups", summary: "List groups", needs: may.GroupRead}, d.listGroups)
	handle(d, op{id: "create-group", method: http.MethodPost, path: "/api/v1/groups", summary: "Make a group", needs: may.GroupWrite, status: http.StatusCreated}, d.createGroup)
	handle(d, op{id: "find-group", method: http.MethodGet, path: "/api/v1/groups/{id}", summary: "Find a group", needs: may.GroupRead}, d.findGroup)
	handle(d, op{id: "delete-group", method: http.MethodDelete, path: "/api/v1/groups/{id}", summary: "Delete a group; its devices stay", needs: may.GroupWrite, status: http.StatusNoContent}, d.deleteGroup)
	handle(d, op{id: "add-devices", method: http.MethodPost, path: "/api/v1/groups/{id}/devices", summary: "Put devices into a group", needs: may.GroupWrite, status: http.StatusNoContent}, d.addDevices)
	handle(d, op{id: "remove-device", method: http.MethodDelete, path: "/api/v1/groups/{id}/devices/{device}", summary: "Take a device out of a group", needs: may.GroupWrite, status: http.StatusNoContent}, d.removeDevice)
	handle(d, op{id: "take-class", method: http.MethodPost, path: "/api/v1/groups/{id}/take", summary: "Stand in for a colleague until the lesson ends", needs: may.Substitute}, d.takeClass)
}

func (d *door) listAuthorities(ctx context.Context, actor may.Actor, _ *struct{}) (*body[List[Authority]], error) {
	authorities, err := d.Roster.Authorities(ctx, actor)
	if err != nil {
		return nil, err
	}
	return listOf(authorities, "", func(a roster.Authority) Authority { return Authority{a.ID, a.Name, a.Schools, a.Devices} }), nil
}

func schoolOut(s roster.School) School {
	return School{ID: s.ID, Name: s.Name, Short: s.Short, Authority: Named{s.Authority, s.AuthorityName}, Devices: s.Devices}
}

func (d *door) listSchools(ctx context.Context, actor may.Actor, in *schoolsIn) (*body[List[School]], error) {
	schools, next, err := d.Roster.Schools(ctx, actor, in.Q, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	return listOf(schools, next, schoolOut), nil
}

func (d *door) createSchool(ctx context.Context, actor may.Actor, in *newSchoolIn) (*body[School], error) {
	school, err := d.Roster.CreateSchool(ctx, actor, in.Body.Authority, in.Body.Name, in.Body.Short)
	if err != nil {
		return nil, err
	}
	return &body[School]{schoolOut(school)}, nil
}

func groupOut(g roster.Group) Group {
	out := Group{ID: g.ID, Kind: g.Kind, Name: g.Name, School: Named{g.School, g.SchoolName}, Room: g.Room, Devices: g.Devices, Teachers: make([]Named, len(g.Teachers))}
	for i, teacher := range g.Teachers {
		out.Teachers[i] = Named{teacher.Staff, teacher.Name}
	}
	return out
}

func (d *door) listGroups(ctx context.Context, actor may.Actor, in *groupsIn) (*body[List[Group]], error) {
	groups, next, err := d.Roster.Groups(ctx, actor, roster.GroupFilter{Query: in.Q, Kind: in.Kind, School: in.School, Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return listOf(groups, next, groupOut), nil
}

func (d *door) createGroup(ctx context.Context, actor may.Actor, in *newGroupIn) (*body[Group], error) {
	b := in.Body
	group, err := d.Roster.CreateGroup(ctx, actor, b.School, roster.GroupUpdate{Name: &b.Name, Kind: &b.Kind, Room: &b.Room})
	if err != nil {
		return nil, err
	}
	return &body[Group]{groupOut(group)}, nil
}

func (d *door) findGroup(ctx context.Context, actor may.Actor, in *byID) (*body[Group], error) {
	group, err := d.Roster.Group(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	return &body[Group]{groupOut(group)}, nil
}

func (d *door) deleteGroup(ctx context.Context, actor may.Actor, in *byID) (*struct{}, error) {
	return nil, d.Roster.DeleteGroup(ctx, actor, in.ID)
}

func (d *door) addDevices(ctx context.Context, actor may.Actor, in *membersIn) (*struct{}, error) {
	return nil, d.Roster.AddDevices(ctx, actor, in.ID, in.Body.Devices, in.Body.From, in.Body.Until)
}

func (d *door) removeDevice(ctx context.Context, actor may.Actor, in *memberIn) (*struct{}, error) {
	return nil, d.Roster.RemoveDevices(ctx, actor, in.ID, []org.ID{in.Device})
}

// Taken is a class that the actor has for a while.
type Taken struct {
	Group Named     `json:"group"`
	Until time.Time `json:"until"`
}

func (d *door) takeClass(ctx context.Context, actor may.Actor, in *byID) (*body[Taken], error) {
	taken, err := d.Roster.TakeClass(ctx, actor, in.ID, time.Time{})
	if err != nil {
		return nil, err
	}
	return &body[Taken]{Taken{Named{taken.Group.ID, taken.Group.Name}, taken.Until}}, nil
}
