package desired_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
)

var (
	monday = time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC) // 08:00 in Berlin
	laptop = desired.Device{ID: "laptop-1", Enrolment: "enrolment-1", Platform: org.Linux, Groups: []org.ID{"7b", "set-b"}, Schema: 1}
	tablet = desired.Device{ID: "tablet-1", Enrolment: "enrolment-9", Platform: org.IPadOS, Groups: []org.ID{"7b"}, Schema: 1}
)

func clock(hour, minute int) time.Time {
	return monday.Add(time.Duration(hour-8)*time.Hour + time.Duration(minute)*time.Minute)
}

func school(policies []desired.Policy, granted ...desired.Granted) desired.Snapshot {
	return desired.Snapshot{
		Issuer: "schulwart.example", KeyID: "2026-1", Branch: org.Branch{Authority: "city", School: "north"}, Name: "Gymnasium Nord",
		Policies: policies, Leases: granted,
	}
}

func deny(level org.Level, place org.ID, hosts ...string) desired.Policy {
	p := desired.Policy{Place: desired.Place{Level: level, ID: place}, Family: catalog.WebFilterFamily.Name, Settings: catalog.Settings{}}
	if len(hosts) > 0 {
		slices.Sort(hosts)
		p.Settings["deny"] = slices.Compact(hosts)
	}
	return p
}

// grant gives the laptop a lease that stays readable a minute after its end.
func grant(id string, kind lease.Kind, from, end time.Time) desired.Granted {
	return desired.Granted{Device: laptop.ID, Until: end.Add(time.Minute), Lease: lease.Lease{
		Issuer: "schulwart.example", Subject: laptop.Enrolment, ID: id, Rev: 1, NotBefore: from, Expires: end, Kind: kind, By: "Frau Oert",
	}}
}

func leasesIn(t rapid.TB, state desired.State) []lease.Lease {
	t.Helper()
	var found []lease.Lease
	for _, d := range state.Declarations {
		if d.Type != lease.DeclarationType {
			continue
		}
		var payload desired.LeasePayload
		if err := json.Unmarshal(d.Payload, &payload); err != nil {
			t.Fatal(err)
		}
		if payload.JWS != "" {
			t.Error("the pure answer carries a signature")
		}
		found = append(found, payload.Lease)
	}
	return found
}

func denied(t rapid.TB, state desired.State) []string {
	t.Helper()
	for _, d := range state.Declarations {
		if d.Type == catalog.WebFilterType {
			var filter catalog.WebFilter
			if err := json.Unmarshal(d.Payload, &filter); err != nil {
				t.Fatal(err)
			}
			return filter.Deny
		}
	}
	return nil
}

func text(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(data)
}

func TestPoliciesReachTheirBranchOnly(t *testing.T) {
	snapshot := school([]desired.Policy{
		deny(org.Operator, "", "everywhere.example"),
		deny(org.Authority, "city", "city.example"), deny(org.Authority, "county", "county.example"),
		deny(org.School, "north", "north.example"), deny(org.School, "south", "south.example"),
		deny(org.Group, "7b", "class.example"), deny(org.Group, "8a", "other-class.example"),
		deny(org.Device, "laptop-1", "device.example"), deny(org.Device, "laptop-2", "other-device.example"),
		deny(org.School, "north"), // says nothing, and is no reason
	})
	state := desired.For(snapshot, laptop, monday)
	want := []string{"city.example", "class.example", "device.example", "everywhere.example", "north.example"}
	if got := denied(t, state); !slices.Equal(got, want) {
		t.Errorf("denied %v, want %v", got, want)
	}
	if len(state.Settings) != 1 || len(state.Settings[0].From) != len(want) {
		t.Errorf("%d places, and the reasons are %+v", len(want), state.Settings)
	}
}

func TestLeasesOfOthersAreNotServed(t *testing.T) {
	mine := grant("a", lease.Offline, monday, clock(8, 45))
	other := grant("b", lease.Offline, monday, clock(8, 45))
	other.Device = "laptop-2"
	former := grant("c", lease.Offline, monday, clock(8, 45)) // before the device was enrolled anew
	former.Lease.Subject = "enrolment-0"
	state := desired.For(school(nil, mine, other, former), laptop, monday)
	if got := leasesIn(t, state); len(got) != 1 || got[0].ID != "a" {
		t.Errorf("serves %v", got)
	}
}

func TestATabletGetsNoLeaseAndNoFilterOfOurs(t *testing.T) {
	granted := grant("a", lease.Offline, monday, clock(8, 45))
	granted.Device, granted.Lease.Subject = tablet.ID, tablet.Enrolment
	state := desired.For(school([]desired.Policy{deny(org.Operator, "", "x.example")}, granted), tablet, monday)
	for _, d := range state.Declarations {
		if strings.HasPrefix(d.Type, "org.schulwart.") {
			t.Errorf("Apple's devices do not know %s", d.Type)
		}
	}
	if !strings.Contains(string(declaration(t, state, desired.ActivationID).Payload), desired.SubscriptionsID) {
		t.Error("the subscriptions are not activated, so a tablet never reports")
	}
}

func declaration(t rapid.TB, state desired.State, id string) ddm.Declaration {
	t.Helper()
	for _, d := range state.Declarations {
		if d.Identifier == id {
			return d
		}
	}
	t.Fatalf("no declaration %s", id)
	return ddm.Declaration{}
}

// Absence never ends a lease: the higher revision stays in the manifest until
// the end that the device knows of.
func TestAnEarlyEndStaysReadable(t *testing.T) {
	granted := grant("a", lease.Offline, monday, clock(8, 45))
	granted.Lease = granted.Lease.End(clock(8, 10))
	for _, minute := range []int{10, 11, 30, 45} {
		state := desired.For(school(nil, granted), laptop, clock(8, minute))
		if got := leasesIn(t, state); len(got) != 1 || got[0].Rev != 2 || !got[0].Ended(clock(8, minute)) {
			t.Errorf("at 08:%d: %+v", minute, got)
		}
		if len(state.Why) != 0 {
			t.Errorf("at 08:%d an ended mode is given as a reason: %v", minute, state.Why)
		}
		if !strings.Contains(string(declaration(t, state, desired.ActivationID).Payload), desired.LeasePrefix+"a") {
			t.Errorf("at 08:%d the end is not activated", minute)
		}
	}
	if got := leasesIn(t, desired.For(school(nil, granted), laptop, clock(8, 46))); len(got) != 0 {
		t.Errorf("kept for longer than needed: %v", got)
	}
}

// The key is part of the content: with a new key the device fetches its leases
// again, before it forgets the old one.
func TestAnotherKeyIsAnotherToken(t *testing.T) {
	before := school(nil, grant("a", lease.Offline, monday, clock(8, 45)))
	after := before
	after.KeyID = "2026-2"
	if desired.For(before, laptop, monday).Token == desired.For(after, laptop, monday).Token {
		t.Error("a new key goes unnoticed")
	}
	none, noneAfter := school(nil), school(nil)
	noneAfter.KeyID = "2026-2"
	if desired.For(none, laptop, monday).Token != desired.For(noneAfter, laptop, monday).Token {
		t.Error("a new key wakes devices without leases for nothing")
	}
}

var anySnapshot = rapid.Custom(func(t *rapid.T) desired.Snapshot {
	hosts := rapid.SliceOfN(rapid.SampledFrom([]string{"a.example", "b.example", "c.example"}), 0, 3)
	policy := rapid.Custom(func(t *rapid.T) desired.Policy {
		level := rapid.SampledFrom([]org.Level{org.Operator, org.Authority, org.School, org.Group, org.Device}).Draw(t, "level")
		return deny(level, rapid.SampledFrom([]org.ID{"", "city", "north", "7b", "laptop-1", "elsewhere"}).Draw(t, "place"), hosts.Draw(t, "hosts")...)
	})
	place := func(p desired.Policy) desired.Place { return p.Place }
	snapshot := school(rapid.SliceOfNDistinct(policy, 0, 6, place).Draw(t, "policies"))
	for range rapid.IntRange(0, 2).Draw(t, "exceptions") {
		starts := monday.Add(time.Duration(rapid.IntRange(-60, 60).Draw(t, "starts")) * time.Minute)
		snapshot.Exceptions = append(snapshot.Exceptions, desired.Exception{
			ID: org.ID(rapid.StringMatching(`[a-h]{4}`).Draw(t, "exception")), Place: desired.Place{Level: org.School, ID: "north"}, Family: "webfilter", Field: "deny",
			Value: []string{"c.example"}, Starts: starts, Until: starts.Add(time.Duration(rapid.IntRange(1, 90).Draw(t, "length")) * time.Minute),
		})
	}
	for _, id := range rapid.SliceOfNDistinct(rapid.StringMatching(`[a-h]`), 0, 6, rapid.ID[string]).Draw(t, "leases") {
		starts := monday.Add(time.Duration(rapid.IntRange(-60, 60).Draw(t, "starts")) * time.Minute)
		granted := grant(id, rapid.SampledFrom(lease.Kinds).Draw(t, "kind"), starts, starts.Add(time.Duration(rapid.IntRange(1, 90).Draw(t, "length"))*time.Minute))
		if rapid.Bool().Draw(t, "ended early") {
			granted.Lease = granted.Lease.End(starts.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "ended")) * time.Minute))
		}
		snapshot.Leases = append(snapshot.Leases, granted)
	}
	return snapshot
})

func anyInstant(t *rapid.T) time.Time {
	return monday.Add(time.Duration(rapid.IntRange(-90, 200).Draw(t, "at")) * time.Minute)
}

func TestSameInputSameBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		snapshot, at := anySnapshot.Draw(t, "snapshot"), anyInstant(t)
		mixed, device := snapshot, laptop
		mixed.Policies = rapid.Permutation(snapshot.Policies).Draw(t, "policies")
		mixed.Leases = rapid.Permutation(snapshot.Leases).Draw(t, "leases")
		device.Groups = rapid.Permutation(laptop.Groups).Draw(t, "groups")
		berlin := time.FixedZone("CET", 3600)
		mixed.Exceptions = rapid.Permutation(snapshot.Exceptions).Draw(t, "mixed exceptions")
		if a, b := text(desired.For(snapshot, laptop, at)), text(desired.For(mixed, device, at.In(berlin))); a != b {
			t.Fatalf("%s\n%s", a, b)
		}
	})
}

// Who is alike may share an answer that was computed once.
func TestDevicesThatAreAlikeHaveTheSameAnswer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		snapshot, at := anySnapshot.Draw(t, "snapshot"), anyInstant(t)
		other := laptop
		other.ID, other.Enrolment = "laptop-2", "enrolment-2"
		other.Groups = rapid.SampledFrom([][]org.ID{laptop.Groups, {"7b"}, nil}).Draw(t, "groups")
		other.Platform = rapid.SampledFrom([]org.Platform{org.Linux, org.IPadOS}).Draw(t, "platform")
		one, alike := snapshot.Alike(laptop)
		two, too := snapshot.Alike(other)
		if alike && too && one == two && text(desired.For(snapshot, laptop, at)) != text(desired.For(snapshot, other, at)) {
			t.Fatal("alike, and yet something else is wanted of them")
		}
	})
}

// Nothing that is added can loosen: not a policy, not a mode. A mode never
// replaces the base filter.
func TestWhatIsAddedNeverLoosens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		snapshot, at := anySnapshot.Draw(t, "snapshot"), anyInstant(t)
		before := desired.For(snapshot, laptop, at)
		more := snapshot
		more.Policies = append(slices.Clone(snapshot.Policies), deny(org.Group, "set-b", "z.example"))
		more.Leases = append(slices.Clone(snapshot.Leases), grant("z", rapid.SampledFrom(lease.Kinds).Draw(t, "kind"), at, at.Add(time.Minute)))
		after := desired.For(more, laptop, at)
		for _, host := range denied(t, before) {
			if !slices.Contains(denied(t, after), host) {
				t.Fatalf("%s was denied and is not any more", host)
			}
		}
		kept := map[string]string{}
		for _, d := range after.Declarations {
			kept[d.Identifier] = d.ServerToken
		}
		for _, d := range before.Declarations {
			if d.Type == lease.DeclarationType && kept[d.Identifier] != d.ServerToken {
				t.Fatalf("%s changed", d.Identifier)
			}
		}
		held, now := lease.Hold(leasesIn(t, before), at), lease.Hold(leasesIn(t, after), at)
		if held.Exam != nil && now.Exam == nil || held.Offline != nil && now.Offline == nil || held.Sites != nil && now.Sites == nil || held.Focus != nil && now.Focus == nil ||
			held.Screen != nil && now.Screen == nil && now.Exam == nil {
			t.Fatal("something that held does not hold any more")
		}
	})
}

// Next keeps its word: before it nothing changes, and whatever changes by the
// clock is announced by it.
func TestNextIsWhenTheAnswerChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		snapshot, at := anySnapshot.Draw(t, "snapshot"), anyInstant(t)
		state := desired.For(snapshot, laptop, at)
		until := at.Add(24 * time.Hour)
		if !state.Next.IsZero() {
			if !state.Next.After(at) {
				t.Fatalf("next, %s, is not after %s", state.Next, at)
			}
			until = state.Next.Add(-time.Second)
		}
		for _, later := range []time.Time{at.Add(until.Sub(at) / 2), until} {
			if later.Before(at) {
				continue
			}
			then := desired.For(snapshot, laptop, later)
			if then.Token != state.Token || text(then.Why) != text(state.Why) || text(then.Settings) != text(state.Settings) {
				t.Fatalf("changed by %s, announced for %s", later, state.Next)
			}
		}
	})
}
