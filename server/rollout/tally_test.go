package rollout_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/ids"
	"schulwart.org/server/may"
	"schulwart.org/server/rollout"
	"schulwart.org/server/roster"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// town is a city of two schools in which anything may happen in any order.
type town struct {
	*city
	other    org.Branch
	groups   map[org.ID]org.ID // a group of each school
	devices  []org.ID
	rollouts []org.ID
	packs    []org.ID
	said     map[org.ID]map[org.ID]ddm.PackageStatus // by rollout and device: the last word
}

// towns counts them, so that each has ids of its own.
var towns int

func foundTown(t *testing.T, s *store.Store) *town {
	c := found(t, s, 0)
	towns++
	made, first := 0, fmt.Sprintf("%08d", towns)
	numbered := func() org.ID { made++; return org.ID(fmt.Sprintf("%s-%06d", first, made)) }
	c.packages.NewID, c.licences.NewID, c.NewID = numbered, numbered, numbered
	w := &town{said: map[org.ID]map[org.ID]ddm.PackageStatus{}, city: c, other: org.Branch{Authority: c.school.Authority, School: ids.New()}, groups: map[org.ID]org.ID{c.school.School: c.room}}
	storetest.Exec(t, s, `INSERT INTO schools (authority, id, name, created) VALUES ($1, $2, 'Schule am See', 1)`, w.other.Authority, w.other.School)
	w.groups[w.other.School] = ids.New()
	storetest.Exec(t, s, `INSERT INTO school_groups (authority, id, school, kind, name, created) VALUES ($1, $2, $3, 'class', '5a', 1)`, w.other.Authority, w.groups[w.other.School], w.other.School)
	for i := range 12 {
		device := org.ID(fmt.Sprintf("%s-d%03d", first, i))
		storetest.Exec(t, s, `INSERT INTO devices (authority, id, school, name, platform, created, words_of) VALUES ($1, $2, $3, $4, 'linux', 1, $4 || '/')`, c.school.Authority, device, c.school.School, fmt.Sprintf("NB-%03d", i))
		storetest.Exec(t, s, `INSERT INTO enrolments (authority, id, device, school, udid, state, created, changed) VALUES ($1, $2, $2, $3, $2, 'enrolled', 1, 1)`, c.school.Authority, device, c.school.School)
		w.devices = append(w.devices, device)
	}
	for _, version := range []string{"1", "2"} {
		w.packs = append(w.packs, c.webApp(version).ID)
	}
	return w
}

// do does one thing that can change figures.
func (w *town) do(t *rapid.T) string {
	ctx := context.Background()
	device := rapid.SampledFrom(w.devices).Draw(t, "device")
	school := rapid.SampledFrom([]org.Branch{w.school, w.other}).Draw(t, "school")
	permit := may.System("test", school)
	group := roster.Group{Authority: school.Authority, School: school.School, ID: w.groups[school.School]}
	known, err := w.store.FindDevice(ctx, device)
	if err != nil {
		t.Fatal(err)
	}
	what := rapid.SampledFrom([]string{"roll", "say", "say", "say", "say", "act", "act", "tick", "move", "retire", "enrol", "join", "leave", "pool", "settle", "other rules"}).Draw(t, "what")
	switch what {
	case "roll":
		if len(w.rollouts) == 4 {
			return ""
		}
		wanted := rollout.New{
			Package: rapid.SampledFrom(w.packs).Draw(t, "package"), Level: org.Authority, Place: w.school.Authority, Gates: ground.Gates{Failed: 50},
			Rings: []ground.Ring{{Kind: ground.RingGroup, Place: w.groups[school.School]}, {Kind: ground.RingShare, Share: 40}, {Kind: ground.RingAll}},
		}
		if rapid.Bool().Draw(t, "of a school") {
			wanted.Level, wanted.Place = org.School, w.school.School
			wanted.Rings = []ground.Ring{{Kind: ground.RingShare, Share: 30}, {Kind: ground.RingAll}}
		}
		var view rollout.View
		if view, err = w.Create(ctx, w.keller, wanted); err == nil {
			w.rollouts = append(w.rollouts, view.ID)
		}
	case "say":
		if len(w.rollouts) == 0 {
			return ""
		}
		said := ddm.PackageStatus{
			Rollout: rapid.SampledFrom(w.rollouts).Draw(t, "rollout").String(), Name: "moodle", Try: rapid.IntRange(0, 2).Draw(t, "try"), Since: w.at,
			State:   rapid.SampledFrom([]ddm.PackageState{ddm.PackageLoading, ddm.PackageVerified, ddm.PackageVerified, ddm.PackageFailed, ddm.PackageNotPossible}).Draw(t, "state"),
			Present: rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "present"),
		}
		if rapid.Bool().Draw(t, "with a reason") {
			said.Reason = &ddm.Reason{Code: rapid.SampledFrom([]string{"disk.full", "hash.wrong"}).Draw(t, "reason")}
		}
		id := org.ID(said.Rollout)
		if w.said[id] == nil {
			w.said[id] = map[org.ID]ddm.PackageStatus{}
		}
		w.said[id][device] = said
		err = w.Reported(ctx, w.school.Authority, device, says(said))
	case "act":
		if len(w.rollouts) == 0 {
			return ""
		}
		do := rapid.SampledFrom([]rollout.Do{rollout.DoPause, rollout.DoResume, rollout.DoRetry, rollout.DoRollBack}).Draw(t, "do")
		_, _ = w.Act(ctx, w.keller, rapid.SampledFrom(w.rollouts).Draw(t, "rollout"), do) // not now is an answer, too
	case "tick":
		w.at = w.at.Add(time.Hour)
		err = w.Tick(ctx)
	case "move":
		after := known
		after.School = school.School
		err = w.store.UpdateDevice(ctx, permit, known, after)
	case "retire":
		err = w.store.RetireDevice(ctx, permit, known, w.at)
	case "enrol":
		after := known
		after.Retired = time.Time{}
		err = w.store.UpdateDevice(ctx, permit, known, after)
	case "join":
		if known.School == school.School {
			err = w.store.PutMembers(ctx, permit, group, []org.ID{device}, time.Time{}, time.Time{})
		}
	case "leave":
		err = w.store.RemoveMembers(ctx, permit, group, []org.ID{device})
	case "pool":
		w.pool(w.keller, "", rapid.IntRange(0, 12).Draw(t, "licences"))
	case "settle":
		w.settle()
	}
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	return what
}

// counted is what a rollout's figures are when somebody counts them: the word of
// each device, and the ground's judgement, one by one.
func (w *town) counted(t *rapid.T, r rollout.Rollout) ground.Tally {
	ctx := context.Background()
	offer, tally := r.Offer(), ground.NewTally(r.Plan)
	g, err := w.store.Ground(ctx, w.school)
	other, err2 := w.store.Ground(ctx, w.other)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	holders := map[org.ID]bool{}
	for _, o := range slices.Concat(g.Offers, other.Offers) {
		if o.Plan.ID != r.ID || o.Seats == nil {
			continue
		}
		maps.Copy(holders, o.Seats.Holders)
		offer.Seats = &ground.Seats{Everywhere: o.Seats.Everywhere, Holders: holders}
	}
	for branch, here := range map[org.Branch][]desired.Device{w.school: g.Devices, w.other: other.Devices} {
		if r.Branch.School != "" && r.Branch != branch {
			continue
		}
		for _, d := range here {
			var said *ddm.PackageStatus
			if word, spoke := w.said[r.ID][d.ID]; spoke {
				said = &word
			}
			tally.Join(offer.Stand(ground.Member{ID: d.ID, Branch: branch, Groups: d.Groups, Platform: d.Platform}, said, false))
		}
	}
	return tally
}

// Whatever happens, and in whatever order, the figures that are kept are those that
// somebody would count, and the devices that are listed are those that are counted.
func TestKeptFiguresAreThoseThatSomebodyWouldCount(t *testing.T) {
	checks := flag.Lookup("rapid.checks")
	usual := checks.Value.String()
	t.Cleanup(func() { _ = checks.Value.Set(usual) })
	if err := checks.Value.Set("30"); err != nil {
		t.Fatal(err)
	}
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		rapid.Check(t, func(rt *rapid.T) {
			w := foundTown(t, s)
			var done []string
			for range rapid.IntRange(5, 25).Draw(rt, "steps") {
				if what := w.do(rt); what != "" {
					done = append(done, what)
				}
				if rapid.IntRange(0, 3).Draw(rt, "look") == 0 {
					w.compare(rt, done)
				}
			}
			w.compare(rt, done)
		})
	})
}

func (w *town) compare(t *rapid.T, done []string) {
	ctx := context.Background()
	for _, id := range w.rollouts {
		r, err := w.store.FindRollout(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		view, err := w.Find(ctx, w.keller, id)
		if err != nil {
			t.Fatal(err)
		}
		want := w.counted(t, r)
		for i, ring := range view.Rings {
			if ring.Figures != want.Rings[i] {
				t.Fatalf("after %s: ring %d is kept as %+v, and counted %+v", strings.Join(done, ", "), i, ring.Figures, want.Rings[i])
			}
		}
		for _, reason := range view.Reasons {
			if want.Reasons[reason.Code] != reason.Devices || len(view.Reasons) != len(want.Reasons) {
				t.Fatalf("after %s: %+v, counted %+v", strings.Join(done, ", "), view.Reasons, want.Reasons)
			}
			w.lists(t, id, rollout.DeviceFilter{Reason: reason.Code}, reason.Devices)
		}
		for i, f := range want.Rings {
			failed, none := ground.OutcomeFailed, ground.OutcomeNone
			w.lists(t, id, rollout.DeviceFilter{Ring: i + 1}, f.Devices)
			w.lists(t, id, rollout.DeviceFilter{Ring: i + 1, Outcome: &failed}, f.Failed)
			w.lists(t, id, rollout.DeviceFilter{Ring: i + 1, Outcome: &none}, f.Devices-f.Begun-f.Verified-f.Failed-f.Unable-f.Unlicensed)
		}
	}
}

// lists goes through all pages.
func (w *town) lists(t *rapid.T, id org.ID, filter rollout.DeviceFilter, want int) {
	var all []string
	for filter.Limit = 2; ; {
		page, next, err := w.Devices(context.Background(), w.keller, id, filter)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range page {
			all = append(all, d.Name)
		}
		if filter.After = next; next == "" {
			break
		}
	}
	if len(all) != want || !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Fatalf("%+v lists %v, and there are %d", filter, all, want)
	}
}
