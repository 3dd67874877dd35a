package roster_test

import (
	"testing"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/ids"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/staff"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// house is an authority with two schools, and another authority.
type house struct {
	*roster.Service
	t                     *testing.T
	store                 *store.Store
	at                    time.Time
	operator, admin       may.Actor
	oert, kern, stranger  may.Actor // teachers: two of the first school, one of another authority
	school, other, abroad roster.School
}

func build(t *testing.T, s *store.Store) *house {
	t.Helper()
	// A Tuesday morning in Berlin.
	h := &house{t: t, store: s, at: time.Date(2026, 11, 24, 8, 10, 0, 0, time.UTC)}
	h.Service = &roster.Service{Store: s, NewID: ids.New, Now: func() time.Time { return h.at }}
	h.operator = may.Actor{ID: "op", Name: "Betrieb", Grants: []may.Grant{{Role: may.Operator}}, Via: "test"}
	ctx := t.Context()
	city, err := h.CreateAuthority(ctx, h.operator, "Musterstadt", "")
	h.must(err)
	county, err := h.CreateAuthority(ctx, h.operator, "Musterkreis", "Europe/Berlin")
	h.must(err)
	h.school = h.newSchool(city.ID, "Gymnasium am See")
	h.other = h.newSchool(city.ID, "Grundschule Nord")
	h.abroad = h.newSchool(county.ID, "Regionale Schule")
	h.admin = h.person("Adam Amt", may.SchoolAdmin, h.school.Branch())
	h.oert = h.person("Frau Maria Oert", may.Teacher, h.school.Branch())
	h.kern = h.person("Herr Jan Kern", may.Teacher, h.school.Branch())
	h.stranger = h.person("Eva Fremd", may.Teacher, h.abroad.Branch())
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
	school, err := h.CreateSchool(h.t.Context(), h.operator, authority, name, "")
	h.must(err)
	school, err = h.School(h.t.Context(), h.operator, school.ID)
	h.must(err)
	return school
}

func (h *house) person(name string, role may.Role, branch org.Branch) may.Actor {
	h.t.Helper()
	return storetest.Person(h.t, h.store, name, role, branch, h.at)
}

var noCode staff.Code

func personOf(school roster.School, login string) staff.Person {
	return staff.Person{
		ID: ids.New(), Authority: school.Authority, Name: "Eva Fremd", Login: login, Created: time.Now(), Source: "hand",
		Grants: []may.Grant{{Role: may.Teacher, Branch: school.Branch()}},
	}
}

func (h *house) group(kind org.GroupKind, name string) roster.Group {
	h.t.Helper()
	group, err := h.CreateGroup(h.t.Context(), h.admin, h.school.ID, roster.GroupUpdate{Name: &name, Kind: &kind})
	h.must(err)
	return group
}

func (h *house) device(school roster.School, name, serial string) roster.Device {
	h.t.Helper()
	device, err := h.CreateDevice(h.t.Context(), h.operator, school.ID, name, serial, org.Linux)
	h.must(err)
	return device
}

func (h *house) find(actor may.Actor, query string) []string {
	h.t.Helper()
	devices, _, err := h.Devices(h.t.Context(), actor, roster.DeviceFilter{Query: query})
	h.must(err)
	names := []string{}
	for _, device := range devices {
		names = append(names, device.Name)
	}
	return names
}

func fault(err error) string {
	if f := errs.Find(err); f != nil {
		return f.Key
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func want(t *testing.T, err error, expected string) {
	t.Helper()
	if got := fault(err); got != expected {
		t.Errorf("fault %q, want %q", got, expected)
	}
}

func equal(t *testing.T, what string, got, expected []string) {
	t.Helper()
	if len(got) != len(expected) {
		t.Errorf("%s: %q, want %q", what, got, expected)
		return
	}
	for i := range got {
		if got[i] != expected[i] {
			t.Errorf("%s: %q, want %q", what, got, expected)
			return
		}
	}
}

func TestDevicesAreFoundByWhatPeopleSay(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx, h := t.Context(), build(t, s)
		one := h.device(h.school, "GYM-NB-0042", "C02XK1")
		two := h.device(h.school, "GYM-NB-0043", "C02XK2")
		h.device(h.other, "GS-TAB-0042", "F9FXK1")
		class := h.group(org.Class, "7a")
		room := "Raum B12"
		_, err := h.UpdateGroup(ctx, h.admin, class.ID, roster.GroupUpdate{Room: &room})
		h.must(err)
		h.must(h.AddDevices(ctx, h.admin, class.ID, []org.ID{one.ID, two.ID}, time.Time{}, time.Time{}))
		pupil, err := h.CreatePerson(ctx, h.admin, h.school.ID, "Müller-Groß, Zoë", "")
		h.must(err)
		_, err = h.UpdateDevice(ctx, h.admin, one.ID, roster.DeviceUpdate{Person: &pupil.ID})
		h.must(err)
		classmate, err := h.CreatePerson(ctx, h.admin, h.school.ID, "Nowak, Ben", "")
		h.must(err)
		_, err = h.UpdateDevice(ctx, h.admin, two.ID, roster.DeviceUpdate{Person: &classmate.ID})
		h.must(err)
		both := []string{"GYM-NB-0042", "GYM-NB-0043"}
		for query, expected := range map[string][]string{
			"gym-nb-0042": both[:1], "0042": both[:1], "42": both[:1], "nb-004": both, "GYM": both, "c02xk2": both[1:],
			"7a": both, "b12": both, "mull": both[:1], "GROSS": both[:1], "zoe": both[:1], "7a 43": both[1:], "zoe 43": {}, "xk1 zz": {}, "": both,
			"zoe mull": both[:1], "ben nowak": both[1:], "zoe nowak": {}, "zoe mull 7a": both[:1], "zoe mull 43": {}, "ben 7a c02xk2": both[1:],
			"' OR 1=1 --": {}, "%": {},
		} {
			equal(t, query, h.find(h.admin, query), expected)
		}
		equal(t, "operator 42", h.find(h.operator, "42"), []string{"GS-TAB-0042", "GYM-NB-0042"})
		// What is renamed is found by the new name only.
		name := "Ausleihe 9"
		_, err = h.UpdateDevice(ctx, h.admin, two.ID, roster.DeviceUpdate{Name: &name})
		h.must(err)
		equal(t, "old name", h.find(h.admin, "43"), []string{})
		equal(t, "new name", h.find(h.admin, "ausl"), []string{"Ausleihe 9"})
		h.must(h.DeletePerson(ctx, h.admin, pupil.ID))
		equal(t, "a name that was deleted", h.find(h.admin, "zoe"), []string{})
	})
}

func TestListsArePaged(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx, h := t.Context(), build(t, s)
		for _, name := range []string{"e", "a", "c", "b", "d", "c"} {
			h.device(h.school, name, "")
		}
		var names []string
		cursor := ""
		for range 10 {
			devices, next, err := h.Devices(ctx, h.admin, roster.DeviceFilter{Cursor: cursor, Limit: 2})
			h.must(err)
			for _, device := range devices {
				names = append(names, device.Name)
			}
			if cursor = next; next == "" {
				break
			}
		}
		equal(t, "all pages", names, []string{"a", "b", "c", "c", "d", "e"})
	})
}

func TestForeignThingsAreNotFound(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx, h := t.Context(), build(t, s)
		group, device := h.group(org.Class, "7a"), h.device(h.school, "GYM-1", "")
		foreignAdmin := h.person("Berta Berg", may.SchoolAdmin, h.abroad.Branch())
		list, err := h.SaveSites(ctx, h.oert, "", h.school.ID, "Mathe", []string{"geogebra.org"}, true)
		h.must(err)
		for name, try := range map[string]func(actor may.Actor) error{
			"school": func(a may.Actor) error { _, err := h.School(ctx, a, h.school.ID); return err },
			"rename": func(a may.Actor) error {
				n := "x"
				_, err := h.UpdateSchool(ctx, a, h.school.ID, roster.SchoolUpdate{Name: &n})
				return err
			},
			"group":      func(a may.Actor) error { _, err := h.Group(ctx, a, group.ID); return err },
			"delete":     func(a may.Actor) error { return h.DeleteGroup(ctx, a, group.ID) },
			"members":    func(a may.Actor) error { _, _, err := h.Members(ctx, a, group.ID, "", 0); return err },
			"device":     func(a may.Actor) error { _, err := h.Device(ctx, a, device.ID); return err },
			"retire":     func(a may.Actor) error { _, err := h.RetireDevice(ctx, a, device.ID); return err },
			"take":       func(a may.Actor) error { _, err := h.TakeClass(ctx, a, group.ID, time.Time{}); return err },
			"absent":     func(a may.Actor) error { return h.SetAbsent(ctx, a, group.ID, device.ID, time.Time{}) },
			"sites":      func(a may.Actor) error { _, err := h.SiteList(ctx, a, list.ID); return err },
			"new device": func(a may.Actor) error { _, err := h.CreateDevice(ctx, a, h.school.ID, "x", "", org.Linux); return err },
			"import": func(a may.Actor) error {
				_, err := h.BeginImport(ctx, a, h.school.ID, roster.ImportDevices, "x.csv", "", []byte("name\nx"))
				return err
			},
		} {
			if err := try(foreignAdmin); !errs.Is(err, errs.NotFound) {
				t.Errorf("%s: a foreign admin got %v", name, err)
			}
		}
		// Known, but not theirs to do.
		want(t, h.DeleteGroup(ctx, h.oert, group.ID), "denied")
		_, err = h.Device(ctx, h.oert, device.ID)
		want(t, err, "denied")
		_, _, err = h.Devices(ctx, h.oert, roster.DeviceFilter{})
		want(t, err, "denied")
		// A device of another school does not come into the group.
		elsewhere := h.device(h.other, "GS-1", "")
		want(t, h.AddDevices(ctx, h.operator, group.ID, []org.ID{elsewhere.ID}, time.Time{}, time.Time{}), "not_found")
		// Nor does staff of another authority.
		want(t, h.AddTeacher(ctx, h.admin, group.ID, h.stranger.ID), "not_found")
		h.must(h.AddTeacher(ctx, h.admin, group.ID, h.oert.ID))
	})
}

func TestIchVertrete(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx, h := t.Context(), build(t, s)
		class := h.group(org.Class, "7a")
		h.must(h.ChooseGroups(ctx, h.oert, []org.ID{class.ID}))
		teaches := func(actor may.Actor) bool {
			yes, err := h.TeachesNow(ctx, actor.ID, class.ID, h.at)
			h.must(err)
			return yes
		}
		if !teaches(h.oert) || teaches(h.kern) {
			t.Fatal("only who chose the class teaches it")
		}
		taken, err := h.TakeClass(ctx, h.kern, class.ID, time.Time{})
		h.must(err)
		if taken.Until.Sub(h.at) != 45*time.Minute {
			t.Errorf("without a bell plan a substitution lasts %v", taken.Until.Sub(h.at))
		}
		group, err := h.Group(ctx, h.oert, class.ID)
		h.must(err)
		if len(group.Teachers) != 2 || group.Teachers[0].Name != "Frau Oert" || group.Teachers[1].Name != "Herr Kern" || group.Teachers[1].How != roster.Substitute {
			t.Errorf("the class's teacher sees %+v", group.Teachers)
		}
		h.at = taken.Until
		if teaches(h.kern) || !teaches(h.oert) {
			t.Error("the substitution outlived the lesson")
		}
		_, err = h.TakeClass(ctx, h.kern, class.ID, h.at.Add(3*time.Hour))
		want(t, err, "mode.too_long")
		// Choosing again takes away only what was chosen.
		h.must(h.AddTeacher(ctx, h.admin, class.ID, h.kern.ID))
		h.must(h.ChooseGroups(ctx, h.kern, nil))
		if !teaches(h.kern) {
			t.Error("choosing took away what the administration gave")
		}
		h.must(h.ChooseGroups(ctx, h.oert, nil))
		if mine, err := h.MyGroups(ctx, h.oert); err != nil || len(mine) != 0 {
			t.Errorf("still has %+v, %v", mine, err)
		}
	})
}

// Seen: a classmate who did not have the class ticked its devices off, and they
// left the running exam.
func TestNobodyFreesDevicesOfAClassThatIsNotTheirs(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx, h := t.Context(), build(t, s)
		class, device := h.group(org.Class, "7a"), h.device(h.school, "GYM-1", "")
		h.must(h.AddDevices(ctx, h.admin, class.ID, []org.ID{device.ID}, time.Time{}, time.Time{}))
		h.must(h.ChooseGroups(ctx, h.oert, []org.ID{class.ID}))
		want(t, h.SetAbsent(ctx, h.kern, class.ID, device.ID, time.Time{}), "lesson.not_yours")
		h.must(h.SetAbsent(ctx, h.oert, class.ID, device.ID, time.Time{}))
		want(t, h.SetPresent(ctx, h.kern, class.ID, device.ID), "lesson.not_yours")
		if absent, err := h.Absences(ctx, h.oert, class.ID); err != nil || len(absent) != 1 {
			t.Errorf("absences %v, %v", absent, err)
		}
		// A help desk's role beside it gives nothing more: it starts no modes.
		both := h.kern
		both.Grants = append([]may.Grant{{Role: may.HelpDesk, Branch: h.school.Branch()}}, both.Grants...)
		want(t, h.SetPresent(ctx, both, class.ID, device.ID), "lesson.not_yours")
		taken, err := h.TakeClass(ctx, h.kern, class.ID, time.Time{})
		h.must(err)
		h.must(h.SetPresent(ctx, h.kern, class.ID, device.ID))
		h.at = taken.Until
		want(t, h.SetAbsent(ctx, h.kern, class.ID, device.ID, time.Time{}), "lesson.not_yours")
		h.must(h.SetAbsent(ctx, h.admin, class.ID, device.ID, time.Time{}))
	})
}

// Seen: "Ich vertrete" on a set gave it to two people, and nobody was asked.
func TestASetIsNotTakenLikeAClass(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx, h := t.Context(), build(t, s)
		for _, group := range []roster.Group{h.group(org.Set, "Koffer B"), h.group(org.Room, "R 12")} {
			_, err := h.BorrowSet(ctx, h.oert, group.ID, time.Time{}, false)
			h.must(err)
			_, err = h.TakeClass(ctx, h.kern, group.ID, time.Time{})
			want(t, err, "roster.borrow_instead")
			if teaches, err := h.TeachesNow(ctx, h.kern.ID, group.ID, h.at); err != nil || teaches {
				t.Errorf("%s: has it beside its holder, %v", group.Name, err)
			}
		}
	})
}

// Seen: the help desk, technicians, trainees and readers read pupils' names on
// devices, which PersonRead keeps from them.
func TestPupilsNamesAreForWhoLooksAfterThem(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx, h := t.Context(), build(t, s)
		class, device := h.group(org.Class, "7a"), h.device(h.school, "GYM-1", "")
		h.must(h.AddDevices(ctx, h.admin, class.ID, []org.ID{device.ID}, time.Time{}, time.Time{}))
		pupil, err := h.CreatePerson(ctx, h.admin, h.school.ID, "Lena Albers", "")
		h.must(err)
		_, err = h.UpdateDevice(ctx, h.admin, device.ID, roster.DeviceUpdate{Person: &pupil.ID})
		h.must(err)
		for role, name := range map[may.Role]string{
			may.SchoolAdmin: "Lena Albers", may.HelpDesk: "", may.Technician: "", may.Trainee: "", may.ReadOnly: "", may.Teacher: "Lena Albers",
		} {
			who := may.Actor{ID: "somebody", Grants: []may.Grant{{Role: role, Branch: h.school.Branch()}}}
			members, _, err := h.Members(ctx, who, class.ID, "", 0)
			h.must(err)
			if len(members) != 1 || members[0].Person != name || members[0].Device.Name != "GYM-1" {
				t.Errorf("%s reads the members %+v", role, members)
			}
			if role == may.Teacher {
				continue // has no list of devices
			}
			one, err := h.Device(ctx, who, device.ID)
			h.must(err)
			list, _, err := h.Devices(ctx, who, roster.DeviceFilter{})
			h.must(err)
			if len(list) != 1 || list[0].PersonName != name || one.PersonName != name || one.Name != "GYM-1" {
				t.Errorf("%s reads %q and %q", role, one.PersonName, list[0].PersonName)
			}
		}
		// Renaming without reading the name leaves the person where it was.
		tech, name := may.Actor{ID: "tech", Grants: []may.Grant{{Role: may.Technician, Branch: h.school.Branch()}}}, "GYM-2"
		renamed, err := h.UpdateDevice(ctx, tech, device.ID, roster.DeviceUpdate{Name: &name})
		h.must(err)
		after, err := h.Device(ctx, h.admin, device.ID)
		h.must(err)
		if renamed.PersonName != "" || after.PersonName != "Lena Albers" || after.Name != "GYM-2" {
			t.Errorf("after renaming: %q, %q", renamed.PersonName, after.PersonName)
		}
	})
}

func TestKoffer(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx, h := t.Context(), build(t, s)
		set := h.group(org.Set, "Koffer B")
		_, err := h.BorrowSet(ctx, h.oert, h.group(org.Class, "7a").ID, time.Time{}, false)
		want(t, err, "roster.not_a_set")
		_, err = h.BorrowSet(ctx, h.oert, set.ID, time.Time{}, false)
		h.must(err)
		_, err = h.BorrowSet(ctx, h.oert, set.ID, h.at.Add(20*time.Minute), false)
		h.must(err) // again is fine
		_, err = h.BorrowSet(ctx, h.kern, set.ID, time.Time{}, false)
		want(t, err, "roster.set_held")
		if name := errs.Find(err).Args["name"]; name != "Frau Oert" {
			t.Errorf("held by %v", name)
		}
		h.at = h.at.Add(time.Second)
		_, err = h.BorrowSet(ctx, h.kern, set.ID, time.Time{}, true)
		h.must(err)
		group, err := h.Group(ctx, h.oert, set.ID)
		h.must(err)
		if holder := group.Holder(h.at); holder == nil || holder.Name != "Herr Kern" {
			t.Errorf("held by %+v", holder)
		}
		if yes, _ := h.TeachesNow(ctx, h.oert.ID, set.ID, h.at); yes {
			t.Error("both hold the set")
		}
		h.must(h.GiveBack(ctx, h.kern, set.ID))
		h.must(h.GiveBack(ctx, h.kern, set.ID))
		_, err = h.BorrowSet(ctx, h.oert, set.ID, time.Time{}, false)
		h.must(err)
	})
}

func TestBells(t *testing.T) {
	ctx, h := t.Context(), build(t, storetest.Open(t))
	bells, err := roster.ReadBells("08:00-08:45\n 8:50 – 9:35\n\n")
	h.must(err)
	school, err := h.UpdateSchool(ctx, h.admin, h.school.ID, roster.SchoolUpdate{Bells: &bells})
	h.must(err)
	for clock, number := range map[string]int{"07:59": 0, "08:00": 1, "08:44": 1, "08:45": 0, "08:47": 0, "09:00": 2, "09:35": 0} {
		at, err := time.ParseInLocation("2006-01-02 15:04", "2026-11-24 "+clock, must(time.LoadLocation("Europe/Berlin")))
		h.must(err)
		if period, _ := school.PeriodAt(at); period.Number != number {
			t.Errorf("%s is lesson %d, want %d", clock, period.Number, number)
		}
	}
	saturday := time.Date(2026, 11, 28, 7, 10, 0, 0, time.UTC)
	if _, runs := school.PeriodAt(saturday); runs {
		t.Error("a lesson on Saturday")
	}
	at := time.Date(2026, 11, 24, 7, 10, 0, 0, time.UTC) // 08:10 in Berlin
	if end := school.LessonEnd(at); end != time.Date(2026, 11, 24, 7, 45, 0, 0, time.UTC) {
		t.Errorf("ends %v", end)
	}
	if end := school.LessonEnd(at.Add(34 * time.Minute)); end.Sub(at) < 60*time.Minute {
		t.Errorf("one minute before the bell the next lesson is meant, not %v", end)
	}
	for _, text := range []string{"8-9", "08:00", "09:00-08:00", "08:00-09:00\n08:30-09:30", "08:00-25:00"} {
		if _, err := roster.ReadBells(text); fault(err) != "school.bad_bells" {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func TestMembershipWithDates(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx, h := t.Context(), build(t, s)
		class, device := h.group(org.Class, "7a"), h.device(h.school, "GYM-1", "")
		starts, ends := h.at.Add(time.Hour), h.at.Add(2*time.Hour)
		h.must(h.AddDevices(ctx, h.admin, class.ID, []org.ID{device.ID}, starts, ends))
		inside := func() int {
			found, err := h.Device(ctx, h.admin, device.ID)
			h.must(err)
			return len(found.Groups)
		}
		h.must(h.Sweep(ctx))
		if inside() != 0 {
			t.Error("it is in the group before its time")
		}
		if members, _, err := h.Members(ctx, h.admin, class.ID, "", 0); err != nil || len(members) != 1 || members[0].Starts.IsZero() {
			t.Errorf("planned members: %+v, %v", members, err)
		}
		drain(t, s)
		h.at = starts.Add(time.Minute)
		h.must(h.Sweep(ctx))
		if inside() != 1 || len(drain(t, s)) == 0 {
			t.Error("its time came, and nobody heard")
		}
		h.at = ends.Add(time.Minute)
		h.must(h.Sweep(ctx))
		if inside() != 0 || len(drain(t, s)) == 0 {
			t.Error("its time ended, and nobody heard")
		}
	})
}

// drain returns and drops the marks that say what changed.
func drain(t *testing.T, s *store.Store) []org.ID {
	t.Helper()
	marks, err := s.Marks(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var devices []org.ID
	var seqs []int64
	for _, mark := range marks {
		devices, seqs = append(devices, mark.Device), append(seqs, mark.Seq)
	}
	if len(seqs) == 0 {
		return nil
	}
	if err := s.DropMarks(t.Context(), seqs); err != nil {
		t.Fatal(err)
	}
	return devices
}

func TestWhatDevicesMustHearLeavesAMark(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx, h := t.Context(), build(t, s)
		class, device := h.group(org.Class, "7a"), h.device(h.school, "GYM-1", "")
		name := "Umgetauft"
		for what, do := range map[string]func() error{
			"joins": func() error {
				return h.AddDevices(ctx, h.admin, class.ID, []org.ID{device.ID}, time.Time{}, time.Time{})
			},
			"school's": func() error {
				_, err := h.UpdateSchool(ctx, h.admin, h.school.ID, roster.SchoolUpdate{Name: &name})
				return err
			},
		} {
			drain(t, s)
			h.must(do())
			if len(drain(t, s)) == 0 {
				t.Errorf("%s: no mark", what)
			}
		}
		h.must(h.AddDevices(ctx, h.admin, class.ID, []org.ID{device.ID}, time.Time{}, time.Time{}))
		h.must(h.ChooseGroups(ctx, h.oert, []org.ID{class.ID}))
		drain(t, s)
		h.must(h.SetAbsent(ctx, h.oert, class.ID, device.ID, time.Time{}))
		if len(drain(t, s)) == 0 {
			t.Error("absent: no mark")
		}
		absent, err := h.Absences(ctx, h.oert, class.ID)
		h.must(err)
		if len(absent) != 1 {
			t.Errorf("absences %v", absent)
		}
		h.must(h.SetPresent(ctx, h.oert, class.ID, device.ID))
		if absent, _ = h.Absences(ctx, h.oert, class.ID); len(absent) != 0 {
			t.Errorf("absences %v", absent)
		}
		_, err = h.RetireDevice(ctx, h.admin, device.ID)
		h.must(err)
		if found, _ := h.Device(ctx, h.admin, device.ID); len(found.Groups) != 0 || found.Retired.IsZero() {
			t.Errorf("retired: %+v", found)
		}
		equal(t, "after leaving", h.find(h.admin, ""), []string{})
	})
}

func TestMovingToAnotherSchool(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx, h := t.Context(), build(t, s)
		class, device := h.group(org.Class, "7a"), h.device(h.school, "GYM-1", "")
		h.must(h.AddDevices(ctx, h.admin, class.ID, []org.ID{device.ID}, time.Time{}, time.Time{}))
		_, err := h.UpdateDevice(ctx, h.admin, device.ID, roster.DeviceUpdate{School: &h.other.ID})
		want(t, err, "not_found") // no right at the other end
		_, err = h.UpdateDevice(ctx, h.operator, device.ID, roster.DeviceUpdate{School: &h.abroad.ID})
		want(t, err, "device.other_authority")
		moved, err := h.UpdateDevice(ctx, h.operator, device.ID, roster.DeviceUpdate{School: &h.other.ID})
		h.must(err)
		if moved, err = h.Device(ctx, h.operator, moved.ID); err != nil || len(moved.Groups) != 0 || moved.SchoolName != "Grundschule Nord" {
			t.Errorf("moved: %+v %v", moved, err)
		}
		_, err = h.Device(ctx, h.admin, device.ID)
		want(t, err, "not_found")
	})
}

func TestSiteLists(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx, h := t.Context(), build(t, s)
		list, err := h.SaveSites(ctx, h.oert, "", h.school.ID, "Mathe", []string{"https://www.geogebra.org/classic?x=1, *.wikipedia.org\n=schule.example", "BÜCHER.example"}, false)
		h.must(err)
		equal(t, "hosts", list.Sites, []string{"=schule.example", "wikipedia.org", "www.geogebra.org", "xn--bcher-kva.example"})
		_, err = h.SiteList(ctx, h.kern, list.ID)
		want(t, err, "not_found")
		_, err = h.SaveSites(ctx, h.oert, list.ID, "", "Mathe", list.Sites, true)
		h.must(err)
		found, err := h.SiteList(ctx, h.kern, list.ID)
		h.must(err)
		if found.OwnerName != "Frau Oert" || found.MayEdit(h.kern) || !found.MayEdit(h.admin) {
			t.Errorf("shared list: %+v", found)
		}
		want(t, h.DeleteSites(ctx, h.kern, list.ID), "sites.not_yours")
		if lists, err := h.SiteLists(ctx, h.kern); err != nil || len(lists) != 1 {
			t.Errorf("lists: %+v %v", lists, err)
		}
		h.must(h.DeleteSites(ctx, h.admin, list.ID))
		for _, bad := range []string{"10.0.0.1", "nur-ein-wort", "a b..c", "[::1]"} {
			_, err := h.SaveSites(ctx, h.oert, "", h.school.ID, "x", []string{bad}, false)
			if fault(err) != "sites.bad_host" {
				t.Errorf("%q: %v", bad, err)
			}
		}
	})
}
