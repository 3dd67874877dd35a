package rollout_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/ids"
	"schulwart.org/server/licence"
	"schulwart.org/server/may"
	"schulwart.org/server/packages"
	"schulwart.org/server/rollout"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// city is an authority whose devices are told, and answer, through the store.
type city struct {
	*rollout.Service
	t        testing.TB
	store    *store.Store
	packages *packages.Service
	licences *licence.Service
	at       time.Time
	keller   may.Actor // of the authority
	winter   may.Actor // of its school
	school   org.Branch
	room     org.ID
	devices  int
}

func (c *city) Wake() {}

func (c *city) Package(ctx context.Context, actor may.Actor, id org.ID) (ground.Package, org.ID, error) {
	pack, err := c.packages.Find(ctx, actor, id)
	return pack.Package, pack.Authority, err
}

// found makes an authority with so many devices in one school, thirty of them in
// one room.
func found(t testing.TB, s *store.Store, devices int) *city {
	t.Helper()
	c := &city{t: t, store: s, at: time.Date(2026, 11, 23, 16, 0, 0, 0, time.UTC), devices: devices}
	now := func() time.Time { return c.at }
	// The lot that a device draws depends on the package's id: the same in every run.
	made := 0
	numbered := func() org.ID { made++; return org.ID(fmt.Sprintf("00000000-0000-7000-8000-%012d", made)) }
	c.packages = &packages.Service{Store: s, NewID: numbered, Now: now, Quota: packages.Quota}
	c.licences = &licence.Service{Store: s, Changes: c, NewID: numbered, Now: now}
	c.Service = &rollout.Service{Store: s, Catalogue: c, Licences: c.licences, Changes: c, NewID: numbered, Now: now}
	c.school, c.room = storetest.School(t, s)
	c.keller = storetest.Person(t, s, "Frau Keller", may.AuthorityAdmin, org.Branch{Authority: c.school.Authority}, c.at)
	c.winter = storetest.Person(t, s, "Frau Winter", may.SchoolAdmin, c.school, c.at)
	for begin := 0; begin < devices; begin += 500 {
		var rows, keys, members []string
		for i := begin; i < min(begin+500, devices); i++ {
			rows = append(rows, fmt.Sprintf("('%s', 'd%05d', '%s', 'NB-%05d', 'linux', 1)", c.school.Authority, i, c.school.School, i))
			keys = append(keys, fmt.Sprintf("('%s', 'e%05d', 'd%05d', '%s', 'u%05d', 'enrolled', 1, 1)", c.school.Authority, i, i, c.school.School, i))
			if i < 30 {
				members = append(members, fmt.Sprintf("('%s', '%s', 'd%05d')", c.school.Authority, c.room, i))
			}
		}
		storetest.Exec(t, s, `INSERT INTO devices (authority, id, school, name, platform, created) VALUES `+strings.Join(rows, ", "))
		storetest.Exec(t, s, `INSERT INTO enrolments (authority, id, device, school, udid, state, created, changed) VALUES `+strings.Join(keys, ", "))
		if len(members) > 0 {
			storetest.Exec(t, s, `INSERT INTO group_devices (authority, group_id, device) VALUES `+strings.Join(members, ", "))
		}
	}
	return c
}

func (c *city) webApp(version string) packages.Package {
	c.t.Helper()
	pack, err := c.packages.WebApp(c.t.Context(), c.keller, c.school.Authority, ground.Package{Name: "moodle", Version: version, URL: "https://moodle.example", Title: ground.Text{DE: "Moodle"}})
	if err != nil {
		c.t.Fatal(err)
	}
	return pack
}

// says is a report in which a device speaks of packages.
func says(said ...ddm.PackageStatus) ddm.StatusReport {
	return ddm.StatusReport{StatusItems: ddm.StatusItems{Agent: &ddm.AgentItems{Packages: said}}}
}

// told returns what every device is told of packages now, as desired has it.
func (c *city) told() map[org.ID]ground.Declared {
	c.t.Helper()
	g, err := c.store.Ground(c.t.Context(), c.school)
	if err != nil {
		c.t.Fatal(err)
	}
	snapshot := desired.Snapshot{Branch: c.school, Name: g.Name, Policies: g.Policies, Offers: g.Offers, Calendar: g.Calendar}
	told := map[org.ID]ground.Declared{}
	for _, device := range g.Devices {
		for _, declaration := range desired.For(snapshot, device, c.at).Declarations {
			if declaration.Type != ground.Type {
				continue
			}
			var said ground.Declared
			if err := json.Unmarshal(declaration.Payload, &said); err != nil {
				c.t.Fatal(err)
			}
			told[device.ID] = said
		}
	}
	return told
}

// answer lets every device do what it is told, unless it is a bad one.
func (c *city) answer(bad func(device org.ID) bool, present map[org.ID]string) {
	c.t.Helper()
	var answers sync.WaitGroup
	defer answers.Wait()
	for device, d := range c.told() {
		if d.Hold {
			continue
		}
		said := ddm.PackageStatus{Rollout: d.Rollout.String(), Name: d.Name, Try: d.Try, State: ddm.PackageVerified, Since: c.at}
		switch {
		case bad(device) && d.Version == "2":
			said.State, said.Reason = ddm.PackageFailed, &ddm.Reason{Code: "disk.full"}
		case d.Action == ground.Remove, d.IfPresent && present[device] == "":
			delete(present, device)
		default:
			present[device] = d.Version
		}
		said.Present = present[device]
		answers.Go(func() {
			if err := c.Reported(c.t.Context(), c.school.Authority, device, says(said)); err != nil {
				c.t.Error(err)
			}
		})
	}
}

func (c *city) hours(n int) {
	c.t.Helper()
	c.at = c.at.Add(time.Duration(n) * time.Hour)
	if err := c.Tick(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
}

func (c *city) look(id org.ID) rollout.View {
	c.t.Helper()
	view, err := c.Find(c.t.Context(), c.keller, id)
	if err != nil {
		c.t.Fatal(err)
	}
	return view
}

// Three thousand devices, of which four in a hundred break: the room passes, the
// first ring by lot halts the rollout, everybody else never hears of it, and all
// go back to the version before.
func TestThreeThousandDevicesWithFourPercentBadHaltAndGoBack(t *testing.T) {
	c := found(t, storetest.Open(t), 3000)
	first, second := c.webApp("1"), c.webApp("2")
	present := map[org.ID]string{}
	good := func(org.ID) bool { return false }
	gates := ground.Gates{Verified: 20, Hours: 2, Failed: 2, Least: 2}
	wanted := rollout.New{Package: first.ID, Level: org.Authority, Place: c.school.Authority, Rings: []ground.Ring{{Kind: ground.RingAll}}, Gates: gates}
	before, err := c.Create(t.Context(), c.keller, wanted)
	if err != nil {
		t.Fatal(err)
	}
	c.answer(good, present)
	c.hours(2)
	if v := c.look(before.ID); v.Status.State != ground.Done || len(present) != 3000 {
		t.Fatalf("%+v with %d devices", v.Status, len(present))
	}

	wanted.Package = second.ID
	wanted.Rings = []ground.Ring{{Kind: ground.RingGroup, Place: c.room}, {Kind: ground.RingShare, Share: 5}, {Kind: ground.RingShare, Share: 20}, {Kind: ground.RingAll}}
	now, err := c.Create(t.Context(), c.keller, wanted)
	if err != nil || now.Former == nil || now.Former.Version != "1" {
		t.Fatalf("%+v, %v", now.Former, err)
	}
	bad := func(device org.ID) bool {
		return strings.HasSuffix(device.String(), "7") && device[4]%2 == 0 && device[3] < '8'
	} // four in a hundred
	for range 5 {
		c.answer(bad, present)
		c.hours(1)
	}
	view := c.look(now.ID)
	if s := view.Status; s.State != ground.Halted || s.Why != ground.WhyFailed || s.Where != 1 || s.Ring != 1 || s.Of != view.Rings[1].Devices {
		t.Fatalf("%+v", s)
	}
	if view.Rings[0].Verified+view.Rings[0].Failed != 30 || view.Rings[0].Failed > 2 || view.Rings[2].Verified+view.Rings[3].Verified != 0 || view.Rings[1].Failed < 3 ||
		len(view.Reasons) != 1 || view.Reasons[0].Code != "disk.full" || view.Reasons[0].Devices != view.Rings[0].Failed+view.Rings[1].Failed {
		t.Errorf("%+v, %+v", view.Rings, view.Reasons)
	}
	for device, d := range c.told() {
		if d.Version == "2" && !d.Hold {
			t.Fatalf("%s is still offered it", device)
		}
	}
	touched, err := c.Touches(t.Context(), c.keller, now.ID, rollout.DoRollBack)
	if err != nil || touched.Devices != view.Rings[0].Devices+view.Rings[1].Devices || touched.Version != "1" || !touched.Possible {
		t.Errorf("%+v, %v", touched, err)
	}
	if _, err := c.Act(t.Context(), c.keller, now.ID, rollout.DoRollBack); err != nil {
		t.Fatal(err)
	}
	c.answer(bad, present)
	c.hours(1)
	for device, version := range present {
		if version != "1" {
			t.Errorf("%s stays at %s", device, version)
		}
	}
	if v := c.look(now.ID); v.Rings[0].Verified+v.Rings[1].Verified != touched.Devices {
		t.Errorf("%+v", v.Rings)
	}
}

// What two replicas decide at once is decided once; what a person does between
// reading and writing of a tick is not undone by it.
func TestAStatusIsNotOverwritten(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		c := found(t, s, 3)
		now, err := c.Create(t.Context(), c.keller, rollout.New{Package: c.webApp("1").ID, Level: org.School, Place: c.school.School})
		if err != nil {
			t.Fatal(err)
		}
		stale := now.Rollout
		if _, err := c.Act(t.Context(), c.keller, now.ID, rollout.DoPause); err != nil {
			t.Fatal(err)
		}
		after := stale
		after.Status.Ring++
		if err := s.SaveStatus(t.Context(), may.System("rollout", stale.Branch), stale, after, "goes_on"); !errs.Is(err, errs.Conflict) {
			t.Errorf("%v", err)
		}
		c.hours(100)
		if v := c.look(now.ID); v.Status.State != ground.Halted || v.Status.Why != ground.WhyPaused {
			t.Errorf("%+v", v.Status)
		}
		for _, deed := range []struct {
			do   rollout.Do
			want ground.State
		}{{rollout.DoResume, ground.Running}, {rollout.DoPause, ground.Halted}, {rollout.DoRetry, ground.Running}, {rollout.DoRollBack, ground.RolledBack}} {
			if v, err := c.Act(t.Context(), c.keller, now.ID, deed.do); err != nil || v.Status.State != deed.want {
				t.Errorf("%s: %+v, %v", deed.do, v.Status, err)
			}
		}
		if _, err := c.Act(t.Context(), c.keller, now.ID, rollout.DoResume); !errs.Is(err, errs.Conflict) {
			t.Errorf("what was taken back goes on: %v", err)
		}
	})
}

// What a device says again costs nothing; what it says of others' rollouts is not
// kept.
func TestWhatADeviceSaysIsKeptOnce(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		c := found(t, s, 1)
		now, err := c.Create(t.Context(), c.keller, rollout.New{Package: c.webApp("1").ID, Level: org.Group, Place: c.room, Rings: []ground.Ring{{Kind: ground.RingAll}}})
		if err != nil {
			t.Fatal(err)
		}
		said := ddm.PackageStatus{Rollout: now.ID.String(), Name: "moodle", State: ddm.PackageLoading}
		for _, state := range []ddm.PackageState{ddm.PackageLoading, ddm.PackageLoading, ddm.PackageFailed, ddm.PackageFailed} {
			said.State, said.Reason = state, &ddm.Reason{Code: strings.Repeat("x", 1000)}
			stranger := said
			stranger.Rollout = ids.New().String()
			if err := c.Reported(t.Context(), c.school.Authority, "d00000", says(said, stranger)); err != nil {
				t.Fatal(err)
			}
		}
		if rows := storetest.Ask(t, s, `SELECT COUNT(*) FROM rollout_words`); rows != "1" {
			t.Errorf("%s rows", rows)
		}
		// A rollout to a group is its school's, so the administration there sees it.
		devices, _, err := c.Devices(t.Context(), c.winter, now.ID, rollout.DeviceFilter{})
		if err != nil || len(devices) != 1 || devices[0].Outcome != ground.OutcomeFailed || devices[0].Word.Tries != 1 || len(devices[0].Word.Reason.Code) != 200 {
			t.Errorf("%+v, %v", devices, err)
		}
	})
}

func TestWhoMayRollOutWhere(t *testing.T) {
	c := found(t, storetest.Open(t), 1)
	abroad := storetest.Person(t, c.store, "Frau Fremd", may.AuthorityAdmin, org.Branch{Authority: "elsewhere"}, c.at)
	teacher := storetest.Person(t, c.store, "Frau Oert", may.Teacher, c.school, c.at)
	pack := c.webApp("1")
	all := rollout.New{Package: pack.ID, Level: org.Authority, Place: c.school.Authority}
	here := rollout.New{Package: pack.ID, Level: org.School, Place: c.school.School}
	elsewhere := here
	elsewhere.Rings = []ground.Ring{{Kind: ground.RingGroup, Place: ids.New()}}
	for name, try := range map[string]struct {
		actor  may.Actor
		wanted rollout.New
		key    string
	}{
		"a school for all":            {c.winter, all, "not_found"},
		"a stranger":                  {abroad, here, "not_found"},
		"a teacher":                   {teacher, here, "denied"},
		"a ring that is nowhere here": {c.keller, elsewhere, "rollout.ring_elsewhere"},
	} {
		_, err := c.Create(t.Context(), try.actor, try.wanted)
		if fault := errs.Find(err); fault == nil || fault.Key != try.key {
			t.Errorf("%s: %v", name, err)
		}
	}
	mine, err := c.Create(t.Context(), c.winter, here)
	if err != nil {
		t.Fatalf("a school in itself: %v", err)
	}
	theirs, err := c.Create(t.Context(), c.keller, all)
	if err != nil {
		t.Fatal(err)
	}
	if list, _, err := c.List(t.Context(), c.winter, rollout.Filter{}); err != nil || len(list) != 2 || list[0].ID != theirs.ID && list[1].ID != theirs.ID || list[0].ID != mine.ID && list[1].ID != mine.ID {
		t.Errorf("a school sees %+v, %v", list, err)
	}
	if _, err := c.Act(t.Context(), c.winter, theirs.ID, rollout.DoPause); !errs.Is(err, errs.NotFound) {
		t.Errorf("a school halts what its authority rolls out: %v", err)
	}
	page, next, err := c.List(t.Context(), c.keller, rollout.Filter{Limit: 1})
	rest, end, other := c.List(t.Context(), c.keller, rollout.Filter{Limit: 1, After: next})
	if err != nil || other != nil || len(page) != 1 || len(rest) != 1 || page[0].ID == rest[0].ID || end != "" {
		t.Errorf("%v %v %q", page, rest, end)
	}
}
