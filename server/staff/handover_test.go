package staff_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"schulwart.org/server/ids"
	"schulwart.org/server/may"
	"schulwart.org/server/staff"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// What somebody made and has yet to hand over outlives the process, for its few
// minutes, for nobody else, and readable nowhere.
func TestACodeIsHandedOverAfterARestart(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx, h := context.Background(), build(t, s)
		made, err := h.Invite(ctx, h.admin, staff.Invitation{Name: "Frau Neu", Login: "neu@example.org", Role: may.Teacher, Branch: h.a})
		if err != nil {
			t.Fatal(err)
		}
		if err := h.HandOver(ctx, h.admin, made, true); err != nil {
			t.Fatal(err)
		}
		if kept := storetest.Ask(t, s, `SELECT sealed FROM handovers`); kept == "" || strings.Contains(kept, made.Code) {
			t.Errorf("kept as %q", kept)
		}
		after := staff.New(s, ids.New)
		after.Now = h.Now
		kept, err := after.Handover(ctx, h.admin, made.Person.ID)
		if err != nil || kept == nil {
			t.Fatalf("after a restart: %v, %v", kept, err)
		}
		want := staff.Handover{Invite: true, Name: "Frau Neu", Login: "neu@example.org", Code: made.Code, Until: made.Until, Mailed: true}
		if kept.Until = kept.Until.UTC(); *kept != want {
			t.Errorf("handed over %+v, want %+v", *kept, want)
		}
		if other, err := after.Handover(ctx, h.operator, made.Person.ID); other != nil || err != nil {
			t.Errorf("somebody else sees %v, %v", other, err)
		}
		h.at = h.at.Add(staff.HandOverTime)
		if late, err := after.Handover(ctx, h.admin, made.Person.ID); late != nil || err != nil {
			t.Errorf("ten minutes later: %v, %v", late, err)
		}
		if _, err := s.SweepSessions(ctx, h.at.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if n := storetest.Ask(t, s, `SELECT COUNT(*) FROM handovers`); n != "0" {
			t.Errorf("%s are kept for ever", n)
		}
	})
}

func TestATokenOfAProgramIsShownOnce(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx, h := context.Background(), build(t, s)
		token, _, err := h.CreateProgram(ctx, h.admin, "Stundenplan", []may.Grant{{Role: may.SchoolAdmin, Branch: h.a}}, 30)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.HandOverProgram(ctx, h.admin, token); err != nil {
			t.Fatal(err)
		}
		after := staff.New(s, ids.New)
		after.Now = h.Now
		if shown, err := after.TakeProgram(ctx, h.admin); err != nil || shown != token {
			t.Errorf("after a restart: %q, %v", shown, err)
		}
		if again, err := h.TakeProgram(ctx, h.admin); err != nil || again != "" {
			t.Errorf("a second time: %q, %v", again, err)
		}
	})
}
