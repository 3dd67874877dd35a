package app

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/config"
	"schulwart.org/server/errs"
	"schulwart.org/server/exam"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
)

// What is planned for next week arms itself a day before, and what is kept of it
// goes when its time has come: both by the clock alone, in the product as it is put
// together.
func TestTheClockArmsExaminationsAndDeletesTheirEvidence(t *testing.T) {
	ctx := t.Context()
	at := time.Date(2026, 11, 16, 8, 0, 0, 0, time.UTC)
	c := &config.Serve{Data: t.TempDir(), Listen: "127.0.0.1:0", DeviceListen: "127.0.0.1:0", Timezone: "Europe/Berlin"}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(c.Settle())
	log := slog.New(slog.DiscardHandler)
	a, err := New(ctx, Options{Config: c, Log: log, Now: func() time.Time { return at }})
	must(err)
	t.Cleanup(func() { _ = a.Store.Close() })
	boss := may.Actor{ID: "system:test", Name: "Test", Grants: []may.Grant{{Role: may.Operator}}, Via: "cli"}
	city, err := a.Roster.CreateAuthority(ctx, boss, "Musterstadt", "")
	must(err)
	school, err := a.Roster.CreateSchool(ctx, boss, city.ID, "Goethe-Gymnasium", "")
	must(err)
	name, kind := "10a", org.Class
	class, err := a.Roster.CreateGroup(ctx, boss, school.ID, roster.GroupUpdate{Name: &name, Kind: &kind})
	must(err)
	starts := at.AddDate(0, 0, 7)
	planned, err := a.Exams.Create(ctx, boss, exam.Plan{
		Name: "Mathematik", Group: class.ID, Starts: starts, Ends: starts.Add(time.Hour), Rules: lease.Rules{Exam: &lease.Examination{Page: "https://moodle.example"}},
	})
	must(err)
	run := func(name string) {
		t.Helper()
		i := slices.IndexFunc(a.jobs(), func(j job) bool { return j.name == name })
		if i < 0 {
			t.Fatalf("there is no job %s", name)
		}
		runJob(context.WithoutCancel(ctx), a.jobs()[i], a.Store, time.UTC, a.Now, log)
	}
	state := func() exam.State {
		t.Helper()
		found, err := a.Exams.Find(ctx, boss, planned.ID)
		must(err)
		return found.State(at)
	}
	run("exams")
	if got := state(); got != exam.Planned {
		t.Errorf("a week before: %s", got)
	}
	at = starts.Add(-20 * time.Hour)
	run("exams")
	if got := state(); got != exam.Armed {
		t.Errorf("the day before: %s", got)
	}
	at = starts.AddDate(0, 0, 500)
	run("exam-evidence")
	if _, err := a.Exams.Find(ctx, boss, planned.ID); !errs.Is(err, errs.NotFound) {
		t.Errorf("after its time: %v", err)
	}
}
