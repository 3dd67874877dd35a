package ipad_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/mdm"
	"schulwart.org/server/e2e/ipad"
	"schulwart.org/server/lesson"
)

// deliver is what the job does every twenty seconds, with the push after it.
func (i *installation) deliver(d *ipad.IPad) {
	i.t.Helper()
	if err := i.Tablet.Deliver(context.Background()); err != nil {
		i.t.Fatal(err)
	}
	i.push(d)
}

// stopped is a server that ended between a mode's commit and its order.
type stopped struct{}

func (stopped) Prepare(context.Context, lesson.Lease) error { return errors.New("the server stopped") }
func (stopped) Install(context.Context, lesson.Lease) error { return errors.New("the server stopped") }
func (stopped) Remove(context.Context, lesson.Lease) error  { return errors.New("the server stopped") }

// unheard changes a mode while orders get lost.
func (i *installation) unheard(change func()) {
	working := i.Lessons.Tablets
	i.Lessons.Tablets = stopped{}
	change()
	i.Lessons.Tablets = working
}

func installs(d *ipad.IPad) int {
	n := 0
	for _, what := range d.Handled() {
		if what == mdm.RequestInstallProfile {
			n++
		}
	}
	return n
}

func profileOf(l lesson.Lease) string { return "org.schulwart.mode." + l.ID.String() }

func TestAPlannedModeReachesAnIPadWhenItBegins(t *testing.T) {
	i := install(t)
	d := i.enrol(true)
	mode, err := i.Lessons.Start(context.Background(), i.teacher, lesson.Request{Group: i.class, Kind: lease.Offline, Minutes: 45, Starts: i.now().Add(10 * time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	i.deliver(d)
	if installs(d) != 0 {
		t.Fatal("it came before its time")
	}
	i.move(10*time.Minute + time.Second)
	i.deliver(d)
	if _, ok := d.Profile(profileOf(i.line(mode).Lease)); !ok || i.line(mode).State != lesson.Active {
		t.Fatalf("the lesson runs and the board says %s %+v", i.line(mode).State, i.line(mode).Reason)
	}
	i.deliver(d)
	if installs(d) != 1 {
		t.Fatalf("sent %d times", installs(d))
	}
}

func TestAStartThatGotLostIsSent(t *testing.T) {
	i := install(t)
	d := i.enrol(true)
	var mode lesson.Mode
	i.unheard(func() { mode = i.start(lease.Sites, "geogebra.org") })
	i.push(d)
	if installs(d) != 0 {
		t.Fatal("this test loses nothing")
	}
	i.deliver(d)
	if _, ok := d.Profile(profileOf(i.line(mode).Lease)); !ok || i.line(mode).State != lesson.Active {
		t.Fatalf("the board says %s %+v", i.line(mode).State, i.line(mode).Reason)
	}
}

func TestAnEndThatGotLostIsSent(t *testing.T) {
	i := install(t)
	d := i.enrol(true)
	mode := i.start(lease.Sites, "geogebra.org")
	i.push(d)
	name := profileOf(i.line(mode).Lease)
	i.unheard(func() {
		if _, err := i.Lessons.End(context.Background(), i.teacher, mode.ID); err != nil {
			t.Fatal(err)
		}
	})
	if _, ok := d.Profile(name); !ok {
		t.Fatal("this test loses nothing")
	}
	i.deliver(d)
	if _, ok := d.Profile(name); ok || i.line(mode).State != lesson.Ended {
		t.Fatalf("the board says %s %+v", i.line(mode).State, i.line(mode).Reason)
	}
}

// The start waits in the queue when the end gets lost: the iPad takes the mode,
// says so, and is told of the end then.
func TestAnEndThatGotLostBehindAStart(t *testing.T) {
	i := install(t)
	d := i.enrol(true)
	mode := i.start(lease.Sites, "geogebra.org")
	i.unheard(func() {
		if _, err := i.Lessons.End(context.Background(), i.teacher, mode.ID); err != nil {
			t.Fatal(err)
		}
	})
	i.push(d)
	i.deliver(d)
	if _, ok := d.Profile(profileOf(i.line(mode).Lease)); ok || i.line(mode).State != lesson.Ended {
		t.Fatalf("the board says %s %+v", i.line(mode).State, i.line(mode).Reason)
	}
}

func TestOnlyTheLatestRevisionOfAModeIsSent(t *testing.T) {
	i := install(t)
	d := i.enrol(true)
	ctx := context.Background()
	mode := i.start(lease.Sites, "geogebra.org")
	longer, err := i.Lessons.Extend(ctx, i.teacher, mode.ID, 10)
	if err != nil {
		t.Fatal(err)
	}
	i.push(d)
	profile, ok := d.Profile(profileOf(i.line(mode).Lease))
	if !ok || !profile.RemovalDate.Equal(longer.Ends) || installs(d) != 1 {
		t.Fatalf("installed %d times, until %v", installs(d), profile.RemovalDate)
	}
	short := i.start(lease.Offline)
	if _, err := i.Lessons.End(ctx, i.teacher, short.ID); err != nil {
		t.Fatal(err)
	}
	i.push(d)
	if installs(d) != 1 || i.line(short).State != lesson.Ended {
		t.Fatalf("a mode that was over before anybody asked: installed %d times, the board says %s %+v", installs(d), i.line(short).State, i.line(short).Reason)
	}
}

// A locked iPad puts the start off; what it hears after unlocking is the end.
func TestAStartThatWasPutOffDoesNotComeAfterTheEnd(t *testing.T) {
	i := install(t)
	d := i.enrol(true)
	mode := i.start(lease.Sites, "geogebra.org")
	d.Lock(true)
	i.push(d)
	if _, err := i.Lessons.End(context.Background(), i.teacher, mode.ID); err != nil {
		t.Fatal(err)
	}
	d.Lock(false)
	i.move(time.Minute)
	i.push(d)
	if _, ok := d.Profile(profileOf(i.line(mode).Lease)); ok || i.line(mode).State != lesson.Ended {
		t.Fatalf("handled %s, the board says %s", strings.Join(d.Handled(), " "), i.line(mode).State)
	}
}

// An iPad that could not even read the order was asked again every 20 seconds.
func TestAnOrderThatTheIPadCannotReadIsNotSentForEver(t *testing.T) {
	i := install(t)
	d := i.enrol(true)
	ctx := context.Background()
	mode := i.start(lease.Sites, "geogebra.org")
	self := mdm.Enrollment{UDID: d.UDID}
	ask := func(said mdm.Result) mdm.Command {
		t.Helper()
		body, err := d.Send(ctx, said)
		if err != nil {
			t.Fatal(err)
		}
		if len(body) == 0 {
			return mdm.Command{}
		}
		order, err := mdm.ParseCommand(body)
		if err != nil {
			t.Fatal(err)
		}
		return order
	}
	i.move(time.Second)
	order := ask(mdm.Result{Enrollment: self, Status: mdm.Idle})
	if order.RequestType() != mdm.RequestInstallProfile {
		t.Fatalf("ordered %s", order.RequestType())
	}
	ask(mdm.Result{Enrollment: self, Status: mdm.CommandFormatError, CommandUUID: order.CommandUUID})
	if err := i.Tablet.Deliver(ctx); err != nil {
		t.Fatal(err)
	}
	i.move(time.Second)
	if order := ask(mdm.Result{Enrollment: self, Status: mdm.Idle}); order.CommandUUID != "" {
		t.Fatalf("ordered %s again", order.RequestType())
	}
	if line := i.line(mode); line.State != lesson.Deviating || line.Reason.Key != "profile.refused" {
		t.Fatalf("the board says %s %+v", line.State, line.Reason)
	}
}

// Whoever left gets nothing, and does not hold up the others.
func TestATabletThatLeftHoldsUpNoDelivery(t *testing.T) {
	i := install(t)
	d := i.enrol(true)
	ctx := context.Background()
	i.unheard(func() { i.start(lease.Sites, "geogebra.org") })
	if err := d.CheckOut(ctx); err != nil {
		t.Fatal(err)
	}
	if err := i.Tablet.Deliver(ctx); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(d.Handled(), mdm.RequestInstallProfile) {
		t.Fatal("it was told all the same")
	}
}

// A device out of use that never answers is shut out when its mode is over by
// itself; until then it may still be told.
func TestARetiredIPadIsToldOfTheEndAndThenShutOut(t *testing.T) {
	i := install(t)
	d := i.enrol(true)
	ctx := context.Background()
	mode := i.start(lease.Sites, "geogebra.org")
	i.push(d)
	line := i.line(mode)
	if _, err := i.Roster.RetireDevice(ctx, i.teacher, line.Device); err != nil {
		t.Fatal(err)
	}
	if until, err := i.Leave(ctx, i.teacher, line.Device); err != nil || until.Before(mode.Ends) {
		t.Fatalf("heard until %s, %v", until, err)
	}
	if err := i.Lessons.Settle(ctx, mode.Branch); err != nil {
		t.Fatal(err)
	}
	if err := i.Part(ctx); err != nil {
		t.Fatal(err)
	}
	i.push(d)
	if _, ok := d.Profile(profileOf(line.Lease)); ok {
		t.Fatal("still installed")
	}
	if err := i.Part(ctx); err != nil {
		t.Fatal(err)
	}
	i.move(time.Second)
	var refused ipad.Refused
	if err := d.Connect(ctx); !errors.As(err, &refused) || refused.Reason != mdm.RefusedRevoked {
		t.Fatalf("after the end was read back: %v", err)
	}
}

func TestARetiredIPadThatNeverAnswersIsShutOutWhenItsModeIsOver(t *testing.T) {
	i := install(t)
	d := i.enrol(true)
	ctx := context.Background()
	mode := i.start(lease.Sites, "geogebra.org")
	i.push(d)
	if _, err := i.Roster.RetireDevice(ctx, i.teacher, i.line(mode).Device); err != nil {
		t.Fatal(err)
	}
	i.move(mode.Ends.Sub(i.now()) + 2*time.Minute)
	if err := i.Part(ctx); err != nil {
		t.Fatal(err)
	}
	var refused ipad.Refused
	if err := d.Connect(ctx); !errors.As(err, &refused) || refused.Reason != mdm.RefusedRevoked {
		t.Fatalf("after the mode's end: %v", err)
	}
}
