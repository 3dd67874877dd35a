package exam_test

import (
	"strings"
	"testing"
	"time"

	"schulwart.org/server/exam"
	"schulwart.org/server/exam/agenda"
	"schulwart.org/server/may"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

const sheet = "Datum;Beginn;Ende;Klasse/Kurs;Fach;Art;Lehrkraft;Raum\n" +
	"30.11.2026;8:00 Uhr;9:30;10a;Mathematik;Klassenarbeit 2;Oert;Aula\n" +
	"01.12.2026;10:00;11:30;10a;Deutsch;Aufsatz;Brandt, Jan;\n" +
	"02.12.2026;8:00;9:30;10x;Physik;Test;Oert;\n" +
	"03.12.2026;8:00;9:30;10a;Chemie;Test;Niemand;\n" +
	"02.11.2026;8:00;9:30;10a;Latein;Test;Oert;\n"

func (h *house) file(text string) exam.ImportFile {
	return exam.ImportFile{School: h.school.ID, Name: "plan.csv", Data: []byte(text)}
}

// take imports a file and returns what it did.
func (h *house) take(who may.Actor, file exam.ImportFile) exam.ImportPlan {
	h.t.Helper()
	_, plan, err := h.PreviewFile(h.t.Context(), who, file)
	h.must(err)
	_, done, err := h.ApplyFile(h.t.Context(), who, file, plan.Token)
	h.must(err)
	if done.Token != plan.Token {
		h.t.Error("something else was done than was shown")
	}
	return done
}

func (h *house) exams() []exam.Exam {
	h.t.Helper()
	all, _, err := h.List(h.t.Context(), h.office, exam.Filter{})
	h.must(err)
	return all
}

func TestAPlanSaysWhichCalculatorMayBeUsed(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 1)
		const row = "Datum;Beginn;Ende;Klasse;Fach;Taschenrechner\n30.11.2026;8:00;9:30;10a;Mathematik;"
		kind := func() string { return h.exams()[0].Rules.Exam.Calculator }
		if plan := h.take(h.office, h.file(row+"WTR\n")); plan.Counts.Created != 1 || kind() != "scientific" {
			t.Fatalf("%+v %q", plan, kind())
		}
		changed := h.take(h.office, h.file(row+"CAS\n"))
		if changed.Counts.Updated != 1 || changed.Changes[0].Before.Calculator != "scientific" || changed.Changes[0].After.Calculator != "cas" || kind() != "cas" {
			t.Errorf("%+v %q", changed, kind())
		}
	})
}

func TestAPlanIsImportedOnce(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 1)
		plan := h.take(h.office, h.file(sheet))
		if plan.Counts != (exam.ImportCounts{Created: 2, Past: 1, Skipped: 2}) {
			t.Fatalf("%+v", plan.Counts)
		}
		if plan.Faults[0].Line != 4 || plan.Faults[0].Fault.Key != "exam_import.unknown_group" || plan.Faults[1].Fault.Key != "exam_import.unknown_teacher" {
			t.Errorf("%+v", plan.Faults)
		}
		all := h.exams()
		if len(all) != 2 || all[0].Name != "Mathematik, Klassenarbeit 2" || !all[0].Draft || all[0].Room != "Aula" || all[0].Invigilators[0].Staff != h.oert.ID || all[1].Invigilators[0].Staff != h.brandt.ID {
			t.Fatalf("%+v", all)
		}
		zone, err := time.LoadLocation("Europe/Berlin")
		h.must(err)
		if !all[0].Starts.Equal(time.Date(2026, 11, 30, 8, 0, 0, 0, zone)) {
			t.Errorf("by the clocks of the school: %s", all[0].Starts)
		}
		// A draft of which nobody said what is written with cannot begin.
		_, err = h.Start(t.Context(), h.office, all[0].ID)
		h.refused(err, "exam.draft_empty")
		if again := h.take(h.office, h.file(sheet)); again.Counts != (exam.ImportCounts{Same: 2, Past: 1, Skipped: 2}) {
			t.Errorf("the same again: %+v", again.Counts)
		}
		// What people changed here stays while the file says the same.
		update := all[0].Plan()
		update.Room, update.Rules, update.Draft = "R 204", h.plan().Rules, false
		_, err = h.Update(t.Context(), h.oert, all[0].ID, update)
		h.must(err)
		later := strings.Replace(sheet, "30.11.2026;8:00 Uhr;9:30", "30.11.2026;9:00;10:30", 1)
		changed := h.take(h.office, h.file(later))
		if changed.Counts.Updated != 1 || changed.Counts.Same != 1 || changed.Changes[0].Before.Room != "R 204" || changed.Changes[0].After.Room != "R 204" {
			t.Errorf("moved: %+v %+v", changed.Counts, changed.Changes)
		}
		moved, err := h.Find(t.Context(), h.office, all[0].ID)
		h.must(err)
		if moved.Draft || moved.Room != "R 204" || !moved.Starts.Equal(time.Date(2026, 11, 30, 9, 0, 0, 0, zone)) || len(h.exams()) != 2 {
			t.Errorf("%+v", moved)
		}
	})
}

func TestWhatIsGoneFromAPlanStaysUnlessDropped(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 1)
		ctx := t.Context()
		good := "Datum;Zeit;Klasse;Fach;Nr\n30.11.2026;8:00-9:30;10a;Mathe;1\n01.12.2026;8:00-9:30;10a;Deutsch;2\n02.12.2026;8:00-9:30;10a;Kunst;3\n"
		h.take(h.office, h.file(good))
		own := h.planned()
		less := "Datum;Zeit;Klasse;Fach;Nr\n30.11.2026;8:00-9:30;10a;Mathe;1\n02.12.2026;8:00-9:30;10a;Kunst;3\n"
		_, plan, err := h.PreviewFile(ctx, h.office, h.file(less))
		h.must(err)
		if len(plan.Missing) != 1 || plan.Missing[0].Name != "Deutsch" || plan.Counts.Removed != 0 {
			t.Fatalf("%+v %+v", plan.Missing, plan.Counts)
		}
		h.take(h.office, h.file(less))
		if len(h.exams()) != 4 {
			t.Errorf("%d examinations, want all four", len(h.exams()))
		}
		drop := h.file(less)
		drop.Drop = true
		if done := h.take(h.office, drop); done.Counts.Removed != 1 || len(h.exams()) != 3 {
			t.Errorf("dropped: %+v, %d left", done.Counts, len(h.exams()))
		}
		_, err = h.Find(ctx, h.office, own.ID)
		h.must(err)
		// With a row that cannot be read nothing is dropped: it may be any of them.
		broken := h.file("Datum;Zeit;Klasse;Fach;Nr\n30.11.2026;8:00-9:30;10a;Mathe;1\n02.12.2026;morgens;10a;Kunst;3\n03.12.2026;8:00-9:00;10a;Bio;4\n")
		broken.Drop = true
		if done := h.take(h.office, broken); done.Counts.Removed != 0 || len(done.Missing) != 1 {
			t.Errorf("with a fault: %+v %v", done.Counts, done.Missing)
		}
		// What people called off is not called back.
		for _, e := range h.exams() {
			if e.Name == "Mathe" {
				storetest.Exec(t, s, `UPDATE exams SET cancelled = 1 WHERE id = $1`, e.ID)
			}
		}
		if done := h.take(h.office, h.file(good)); done.Counts != (exam.ImportCounts{Created: 1, Same: 2}) {
			t.Errorf("after calling off: %+v", done.Counts)
		}
	})
}

func TestCalendarsAndWhoImports(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 1)
		ctx := t.Context()
		event := func(uid, from, text, more string) string {
			return "BEGIN:VEVENT\r\nUID:" + uid + "\r\nDTSTAMP:20261101T000000Z\r\nDTSTART;TZID=Europe/Berlin:" + from + "\r\nDURATION:PT90M\r\nSUMMARY:" + text + "\r\n" + more + "END:VEVENT\r\n"
		}
		calendar := func(events ...string) exam.ImportFile {
			return exam.ImportFile{School: h.school.ID, Name: "plan.ics", Data: []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//DE\r\n" + strings.Join(events, "") + "END:VCALENDAR\r\n"), Preset: "maths"}
		}
		first := calendar(event("a@x", "20261130T080000", "Mathe 10a", ""), event("b@x", "20261201T080000", "Deutsch", "CATEGORIES:10a\r\n"), event("c@x", "20261202T080000", "Kollegium", ""))
		done := h.take(h.oert, first)
		if done.Counts != (exam.ImportCounts{Created: 2, Skipped: 1}) || done.Faults[0].Fault.Key != "exam_import.no_group" {
			t.Fatalf("%+v %+v", done.Counts, done.Faults)
		}
		if all := h.exams(); all[0].Draft || len(all[0].Rules.Apps) == 0 || all[0].Branch.Group != h.class.ID {
			t.Errorf("with a preset it is no draft: %+v", all[0])
		}
		// Moved, renamed and called off: known by its UID.
		second := calendar(event("a@x", "20261207T080000", "Mathematik 10a", ""), event("b@x", "20261201T080000", "Deutsch", "CATEGORIES:10a\r\nSTATUS:CANCELLED\r\n"))
		if done := h.take(h.oert, second); done.Counts != (exam.ImportCounts{Updated: 1, Removed: 1}) {
			t.Errorf("%+v", done.Counts)
		}
		if all := h.exams(); len(all) != 1 || all[0].Name != "Mathematik 10a" {
			t.Errorf("%+v", all)
		}
		// A teacher plans for the own classes, the help desk and another school for none.
		other := calendar(event("z@x", "20261130T080000", "Bio 10a", ""))
		_, plan, err := h.PreviewFile(ctx, h.adler, other)
		h.must(err)
		if len(plan.Faults) != 1 || plan.Faults[0].Fault.Key != "exam.not_yours" {
			t.Errorf("somebody else's class: %+v", plan)
		}
		_, _, err = h.PreviewFile(ctx, h.desk, other)
		h.refused(err, "denied")
		_, _, err = h.PreviewFile(ctx, h.stranger, other)
		h.refused(err, "not_found")
	})
}

func TestStepsOfAnImport(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s, 1)
		ctx := t.Context()
		text := "Wann;Von;Wer;Was\n30.11.2026;8:00;10a;Mathe\n"
		imp, err := h.BeginImport(ctx, h.office, h.file(text))
		h.must(err)
		h.refused(h.MapImport(ctx, h.office, imp.ID, imp.Columns, 0, ""), "exam_import.needs_name")
		columns := []agenda.Field{agenda.Date, agenda.Start, agenda.Group, agenda.Name}
		h.refused(h.MapImport(ctx, h.office, imp.ID, columns, 0, "nothing"), "exam_import.no_preset")
		h.must(h.MapImport(ctx, h.office, imp.ID, columns, 45, "writing"))
		_, plan, err := h.PreviewImport(ctx, h.office, imp.ID)
		h.must(err)
		if plan.Counts.Created != 1 || len(h.exams()) != 0 {
			t.Fatalf("%+v, %d made by a preview", plan.Counts, len(h.exams()))
		}
		_, err = h.ApplyImport(ctx, h.office, imp.ID, false, "another")
		h.refused(err, "exam_import.changed")
		_, err = h.Import(ctx, h.oert, imp.ID)
		h.refused(err, "not_found")
		done, err := h.ApplyImport(ctx, h.office, imp.ID, false, plan.Token)
		h.must(err)
		if done.State != exam.ImportDone || len(h.exams()) != 1 {
			t.Errorf("%+v", done)
		}
		_, err = h.ApplyImport(ctx, h.office, imp.ID, false, plan.Token)
		h.refused(err, "import.over")
		if kept := storetest.Ask(t, s, `SELECT content FROM exam_imports`); kept != "" {
			t.Errorf("the file is kept: %s", kept)
		}
		// The next file with the same columns is understood.
		next, err := h.BeginImport(ctx, h.office, h.file(text))
		h.must(err)
		if next.Columns[3] != agenda.Name || next.Columns[0] != agenda.Date {
			t.Errorf("%v", next.Columns)
		}
		h.must(h.DropImport(ctx, h.office, next.ID))
		_, _, err = h.PreviewImport(ctx, h.office, next.ID)
		h.refused(err, "import.over")
	})
}
