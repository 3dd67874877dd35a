package reconcile_test

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/memory"
	"schulwart.org/agent/reconcile"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

// newExaminee is a device with everything that an examination takes hold of, and
// a base policy of its own for USB.
func newExaminee(t testing.TB) *device {
	d := newDevice(t)
	d.desks[catalog.Session], d.desks["usb-storage"] = &desk{}, &desk{}
	d.start()
	return d
}

func (d *device) exam(rev int, from, until time.Duration, what lease.Examination) lease.Lease {
	l := d.lease("e", rev, lease.Exam, from, until)
	l.Rules.Exam = &what
	return l
}

// hand gives the device examinations beside its base policy.
func (d *device) hand(leases ...lease.Lease) error {
	set := []ddm.Declaration{ddm.New(catalog.USBStorage.Type(), catalog.USBStorage.Identifier(), map[string]any{"access": "read-only"})}
	for _, l := range leases {
		set = append(set, d.declare(l))
	}
	return d.give(set...)
}

func (d *device) usb() string { return d.desks["usb-storage"].rules.Base["usb-storage"].Text("access") }

// covered reports whether the screen waits for a code.
func (d *device) covered() bool {
	screen := d.desks[catalog.Screen].rules.Screen
	return screen != nil && screen.Code
}

// locked returns what of an examination stands on the device.
func (d *device) locked() (all, any bool) {
	parts := []bool{d.network().Reach != enforce.Open, d.usb() == "blocked", d.desks[catalog.Session].rules.Exam != nil, d.desks[catalog.Apps].rules.Apps != nil}
	return !slices.Contains(parts, false), slices.Contains(parts, true) || d.covered()
}

func (d *device) wantLocked(want bool) {
	d.t.Helper()
	if all, some := d.locked(); want && !all || !want && some {
		d.t.Errorf("locked is %v %v, want %v; network %q, USB %q", all, some, want, d.network().Reach, d.usb())
	}
}

// deeds are the lines of the log that were not acknowledged yet.
func (d *device) deeds() (deeds []ddm.Deed) {
	for _, line := range d.wire().Sealed {
		deeds = append(deeds, line.What)
	}
	return deeds
}

func TestAnExamNarrowsFamiliesAndTheBasePolicyStandsAfterwards(t *testing.T) {
	d := newExaminee(t)
	take(t, d.hand(d.exam(1, time.Minute, time.Hour, lease.Examination{Title: "Mathe", Page: "https://geogebra.org/x"})))
	d.wantLocked(false)
	if d.usb() != "read-only" {
		t.Fatalf("before: USB is %q", d.usb())
	}
	d.pass(2 * time.Minute)
	d.wantLocked(true)
	if exam := d.desks[catalog.Session].rules.Exam; exam.Title != "Mathe" || exam.By != "Frau Oert" || !exam.Until.Equal(monday.Add(time.Hour)) || exam.Waits {
		t.Errorf("the session was told %+v", exam)
	}
	d.pass(time.Hour)
	d.wantLocked(false)
	if d.usb() != "read-only" {
		t.Errorf("after: USB is %q", d.usb())
	}
	d.wantPhase("e", ddm.LeaseEnded)
	if got, want := d.deeds(), []ddm.Deed{ddm.DeedArmed, ddm.DeedStarted, ddm.DeedActive, ddm.DeedEnded}; !slices.Equal(got, want) {
		t.Errorf("the log says %v, want %v", got, want)
	}
}

func TestWhatAnExamOpensStaysAsTheBasePolicyHasIt(t *testing.T) {
	d := newExaminee(t)
	take(t, d.hand(d.exam(1, 0, time.Hour, lease.Examination{USB: true})))
	if d.usb() != "read-only" || d.desks[catalog.Session].rules.Exam == nil {
		t.Errorf("USB is %q", d.usb())
	}
}

// What a new revision opens reaches every part that has to do with it, though the
// list of programs is the same.
func TestARevisionOfAnExamReachesThePrograms(t *testing.T) {
	d := newExaminee(t)
	take(t, d.hand(d.exam(1, 0, time.Hour, lease.Examination{})))
	take(t, d.hand(d.exam(2, 0, time.Hour, lease.Examination{Capture: true})))
	for _, part := range []catalog.Part{catalog.Apps, catalog.Session, catalog.Browser} {
		if exam := d.desks[part].rules.Exam; exam == nil || !exam.Capture {
			t.Errorf("%s was told %+v", part, exam)
		}
	}
	sets := d.desks[catalog.Apps].sets
	d.pass(10 * time.Minute)
	if d.desks[catalog.Apps].sets != sets {
		t.Error("programs are set again and again")
	}
}

// The log proves when it began: within the second, with no server, by the clock
// that nobody can move.
func TestTheLogProvesTheStartWithoutAServer(t *testing.T) {
	d := newExaminee(t)
	take(t, d.hand(d.exam(1, 10*time.Minute, time.Hour, lease.Examination{})))
	d.unplugged = true
	d.host.MoveWall(-3 * time.Hour)
	d.pass(12 * time.Minute)
	for _, line := range d.wire().Sealed {
		if line.What != ddm.DeedStarted {
			continue
		}
		if late := line.At.Sub(monday.Add(10 * time.Minute)); late < 0 || late > time.Second {
			t.Errorf("it began %s late", late)
		}
		return
	}
	t.Error("the log has no start")
}

// Whose browser crashed lost time as much as whose laptop did.
func TestTheTimeWithoutThePageIsTold(t *testing.T) {
	d := newExaminee(t)
	desk := d.desks[catalog.Session]
	desk.without = "session.opening"
	take(t, d.hand(d.exam(1, 0, time.Hour, lease.Examination{})))
	d.pass(time.Minute)
	desk.without = ""
	d.pass(time.Minute)
	if d.events(ddm.EventExamLost) != 0 {
		t.Fatal("opening the page for the first time is told as lost")
	}
	away := func(reason string, long time.Duration) {
		desk.without = reason
		d.pass(long)
		desk.without = ""
		d.pass(time.Minute)
	}
	away("session.closed", 4*time.Minute)
	away("session.nobody", 2*time.Minute)
	desk.without = "session.behind"
	d.pass(2 * time.Hour)
	var told []string
	for _, e := range d.wire().Events {
		if e.Key == ddm.EventExamLost {
			told = append(told, e.Args["cause"])
			if s, err := strconv.Atoi(e.Args["seconds"]); err != nil || s < 110 || s > 50*60 { // ten minutes had passed before the last
				t.Errorf("told: %v", e.Args)
			}
		}
	}
	if want := []string{"browser", "browser", "browser"}; !slices.Equal(told, want) {
		t.Errorf("told as lost: %v", told)
	}
	if deeds := d.deeds(); slices.Index(deeds, ddm.DeedAway) < 0 {
		t.Errorf("the log says %v", deeds)
	}
}

func TestAfterARestartTheScreenWaitsForTheResumeCode(t *testing.T) {
	d := newExaminee(t)
	take(t, d.hand(d.exam(1, 0, time.Hour, lease.Examination{Resume: true})))
	code := func(n int) string { return lease.PreparedCode(secret, "e", lease.UseResume, n) }
	d.wantOutcome(code(1), "", "release.not-waiting")
	d.start()
	if d.covered() {
		t.Fatal("a restart of the agent alone covers the screen")
	}
	d.pass(5 * time.Minute)
	d.reboot(time.Minute)
	d.wantLocked(true)
	if !d.covered() || !d.desks[catalog.Session].rules.Exam.Waits {
		t.Fatal("the screen is not covered")
	}
	d.start()
	d.start()
	if d.events(ddm.EventExamWaits) != 1 {
		t.Error("that it waits is not told once")
	}
	d.wantOutcome("1111 1111", "", "release.wrong")
	d.pass(2 * time.Minute)
	d.wantOutcome(lease.ShowCode(code(1)), "", "release.resumed")
	d.wantLocked(true)
	if d.covered() {
		t.Fatal("the screen is covered still")
	}
	if d.events(ddm.EventExamResumed) != 1 || d.events(ddm.EventExamLost) != 1 {
		t.Errorf("events: %+v", d.wire().Events)
	}
	d.start()
	if d.covered() {
		t.Fatal("what was let go on is asked again")
	}
	d.reboot(0)
	d.wantOutcome(code(1), "", "release.used")
	if !d.covered() {
		t.Fatal("the same code serves twice")
	}
	d.wantOutcome(code(2), "", "release.resumed")
	d.reboot(0)
	d.pass(time.Hour)
	d.wantLocked(false)
}

func TestTheServerLetsAnExamGoOn(t *testing.T) {
	d := newExaminee(t)
	take(t, d.hand(d.exam(1, 0, time.Hour, lease.Examination{Resume: true})))
	d.reboot(0)
	take(t, d.hand(d.exam(2, 0, time.Hour, lease.Examination{})))
	d.wantLocked(true)
	if d.covered() || !slices.Contains(d.deeds(), ddm.DeedResumed) {
		t.Errorf("covered; the log says %v", d.deeds())
	}
}

func TestAPreparedReleaseCodeServesOnce(t *testing.T) {
	d := newExaminee(t)
	take(t, d.hand(d.exam(1, 0, time.Hour, lease.Examination{Resume: true})))
	code := lease.PreparedCode(secret, "e", lease.UseRelease, 3)
	d.wantOutcome(code, "", "release.done")
	d.wantLocked(false)
	take(t, d.hand(d.exam(2, 0, 2*time.Hour, lease.Examination{}))) // given before the server heard of it
	d.wantLocked(false)
	take(t, d.hand(d.exam(102, 0, time.Hour, lease.Examination{})))
	d.reboot(0)
	d.wantOutcome(code, "", "release.used")
	d.wantLocked(true)
	for _, line := range d.wire().Sealed {
		if line.What == ddm.DeedReleased && line.Args["number"] != "3" {
			t.Errorf("the log says %v", line.Args)
		}
	}
	take(t, d.offer(d.lease("o", 1, lease.Offline, 0, time.Hour)))
	d.wantOutcome(lease.PreparedCode(secret, "o", lease.UseRelease, 1), "o", "release.wrong")
}

// A dead agent leaves ports closed; the sweep opens them, and sets nothing that no
// examination is about.
func TestTheSweepGivesBackWhatAnExamClosed(t *testing.T) {
	d := newExaminee(t)
	take(t, d.hand(d.exam(1, 0, 20*time.Minute, lease.Examination{})))
	d.wantLocked(true)
	d.host.Advance(30 * time.Minute)
	m, err := memory.Open(d.host.Files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reconcile.Sweep(context.Background(), m, d.host, d.drivers(), reconcile.Speech{}); err != nil {
		t.Fatal(err)
	}
	d.wantLocked(false)
	if d.usb() != "read-only" {
		t.Errorf("USB is %q", d.usb())
	}
}

// choosy is a driver that knows beforehand that it cannot.
type choosy struct{ driver }

func (choosy) Rehearse(rules enforce.Rules) *enforce.Reading {
	if rules.Apps == nil || !slices.Contains(rules.Apps.Allow, "geogebra") {
		return nil
	}
	return &enforce.Reading{State: ddm.PartDeviating, Reason: &ddm.Reason{Code: "app-missing", Details: map[string]string{"app": "GeoGebra"}}}
}

func TestAnExamThatWaitsIsRehearsed(t *testing.T) {
	d := newExaminee(t)
	apps := choosy{driver{catalog.Apps, d.desks[catalog.Apps]}}
	d.loop = reconcile.New(reconcile.Config{Memory: d.memory, Clock: d.host, Drivers: []enforce.Driver{apps}, Secret: secret, Version: "test", Inline: true})
	take(t, d.hand(d.exam(1, 10*time.Minute, time.Hour, lease.Examination{})))
	sets := d.desks[catalog.Apps].sets
	status, _ := d.phase("e")
	if status.Phase != ddm.LeaseWaiting || len(status.Parts) != 1 || status.Parts[0].Name != "apps" || status.Parts[0].Reason.Details["app"] != "GeoGebra" {
		t.Errorf("a dry run found %+v", status)
	}
	if d.desks[catalog.Apps].sets != sets || d.desks[catalog.Apps].rules.Apps != nil {
		t.Error("the dry run set something")
	}
	d.pass(11 * time.Minute)
	if status, _ := d.phase("e"); status.Phase != ddm.LeaseActive || status.Parts[0].Name != "network" {
		t.Errorf("in force it says %+v", status)
	}
}

func TestALostConnectionIsInTheLog(t *testing.T) {
	d := newExaminee(t)
	take(t, d.hand(d.exam(1, 0, time.Hour, lease.Examination{})))
	d.unplugged = true
	d.pass(90 * time.Second)
	d.start()
	d.unplugged = false
	d.pass(time.Minute)
	got := d.deeds()
	want := []ddm.Deed{ddm.DeedArmed, ddm.DeedStarted, ddm.DeedActive, ddm.DeedOffline, ddm.DeedRestarted, ddm.DeedActive, ddm.DeedOnline}
	if !slices.Equal(got, want) {
		t.Errorf("the log says %v, want %v", got, want)
	}
}

func TestARaisedHandIsToldOnceAndStaysUpOverARestart(t *testing.T) {
	d := newExaminee(t)
	if got := d.loop.Hand(true).Key; got != "hand.nothing" {
		t.Errorf("without an examination: %s", got)
	}
	take(t, d.hand(d.exam(1, 0, time.Hour, lease.Examination{})))
	for range 3 {
		if got := d.loop.Hand(true).Key; got != "hand.up" {
			t.Errorf("raised: %s", got)
		}
	}
	if n := d.events(ddm.EventExamHand); n != 1 {
		t.Errorf("told %d times", n)
	}
	d.start()
	d.loop.Tick()
	if !d.loop.Status().Hand {
		t.Error("a restart took the hand down")
	}
	if got := d.loop.Hand(false).Key; got != "hand.down" || d.loop.Status().Hand || d.events(ddm.EventExamHandDown) != 1 {
		t.Errorf("taken down: %s", got)
	}
	if got := d.loop.Hand(true).Key; got != "hand.soon" {
		t.Errorf("raised again at once: %s", got)
	}
	d.pass(20 * time.Second)
	if got := d.loop.Hand(true).Key; got != "hand.up" || d.events(ddm.EventExamHand) != 2 {
		t.Errorf("raised again later: %s", got)
	}
	for _, event := range d.wire().Events {
		if event.Key == ddm.EventExamHand && event.Args["lease"] != "e" {
			t.Errorf("told of %v", event.Args)
		}
	}
	d.pass(time.Hour)
	if d.loop.Status().Hand {
		t.Error("the hand is up after the examination")
	}
}
