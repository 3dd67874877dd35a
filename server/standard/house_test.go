package standard_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/ids"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/standard"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// house is an authority with two schools, a class with enrolled devices in the
// first, and another authority.
type house struct {
	*standard.Service
	t      *testing.T
	store  *store.Store
	roster *roster.Service
	at     time.Time
	woken  int

	operator, city, admin, trainee, second, teacher, stranger may.Actor
	school, other, abroad                                     roster.School
	class, pilot                                              roster.Group
}

type wakes struct{ h *house }

func (w wakes) Wake() { w.h.woken++ }

func build(t *testing.T, s *store.Store) *house {
	t.Helper()
	h := &house{t: t, store: s, at: time.Now().UTC().Truncate(time.Second)}
	now := func() time.Time { return h.at }
	h.Service = &standard.Service{Store: s, NewID: ids.New, Now: now, Changes: wakes{h}, Atomically: s.Atomically}
	h.roster = &roster.Service{Store: s, NewID: ids.New, Now: now}
	h.operator = may.Actor{ID: "op", Name: "Betrieb", Grants: []may.Grant{{Role: may.Operator}}, Via: "test"}
	ctx := t.Context()
	city, err := h.roster.CreateAuthority(ctx, h.operator, "Musterstadt", "")
	h.must(err)
	county, err := h.roster.CreateAuthority(ctx, h.operator, "Musterkreis", "")
	h.must(err)
	h.school, h.other, h.abroad = h.newSchool(city.ID, "Gymnasium am See"), h.newSchool(city.ID, "Grundschule Nord"), h.newSchool(county.ID, "Regionale Schule")
	h.city = h.person("Frau Ruth Keller", may.AuthorityAdmin, org.Branch{Authority: city.ID})
	h.second = h.person("Herr Otto Zwei", may.AuthorityAdmin, org.Branch{Authority: city.ID})
	h.trainee = h.person("Herr Nils Lenz", may.Trainee, org.Branch{Authority: city.ID})
	h.admin = h.person("Frau Petra Winter", may.SchoolAdmin, h.school.Branch())
	h.teacher = h.person("Frau Maria Oert", may.Teacher, h.school.Branch())
	h.stranger = h.person("Frau Eva Fremd", may.SchoolAdmin, h.abroad.Branch())
	h.class, h.pilot = h.group("7b", org.Class), h.group("Pilot", org.Pilot)
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) newSchool(authority org.ID, name string) roster.School {
	h.t.Helper()
	school, err := h.roster.CreateSchool(h.t.Context(), h.operator, authority, name, "")
	h.must(err)
	return school
}

func (h *house) group(name string, kind org.GroupKind) roster.Group {
	h.t.Helper()
	group, err := h.roster.CreateGroup(h.t.Context(), h.operator, h.school.ID, roster.GroupUpdate{Name: &name, Kind: &kind})
	h.must(err)
	return group
}

func (h *house) person(name string, role may.Role, branch org.Branch) may.Actor {
	h.t.Helper()
	return storetest.Person(h.t, h.store, name, role, branch, h.at)
}

// devices makes devices of a school, enrolled ones unless told otherwise.
func (h *house) devices(school roster.School, platform org.Platform, n int, enrolled bool, groups ...roster.Group) []org.ID {
	h.t.Helper()
	var made []org.ID
	for range n {
		id := ids.New()
		device, err := h.roster.CreateDevice(h.t.Context(), h.operator, school.ID, "G-"+id.String()[24:], "", platform)
		h.must(err)
		made = append(made, device.ID)
		if enrolled {
			storetest.Enrol(h.t, h.store, school.Branch(), device.ID)
			storetest.Exec(h.t, h.store, `INSERT INTO device_states (authority, device, school, schema_no) VALUES ($1, $2, $3, 1) ON CONFLICT (authority, device) DO UPDATE SET schema_no = 1`,
				school.Authority, device.ID, school.ID)
		}
	}
	for _, group := range groups {
		h.must(h.roster.AddDevices(h.t.Context(), h.operator, group.ID, made, time.Time{}, time.Time{}))
	}
	return made
}

var everywhere = desired.Place{Level: org.Operator}

func (h *house) cityPlace() desired.Place {
	return desired.Place{Level: org.Authority, ID: h.school.Authority}
}

func at(school roster.School) desired.Place { return desired.Place{Level: org.School, ID: school.ID} }
func of(group roster.Group) desired.Place   { return desired.Place{Level: org.Group, ID: group.ID} }

func deny(hosts ...string) map[string]standard.Wish {
	list := make([]any, len(hosts))
	for i, host := range hosts {
		list[i] = host
	}
	return map[string]standard.Wish{"webfilter": {Settings: map[string]any{"deny": list}}}
}

func only(hold desired.Hold, hosts ...string) map[string]standard.Wish {
	list := make([]any, len(hosts))
	for i, host := range hosts {
		list[i] = host
	}
	return map[string]standard.Wish{"webfilter": {Settings: map[string]any{"only": list}, Holds: map[string]desired.Hold{"only": hold}}}
}

func sticks(access string, hold desired.Hold) map[string]standard.Wish {
	return map[string]standard.Wish{"usb-storage": {Settings: map[string]any{"access": access}, Holds: map[string]desired.Hold{"access": hold}}}
}

// begin makes a draft.
func (h *house) begin(actor may.Actor, place desired.Place, families map[string]standard.Wish) standard.Draft {
	h.t.Helper()
	draft, err := h.Begin(h.t.Context(), actor, place, standard.NewDraft{Title: "Änderung", Reason: "weil", Families: families})
	h.must(err)
	return draft
}

// publish makes a draft and publishes it.
func (h *house) publish(actor may.Actor, place desired.Place, families map[string]standard.Wish) standard.Version {
	h.t.Helper()
	_, version, err := h.Publish(h.t.Context(), actor, h.begin(actor, place, families).ID, standard.Release{})
	h.must(err)
	return version
}

// held is what holds in a place for a field.
func (h *house) held(place desired.Place, family, field string) any {
	h.t.Helper()
	f := h.field(h.operator, place, family, field)
	if f.Here == nil {
		return nil
	}
	return f.Here.Value
}

func (h *house) field(actor may.Actor, place desired.Place, family, field string) standard.Field {
	h.t.Helper()
	sheet, err := h.At(h.t.Context(), actor, place)
	h.must(err)
	for _, f := range sheet.Fields {
		if f.Family == family && f.Field == field {
			return f
		}
	}
	h.t.Fatalf("no field %s.%s", family, field)
	return standard.Field{}
}

func (h *house) ask(query string, args ...any) string {
	h.t.Helper()
	return storetest.Ask(h.t, h.store, query, args...)
}

func want(t *testing.T, err error, kind errs.Kind, key string) {
	t.Helper()
	fault := errs.Find(err)
	if fault == nil || fault.Kind != kind || fault.Key != key {
		t.Errorf("fault %v, want %s %s", err, kind, key)
	}
}

func faultKeys(err error) string {
	var keys []string
	for _, fault := range standard.FaultsOf(err) {
		keys = append(keys, fault.Key+" "+fault.Field)
	}
	return strings.Join(keys, ", ")
}

func same(t *testing.T, what string, got, expected any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(expected) {
		t.Errorf("%s: %v, want %v", what, got, expected)
	}
}

func both(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	storetest.Run(t, func(t *testing.T, s *store.Store) { test(t, build(t, s)) })
}

// eyes says whether the city asks for a second person; the end takes two.
func (h *house) eyes(on bool) {
	h.t.Helper()
	_, err := h.SetFourEyes(h.t.Context(), h.city, h.school.Authority, on)
	h.must(err)
	if !on {
		_, err = h.SetFourEyes(h.t.Context(), h.second, h.school.Authority, false)
		h.must(err)
	}
}
