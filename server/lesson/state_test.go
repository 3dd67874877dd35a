package lesson_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/server/lesson"
)

var (
	here  = lesson.Contact{Connected: true, Seen: bell}
	away  = lesson.Contact{Seen: bell.Add(-3 * time.Minute)}
	never = lesson.Contact{}
)

func part(name string, state ddm.PartState, code string) ddm.Part {
	p := ddm.Part{Name: name, State: state, Since: bell}
	if code != "" {
		p.Reason = &ddm.Reason{Code: code, Details: map[string]string{"browser": "Firefox"}}
	}
	return p
}

// base is an offline lease of 45 minutes, two minutes old.
func base() lesson.Lease {
	return lesson.Lease{
		ID: "l", Kind: lease.Offline, Rev: 1, Starts: bell.Add(-2 * time.Minute), Ends: bell.Add(43 * time.Minute), KeepUntil: bell.Add(44 * time.Minute), Since: bell.Add(-2 * time.Minute),
	}
}

// Every sentence that a tile may say, and when. Nothing is claimed that the
// device did not read back.
func TestStateOf(t *testing.T) {
	type change func(*lesson.Lease)
	delivered := func(rev int) change { return func(l *lesson.Lease) { l.DeliveredRev = rev } }
	said := func(rev int, phase ddm.LeasePhase, parts ...ddm.Part) change {
		return func(l *lesson.Lease) {
			l.DeliveredRev, l.ReportedRev, l.Phase, l.Parts = max(l.DeliveredRev, rev), rev, phase, parts
		}
	}
	why := func(code string) change {
		return func(l *lesson.Lease) { l.PhaseReason = &ddm.Reason{Code: code} }
	}
	revised := func(rev int) change { return func(l *lesson.Lease) { l.Rev = rev } }
	fresh := func(l *lesson.Lease) { l.Since = bell.Add(-time.Second) }
	over := func(l *lesson.Lease) { l.Ends = bell.Add(-time.Minute); l.KeepUntil = bell }
	justOver := func(l *lesson.Lease) { l.Ends = bell.Add(-lesson.Patience / 2); l.KeepUntil = bell }
	endedEarly := func(l *lesson.Lease) { l.Rev, l.Ends = 2, bell.Add(-time.Second) }
	kind := func(k lease.Kind) change { return func(l *lesson.Lease) { l.Kind = k } }
	network, browser := part("network", ddm.PartOK, ""), part("browser", ddm.PartOK, "")

	cases := []struct {
		name    string
		changes []change
		contact lesson.Contact
		state   lesson.State
		reason  string
	}{
		// planned: signed, not yet on the device
		{"granted a moment ago, device in contact", []change{fresh}, here, lesson.Planned, "on_its_way"},
		{"begins later", []change{func(l *lesson.Lease) { l.Starts = bell.Add(time.Hour); l.Ends = bell.Add(2 * time.Hour) }}, here, lesson.Planned, "starts_later"},
		{"a new end is on its way to a device in contact", []change{said(1, ddm.LeaseActive, network), revised(2), fresh}, here, lesson.Planned, "on_its_way"},

		// delivered: fetched, not read back
		{"fetched, nothing read back yet", []change{delivered(1)}, here, lesson.Delivered, "not_read_back"},
		{"on the device, begins later", []change{said(1, ddm.LeaseWaiting)}, here, lesson.Delivered, "armed"},
		{"in force, but the network part is still being set", []change{said(1, ddm.LeaseActive, part("network", ddm.PartPending, ""), browser)}, here, lesson.Delivered, "not_read_back"},
		{"a new end was fetched, not read back", []change{said(1, ddm.LeaseActive, network), revised(2), delivered(2)}, here, lesson.Delivered, "not_read_back"},

		// active: network and screen were read back
		{"read back", []change{said(1, ddm.LeaseActive, network, browser)}, here, lesson.Active, ""},
		{"repaired after somebody changed it", []change{said(1, ddm.LeaseActive, part("network", ddm.PartRepaired, ""), browser)}, here, lesson.Active, "part_repaired"},
		{"the browser restarts soon", []change{said(1, ddm.LeaseActive, network, part("browser", ddm.PartPending, "browser_restarts"))}, here, lesson.Active, "browser_restarts"},
		{"the browser part deviates, which is a detail", []change{said(1, ddm.LeaseActive, network, part("browser", ddm.PartDeviating, ""))}, here, lesson.Active, "part_deviating"},
		{"the browser cannot be told, which is a detail", []change{said(1, ddm.LeaseActive, network, part("browser", ddm.PartNotPossible, ""))}, here, lesson.Active, "part_not-possible"},
		{"another lease of its kind rules", []change{said(1, ddm.LeaseCovered)}, here, lesson.Active, "covered"},
		{"read back, then the cable was pulled: it keeps its word", []change{said(1, ddm.LeaseActive, network)}, away, lesson.Active, "held_without_contact"},
		{"a higher revision than ours was read back", []change{said(3, ddm.LeaseActive, network)}, here, lesson.Active, ""},

		// deviating: read back, and not as wanted
		{"the network part deviates", []change{said(1, ddm.LeaseActive, part("network", ddm.PartDeviating, "part.timeout"), browser)}, here, lesson.Deviating, "part.timeout"},
		{"the network part deviates, and contact is lost", []change{said(1, ddm.LeaseActive, part("network", ddm.PartDeviating, "part.timeout"))}, away, lesson.Deviating, "part.timeout"},
		{"this desktop cannot be covered", []change{kind(lease.Screen), said(1, ddm.LeaseActive, part("screen", ddm.PartNotPossible, "screen.wayland"))}, here, lesson.Deviating, "screen.wayland"},
		{"programs cannot be held on this system", []change{kind(lease.Focus), said(1, ddm.LeaseActive, part("apps", ddm.PartNotPossible, ""))}, here, lesson.Deviating, "part_not-possible"},
		{"the device does not believe it", []change{said(1, ddm.LeaseRefused), why("signature")}, here, lesson.Deviating, "signature"},

		// unreachable
		{"out of reach since before it began", nil, away, lesson.Unreachable, "not_received"},
		{"seemed in contact, but did not come for two minutes", nil, here, lesson.Unreachable, "no_answer"},
		{"never seen at all", nil, never, lesson.Unreachable, "not_received"},
		{"fetched, then silent", []change{delivered(1)}, away, lesson.Unreachable, "no_answer"},
		{"parts pending, then silent", []change{said(1, ddm.LeaseActive, part("network", ddm.PartPending, ""))}, away, lesson.Unreachable, "no_answer"},
		{"ten minutes more did not reach it", []change{said(1, ddm.LeaseActive, network), revised(2)}, away, lesson.Unreachable, "old_revision"},
		{"ten minutes more did not reach it, covered", []change{said(1, ddm.LeaseCovered), revised(2)}, away, lesson.Unreachable, "old_revision"},
		{"ten minutes more did not reach it, fetched only", []change{delivered(1), revised(2)}, away, lesson.Unreachable, "old_revision"},
		{"resumed, but it had ended and is away", []change{said(2, ddm.LeaseEnded), revised(3)}, away, lesson.Unreachable, "not_received"},

		// the end
		{"ended with a release code", []change{said(1, ddm.LeaseEnded), why("ended.code")}, here, lesson.Ended, "ended.code"},
		{"ended with a release code, no reason given", []change{said(1, ddm.LeaseEnded)}, away, lesson.Ended, "released"},
		{"past its end, read back", []change{said(1, ddm.LeaseEnded), over}, here, lesson.Ended, ""},
		{"past its end, never fetched", []change{over}, away, lesson.Ended, "never_received"},
		{"just past its end, not read back, in contact", []change{said(1, ddm.LeaseActive, network), justOver}, here, lesson.Delivered, "ending"},
		{"past its end, not read back, in contact as it seems", []change{said(1, ddm.LeaseActive, network), over}, here, lesson.Unreachable, "should_have_ended"},
		{"refused, though its revision is not believed either", []change{delivered(1), said(0, ddm.LeaseRefused), why("lease.signature")}, here, lesson.Deviating, "lease.signature"},
		{"past its end, not read back, out of contact", []change{said(1, ddm.LeaseActive, network), over}, away, lesson.Unreachable, "should_have_ended"},
		{"past its end, fetched and silent", []change{delivered(1), over}, away, lesson.Unreachable, "should_have_ended"},
		{"past its end, being taken back", []change{said(1, ddm.LeaseEnding, part("network", ddm.PartPending, "")), justOver, fresh}, here, lesson.Delivered, "ending"},
		{"past its end, being taken back for too long", []change{said(1, ddm.LeaseEnding, part("network", ddm.PartPending, "")), over}, here, lesson.Deviating, "not_released"},
		{"past its end, being taken back, then silent", []change{said(1, ddm.LeaseEnding, part("network", ddm.PartPending, "")), justOver, fresh}, away, lesson.Unreachable, "not_released"},
		{"past its end, and it cannot be taken back", []change{said(1, ddm.LeaseEnding, part("network", ddm.PartDeviating, "part.driver-error")), justOver, fresh}, here, lesson.Deviating, "part.driver-error"},
		{"ended with a release code, being taken back", []change{said(1, ddm.LeaseEnding, part("network", ddm.PartPending, "")), fresh}, here, lesson.Delivered, "ending"},
		{"ended with a release code, and it cannot be taken back", []change{kind(lease.Screen), said(1, ddm.LeaseEnding, part("screen", ddm.PartDeviating, "screen.still"))}, here, lesson.Deviating, "screen.still"},
		{"ended early, the device was taking back by its own clock meanwhile", []change{said(1, ddm.LeaseEnding, part("network", ddm.PartPending, "")), endedEarly, fresh}, here, lesson.Delivered, "ending"},
		{"past its end, read back, and the browser restarts soon", []change{said(1, ddm.LeaseEnded, part("browser", ddm.PartPending, "browser_restarts")), over}, here, lesson.Ended, "browser_restarts"},
		{"ten minutes more did not reach it, for it was ending", []change{said(1, ddm.LeaseEnding, part("network", ddm.PartPending, "")), revised(2)}, away, lesson.Unreachable, "not_received"},
		{"ended early, on its way", []change{said(1, ddm.LeaseActive, network), endedEarly}, here, lesson.Delivered, "ending"},
		{"ended early, but the device is away and holds on", []change{said(1, ddm.LeaseActive, network), endedEarly}, away, lesson.Unreachable, "end_not_received"},
		{"ended early, fetched, then silent", []change{said(1, ddm.LeaseActive, network), endedEarly, delivered(2)}, away, lesson.Unreachable, "should_have_ended"},
		{"ended early, the device ended by its own clock meanwhile", []change{said(1, ddm.LeaseEnded), endedEarly, over}, away, lesson.Ended, ""},
		{"extended after it ended, fetched again, silent", []change{said(1, ddm.LeaseEnded), revised(2), delivered(2), over}, away, lesson.Unreachable, "should_have_ended"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := base()
			for _, change := range c.changes {
				change(&l)
			}
			state, reason, _ := lesson.StateOf(l, c.contact, bell)
			if state != c.state || reason.Key != c.reason {
				t.Errorf("%s %q, want %s %q", state, reason.Key, c.state, c.reason)
			}
		})
	}
}

func TestAStateSaysSinceWhen(t *testing.T) {
	l := base()
	if _, _, since := lesson.StateOf(l, away, bell); !since.Equal(away.Seen) {
		t.Errorf("out of reach since %s, last seen %s", since, away.Seen)
	}
	l.DeliveredRev, l.ReportedRev, l.Phase, l.Since = 1, 1, ddm.LeaseActive, bell.Add(-time.Minute)
	if _, _, since := lesson.StateOf(l, here, bell); !since.Equal(l.Since) {
		t.Errorf("active since %s, read back %s", since, l.Since)
	}
	l.Rev, l.Ends = 2, bell
	_, reason, _ := lesson.StateOf(l, away, bell)
	if reason.Key != "end_not_received" || reason.Args["until"] != bell.Add(43*time.Minute).Format(time.RFC3339) {
		t.Errorf("holds on until %v, but it was granted until 09:33", reason.Args)
	}
}

func TestAPartSpeaksInItsOwnWords(t *testing.T) {
	l := base()
	l.DeliveredRev, l.ReportedRev, l.Phase = 1, 1, ddm.LeaseActive
	l.Parts = []ddm.Part{part("network", ddm.PartOK, ""), part("browser", ddm.PartPending, "browser_restarts")}
	_, reason, _ := lesson.StateOf(l, here, bell)
	if reason.Key != "browser_restarts" || reason.Args["part"] != "browser" || reason.Args["browser"] != "Firefox" {
		t.Errorf("%+v", reason)
	}
}

// The two laws of the board, for whatever a device says or does not say: active
// is never claimed without a read-back of the revision that counts, and past its
// end a lease is never active.
func TestNothingIsClaimedThatIsNotKnown(t *testing.T) {
	phases := []ddm.LeasePhase{"", ddm.LeaseWaiting, ddm.LeaseActive, ddm.LeaseCovered, ddm.LeaseEnding, ddm.LeaseEnded, ddm.LeaseRefused}
	states := []ddm.PartState{ddm.PartOK, ddm.PartRepaired, ddm.PartPending, ddm.PartDeviating, ddm.PartNotPossible}
	rapid.Check(t, func(t *rapid.T) {
		l := base()
		l.Kind = rapid.SampledFrom(lease.Kinds).Draw(t, "kind")
		l.Rev = rapid.IntRange(1, 3).Draw(t, "rev")
		l.Phase = rapid.SampledFrom(phases).Draw(t, "phase")
		if l.Phase != "" {
			l.ReportedRev = rapid.IntRange(1, 3).Draw(t, "reported")
		}
		l.DeliveredRev = max(l.ReportedRev, rapid.IntRange(0, 3).Draw(t, "delivered"))
		decisive := map[lease.Kind]string{lease.Screen: "screen", lease.Focus: "apps"}[l.Kind]
		if decisive == "" {
			decisive = "network"
		}
		read := rapid.SampledFrom(states).Draw(t, "read")
		l.Parts = []ddm.Part{part(decisive, read, ""), part("browser", rapid.SampledFrom(states).Draw(t, "browser"), "")}
		at := bell.Add(time.Duration(rapid.IntRange(-10, 60).Draw(t, "at")) * time.Minute)
		contact := rapid.SampledFrom([]lesson.Contact{here, away, never}).Draw(t, "contact")

		state, reason, _ := lesson.StateOf(l, contact, at)
		switch {
		case state == lesson.Active && !at.Before(l.Ends):
			t.Fatalf("active past its end: %s", reason.Key)
		case state == lesson.Active && (l.ReportedRev < l.Rev || l.Phase != ddm.LeaseActive && l.Phase != ddm.LeaseCovered):
			t.Fatalf("active without a read-back: reported %d of %d, %s", l.ReportedRev, l.Rev, l.Phase)
		case state == lesson.Active && l.Phase == ddm.LeaseActive && read != ddm.PartOK && read != ddm.PartRepaired:
			t.Fatalf("active although %s is %s", decisive, read)
		case state == lesson.Ended && l.Phase != ddm.LeaseEnded && l.DeliveredRev > 0:
			t.Fatal("ended, and the device never said so")
		case state == lesson.Planned && !contact.Connected:
			t.Fatal("on its way to a device that is away")
		case !contact.Connected && state == lesson.Delivered && reason.Key != "armed":
			t.Fatalf("waiting for a device that is away: %s", reason.Key)
		case state != lesson.Ended && state != lesson.Active && reason.Key == "":
			t.Fatalf("%s without a reason", state)
		}
	})
}

func TestCount(t *testing.T) {
	counts := lesson.Count([]lesson.DeviceMode{{State: lesson.Active}, {State: lesson.Active}, {State: lesson.Unreachable}})
	if counts[lesson.Active] != 2 || counts[lesson.Unreachable] != 1 || counts[lesson.Ended] != 0 {
		t.Errorf("%v", counts)
	}
}
