package rollout_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
)

var monday = time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)

func id(prefix string, n int) org.ID { return org.ID(fmt.Sprintf("%s-%05d", prefix, n)) }

// city is devices of an authority with schools of three hundred, in rooms of
// thirty.
func city(n int) []rollout.Member {
	members := make([]rollout.Member, n)
	for i := range members {
		members[i] = rollout.Member{
			ID: id("d", i), Branch: org.Branch{Authority: "city", School: id("s", i/300)}, Groups: []org.ID{id("room", i/30)}, Platform: org.Linux,
		}
	}
	return members
}

func plan() rollout.Plan {
	return rollout.Plan{
		ID: "r-1", Lot: "p-2", Target: rollout.Target{Branches: []org.Branch{{Authority: "city"}}, Platforms: []org.Platform{org.Linux}},
		Rings: []rollout.Ring{{Kind: rollout.RingGroup, Place: "room-00000"}, {Kind: rollout.RingShare, Share: 5}, {Kind: rollout.RingShare, Share: 20}, {Kind: rollout.RingSchool, Place: "s-00001"}, {Kind: rollout.RingAll}},
		Gates: rollout.Gates{Verified: 20, Hours: 2, Failed: 2, Least: 2},
	}
}

func offer(status rollout.Status) rollout.Offer {
	return rollout.Offer{
		Plan: plan(), Status: status, Started: monday,
		Package: rollout.Package{ID: "p-2", Kind: rollout.Deb, Name: "geogebra", Version: "6.2", Size: 20 << 20, SHA256: "aa"},
		Former:  &rollout.Package{ID: "p-1", Kind: rollout.Deb, Name: "geogebra", Version: "6.1", Size: 19 << 20, SHA256: "bb"},
	}
}

func anyPlan(t *rapid.T) rollout.Plan {
	ring := rapid.Custom(func(t *rapid.T) rollout.Ring {
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			return rollout.Ring{Kind: rollout.RingGroup, Place: id("room", rapid.IntRange(0, 20).Draw(t, "room"))}
		case 1:
			return rollout.Ring{Kind: rollout.RingShare, Share: float64(rapid.IntRange(1, 10000).Draw(t, "share")) / 100}
		case 2:
			return rollout.Ring{Kind: rollout.RingSchool, Place: id("s", rapid.IntRange(0, 2).Draw(t, "school"))}
		}
		return rollout.Ring{Kind: rollout.RingAll}
	})
	branch := rapid.SampledFrom([]org.Branch{{}, {Authority: "city"}, {Authority: "city", School: "s-00001"}, {Authority: "city", School: "s-00000", Group: "room-00003"}, {Authority: "county"}})
	platforms := [][]org.Platform{{org.Linux}, {org.Windows}, {org.Linux, org.IPadOS}}
	return rollout.Plan{
		ID: "r-9", Lot: id("p", rapid.IntRange(0, 99).Draw(t, "lot")), Rings: rapid.SliceOfN(ring, 1, 6).Draw(t, "rings"),
		Target: rollout.Target{Branches: rapid.SliceOfN(branch, 1, 3).Draw(t, "branches"), Platforms: rapid.SampledFrom(platforms).Draw(t, "platforms")},
		Gates: rollout.Gates{
			Verified: rapid.IntRange(0, 40).Draw(t, "verified"), Hours: rapid.IntRange(0, 48).Draw(t, "hours"), Failed: float64(rapid.IntRange(0, 100).Draw(t, "failed")),
			Least: rapid.IntRange(0, 3).Draw(t, "least"), Ailing: float64(rapid.IntRange(0, 50).Draw(t, "ailing")),
		},
	}
}

func anyFigures(t *rapid.T, rings int) []rollout.Figures {
	figures := make([]rollout.Figures, rings)
	for i := range figures {
		n := func(what string, most int) int { return rapid.IntRange(0, most).Draw(t, what) }
		f := rollout.Figures{Devices: n("devices", 60)}
		f.Verified = n("verified", f.Devices)
		f.Failed = n("failed", f.Devices-f.Verified)
		f.Unable = n("unable", f.Devices-f.Verified-f.Failed)
		f.Ailing = n("ailing", f.Verified)
		figures[i] = f
	}
	return figures
}

func anyStatus(t *rapid.T, rings int) rollout.Status {
	states := []rollout.State{rollout.Draft, rollout.Running, rollout.Waiting, rollout.Halted, rollout.Done, rollout.RolledBack}
	return rollout.Status{State: rapid.SampledFrom(states).Draw(t, "state"), Ring: rapid.IntRange(rollout.Outside, rings-1).Draw(t, "ring"), Since: monday, Try: rapid.IntRange(0, 2).Draw(t, "try")}
}

func TestADecisionIsTheSameEachTimeAndNeverGoesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPlan(t)
		figures, status := anyFigures(t, len(p.Rings)), anyStatus(t, len(p.Rings))
		open, now := rapid.Bool().Draw(t, "open"), monday.Add(time.Duration(rapid.IntRange(0, 72).Draw(t, "later"))*time.Hour)
		got := rollout.Decide(p, status, figures, open, now)
		if again := rollout.Decide(p, status, figures, open, now); again != got {
			t.Fatalf("%+v, then %+v", got, again)
		}
		if next := rollout.Decide(p, got, figures, open, now); next != got {
			t.Fatalf("decided %+v, and at once %+v", got, next)
		}
		if got.Ring < status.Ring || got.Try != status.Try {
			t.Fatalf("%+v after %+v", got, status)
		}
		if status.State != rollout.Running && status.State != rollout.Waiting && got != status {
			t.Fatalf("%+v became %+v with nobody asked", status, got)
		}
	})
}

func TestNoDeviceOutsideTheTargetIsEverTold(t *testing.T) {
	devices := city(700)
	rapid.Check(t, func(t *rapid.T) {
		o := offer(rollout.Status{State: rollout.Running, Ring: 0})
		o.Plan = anyPlan(t)
		o.Status = anyStatus(t, len(o.Plan.Rings))
		for _, device := range devices {
			told := rollout.For([]rollout.Offer{o}, device, schwerin, rollout.Span{})
			if ring := o.Plan.RingOf(device); len(told) > 0 && (!o.Plan.Target.Has(device) || ring == rollout.Outside || ring > o.Status.Ring || o.Status.State == rollout.Draft) {
				t.Fatalf("%s in ring %d is told", device.ID, ring)
			}
		}
	})
}

// A halted rollout offers nothing new: whoever joins, whatever time it is, all
// that a device reads is "begin nothing".
func TestAHaltedRolloutOffersNothingNew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := offer(rollout.Status{})
		o.Plan = anyPlan(t)
		figures := anyFigures(t, len(o.Plan.Rings))
		o.Status = anyStatus(t, len(o.Plan.Rings))
		o.Status.State = rollout.Halted
		if got := rollout.Decide(o.Plan, o.Status, figures, true, monday.AddDate(1, 0, 0)); got != o.Status {
			t.Fatalf("a halted rollout went on: %+v", got)
		}
		device := city(700)[rapid.IntRange(0, 699).Draw(t, "device")]
		for _, declaration := range rollout.For([]rollout.Offer{o}, device, schwerin, rollout.Span{}) {
			if said := read(t, declaration); !said.Hold {
				t.Fatalf("%s", declaration.Payload)
			}
		}
	})
}

func TestRingsAreNestedAndStayWhenDevicesJoin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, all := anyPlan(t), city(600)
		before := map[org.ID]int{}
		for _, device := range all[:300] {
			before[device.ID] = p.RingOf(device)
		}
		rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		reached := map[org.ID]bool{}
		for ring := range p.Rings {
			status := rollout.Status{State: rollout.Running, Ring: ring}
			for _, device := range all {
				own := p.RingOf(device)
				if was, known := before[device.ID]; known && was != own {
					t.Fatalf("%s moved from ring %d to %d", device.ID, was, own)
				}
				offered := status.Offered(own)
				if reached[device.ID] && !offered {
					t.Fatalf("%s was reached in a ring before %d, and is not now", device.ID, ring)
				}
				reached[device.ID] = offered
			}
		}
	})
	drawn := 0
	for _, device := range city(20000) {
		if p := (rollout.Plan{Lot: "p", Target: plan().Target, Rings: []rollout.Ring{{Kind: rollout.RingShare, Share: 5}}}); p.RingOf(device) == 0 {
			drawn++
		}
	}
	if drawn < 900 || drawn > 1100 {
		t.Errorf("five percent of 20,000 are %d", drawn)
	}
}

// The order in which devices answer changes no figure and no decision.
func TestTheOrderOfAnswersDoesNotMatter(t *testing.T) {
	devices := city(300)
	rapid.Check(t, func(t *rapid.T) {
		o := offer(rollout.Start(monday))
		o.Plan = anyPlan(t)
		type answer struct {
			ring    int
			outcome rollout.Outcome
			ailing  bool
		}
		outcomes := []rollout.Outcome{rollout.OutcomeNone, rollout.OutcomePending, rollout.OutcomeVerified, rollout.OutcomeFailed, rollout.OutcomeUnable}
		answers := make([]answer, len(devices))
		for i, device := range devices {
			answers[i] = answer{o.Plan.RingOf(device), outcomes[rapid.IntRange(0, 4).Draw(t, "outcome")], i%7 == 0}
		}
		decide := func() rollout.Status {
			figures := figuresOf(o.Plan, func(yield func(int, rollout.Outcome, bool)) {
				for _, a := range answers {
					yield(a.ring, a.outcome, a.ailing)
				}
			})
			return rollout.Decide(o.Plan, o.Status, figures, true, monday.Add(50*time.Hour))
		}
		first := decide()
		rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2)).Shuffle(len(answers), func(i, j int) { answers[i], answers[j] = answers[j], answers[i] })
		if second := decide(); first != second {
			t.Fatalf("%+v, in another order %+v", first, second)
		}
	})
}

// Three thousand devices, of which four in a hundred break: the rollout gets
// through its one room, halts in the first ring drawn by lot, and goes back.
func TestFourPercentBadDevicesHaltTheRolloutInTheFirstRingByLot(t *testing.T) {
	devices := city(3000)
	bad := func(i int) bool { return i%25 == 7 }
	o, now := offer(rollout.Start(monday)), monday
	present := map[org.ID]string{}
	answers := map[org.ID]ddm.PackageStatus{}
	for hour := 0; hour < 100 && o.Status.State != rollout.Halted; hour++ {
		now = now.Add(time.Hour)
		for i, device := range devices {
			for _, declaration := range rollout.For([]rollout.Offer{o}, device, schwerin, rollout.Span{}) {
				said := read(t, declaration)
				answer := ddm.PackageStatus{Rollout: said.Rollout.String(), Name: said.Name, Try: said.Try, State: ddm.PackageFailed, Since: now}
				if !bad(i) {
					answer.State, answer.Present = ddm.PackageVerified, said.Version
					present[device.ID] = said.Version
				}
				answers[device.ID] = answer
			}
		}
		figures := figuresOf(o.Plan, func(yield func(int, rollout.Outcome, bool)) {
			for _, device := range devices {
				yield(o.Plan.RingOf(device), o.Judge(answers[device.ID]), false)
			}
		})
		o.Status = rollout.Decide(o.Plan, o.Status, figures, true, now)
	}
	if s := o.Status; s.State != rollout.Halted || s.Why != rollout.WhyFailed || s.Where != 1 || s.Ring != 1 {
		t.Fatalf("%+v", s)
	}
	if len(present) > 300 {
		t.Errorf("%d devices had it before anybody stopped it", len(present))
	}
	var ok bool
	if o.Status, ok = o.Status.RollBack(); !ok {
		t.Fatal("it does not go back")
	}
	for _, device := range devices {
		for _, declaration := range rollout.For([]rollout.Offer{o}, device, schwerin, rollout.Span{}) {
			if said := read(t, declaration); said.Hold || !said.IfPresent || said.Action != rollout.Install || said.Version != "6.1" || said.SHA256 != "bb" {
				t.Fatalf("%s is told %s", device.ID, declaration.Payload)
			} else if _, had := present[device.ID]; had {
				present[device.ID] = said.Version
			}
		}
	}
	for device, version := range present {
		if version != "6.1" {
			t.Errorf("%s stays at %s", device, version)
		}
	}
}

func TestGates(t *testing.T) {
	p := plan()
	running := rollout.Status{State: rollout.Running, Ring: 0, Since: monday}
	rings := func(first rollout.Figures) []rollout.Figures {
		return []rollout.Figures{first, {Devices: 150}, {Devices: 450}, {Devices: 240}, {Devices: 2130}}
	}
	cases := map[string]struct {
		first rollout.Figures
		after time.Duration
		state rollout.State
		ring  int
	}{
		"enough and long enough":                {rollout.Figures{Devices: 30, Verified: 20}, 2 * time.Hour, rollout.Running, 1},
		"too few":                               {rollout.Figures{Devices: 30, Verified: 19}, 20 * time.Hour, rollout.Running, 0},
		"too early":                             {rollout.Figures{Devices: 30, Verified: 30}, 119 * time.Minute, rollout.Running, 0},
		"all of a small ring":                   {rollout.Figures{Devices: 4, Verified: 3, Unable: 1}, 2 * time.Hour, rollout.Running, 1},
		"nobody in it":                          {rollout.Figures{}, 0, rollout.Running, 1},
		"two failures never halt":               {rollout.Figures{Devices: 30, Verified: 28, Failed: 2}, 2 * time.Hour, rollout.Running, 1},
		"three of thirty are more than allowed": {rollout.Figures{Devices: 30, Verified: 27, Failed: 3}, 2 * time.Hour, rollout.Halted, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := rollout.Decide(p, running, rings(c.first), true, monday.Add(c.after))
			if got.State != c.state || got.Ring != c.ring {
				t.Errorf("%+v", got)
			}
		})
	}
	ailing := p
	ailing.Gates.Ailing = 10
	if got := rollout.Decide(ailing, running, rings(rollout.Figures{Devices: 30, Verified: 20, Ailing: 3}), true, monday.Add(time.Hour)); got.Why != rollout.WhyAiling || got.Count != 3 || got.Of != 20 {
		t.Errorf("fallen health: %+v", got)
	}
	if got := rollout.Decide(p, running, rings(rollout.Figures{Devices: 30}), false, monday); got.State != rollout.Waiting {
		t.Errorf("no window is open: %+v", got)
	}
	last := rollout.Status{State: rollout.Waiting, Ring: 4, Since: monday}
	full := []rollout.Figures{{Devices: 30, Verified: 30}, {}, {Devices: 450, Verified: 450}, {Devices: 240, Verified: 238, Failed: 2}, {Devices: 2130, Verified: 2100, Unable: 30}}
	if got := rollout.Decide(p, last, full, false, monday.Add(2*time.Hour)); got.State != rollout.Done {
		t.Errorf("everybody has it: %+v", got)
	}
}

func TestWhatAPersonMayDoInEachState(t *testing.T) {
	type do func(rollout.Status) (rollout.Status, bool)
	actions := map[string]do{"pause": rollout.Status.Pause, "resume": rollout.Status.Resume, "retry": rollout.Status.Retry, "rollback": rollout.Status.RollBack}
	want := map[rollout.State]map[string]rollout.State{
		rollout.Draft:      {},
		rollout.Running:    {"pause": rollout.Halted, "retry": rollout.Running, "rollback": rollout.RolledBack},
		rollout.Waiting:    {"pause": rollout.Halted, "retry": rollout.Running, "rollback": rollout.RolledBack},
		rollout.Halted:     {"resume": rollout.Running, "retry": rollout.Running, "rollback": rollout.RolledBack},
		rollout.Done:       {"retry": rollout.Running, "rollback": rollout.RolledBack},
		rollout.RolledBack: {},
	}
	for state, allowed := range want {
		for name, action := range actions {
			before := rollout.Status{State: state, Ring: 2, Since: monday}
			after, ok := action(before)
			if next, may := allowed[name]; ok != may || may && after.State != next || !may && after != before || after.Ring != 2 {
				t.Errorf("%s in %s: %+v, %v", name, state, after, ok)
			}
		}
	}
}

// The newer rollout decides about a package; one that has not reached a device
// yet leaves it the older one.
func TestTheRolloutThatBeganLastDecides(t *testing.T) {
	older, newer := offer(rollout.Status{State: rollout.Done, Ring: 4}), offer(rollout.Status{State: rollout.Running, Ring: 0})
	newer.Plan.ID, newer.Started, newer.Package.Version = "r-2", monday.Add(time.Hour), "6.3"
	for i, device := range city(60) {
		want := "6.2"
		if i < 30 {
			want = "6.3"
		}
		for _, offers := range [][]rollout.Offer{{older, newer}, {newer, older}} {
			told := rollout.For(offers, device, schwerin, span("07:00", "15:00"))
			if len(told) != 1 || read(t, told[0]).Version != want || read(t, told[0]).Window.Quiet != span("07:00", "15:00") {
				t.Fatalf("%s is told %v", device.ID, told)
			}
		}
		a, b := rollout.Reach([]rollout.Offer{older, newer}, device), rollout.Reach([]rollout.Offer{older, newer}, city(1)[0])
		if (a == b) != (want == "6.3") {
			t.Fatalf("reach of %s is %s, of the first %s", device.ID, a, b)
		}
	}
}

func TestOnlyWhatTheSystemSaysCounts(t *testing.T) {
	o := offer(rollout.Status{State: rollout.Running, Ring: 1, Try: 1})
	said := ddm.PackageStatus{Rollout: "r-1", Name: "geogebra", Try: 1}
	cases := map[string]struct {
		change func(*ddm.PackageStatus)
		want   rollout.Outcome
	}{
		"verified":                       {func(s *ddm.PackageStatus) { s.State, s.Present = ddm.PackageVerified, "6.2" }, rollout.OutcomeVerified},
		"verified, another version":      {func(s *ddm.PackageStatus) { s.State, s.Present = ddm.PackageVerified, "6.1" }, rollout.OutcomePending},
		"verified, and nothing is there": {func(s *ddm.PackageStatus) { s.State = ddm.PackageVerified }, rollout.OutcomePending},
		"failed":                         {func(s *ddm.PackageStatus) { s.State = ddm.PackageFailed }, rollout.OutcomeFailed},
		"failed before the retry":        {func(s *ddm.PackageStatus) { s.State, s.Try = ddm.PackageFailed, 0 }, rollout.OutcomeNone},
		"had it before the retry":        {func(s *ddm.PackageStatus) { s.State, s.Present, s.Try = ddm.PackageVerified, "6.2", 0 }, rollout.OutcomeVerified},
		"not possible":                   {func(s *ddm.PackageStatus) { s.State = ddm.PackageNotPossible }, rollout.OutcomeUnable},
		"loading":                        {func(s *ddm.PackageStatus) { s.State = ddm.PackageLoading }, rollout.OutcomePending},
		"of another rollout":             {func(s *ddm.PackageStatus) { s.State, s.Present, s.Rollout = ddm.PackageVerified, "6.2", "r-0" }, rollout.OutcomeNone},
		"a state that nobody here knows": {func(s *ddm.PackageStatus) { s.State = "dreaming" }, rollout.OutcomePending},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			one := said
			c.change(&one)
			if got := o.Judge(one); got != c.want {
				t.Errorf("%q", got)
			}
		})
	}
	o.Status, _ = o.Status.RollBack()
	back := ddm.PackageStatus{Rollout: "r-1", Name: "geogebra", Try: 2, State: ddm.PackageVerified, Present: "6.1"}
	if got := o.Judge(back); got != rollout.OutcomeVerified {
		t.Errorf("back at the version before: %q", got)
	}
	if back.Present = ""; o.Judge(back) != rollout.OutcomeVerified {
		t.Error("a device that never had it is not back")
	}
	if back.Present = "6.2"; o.Judge(back) != rollout.OutcomePending {
		t.Error("a device that still has it is back")
	}
	o.Former, back.Present = nil, ""
	if got := o.Judge(back); got != rollout.OutcomeVerified {
		t.Errorf("there was none before, and none is there: %q", got)
	}
}

func TestPlansThatCannotBeMeant(t *testing.T) {
	cases := map[string]func(*rollout.Plan){
		"no target":      func(p *rollout.Plan) { p.Target.Branches = nil },
		"no platform":    func(p *rollout.Plan) { p.Target.Platforms = nil },
		"no rings":       func(p *rollout.Plan) { p.Rings = nil },
		"empty share":    func(p *rollout.Plan) { p.Rings[1].Share = 0 },
		"share over all": func(p *rollout.Plan) { p.Rings[1].Share = 101 },
		"unknown ring":   func(p *rollout.Plan) { p.Rings[1].Kind = "moon" },
		"ring of nobody": func(p *rollout.Plan) { p.Rings[0].Place = "" },
		"empty hours":    func(p *rollout.Plan) { p.Window.Open = []rollout.Hours{{Days: []time.Weekday{1}}} },
		"no days":        func(p *rollout.Plan) { p.Window.Open = []rollout.Hours{{Span: span("10:00", "12:00")}} },
		"bad free":       func(p *rollout.Plan) { p.Window.Free = "sometimes" },
		"negative gate":  func(p *rollout.Plan) { p.Gates.Verified = -1 },
	}
	if faults := plan().Check(); len(faults) != 0 {
		t.Errorf("a good plan has %v", faults)
	}
	for name, spoil := range cases {
		p := plan()
		p.Rings = slices.Clone(p.Rings)
		spoil(&p)
		if len(p.Check()) != 1 {
			t.Errorf("%s: %v", name, p.Check())
		}
	}
}

// BenchmarkPlan is what it costs to draw up a rollout for an authority of 60,000
// devices: each one's ring, outcome and figures, and the decision.
func BenchmarkPlan(b *testing.B) {
	devices, o := city(60000), offer(rollout.Start(monday))
	said := ddm.PackageStatus{Rollout: "r-1", Name: "geogebra", State: ddm.PackageVerified, Present: "6.2"}
	for b.Loop() {
		figures := figuresOf(o.Plan, func(yield func(int, rollout.Outcome, bool)) {
			for _, device := range devices {
				yield(o.Plan.RingOf(device), o.Judge(said), false)
			}
		})
		if got := rollout.Decide(o.Plan, o.Status, figures, true, monday.Add(3*time.Hour)); got.State == rollout.Draft {
			b.Fatal(got)
		}
	}
}

// figuresOf makes figures as they are kept.
func figuresOf(plan rollout.Plan, each func(yield func(int, rollout.Outcome, bool))) []rollout.Figures {
	tally := rollout.NewTally(plan)
	each(func(ring int, outcome rollout.Outcome, ailing bool) {
		tally.Join(rollout.Stand{Ring: ring, Outcome: outcome, Ailing: ailing})
	})
	return tally.Rings
}
