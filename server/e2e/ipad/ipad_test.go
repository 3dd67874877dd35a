package ipad_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
	"schulwart.org/server/command"
	"schulwart.org/server/e2e/ipad"
	"schulwart.org/server/errs"
	"schulwart.org/server/gateway/gatewaytest"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

func link(url string) string {
	plain, _, _ := strings.Cut(url, "#")
	return plain
}

// fresh returns an iPad whose clock is the server's plus what ahead says.
func fresh(r *gatewaytest.Rig, n int) *ipad.IPad {
	return &ipad.IPad{
		UDID: fmt.Sprintf("00008020-%012d", n), Serial: fmt.Sprintf("DMPX%04d", n), Name: fmt.Sprint("iPad ", n), Supervised: true,
		Client: r.Client(), Now: r.Now, Authority: ipad.Trust(r.Enroll.CA()),
	}
}

func enrolled(t *testing.T, r *gatewaytest.Rig, n int) *ipad.IPad {
	t.Helper()
	d := fresh(r, n)
	if err := d.Enrol(context.Background(), link(r.Token(1).URL)); err != nil {
		t.Fatal(err)
	}
	return d
}

func deviceOf(t *testing.T, r *gatewaytest.Rig, d *ipad.IPad) org.ID {
	t.Helper()
	return org.ID(storetest.Ask(t, r.Store, `SELECT id FROM devices WHERE serial = $1`, d.Serial))
}

func send(t *testing.T, r *gatewaytest.Rig, d *ipad.IPad, c mdm.Command, expires time.Time) {
	t.Helper()
	if _, err := r.Commands.Send(context.Background(), command.Order{Authority: r.School.Authority, Device: deviceOf(t, r, d), Command: c, Expires: expires}); err != nil {
		t.Fatal(err)
	}
}

func modeProfile(t *testing.T, r *gatewaytest.Rig, id string, until time.Time) mdm.Command {
	t.Helper()
	p := mdm.NewProfile(id, "Internet aus")
	until = until.UTC().Truncate(time.Second)
	p.RemovalDate = &until
	p.Add("com.apple.webcontent-filter", "web", mdm.Payload{"FilterType": "BuiltIn"})
	data, err := mdm.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := r.Enroll.SignProfile(context.Background(), data)
	if err != nil {
		t.Fatal(err)
	}
	return mdm.InstallProfile(signed)
}

func TestTwentyIPadsOverHTTPS(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		r := gatewaytest.Start(t, s)
		token := r.Token(20)
		devices := make([]*ipad.IPad, 20)
		faults := make([]error, len(devices))
		var all sync.WaitGroup
		for i := range devices {
			devices[i] = fresh(r, i)
			all.Go(func() { faults[i] = devices[i].Enrol(ctx, link(token.URL)) })
		}
		all.Wait()
		if err := errors.Join(faults...); err != nil {
			t.Fatal(err)
		}
		for what, want := range map[string]string{
			`SELECT COUNT(*) FROM devices WHERE platform = 'ipados'`:        "20",
			`SELECT COUNT(*) FROM enrolments WHERE state = 'enrolled'`:      "20",
			`SELECT COUNT(*) FROM group_devices WHERE source = 'enrolment'`: "20",
			`SELECT uses FROM enrol_tokens`:                                 "20",
		} {
			if got := storetest.Ask(t, s, what); got != want {
				t.Errorf("%s: %s, want %s", what, got, want)
			}
		}
		if _, uses, err := r.Enroll.Token(ctx, r.Admin, token.ID); err != nil || len(uses) != 20 || uses[0].Serial == "" {
			t.Errorf("listed %d uses, %v", len(uses), err)
		}
		if err := fresh(r, 99).Enrol(ctx, link(token.URL)); err == nil {
			t.Error("a twenty-first came by a token for twenty")
		}
		end := r.Now().Add(45 * time.Minute)
		for _, d := range devices {
			send(t, r, d, modeProfile(t, r, "org.schulwart.mode.1", end), end)
			send(t, r, d, mdm.DeviceInformation(), time.Time{})
		}
		for i, d := range devices {
			all.Go(func() { faults[i] = d.Connect(ctx) })
		}
		all.Wait()
		if err := errors.Join(faults...); err != nil {
			t.Fatal(err)
		}
		for _, d := range devices {
			if got := strings.Join(d.Handled(), " "); got != "DeviceInformation DeclarativeManagement InstallProfile" {
				t.Errorf("%s handled %s", d.Name, got)
			}
			if _, ok := d.Profile("org.schulwart.mode.1"); !ok || d.Tokens() == "" {
				t.Errorf("%s has no mode, or no declarations", d.Name)
			}
		}
		if got := storetest.Ask(t, s, `SELECT COUNT(*) FROM enrolments WHERE supervised = TRUE`); got != "20" {
			t.Errorf("%s are known to be supervised", got)
		}
		r.Later(46 * time.Minute)
		for _, d := range devices {
			if _, ok := d.Profile("org.schulwart.mode.1"); ok {
				t.Errorf("%s still has its mode after its end", d.Name)
			}
		}
	})
}

func TestALockedIPadIsAskedAgainLater(t *testing.T) {
	r := gatewaytest.Start(t, storetest.Open(t))
	ctx := context.Background()
	d := enrolled(t, r, 1)
	if err := d.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	d.Lock(true)
	send(t, r, d, modeProfile(t, r, "org.schulwart.mode.1", r.Now().Add(time.Hour)), r.Now().Add(time.Hour))
	send(t, r, d, mdm.ProfileList(), time.Time{})
	if err := d.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(d.Handled(), " "); got != "DeviceInformation DeclarativeManagement InstallProfile ProfileList" {
		t.Fatalf("in one session: %s", got)
	}
	d.Lock(false)
	if err := d.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	if _, ok := d.Profile("org.schulwart.mode.1"); !ok {
		t.Fatal("the mode never came")
	}
}

func TestCheckOutEndsEverything(t *testing.T) {
	r := gatewaytest.Start(t, storetest.Open(t))
	ctx := context.Background()
	d := enrolled(t, r, 1)
	send(t, r, d, mdm.ProfileList(), time.Time{})
	if err := d.CheckOut(ctx); err != nil {
		t.Fatal(err)
	}
	if err := d.Connect(ctx); err != nil || len(d.Handled()) != 0 {
		t.Fatalf("handled %v after leaving, %v", d.Handled(), err)
	}
	_, err := r.Commands.Enqueue(ctx, command.Order{Authority: r.School.Authority, Device: deviceOf(t, r, d), Command: mdm.ProfileList()})
	if !errs.Is(err, errs.Conflict) {
		t.Fatalf("who queued was told: %v", err)
	}
	if err := d.Synchronize(ctx); !refused(err, mdm.RefusedLeft) {
		t.Fatalf("declarations after leaving: %v", err)
	}
}

func refused(err error, reason string) bool {
	var r ipad.Refused
	return errors.As(err, &r) && r.Status == http.StatusBadRequest && r.Reason == reason
}

func TestReenrolmentKeepsTheDeviceAndItsGroups(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		r := gatewaytest.Start(t, s)
		ctx := context.Background()
		first := enrolled(t, r, 1)
		device := deviceOf(t, r, first)
		send(t, r, first, mdm.ProfileList(), time.Time{})
		again := fresh(r, 1)
		again.UDID, again.Serial = first.UDID, strings.ToLower(first.Serial)
		if err := again.Enrol(ctx, link(r.Token(1).URL)); err != nil {
			t.Fatal(err)
		}
		if got := deviceOf(t, r, first); got != device || storetest.Ask(t, s, `SELECT COUNT(*) FROM devices`) != "1" {
			t.Fatalf("device %s became %s", device, got)
		}
		if err := again.Connect(ctx); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(again.Handled(), " "); got != "DeviceInformation DeclarativeManagement" {
			t.Fatalf("after enrolling anew: %s (the old queue must be gone, declarations sent again)", got)
		}
		if err := first.Connect(ctx); !refused(err, mdm.RefusedRevoked) {
			t.Fatalf("the former key: %v", err)
		}
	})
}

func TestAuthenticateClearsTheQueueInMidSession(t *testing.T) {
	r := gatewaytest.Start(t, storetest.Open(t))
	ctx := context.Background()
	d := enrolled(t, r, 1)
	send(t, r, d, mdm.ProfileList(), time.Time{})
	d.Name = "renamed" // the same message within the same second would be a replay
	if err := d.Authenticate(ctx); err != nil {
		t.Fatal(err)
	}
	if err := d.Connect(ctx); err != nil || len(d.Handled()) != 0 {
		t.Fatalf("between Authenticate and TokenUpdate: %v, %v", d.Handled(), err)
	}
	if err := d.TokenUpdate(ctx); err != nil {
		t.Fatal(err)
	}
	if err := d.Connect(ctx); err != nil || strings.Join(d.Handled(), " ") != "DeviceInformation DeclarativeManagement" {
		t.Fatalf("afterwards: %v, %v", d.Handled(), err)
	}
}
