package reconcile_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/agent/reconcile"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

func take(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAModeHoldsFromItsStartToItsEnd(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("a", 1, lease.Offline, 10*time.Minute, 55*time.Minute)))
	d.wantReach(enforce.Open)
	d.wantPhase("a", ddm.LeaseWaiting)
	if deny := d.network().Deny; len(deny) != 1 || deny[0] != "bad.example" {
		t.Errorf("base filter is %v", deny)
	}
	d.pass(10 * time.Minute)
	d.wantReach(enforce.Never)
	d.wantPhase("a", ddm.LeaseActive)
	if got := d.network(); !got.Until.Equal(monday.Add(55*time.Minute)) || got.Release != 45*time.Minute {
		t.Errorf("the rules last until %v, for %v", got.Until, got.Release)
	}
	if lines := d.desks[catalog.Browser].rules.Notice.Lines; len(lines) != 1 || !strings.Contains(lines[0], "bis 10:55 Uhr ausgeschaltet") {
		t.Errorf("the pupil reads %q", lines)
	}
	d.pass(45*time.Minute - time.Second)
	d.wantReach(enforce.Never)
	d.pass(time.Second)
	d.wantReach(enforce.Open)
	d.wantPhase("a", ddm.LeaseEnded)
}

func TestAbsenceFromTheManifestNeverEndsALease(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("a", 1, lease.Offline, 0, 45*time.Minute)))
	take(t, d.offer())
	d.wantReach(enforce.Never)
	d.reboot(time.Minute)
	d.wantReach(enforce.Never)
	d.pass(45 * time.Minute)
	d.wantReach(enforce.Open)
}

func TestARebootDoesNotFree(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("a", 1, lease.Offline, 0, 45*time.Minute)))
	d.pass(10 * time.Minute)
	d.reboot(5 * time.Minute)
	d.wantReach(enforce.Never)
	if left := d.network().Release; left != 30*time.Minute {
		t.Errorf("%v left, want 30m", left)
	}
	d.pass(30 * time.Minute)
	d.wantReach(enforce.Open)
}

func TestARebootWithAnEmptyClockBatteryHoldsForWhatWasLeft(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("a", 1, lease.Offline, 0, 45*time.Minute)))
	d.pass(10 * time.Minute)
	d.host.MoveWall(-24 * 365 * time.Hour)
	d.reboot(time.Minute)
	d.wantReach(enforce.Never)
	d.pass(34 * time.Minute)
	d.wantReach(enforce.Never)
	// The last checkpoint may be ten seconds old when the power goes.
	d.pass(time.Minute + 10*time.Second)
	d.wantReach(enforce.Open)
}

func TestFridaysModeDoesNotHoldOnMonday(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("a", 1, lease.Offline, 0, 45*time.Minute)))
	d.reboot(3 * 24 * time.Hour)
	d.wantReach(enforce.Open)
	d.wantPhase("a", ddm.LeaseEnded)
}

func TestALeaseHoldsAgainWhenTheServerSaysThatTheClockWasAhead(t *testing.T) {
	d := newDevice(t)
	ended := d.lease("c", 1, lease.Focus, 0, 45*time.Minute)
	take(t, d.offer(d.lease("a", 1, lease.Offline, 0, 45*time.Minute), d.lease("b", 1, lease.Screen, 0, 12*time.Minute), ended))
	take(t, d.offer(ended.End(monday)))
	d.pass(10 * time.Minute)
	d.host.MoveWall(24 * time.Hour)
	d.reboot(time.Minute)
	d.wantReach(enforce.Open)
	d.wantPhase("a", ddm.LeaseEnded)
	d.loop.Told(d.loop.Report())
	// Also after one more start without the server.
	d.reboot(time.Minute)
	d.loop.Confirm(monday.Add(20 * time.Minute))
	d.wantReach(enforce.Never)
	d.wantPhase("a", ddm.LeaseActive)
	d.wantPhase("b", ddm.LeaseEnded)
	d.wantPhase("c", ddm.LeaseEnded)
	if pending, _ := d.loop.Pending(); !pending {
		t.Error("the server does not hear that it holds again")
	}
	if status, _ := d.phase("c"); status.Reason == nil || status.Reason.Code != "ended.revision" {
		t.Errorf("what somebody ended is told as %+v", status)
	}
	d.pass(25 * time.Minute)
	d.wantReach(enforce.Open)
	d.wantPhase("a", ddm.LeaseEnded)
}

func TestACodeEndsForGoodWhateverTheClockSays(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("a", 1, lease.Offline, 0, 45*time.Minute)))
	if got := d.loop.Release(lease.ReleaseCode(secret, "a", monday), ""); got.Key != "release.done" {
		t.Fatal(got)
	}
	d.host.MoveWall(24 * time.Hour)
	d.reboot(time.Minute)
	d.loop.Confirm(monday.Add(10 * time.Minute))
	d.wantReach(enforce.Open)
	d.wantPhase("a", ddm.LeaseEnded)
}

func TestALeaseSweptByAClockThatWasAheadHoldsAgain(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("a", 1, lease.Offline, 0, 45*time.Minute)))
	d.pass(10 * time.Minute)
	d.host.MoveWall(24 * time.Hour)
	d.host.Reboot(time.Minute)
	if ids, err := reconcile.Sweep(t.Context(), d.memory, d.host, nil, reconcile.Speech{}); err != nil || len(ids) != 1 {
		t.Fatalf("swept %v: %v", ids, err)
	}
	d.start()
	d.wantReach(enforce.Open)
	d.loop.Confirm(monday.Add(20 * time.Minute))
	d.wantReach(enforce.Never)
}

func TestAnExamUsesUpItsTimeAfterAReboot(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("x", 1, lease.Exam, 0, 90*time.Minute)))
	d.pass(30 * time.Minute)
	d.host.MoveWall(5 * time.Hour)
	d.reboot(time.Minute)
	d.wantReach(enforce.Only)
	d.pass(59 * time.Minute)
	d.wantReach(enforce.Only)
	d.pass(2 * time.Minute)
	d.wantReach(enforce.Open)
}

func TestTheServersTimeEndsAnExamToo(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("x", 1, lease.Exam, 0, 90*time.Minute)))
	d.reboot(5 * time.Hour)
	d.wantReach(enforce.Only)
	d.loop.Confirm(monday.Add(5 * time.Hour))
	d.wantReach(enforce.Open)
}

func TestAnEarlyEndIsAHigherRevision(t *testing.T) {
	d := newDevice(t)
	first := d.lease("a", 1, lease.Offline, 0, 45*time.Minute)
	take(t, d.offer(first))
	d.pass(5 * time.Minute)
	take(t, d.offer(first.End(monday.Add(5*time.Minute))))
	d.wantReach(enforce.Open)
	d.wantPhase("a", ddm.LeaseEnded)
	take(t, d.offer(first))
	d.wantReach(enforce.Open)
	d.reboot(time.Minute)
	take(t, d.offer(first))
	d.wantReach(enforce.Open)
	take(t, d.offer(d.lease("a", 3, lease.Offline, 0, 55*time.Minute)))
	d.wantReach(enforce.Never)
}

func TestAReplayedOlderRevisionIsIgnored(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("a", 2, lease.Offline, 0, 30*time.Minute)))
	take(t, d.offer(d.lease("a", 1, lease.Offline, 0, 90*time.Minute)))
	if until := d.network().Until; !until.Equal(monday.Add(30 * time.Minute)) {
		t.Errorf("the older revision moved the end to %v", until)
	}
	states := d.loop.Report().Status.StatusItems.Management.Declarations.Configurations
	var told bool
	for _, s := range states {
		told = told || len(s.Reasons) == 1 && s.Reasons[0].Code == "lease.replayed"
	}
	if !told {
		t.Errorf("the replay is not told: %+v", states)
	}
}

func TestALeaseThatIsNotBelievedIsRefusedWithReason(t *testing.T) {
	d := newDevice(t)
	strange := *d
	strange.key.Private = append([]byte(nil), d.key.Private...)
	strange.key.Private[3] ^= 1
	other := d.lease("b", 1, lease.Offline, 0, time.Hour)
	other.Subject = "22222222-2222-4222-8222-222222222222"
	foreign := d.lease("c", 1, lease.Offline, 0, time.Hour)
	foreign.Issuer = "https://anderswo.example"
	long := d.lease("e", 1, lease.Offline, 0, 48*time.Hour)
	garbage := ddm.New(lease.DeclarationType, "org.schulwart.lease.f", map[string]string{"jws": "a.b.c"})
	unreadable := ddm.New(lease.DeclarationType, "org.schulwart.lease.g", []int{1})
	take(t, d.give(strange.declare(d.lease("a", 1, lease.Offline, 0, time.Hour)), d.declare(other), d.declare(foreign), d.declare(long), garbage, unreadable,
		d.declare(d.lease("ok", 1, lease.Sites, 0, time.Hour))))
	d.wantReach(enforce.Only)
	for id, want := range map[string]string{"a": "lease.signature", "b": "lease.subject", "c": "lease.issuer", "e": "lease.too-long", "f": "lease.signature"} {
		got, _ := d.phase(id)
		if got.Phase != ddm.LeaseRefused || got.Reason == nil || got.Reason.Code != want {
			t.Errorf("%s: %+v, want refused for %s", id, got, want)
		}
	}
	d.wantPhase("ok", ddm.LeaseActive)
}

func TestUnknownDeclarationsAreReportedAndTheRestHolds(t *testing.T) {
	d := newDevice(t)
	unknown := ddm.New("com.example.configuration.future", "future", map[string]int{"a": 1})
	take(t, d.give(unknown, d.declare(d.lease("a", 1, lease.Offline, 0, time.Hour))))
	d.wantReach(enforce.Never)
	for _, s := range d.loop.Report().Status.StatusItems.Management.Declarations.Configurations {
		if s.Identifier == "future" && (s.Valid != ddm.Unknown || s.Active || s.Reasons[0].Code != "declaration.unsupported") {
			t.Errorf("unknown type is reported as %+v", s)
		}
	}
}

func TestAConfigurationWithoutActivationDoesNotHold(t *testing.T) {
	d := newDevice(t)
	set := []ddm.Declaration{d.declare(d.lease("a", 1, lease.Offline, 0, time.Hour)), ddm.Activate("org.schulwart.activation", nil)}
	take(t, d.loop.Take(ddm.ManifestOf(set), set))
	d.wantReach(enforce.Open)
}

func TestSetsAreSwappedOnlyWhenCompleteAndMatching(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("a", 1, lease.Offline, 0, time.Hour)))
	token, known := d.loop.Known()
	set := []ddm.Declaration{d.declare(d.lease("b", 1, lease.Screen, 0, time.Hour))}
	manifest := ddm.ManifestOf(set)
	changed := set[0]
	changed.ServerToken = "another"
	for name, wrong := range map[string][]ddm.Declaration{"missing": nil, "another version": {changed}, "too many": {set[0], changed}} {
		if err := d.loop.Take(manifest, wrong); !errors.Is(err, reconcile.ErrIncomplete) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if now, still := d.loop.Known(); now != token || len(still) != len(known) {
		t.Error("an incomplete set left a trace")
	}
}

func TestOfOneKindTheLatestStartRulesAndTheEarlierResumes(t *testing.T) {
	d := newDevice(t)
	first := d.lease("a", 1, lease.Sites, 0, time.Hour)
	second := d.lease("b", 1, lease.Sites, 10*time.Minute, 20*time.Minute)
	second.Rules.Sites = []string{"leo.org"}
	take(t, d.offer(first, second))
	d.pass(10 * time.Minute)
	d.wantPhase("a", ddm.LeaseCovered)
	if allow := d.network().Allow; len(allow) != 1 || allow[0] != "leo.org" {
		t.Errorf("allowed: %v", allow)
	}
	d.pass(10 * time.Minute)
	d.wantPhase("a", ddm.LeaseActive)
	if allow := d.network().Allow; len(allow) != 1 || allow[0] != "geogebra.org" {
		t.Errorf("allowed: %v", allow)
	}
}

func TestAFullDiskKeepsTheFormerSetAndSaysSo(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("a", 1, lease.Sites, 0, time.Hour)))
	d.host.Files.SetFull(true)
	if err := d.offer(d.lease("b", 1, lease.Offline, 0, time.Hour)); err == nil {
		t.Fatal("what could not be stored was accepted")
	}
	d.wantReach(enforce.Only)
	report := d.loop.Report().Status
	if len(report.Errors) != 1 || report.Errors[0].Reasons[0].Code != "memory.full" {
		t.Errorf("the server does not hear of it: %+v", report.Errors)
	}
	d.pass(time.Hour)
	d.wantReach(enforce.Open)
	d.host.Files.SetFull(false)
	take(t, d.offer(d.lease("c", 1, lease.Offline, time.Hour, 2*time.Hour)))
	d.wantReach(enforce.Never)
	if report := d.loop.Report().Status; len(report.Errors) != 0 {
		t.Errorf("still told: %+v", report.Errors)
	}
}

func TestKeysLearnNewKeys(t *testing.T) {
	d := newDevice(t)
	seeded := lease.SigningKey{ID: "k2", Private: newKey(9)}
	said, err := d.key.Announce(issuer, seeded.Public())
	if err != nil {
		t.Fatal(err)
	}
	announcement := ddm.New(lease.KeyDeclarationType, "org.schulwart.lease-key", lease.Announced{JWS: said})
	old := d.declare(d.lease("a", 1, lease.Sites, 0, time.Hour))
	d.key = seeded
	take(t, d.give(announcement, old, d.declare(d.lease("b", 1, lease.Offline, 0, time.Hour))))
	d.wantPhase("a", ddm.LeaseActive)
	d.wantPhase("b", ddm.LeaseActive)
	d.reboot(time.Minute)
	d.wantReach(enforce.Never)
}

func TestEndsAreToldBeforeAnythingElse(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("a", 1, lease.Offline, 0, 10*time.Minute)))
	d.loop.Told(d.loop.Report())
	if _, ends := d.loop.Pending(); ends {
		t.Error("an end is pending before there was one")
	}
	d.reboot(time.Hour)
	report := d.loop.Report()
	if any, ends := d.loop.Pending(); !any || !ends {
		t.Error("the end is not pending")
	}
	d.loop.Told(report)
	if any, ends := d.loop.Pending(); any || ends {
		t.Error("the end is pending although it was told")
	}
	d.wantPhase("a", ddm.LeaseEnded)
}

func TestWhatHappenedWhileAReportWasUnderWayIsToldNext(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("a", 1, lease.Offline, 0, 10*time.Minute)))
	report := d.loop.Report()
	d.pass(10 * time.Minute)
	d.loop.Told(report)
	if any, ends := d.loop.Pending(); !any || !ends {
		t.Error("the end got lost")
	}
}

func TestDiskFullAtTheEndFreesAllTheSame(t *testing.T) {
	d := newDevice(t)
	take(t, d.offer(d.lease("a", 1, lease.Offline, 0, 10*time.Minute)))
	d.host.Files.SetFull(true)
	d.pass(10 * time.Minute)
	d.wantReach(enforce.Open)
	d.wantPhase("a", ddm.LeaseEnded)
	if _, ends := d.loop.Pending(); !ends {
		t.Error("an end that no disk takes is not pending")
	}
	d.loop.Told(d.loop.Report())
	if _, ends := d.loop.Pending(); ends {
		t.Error("an end that no disk takes is told again and again")
	}
	if err := d.host.Files.Write("x", nil); !host.IsFull(err) {
		t.Fatal("the disk is not full")
	}
	d.host.Files.SetFull(false)
	d.reboot(time.Minute)
	d.wantReach(enforce.Open)
	d.wantPhase("a", ddm.LeaseEnded)
}
