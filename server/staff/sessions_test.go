package staff_test

import (
	"context"
	"testing"
	"time"

	"schulwart.org/server/may"
	"schulwart.org/server/staff"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// browser is one that remembers its cookie between requests.
type browser struct {
	t        *testing.T
	sessions *staff.Sessions
	token    string
}

// visit runs one request and saves the session as the middleware does.
func (b *browser) visit(do func(ctx context.Context)) {
	b.t.Helper()
	ctx, err := b.sessions.Load(b.t.Context(), b.token)
	if err != nil {
		b.t.Fatal(err)
	}
	do(ctx)
	b.token, _, err = b.sessions.Commit(ctx)
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) who() (id string) {
	b.t.Helper()
	b.visit(func(ctx context.Context) { id = b.sessions.Who(ctx).String() })
	return id
}

func (h *house) browse(t *testing.T, login string) *browser {
	t.Helper()
	b := &browser{t: t, sessions: staff.NewSessions(h.store, true, h.Now)}
	b.visit(func(ctx context.Context) { b.sessions.Put(ctx, "back", "/mein-tag") })
	before := b.token
	in, err := h.signIn(login, password)
	if err != nil {
		t.Fatal(err)
	}
	b.visit(func(ctx context.Context) {
		if err := b.sessions.Begin(ctx, in, staff.Client{Browser: "Firefox, Android", From: "192.0.2.1"}); err != nil {
			t.Fatal(err)
		}
	})
	if b.token == before {
		t.Error("signing in kept the token: who planted it is signed in too")
	}
	return b
}

func TestTeachersPhoneStaysSignedIn(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s)
		teacher := h.add(t, "Frau Oert", "oert@example.org", may.Grant{Role: may.Teacher, Branch: h.a})
		phone := h.browse(t, "oert@example.org")
		h.at = h.at.Add(29 * 24 * time.Hour)
		if phone.who() != teacher.ID.String() {
			t.Fatal("signed out after 29 days")
		}
		h.at = h.at.Add(25 * time.Hour)
		if phone.who() != "" {
			t.Error("still signed in after 30 days")
		}
	})
}

func TestOperatorsSessionEnds(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s)
		idle := h.browse(t, "olga@example.org")
		busy := h.browse(t, "olga@example.org")
		for range 12 {
			h.at = h.at.Add(50 * time.Minute)
			if busy.who() == "" {
				t.Fatal("signed out while working")
			}
		}
		if idle.who() != "" {
			t.Error("signed in after ten hours without a word")
		}
		for range 3 {
			h.at = h.at.Add(50 * time.Minute)
			busy.who()
		}
		if busy.who() != "" {
			t.Error("signed in after more than twelve hours")
		}
	})
}

// Seen: a teacher who became an administrator kept the thirty days of the phone.
func TestAWiderRoleEndsTheLongSessions(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx, h := t.Context(), build(t, s)
		teacher := h.add(t, "Frau Oert", "oert@example.org", may.Grant{Role: may.Teacher, Branch: h.a})
		phone := h.browse(t, "oert@example.org")
		elsewhere := h.a
		elsewhere.School = "another"
		if err := h.Give(ctx, h.operator, teacher.ID, may.Grant{Role: may.Teacher, Branch: elsewhere}); err != nil {
			t.Fatal(err)
		}
		if phone.who() == "" {
			t.Error("one more school as a teacher signed the phone out")
		}
		if err := h.Give(ctx, h.operator, teacher.ID, may.Grant{Role: may.SchoolAdmin, Branch: h.a}); err != nil {
			t.Fatal(err)
		}
		if phone.who() != "" {
			t.Error("the phone's thirty days go on with an administrator's rights")
		}
		again := h.browse(t, "oert@example.org")
		h.at = h.at.Add(25 * time.Hour)
		if again.who() != "" {
			t.Error("the new session has the old limits")
		}
	})
}

func TestSignOutEverywhere(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx, h := t.Context(), build(t, s)
		here, there := h.browse(t, "adam@example.org"), h.browse(t, "adam@example.org")
		list, err := h.Sessions(ctx, h.admin)
		if err != nil || len(list) != 2 || list[0].Browser != "Firefox, Android" {
			t.Fatalf("sessions %+v, %v", list, err)
		}
		var this string
		here.visit(func(ctx context.Context) { this = here.sessions.This(ctx) })
		if err := h.SignOutEverywhere(ctx, h.admin, this); err != nil {
			t.Fatal(err)
		}
		if here.who() == "" || there.who() != "" {
			t.Error("signing out elsewhere keeps this browser and no other")
		}
		third := h.browse(t, "adam@example.org")
		if err := h.ChangePassword(ctx, h.admin, this, "falsch geraten", "ein ganz neues"); key(err) != "staff.old_password_wrong" {
			t.Errorf("wrong old password: %v", err)
		}
		if err := h.ChangePassword(ctx, h.admin, this, password, "ein ganz neues"); err != nil {
			t.Fatal(err)
		}
		if here.who() == "" || third.who() != "" {
			t.Error("a new password signs the other browsers out")
		}
		if err := h.SetLocked(ctx, h.operator, h.admin.ID, true); err != nil {
			t.Fatal(err)
		}
		if here.who() != "" {
			t.Error("who is locked is still signed in")
		}
	})
}

func TestSecondFactorComesBeforeTheSession(t *testing.T) {
	h := build(t, storetest.Open(t))
	b := &browser{t: t, sessions: staff.NewSessions(h.store, false, h.Now)}
	person, err := h.Me(t.Context(), h.admin)
	if err != nil {
		t.Fatal(err)
	}
	b.visit(func(ctx context.Context) {
		if err := b.sessions.Begin(ctx, staff.SignedIn{Person: person, NeedsCode: true}, staff.Client{}); err != nil {
			t.Fatal(err)
		}
	})
	b.visit(func(ctx context.Context) {
		if b.sessions.Who(ctx) != "" || b.sessions.Pending(ctx) != h.admin.ID {
			t.Error("the password alone signed in")
		}
	})
	h.at = h.at.Add(11 * time.Minute)
	b.visit(func(ctx context.Context) {
		if b.sessions.Pending(ctx) != "" {
			t.Error("the second factor may come eleven minutes later")
		}
	})
}

func TestSweepSessions(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s)
		h.browse(t, "adam@example.org")
		if n, err := s.SweepSessions(t.Context(), h.at.Add(40*24*time.Hour)); err != nil || n < 1 {
			t.Errorf("swept %d, %v", n, err)
		}
	})
}
