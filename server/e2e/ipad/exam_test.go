package ipad_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
	"schulwart.org/server/exam"
)

const geogebra = "org.geogebra.graphing"

// write prepares an examination of an hour that begins in ten minutes.
func (i *installation) write(rules lease.Examination) exam.Exam {
	i.t.Helper()
	starts := i.now().Add(10 * time.Minute)
	e, err := i.Exams.Create(context.Background(), i.teacher, exam.Plan{Name: "Mathe", Group: i.class, Starts: starts, Ends: starts.Add(time.Hour), Rules: lease.Rules{Exam: &rules}})
	if err != nil {
		i.t.Fatal(err)
	}
	return e
}

// place returns how the only device stands in the examination.
func (i *installation) place(id org.ID) exam.Place {
	i.t.Helper()
	board, err := i.Exams.Board(context.Background(), i.teacher, id)
	if err != nil || len(board.Places) != 1 {
		i.t.Fatalf("%d places, %v", len(board.Places), err)
	}
	return board.Places[0]
}

func (i *installation) blockers(id org.ID) (keys []string) {
	i.t.Helper()
	_, ready, err := i.Exams.Readiness(context.Background(), i.teacher, id)
	if err != nil {
		i.t.Fatal(err)
	}
	for _, r := range ready {
		for _, b := range r.Blockers {
			keys = append(keys, b.Key)
		}
	}
	return keys
}

func payload(p mdm.Profile, kind string) mdm.Payload {
	at := slices.IndexFunc(p.PayloadContent, func(c mdm.Payload) bool { return c["PayloadType"] == kind })
	if at < 0 {
		return nil
	}
	return p.PayloadContent[at]
}

// Look, then lock: an iPad is asked for the app days before, locked to it at the
// beginning, and free at the end without the server.
func TestAnExamOnAnIPadIsLookedForThenLockedAndLeavesByItself(t *testing.T) {
	i := install(t)
	d := i.enrol(true)
	d.Put(geogebra)
	e := i.write(lease.Examination{TabletApp: geogebra, Aids: []string{"reader"}})
	if got := i.blockers(e.ID); !slices.Contains(got, "not_asked") && !slices.Contains(got, "by_push") {
		t.Errorf("before it was asked: %v", got)
	}
	i.push(d)
	if got := i.place(e.ID); got.Standing != exam.SeatArmed {
		t.Fatalf("asked, it stands as %s %s", got.Standing, got.Reason)
	}
	name := "org.schulwart.mode." + i.place(e.ID).Line.Lease.String()
	i.deliver(d)
	if _, ok := d.Profile(name); ok {
		t.Fatal("locked before the beginning")
	}
	i.move(10*time.Minute + time.Second)
	if got := i.place(e.ID); got.Standing != exam.SeatNotReady || got.Reason != "push_waits" {
		t.Errorf("before it confirmed the beginning: %s %s", got.Standing, got.Reason)
	}
	i.deliver(d)
	profile, ok := d.Profile(name)
	if !ok || !profile.RemovalDate.Equal(e.Ends) {
		t.Fatalf("locked %v until %v, the exam ends %v", ok, profile.RemovalDate, e.Ends)
	}
	app, _ := payload(profile, "com.apple.app.lock")["App"].(map[string]any)
	aids, _ := app["UserEnabledOptions"].(map[string]any)
	if app["Identifier"] != geogebra || aids["VoiceOver"] != true || aids["Zoom"] != false {
		t.Errorf("locked to %v", app)
	}
	if got := i.place(e.ID); got.Standing != exam.SeatInExam {
		t.Errorf("locked, it stands as %s %s", got.Standing, got.Reason)
	}
	longer, err := i.Exams.Extend(context.Background(), i.teacher, e.ID, 10)
	if err != nil {
		t.Fatal(err)
	}
	i.push(d)
	if profile, _ := d.Profile(name); !profile.RemovalDate.Equal(longer.End(i.now())) {
		t.Errorf("ten minutes more did not arrive: %v", profile.RemovalDate)
	}
	i.move(longer.End(i.now()).Sub(i.now()) + time.Second) // and the server is not asked
	if _, ok := d.Profile(name); ok {
		t.Error("the exam outlived its end")
	}
	if d.Stranded() {
		t.Error("it was locked to an app that it has not")
	}
}

// Failure story 14: the lock came before the app, and the iPad was of no use.
func TestAnIPadIsNeverLockedToAnAppThatItHasNot(t *testing.T) {
	i := install(t)
	d := i.enrol(true)
	e := i.write(lease.Examination{TabletApp: geogebra})
	i.push(d)
	if got := i.place(e.ID); got.Standing != exam.SeatNotReady || got.Reason != "not_possible.app_missing" || got.Args["app"] != geogebra {
		t.Fatalf("without the app it stands as %s %s %v", got.Standing, got.Reason, got.Args)
	}
	if got := i.blockers(e.ID); !slices.Contains(got, "not_possible.app_missing") {
		t.Errorf("the list says %v", got)
	}
	i.move(11 * time.Minute)
	i.deliver(d)
	if got := strings.Join(d.Handled(), " "); strings.Contains(got, "InstallProfile") {
		t.Fatalf("handled %s", got)
	}
	d.Put(geogebra) // late, and begun all the same
	if err := i.Tablet.Ask(context.Background()); err != nil {
		t.Fatal(err)
	}
	i.push(d)
	if got := i.place(e.ID); got.Standing != exam.SeatInExam || d.Stranded() {
		t.Errorf("with the app it stands as %s %s, stranded: %v", got.Standing, got.Reason, d.Stranded())
	}
}

func TestAnExamOnAPageAndOneThatLocksItselfReachAnIPad(t *testing.T) {
	for name, rules := range map[string]lease.Examination{
		"page":   {Page: "https://moodle.example/klausur"},
		"itself": {Page: "https://moodle.example/klausur", TabletApp: "org.safeexambrowser.ipad", SelfLock: true},
	} {
		t.Run(name, func(t *testing.T) {
			i := install(t)
			d := i.enrol(true)
			d.Put("org.safeexambrowser.ipad")
			e := i.write(rules)
			i.push(d)
			i.move(11 * time.Minute)
			i.deliver(d)
			profile, ok := d.Profile("org.schulwart.mode." + i.place(e.ID).Line.Lease.String())
			if !ok {
				t.Fatal("never installed")
			}
			limits := payload(profile, "com.apple.applicationaccess")
			permitted, _ := limits["autonomousSingleAppModePermittedAppIDs"].([]any)
			if locked := payload(profile, "com.apple.app.lock") != nil; locked == rules.SelfLock || rules.SelfLock != (len(permitted) == 1) {
				t.Errorf("locked: %v, permitted to lock itself: %v", locked, permitted)
			}
			if limits["allowSpellCheck"] != false || limits["allowScreenShot"] != false || limits["allowEraseContentAndSettings"] != false {
				t.Errorf("aids and ways out: %v", limits)
			}
			if _, err := i.Exams.End(context.Background(), i.teacher, e.ID); err != nil {
				t.Fatal(err)
			}
			i.push(d)
			if got := i.place(e.ID); got.Standing != exam.SeatEnded {
				t.Errorf("ended, it stands as %s %s", got.Standing, got.Reason)
			}
			if _, ok := d.Profile("org.schulwart.mode." + i.place(e.ID).Line.Lease.String()); ok {
				t.Error("still locked")
			}
		})
	}
}

func TestAnUnsupervisedIPadIsNamedBeforeTheExam(t *testing.T) {
	i := install(t)
	d := i.enrol(false)
	e := i.write(lease.Examination{Page: "https://moodle.example/klausur"})
	i.push(d)
	if got := i.blockers(e.ID); !slices.Contains(got, "not_possible.supervision") {
		t.Errorf("the list says %v", got)
	}
	if got := i.place(e.ID); got.Standing != exam.SeatNotReady || got.Reason != "not_possible.supervision" {
		t.Errorf("it stands as %s %s", got.Standing, got.Reason)
	}
}
