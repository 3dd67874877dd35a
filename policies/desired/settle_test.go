package desired_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
)

var (
	operator  = desired.Place{Level: org.Operator}
	authority = desired.Place{Level: org.Authority, ID: "city"}
	northern  = desired.Place{Level: org.School, ID: "north"}
	class     = desired.Place{Level: org.Group, ID: "7b"}
	set       = desired.Place{Level: org.Group, ID: "set-b"}
	own       = desired.Place{Level: org.Device, ID: "laptop-1"}
)

func sticks(place desired.Place, access string, hold desired.Hold) desired.Policy {
	return desired.Policy{Place: place, Family: "usb-storage", Settings: catalog.Settings{"access": access}, Holds: map[string]desired.Hold{"access": hold}}
}

func only(place desired.Place, host string, hold desired.Hold) desired.Policy {
	return desired.Policy{Place: place, Family: "webfilter", Settings: catalog.Settings{"only": []string{host}}, Holds: map[string]desired.Hold{"only": hold}}
}

func except(id string, place desired.Place, family, field string, value any) desired.Exception {
	return desired.Exception{ID: org.ID(id), Place: place, Family: family, Field: field, Value: value, Starts: clock(8, 0), Until: clock(9, 0)}
}

// effective returns what holds for the one field of a test, and what became of
// each place's word.
func effective(t *testing.T, snapshot desired.Snapshot, at time.Time) (desired.Effective, []desired.Effect) {
	t.Helper()
	state := desired.For(snapshot, laptop, at)
	if len(state.Settings) != 1 {
		t.Fatalf("%d fields hold: %+v", len(state.Settings), state.Settings)
	}
	var effects []desired.Effect
	for _, source := range state.Settings[0].From {
		effects = append(effects, source.Effect)
	}
	return state.Settings[0], effects
}

func TestWhoDecides(t *testing.T) {
	cases := []struct {
		name       string
		policies   []desired.Policy
		exceptions []desired.Exception
		priorities map[org.ID]int
		want       any
		effects    []desired.Effect
	}{
		{"the authority alone", []desired.Policy{sticks(authority, "read-only", "")}, nil, nil, "read-only", []desired.Effect{desired.Decides}},
		{"a school is stricter", []desired.Policy{sticks(authority, "read-only", ""), sticks(northern, "blocked", "")}, nil, nil, "blocked", []desired.Effect{desired.Decides, desired.Tightens}},
		{"a school cannot loosen", []desired.Policy{sticks(authority, "blocked", ""), sticks(northern, "allowed", "")}, nil, nil, "blocked", []desired.Effect{desired.Decides, desired.Looser}},
		{"what is locked is not even tightened", []desired.Policy{sticks(operator, "read-only", desired.Locked), sticks(northern, "blocked", "")}, nil, nil, "read-only", []desired.Effect{desired.Decides, desired.LockedOut}},
		{"an exception loosens", []desired.Policy{sticks(authority, "blocked", "")}, []desired.Exception{except("a", northern, "usb-storage", "access", "read-only")}, nil, "read-only", []desired.Effect{desired.Overridden, desired.Excepts}},
		{"an exception loosens what is locked", []desired.Policy{sticks(authority, "blocked", desired.Locked)}, []desired.Exception{except("a", class, "usb-storage", "access", "allowed")}, nil, "allowed", []desired.Effect{desired.Overridden, desired.Excepts}},
		{"below an exception it can be tightened again", []desired.Policy{sticks(authority, "blocked", ""), sticks(own, "read-only", "")}, []desired.Exception{except("a", northern, "usb-storage", "access", "allowed")}, nil, "read-only", []desired.Effect{desired.Overridden, desired.Excepts, desired.Tightens}},
		{"the standard stands against a nearer place", []desired.Policy{only(authority, "a.example", ""), only(northern, "b.example", "")}, nil, nil, []string{"a.example"}, []desired.Effect{desired.Decides, desired.Deviating}},
		{"a suggestion gives way to a nearer place", []desired.Policy{only(authority, "a.example", desired.Free), only(northern, "b.example", "")}, nil, nil, []string{"b.example"}, []desired.Effect{desired.Overridden, desired.Decides}},
		{"of two groups the one with the higher priority is nearer", []desired.Policy{only(class, "a.example", ""), only(set, "b.example", "")}, nil, map[org.ID]int{"set-b": 5}, []string{"b.example"}, []desired.Effect{desired.Decides, desired.Overridden}},
		{"of two groups of one priority the smaller id is nearer", []desired.Policy{only(class, "a.example", ""), only(set, "b.example", "")}, nil, nil, []string{"a.example"}, []desired.Effect{desired.Decides, desired.Overridden}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			snapshot := school(c.policies)
			snapshot.Exceptions, snapshot.Priorities = c.exceptions, c.priorities
			got, effects := effective(t, snapshot, clock(8, 30))
			if !catalog.Same(got.Value, c.want) || text(effects) != text(c.effects) {
				t.Errorf("%v by %v, want %v by %v", got.Value, effects, c.want, c.effects)
			}
		})
	}
}

// An exception of a list names what does not hold; new denials from above still
// arrive. It ends by itself, and the answer says when.
func TestAnExceptionBeginsAndEndsByTheClock(t *testing.T) {
	snapshot := school([]desired.Policy{deny(org.Authority, "city", "games.example", "video.example")})
	snapshot.Exceptions = []desired.Exception{except("a", northern, "webfilter", "deny", []string{"video.example"})}
	steps := []struct {
		hour, minute int
		want         []string
		next, until  time.Time
	}{
		{7, 30, []string{"games.example", "video.example"}, clock(8, 0), time.Time{}},
		{8, 0, []string{"games.example"}, clock(9, 0), clock(9, 0)},
		{9, 0, []string{"games.example", "video.example"}, time.Time{}, time.Time{}},
	}
	for _, step := range steps {
		at := clock(step.hour, step.minute)
		state := desired.For(snapshot, laptop, at)
		if !catalog.Same(denied(t, state), step.want) || !state.Next.Equal(step.next) || !state.Settings[0].Until.Equal(step.until) {
			t.Errorf("%d:%02d: %v, next %s, until %s", step.hour, step.minute, denied(t, state), state.Next, state.Settings[0].Until)
		}
	}
}

func TestAPilotReachesItsGroupOnly(t *testing.T) {
	pilot := sticks(northern, "blocked", "")
	pilot.Pilot = "7b"
	snapshot := school([]desired.Policy{sticks(northern, "read-only", ""), pilot})
	if got, _ := effective(t, snapshot, monday); got.Value != "blocked" {
		t.Errorf("in the pilot group: %v", got.Value)
	}
	other := laptop
	other.Groups = []org.ID{"set-b"}
	if got := desired.For(snapshot, other, monday).Settings[0].Value; got != "read-only" {
		t.Errorf("outside of it: %v", got)
	}
}

func TestAPilotTriesWhatIsTakenAway(t *testing.T) {
	pilot := desired.Policy{Place: northern, Family: "usb-storage", Pilot: "7b"}
	snapshot := school([]desired.Policy{sticks(northern, "read-only", ""), pilot})
	if state := desired.For(snapshot, laptop, monday); len(state.Settings) != 0 {
		t.Errorf("in the pilot group: %+v", state.Settings)
	}
	other := laptop
	other.Groups = []org.ID{"set-b"}
	if got := desired.For(snapshot, other, monday).Settings[0].Value; got != "read-only" {
		t.Errorf("outside of it: %v", got)
	}
}

func TestWhatATabletCannotDoIsSaidAndNotSent(t *testing.T) {
	snapshot := school([]desired.Policy{sticks(authority, "blocked", ""), deny(org.Authority, "city", "games.example")})
	state := desired.For(snapshot, tablet, monday)
	for _, d := range state.Declarations {
		if d.Identifier == desired.ProfilePrefix+"usb-storage" {
			t.Error("an unsupervised tablet is offered what it would refuse")
		}
	}
	if state.Settings[0].Family != "usb-storage" || state.Settings[0].Missing != "supervision" {
		t.Errorf("nobody is told: %+v", state.Settings[0])
	}
	supervised := tablet
	supervised.Supervised = true
	if d := declaration(t, desired.For(snapshot, supervised, monday), desired.ProfilePrefix+"usb-storage"); d.Type != "com.apple.configuration.legacy" {
		t.Errorf("%+v", d)
	}
	if d := declaration(t, state, desired.ProfilePrefix+"webfilter"); len(d.Payload) == 0 {
		t.Errorf("%+v", d)
	}
}

// Without exceptions, nothing that a place below says makes a strictest field
// looser than any place above it asked for.
func TestNothingBelowLoosensWithoutAnException(t *testing.T) {
	family, _ := catalog.Find("usb-storage")
	access, _ := family.Field("access")
	places := []desired.Place{operator, authority, northern, class, set, own}
	rapid.Check(t, func(t *rapid.T) {
		var policies []desired.Policy
		for _, place := range places {
			if rapid.Bool().Draw(t, "says") {
				policies = append(policies, sticks(place, rapid.SampledFrom(access.Choices).Draw(t, "access"), rapid.SampledFrom([]desired.Hold{desired.Standard, desired.Locked, desired.Free}).Draw(t, "hold")))
			}
		}
		state := desired.For(school(policies), laptop, monday)
		if len(policies) == 0 {
			return
		}
		holds := state.Settings[0].Value
		locked := false
		for _, policy := range policies {
			if !locked && access.Looser(holds, policy.Settings["access"]) {
				t.Fatalf("%v holds, %s asked for %v", holds, policy.Level, policy.Settings["access"])
			}
			locked = locked || policy.Holds["access"] == desired.Locked
		}
		if len(state.Settings[0].From) != len(policies) {
			t.Fatalf("%d places said something, %d are named", len(policies), len(state.Settings[0].From))
		}
	})
}
