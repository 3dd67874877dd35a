package rollout_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/licence"
	"schulwart.org/server/may"
	"schulwart.org/server/packages"
	"schulwart.org/server/rollout"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

var everybody = []ground.Ring{{Kind: ground.RingAll}}

func (c *city) pool(actor may.Actor, school org.ID, total int) licence.Change {
	c.t.Helper()
	change, err := c.licences.Put(c.t.Context(), actor, licence.New{Authority: c.school.Authority, School: school, App: ground.App{Kind: ground.WebApp, Name: "moodle"}, Total: total})
	if err != nil {
		c.t.Fatal(err)
	}
	return change
}

func (c *city) roll(pack packages.Package, level org.Level, place org.ID) rollout.View {
	c.t.Helper()
	view, err := c.Create(c.t.Context(), c.keller, rollout.New{Package: pack.ID, Level: level, Place: place, Rings: everybody})
	if err != nil {
		c.t.Fatal(err)
	}
	return view
}

// toldNames lists the devices that are told to have the app.
func (c *city) toldNames() string {
	c.t.Helper()
	var names []string
	for device, d := range c.told() {
		if d.Action == ground.Install {
			names = append(names, device.String())
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// given is what the rows say, by pool, checked against what each pool has.
func (c *city) neverTooMany() {
	c.t.Helper()
	if over := storetest.Ask(c.t, c.store, `SELECT COUNT(*) FROM licence_pools p WHERE (SELECT COUNT(*) FROM licences l WHERE l.authority = p.authority AND l.pool = p.id) > p.total`); over != "0" {
		c.t.Fatalf("%s pools gave more than they have", over)
	}
	if lost := storetest.Ask(c.t, c.store, `SELECT COUNT(*) FROM licences l WHERE NOT EXISTS (SELECT 1 FROM licence_pools p WHERE p.authority = l.authority AND p.id = l.pool)`); lost != "0" {
		c.t.Fatalf("%s licences of no pool", lost)
	}
}

// seats says who has a licence, as devices are told of the app; nil where none are
// counted.
func (c *city) seats() *ground.Seats {
	c.t.Helper()
	g, err := c.store.Ground(c.t.Context(), c.school)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, offer := range g.Offers {
		if offer.Seats != nil {
			return offer.Seats
		}
	}
	return nil
}

func (c *city) settle() {
	c.t.Helper()
	if err := c.licences.Settle(c.t.Context(), c.school); err != nil {
		c.t.Fatal(err)
	}
}

func names(list []ground.Lacking) string {
	var all []string
	for _, l := range list {
		all = append(all, l.Device.String())
	}
	return strings.Join(all, " ")
}

func memberNames(list []licence.Member) string {
	var all []string
	for _, m := range list {
		all = append(all, m.ID.String())
	}
	return strings.Join(all, " ")
}

func TestTwoRolloutsAtOnceForTheLastLicence(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		c := found(t, s, 6)
		c.pool(c.keller, "", 1)
		packs := []packages.Package{c.webApp("1"), c.webApp("2"), c.webApp("3"), c.webApp("4")}
		var wanted []rollout.New
		for i, pack := range packs {
			new := rollout.New{Package: pack.ID, Level: org.School, Place: c.school.School, Rings: everybody}
			if i%2 == 0 {
				new.Level, new.Place = org.Group, c.room
			}
			wanted = append(wanted, new)
		}
		// Ids are made one after the other: the test's are no others'.
		ids := make(chan org.ID, len(wanted))
		for i := range wanted {
			ids <- org.ID("r" + strconv.Itoa(i))
		}
		c.NewID = func() org.ID { return <-ids }
		var all sync.WaitGroup
		for _, new := range wanted {
			all.Go(func() {
				if _, err := c.Create(t.Context(), c.keller, new); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		c.neverTooMany()
		if given := storetest.Ask(t, s, `SELECT COUNT(*) FROM licences`); given != "1" {
			t.Fatalf("%s licences given, want 1", given)
		}
		if told := c.toldNames(); len(strings.Fields(told)) != 1 {
			t.Fatalf("told: %s", told)
		}
	})
}

func TestALicenceComesBackAndGoesToTheNext(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		c := found(t, s, 6)
		change := c.pool(c.keller, "", 3)
		pack := c.webApp("1")
		preview, err := c.Preview(t.Context(), c.keller, rollout.New{Package: pack.ID, Level: org.School, Place: c.school.School, Rings: everybody})
		if err != nil {
			t.Fatal(err)
		}
		if l := preview.Licences; !l.Counted || l.Needed != 6 || names(l.Without) != "d00003 d00004 d00005" {
			t.Fatalf("the preview says %+v", l)
		}
		view := c.roll(pack, org.School, c.school.School)
		if names(view.Licences.Without) != "d00003 d00004 d00005" || view.Rings[0].Unlicensed != 3 {
			t.Fatalf("the answer says %+v, ring %+v", view.Licences, view.Rings[0].Figures)
		}
		if told := c.toldNames(); told != "d00000 d00001 d00002" {
			t.Fatalf("told: %s", told)
		}
		// Those that wait hold up nobody.
		c.answer(func(org.ID) bool { return false }, map[org.ID]string{})
		c.hours(1)
		if state := c.look(view.ID).Status.State; state != ground.Done {
			t.Fatalf("the rollout is %s", state)
		}
		holders, err := c.licences.Holders(t.Context(), c.winter, change.ID)
		if err != nil || len(holders) != 6 || holders[2].Waits || !holders[3].Waits {
			t.Fatalf("holders %+v, %v", holders, err)
		}
		// One is retired, one leaves the authority's care: the next two get theirs.
		storetest.Exec(t, s, `UPDATE devices SET retired = 1 WHERE id = 'd00001'`)
		storetest.Exec(t, s, `UPDATE enrolments SET state = 'left' WHERE device = 'd00000'`)
		c.settle()
		c.neverTooMany()
		if told := c.toldNames(); told != "d00002 d00003 d00004" {
			t.Fatalf("told after two left: %s", told)
		}
		// A newer version needs no second licence.
		c.at = c.at.Add(time.Hour)
		newer := c.roll(c.webApp("2"), org.School, c.school.School)
		if told := c.toldNames(); told != "d00002 d00003 d00004" {
			t.Fatalf("told of the newer version: %s", told)
		}
		if _, err := c.Act(t.Context(), c.keller, newer.ID, rollout.DoRollBack); err != nil {
			t.Fatal(err)
		}
		c.answer(func(org.ID) bool { return false }, map[org.ID]string{"d00002": "2"})
		c.settle()
		// Those that never had the version before have no use for a licence.
		if told := c.toldNames(); !strings.Contains(told, "d00002") {
			t.Fatalf("told after going back: %s", told)
		}
		c.neverTooMany()
		if _, err := c.Act(t.Context(), c.keller, view.ID, rollout.DoRollBack); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAPoolThatShrinksNamesWhoLoses(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		c := found(t, s, 5)
		c.roll(c.webApp("1"), org.Authority, c.school.Authority)
		app := ground.App{Kind: ground.WebApp, Name: "moodle"}
		// Nobody counted so far: whoever has it beyond the pool loses it, and is named before.
		preview, err := c.licences.Preview(t.Context(), c.winter, licence.New{School: c.school.School, App: app, Total: 3})
		if err != nil || memberNames(preview.Lose) != "d00003 d00004" || len(preview.Gain) != 0 || preview.Used != 3 {
			t.Fatalf("the preview says %+v, %v", preview, err)
		}
		if told := c.toldNames(); len(strings.Fields(told)) != 5 {
			t.Fatalf("a preview did something: %s", told)
		}
		c.pool(c.winter, c.school.School, 3)
		if told := c.toldNames(); told != "d00000 d00001 d00002" {
			t.Fatalf("told: %s", told)
		}
		// The authority has two more: the school's own go first.
		change := c.pool(c.keller, "", 2)
		if memberNames(change.Gain) != "d00003 d00004" || change.Used != 2 {
			t.Fatalf("the authority's pool: %+v", change)
		}
		views, err := c.licences.List(t.Context(), c.winter)
		if err != nil || len(views) != 2 || views[0].Used != 2 || views[0].MayWrite || views[1].Used != 3 || !views[1].MayWrite {
			t.Fatalf("the school reads %+v, %v", views, err)
		}
		if _, err := c.licences.Put(t.Context(), c.winter, licence.New{Authority: c.school.Authority, App: app, Total: 99}); !errs.Is(err, errs.NotFound) && !errs.Is(err, errs.Denied) {
			t.Fatalf("a school may write its authority's pool: %v", err)
		}
		c.pool(c.winter, c.school.School, 0)
		if told := c.toldNames(); told != "d00000 d00001" && len(strings.Fields(told)) != 2 {
			t.Fatalf("told after the school gave its own up: %s", told)
		}
		for _, view := range views {
			who := c.keller
			if err := c.licences.Drop(t.Context(), who, view.ID); err != nil {
				t.Fatal(err)
			}
		}
		if told := c.toldNames(); len(strings.Fields(told)) != 5 {
			t.Fatalf("told when nobody counts: %s", told)
		}
		c.neverTooMany()
	})
}

// Whatever happens in whatever order, at once or not: no pool gives more than it has.
func TestLicencesHoldThroughAWildYear(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		c := found(t, s, 12)
		other := org.ID("other-school")
		storetest.Exec(t, s, `INSERT INTO schools (authority, id, name, created) VALUES ($1, $2, 'Realschule', 1)`, c.school.Authority, other)
		version := 0
		random := rand.New(rand.NewPCG(7, 11)) //nolint:gosec // the same in every run
		var rollouts []org.ID
		for step := range 60 {
			c.at = c.at.Add(time.Hour)
			device := "d" + strconv.Itoa(100000 + random.IntN(12))[1:]
			switch random.IntN(7) {
			case 0:
				c.pool(c.keller, []org.ID{"", c.school.School, other}[random.IntN(3)], random.IntN(8))
			case 1:
				version++
				targets := []rollout.New{{Level: org.Authority, Place: c.school.Authority}, {Level: org.School, Place: other}, {Level: org.Group, Place: c.room}}
				target := targets[random.IntN(3)]
				rollouts = append(rollouts, c.roll(c.webApp(strconv.Itoa(version)), target.Level, target.Place).ID)
			case 2:
				if len(rollouts) > 0 {
					if _, err := c.Act(t.Context(), c.keller, rollouts[random.IntN(len(rollouts))], rollout.DoRollBack); err != nil && !errs.Is(err, errs.Conflict) {
						t.Fatal(err)
					}
				}
			case 3:
				storetest.Exec(t, s, `UPDATE devices SET retired = 1 - retired WHERE id = $1`, device)
			case 4:
				storetest.Exec(t, s, `UPDATE devices SET school = CASE WHEN school = $1 THEN $2 ELSE $1 END WHERE id = $3`, other, c.school.School, device)
			case 5:
				c.answer(func(org.ID) bool { return false }, map[org.ID]string{})
				c.hours(0)
			case 6:
				c.settle()
			}
			c.neverTooMany()
			lacking := 0
			seats := c.seats()
			for device := range c.told() {
				if seats.Lacks(ground.Member{ID: device, Branch: c.school}) && c.told()[device].Action == ground.Install {
					lacking++
				}
			}
			if lacking > 0 {
				t.Fatalf("step %d: %d devices are told to install without a licence", step, lacking)
			}
		}
		// In the end everybody who can have one has: the rows say what the book says.
		c.settle()
		if changed, err := s.SettleLicences(t.Context(), c.school.Authority); err != nil || changed {
			t.Fatalf("settled twice: %v, %v", changed, err)
		}
	})
}
