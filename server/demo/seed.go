// Package demo is the tour: an authority with two schools that lives while
// somebody looks, simulated devices, and a stage on which cables are pulled and
// clocks are moved. All of it goes through the rooms, as people and devices do.
package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/app"
	"schulwart.org/server/enroll"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/staff"
)

// Login is one way to sign in to the demo.
type Login struct {
	Role     may.Role `json:"role"`
	Name     string   `json:"name"`
	Place    string   `json:"place"`
	Email    string   `json:"email"`
	Password string   `json:"password"`

	id org.ID
}

// World is what was put into an empty installation.
type World struct {
	Logins []Login
	Stage  org.ID    // class 7b, where the tour plays
	Plan   []Planned // the simulated devices, in order
	Plays  []play    // classes in which a lesson always runs
}

// Planned is a simulated device: its name and the enrolment link of its school.
type Planned struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

// guide acts when nobody is signed in yet.
var guide = may.Actor{ID: "system:demo", Name: "Demo", Grants: []may.Grant{{Role: may.Operator}}, Via: "job"}

// password is the same for all logins: a demo guards nothing.
const password = "schulwart-demo"

// class is a group of the demo with how many of a hundred devices it has.
type class struct {
	kind  org.GroupKind
	name  string
	share int
}

// place is a school of the demo.
type place struct {
	name, short string
	classes     []class
	teachers    []string // the first has the first classes
	admin       string
}

var places = []place{
	{
		name: "Goethe-Gymnasium", short: "GYM", admin: "Herr Paul Sommer",
		teachers: []string{"Frau Maria Oert", "Herr Jonas Adler", "Frau Elif Yilmaz"},
		classes: []class{
			{org.Class, "7b", 40}, {org.Class, "5a", 8}, {org.Class, "6b", 6}, {org.Class, "8c", 6}, {org.Class, "9a", 6}, {org.Class, "10a", 6},
			{org.Set, "Koffer A", 4}, {org.Set, "Koffer B", 4}, {org.Room, "Computerraum 112", 6},
		},
	},
	{
		name: "Grundschule am Park", short: "GSP", admin: "Frau Petra Winter",
		teachers: []string{"Herr Tim Lindner", "Frau Olga Nowak"},
		classes: []class{
			{org.Class, "1a", 3}, {org.Class, "2b", 3}, {org.Class, "3a", 3}, {org.Class, "4b", 3}, {org.Set, "Koffer 1", 2},
		},
	},
}

// pupils are given names with a letter: never real people.
var pupils = []string{
	"Ada B.", "Ben K.", "Cem A.", "Dana L.", "Elif S.", "Finn H.", "Greta M.", "Hanna R.", "Ida W.", "Jona P.", "Karl T.", "Lea D.",
	"Mika N.", "Noor F.", "Ole G.", "Pia Z.", "Quinn E.", "Rosa V.", "Samir J.", "Tilda O.", "Uwe C.", "Vera Q.", "Wim U.", "Yuna I.",
}

// Seed fills an empty installation. n is how many devices there are.
func Seed(ctx context.Context, a *app.App, n int) (World, error) {
	authority, err := a.Roster.CreateAuthority(ctx, guide, "Landeshauptstadt Musterstadt", "Europe/Berlin")
	if err != nil {
		return World{}, fmt.Errorf("making the authority: %w", err)
	}
	s := &seeding{app: a, ctx: ctx, authority: authority.ID, devices: n}
	s.above(authority.Name)
	for _, p := range places {
		s.school(p)
	}
	s.standard()
	s.apps()
	return s.world, s.err
}

// seeding carries the first error through, so that the story reads as one.
type seeding struct {
	app       *app.App
	ctx       context.Context
	authority org.ID
	devices   int
	made      int
	schools   []org.ID
	share     int    // of a hundred, of the groups so far
	link      string // of the school that is being made
	world     World
	err       error
}

func (s *seeding) above(name string) {
	all := org.Branch{Authority: s.authority}
	s.login(may.Operator, "Frau Karin Brandt", "Betreiber", "betrieb", org.Branch{})
	s.login(may.HelpDesk, "Herr Ali Demir", "Hotline", "hotline", org.Branch{})
	s.login(may.Technician, "Herr Jan Voss", "Technik", "technik", org.Branch{})
	s.login(may.AuthorityAdmin, "Frau Ruth Keller", name, "traeger", all)
	s.login(may.Trainee, "Herr Nils Lenz", name, "azubi", all)
	s.login(may.ReadOnly, "Frau Ines Rau", name, "leitung", all)
}

func (s *seeding) login(role may.Role, name, place, mail string, branch org.Branch) org.ID {
	if s.err != nil {
		return ""
	}
	login := Login{Role: role, Name: name, Place: place, Email: mail + "@musterstadt.example", Password: password}
	var person staff.Person
	person, s.err = s.app.Staff.Create(s.ctx, may.System("demo", org.Branch{Authority: branch.Authority}), staff.Seed{
		Name: name, Login: login.Email, Password: password, Grants: []may.Grant{{Role: role, Branch: branch}},
	})
	login.id = person.ID
	s.world.Logins = append(s.world.Logins, login)
	return person.ID
}

func (s *seeding) school(p place) {
	if s.err != nil {
		return
	}
	school, err := s.app.Roster.CreateSchool(s.ctx, guide, s.authority, p.name, p.short)
	if err != nil {
		s.err = fmt.Errorf("making %s: %w", p.name, err)
		return
	}
	token, err := s.app.Enroll.CreateToken(s.ctx, guide, enroll.NewToken{School: school.ID, Uses: max(s.devices, 1), For: 30 * 24 * time.Hour, Note: "Simulierte Geräte"})
	if err != nil {
		s.err = fmt.Errorf("making an enrolment token: %w", err)
		return
	}
	s.link = token.URL
	s.schools = append(s.schools, school.ID)
	branch := org.Branch{Authority: s.authority, School: school.ID}
	s.login(may.SchoolAdmin, p.admin, p.name, lower(p.short)+"-admin", branch)
	teachers := make([]org.ID, len(p.teachers))
	for i, name := range p.teachers {
		_, plain := staff.ReadName(name)
		teachers[i] = s.login(may.Teacher, name, p.name, lower(last(plain)), branch)
	}
	for i, c := range p.classes {
		s.group(school, c, teachers, i)
	}
	_, err = s.app.Roster.SaveSites(s.ctx, guide, "", school.ID, "Mathematik", []string{"geogebra.org", "serlo.org"}, true)
	s.note(err)
	_, err = s.app.Roster.SaveSites(s.ctx, guide, "", school.ID, "Recherche", []string{"fragfinn.de", "klexikon.zum.de", "helles-koepfchen.de"}, true)
	s.note(err)
}

// group makes a class with its devices. Of the first teacher are the first two
// classes; sets and rooms are everybody's.
func (s *seeding) group(school roster.School, c class, teachers []org.ID, i int) {
	if s.err != nil {
		return
	}
	kind, name := c.kind, c.name
	group, err := s.app.Roster.CreateGroup(s.ctx, guide, school.ID, roster.GroupUpdate{Kind: &kind, Name: &name})
	if err != nil {
		s.err = fmt.Errorf("making %s: %w", name, err)
		return
	}
	if s.world.Stage == "" {
		s.world.Stage = group.ID
	}
	if kind == org.Class {
		teacher := teachers[min(i/2, len(teachers)-1)]
		s.note(s.app.Roster.AddTeacher(s.ctx, guide, group.ID, teacher))
		if request, plays := plays[name]; plays {
			s.world.Plays = append(s.world.Plays, play{group.ID, teacher, request})
		}
	}
	var members []org.ID
	// Shares are summed before they are rounded, so that none is lost.
	for s.share += c.share; s.made < s.devices*s.share/100; {
		members = append(members, s.device(school, kind == org.Class))
	}
	if len(members) > 0 && s.err == nil {
		s.note(s.app.Roster.AddDevices(s.ctx, guide, group.ID, members, time.Time{}, time.Time{}))
	}
}

// device makes a device that a simulated one will claim by its serial number.
func (s *seeding) device(school roster.School, named bool) org.ID {
	if s.err != nil {
		return ""
	}
	i := s.made
	s.made++
	name := fmt.Sprintf("%s-%04d", school.Short, i+1)
	s.world.Plan = append(s.world.Plan, Planned{name, s.link})
	device, err := s.app.Roster.CreateDevice(s.ctx, guide, school.ID, name, Serial(i), org.Linux)
	if err != nil {
		s.err = fmt.Errorf("making a device: %w", err)
		return ""
	}
	if named && i < len(pupils) {
		person, err := s.app.Roster.CreatePerson(s.ctx, guide, school.ID, pupils[i], fmt.Sprintf("S%04d", i+1))
		if err != nil {
			s.err = fmt.Errorf("making a pupil: %w", err)
			return ""
		}
		_, err = s.app.Roster.UpdateDevice(s.ctx, guide, device.ID, roster.DeviceUpdate{Person: &person.ID})
		s.note(err)
	}
	return device.ID
}

func (s *seeding) note(err error) {
	if s.err == nil {
		s.err = err
	}
}

// writePlan writes the simulated devices, for the program that pretends to be
// them.
func (w World) writePlan(file string) error {
	data, err := json.Marshal(w.Plan)
	if err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o600)
}

// WriteLogins writes the logins as JSON, for programs.
func (w World) WriteLogins(file string) error {
	data, err := json.MarshalIndent(w.Logins, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(data, '\n'), 0o600)
}
