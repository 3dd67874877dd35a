package sample

import (
	"time"

	"github.com/a-h/templ"
	"schulwart.org/web"
)

func examRow(state web.ExamState) web.ExamRow {
	return web.ExamRow{ID: "e1", Name: "Mathematik, Klassenarbeit 2", State: state, Group: "10a", Room: "Aula", Starts: at(9, 20), Ends: at(10, 50), Lead: []string{"Frau Oert", "Herr Brandt"}}
}

// examAsking is a board on which the work was asked for a moment ago.
func examAsking(l web.ExamLive) web.ExamLive {
	l.Asking = &web.ExamAsking{At: now.Add(-time.Minute), All: 24, Received: 17}
	return l
}

func examRules() web.ExamRules {
	rules := web.ExamRules{Page: "https://moodle.goethe-gym.example/mathe", Sites: "moodle.goethe-gym.example\nwww.geogebra.org", Apps: []string{"GeoGebra"}, Versions: "GeoGebra 6.0\n", Message: "Viel Erfolg!", Resume: true, Collect: true, Every: 5}
	for _, name := range []string{"usb", "clipboard", "printing", "screens", "spelling", "assistants", "capture", "virtual"} {
		rules.Open = append(rules.Open, web.Option{Value: name, Chosen: name == "printing"})
	}
	for _, name := range []string{"reader", "magnifier", "contrast", "keyboard"} {
		rules.Aids = append(rules.Aids, web.Option{Value: name, Chosen: true})
	}
	for _, name := range []string{web.CalculatorUnsaid, "none", "basic", "scientific", "graphing", "cas"} {
		rules.Calculators = append(rules.Calculators, web.Option{Value: name, Chosen: name == "scientific"})
	}
	return rules
}

func examSeats() []web.ExamSeat {
	seats := []web.ExamSeat{
		{Device: "s1", Name: "Yuna I.", Tag: "MS-0414", Standing: "in_exam", Battery: 81, Seen: ago(3 * time.Second), Look: true, Waits: true, Lost: 2, Causes: []web.LostCause{{Cause: "restart", Minutes: 2}}},
		{Device: "s2", Name: "Jona P.", Tag: "MS-0407", Standing: "in_exam", Battery: 64, Seen: ago(2 * time.Second), Look: true, Hand: true},
		{Device: "s3", Name: "Ole G.", Tag: "MS-0419", Standing: "not_ready", Battery: -1, Seen: ago(40 * time.Minute), Look: true, Reason: because("not_there", "device", "")},
		{Device: "s4", Name: "Wim U.", Tag: "MS-0421", Standing: "left", Battery: 97, Seen: ago(5 * time.Minute), Reason: because("swapped", "device", "MS-0502")},
	}
	for i, name := range []string{"Ada B.", "Ben K.", "Cem A.", "Dana L.", "Elif S.", "Finn H.", "Greta M.", "Hanna R."} {
		seats = append(seats, web.ExamSeat{Device: "t" + name, Name: name, Tag: "MS-0430", Standing: "in_exam", Battery: 60 + 4*i, Seen: ago(time.Duration(i) * time.Second)})
	}
	return seats
}

func examLive(f web.Frame, state web.ExamState, seats ...web.ExamSeat) web.ExamLive {
	return web.ExamLive{Frame: f, ID: "e1", State: state, Starts: at(9, 20), Ends: at(10, 50), Leads: true, Seats: seats}
}

func examForm(f web.Frame) web.ExamFormPage {
	return web.ExamFormPage{
		Frame: teacher(f, web.NavExams), Name: "Mathematik, Klassenarbeit 2", Groups: []web.Option{{Value: "g10a", Label: "10a", Chosen: true}, {Value: "g9a", Label: "9a"}},
		Day: "2026-11-23", From: "09:20", To: "10:50", Room: "Aula", Preset: "maths",
		Presets:      []web.Option{{Value: "page"}, {Value: "writing"}, {Value: "maths", Chosen: true}, {Value: "calculator"}, {Value: "open_book"}},
		Invigilators: web.Picker{Name: "invigilator", Chosen: []web.Option{{Value: "p1", Label: "Frau Oert"}, {Value: "p2", Label: "Herr Brandt"}}},
		Who:          web.Picker{Name: "who", Query: "ma", Chosen: []web.Option{{Value: "p:1", Label: "Mara Q. · MS-0442"}}, Found: []web.Option{{Value: "p:2", Label: "Malte S. · MS-0443"}, {Value: "d:3", Label: "MS-0502"}}},
		Rules:        examRules(), Programs: []web.Option{{Value: "geogebra", Label: "GeoGebra", Chosen: true}, {Value: "writer", Label: "LibreOffice Writer"}},
	}
}

var exams = []Sample{
	{"exams", "Prüfungen", func(f web.Frame) templ.Component {
		later := examRow(web.ExamPlanned)
		later.ID, later.Name, later.Starts, later.Ends = "e2", "Physik, Nachschreibtermin", at(13, 0).AddDate(0, 0, 8), at(14, 0).AddDate(0, 0, 8)
		return web.Exams(web.ExamsPage{Frame: teacher(f, web.NavExams), MayPlan: true, Next: []web.ExamRow{examRow(web.ExamRunning), later}, Past: []web.ExamRow{{ID: "e0", Name: "Deutsch, Probe", State: web.ExamEnded, Group: "9a", Starts: ago(200 * time.Hour), Ends: ago(198 * time.Hour)}}})
	}},
	{"exams-empty", "Prüfungen", func(f web.Frame) templ.Component {
		return web.Exams(web.ExamsPage{Frame: teacher(f, web.NavExams), MayPlan: true})
	}},
	{"exam-form", "Prüfungen", func(f web.Frame) templ.Component {
		form := examForm(f)
		form.Preview = true
		return web.ExamForm(form)
	}},
	{"exam-form-fault", "Prüfungen", func(f web.Frame) templ.Component {
		form := examForm(f)
		form.ID, form.Who.Query, form.Who.Found, form.Draft, form.Problem = "e1", "xyz", nil, true, &web.Problem{Key: "exam.nothing_to_write", Field: "page"}
		return web.ExamForm(form)
	}},
	{"exam-form-no-class", "Prüfungen", func(f web.Frame) templ.Component {
		return web.ExamForm(web.ExamFormPage{Frame: teacher(f, web.NavExams)})
	}},
	{"exam-running", "Prüfungen", func(f web.Frame) templ.Component {
		f = teacher(f, web.NavExams)
		return web.ExamShow(web.ExamPage{Frame: f, Row: examRow(web.ExamRunning), Live: examAsking(examLive(f, web.ExamRunning, examSeats()...)), Rules: examRules(), Leads: true, MayEnd: true, Staff: []web.Option{{Value: "p3", Label: "Herr Adler"}}})
	}},
	{"exam-paused", "Prüfungen", func(f web.Frame) templ.Component {
		f = teacher(f, web.NavExams)
		live := examLive(f, web.ExamRunning, examSeats()[4:]...)
		live.Paused = ago(4 * time.Minute)
		return web.ExamShow(web.ExamPage{Frame: f, Row: examRow(web.ExamRunning), Live: live, Rules: examRules(), Leads: true, MayEnd: true, Problem: &web.Problem{Key: "exam.end_passed"}})
	}},
	{"exam-armed", "Prüfungen", func(f web.Frame) templ.Component {
		f = teacher(f, web.NavExams)
		seats := examSeats()
		for i := range seats {
			seats[i].Standing, seats[i].Look, seats[i].Waits, seats[i].Hand, seats[i].Lost, seats[i].Reason = "armed", false, false, false, 0, nil
		}
		seats[2].Standing, seats[2].Look, seats[2].Reason = "planned", false, because("on_its_way")
		live := examLive(f, web.ExamArmed, seats...)
		live.Starts, live.Ends = at(12, 0), at(13, 30)
		row := examRow(web.ExamArmed)
		row.Starts, row.Ends = live.Starts, live.Ends
		return web.ExamShow(web.ExamPage{Frame: f, Row: row, Live: live, Rules: examRules(), Leads: true, MayEnd: true, MayEdit: true, Staff: []web.Option{{Value: "p3", Label: "Herr Adler"}}})
	}},
	{"exam-rehearsal", "Prüfungen", func(f web.Frame) templ.Component {
		f = teacher(f, web.NavExams)
		live := examLive(f, web.ExamPlanned)
		live.Rehearsal = now.Add(8 * time.Minute)
		return web.ExamShow(web.ExamPage{Frame: f, Row: examRow(web.ExamPlanned), Live: live, Rules: examRules(), Leads: true, MayEnd: true, MayEdit: true})
	}},
	{"exam-last", "Prüfungen", func(f web.Frame) templ.Component {
		f = teacher(f, web.NavExams)
		live := examLive(f, web.ExamRunning, examSeats()[4:]...)
		live.Starts, live.Ends, live.Waiting = at(8, 0), at(9, 50), 2
		return web.ExamShow(web.ExamPage{Frame: f, Row: examRow(web.ExamRunning), Live: live, Rules: examRules()})
	}},
	{"exam-ended", "Prüfungen", func(f web.Frame) templ.Component {
		f = teacher(f, web.NavExams)
		return web.ExamShow(web.ExamPage{Frame: f, Row: examRow(web.ExamEnded), Live: examLive(f, web.ExamEnded), Rules: examRules(), Leads: true, MayEnd: true, MayEdit: true})
	}},
	{"exam-seat", "Prüfungen", func(f web.Frame) templ.Component {
		return web.ExamSeatShow(web.ExamSeatPage{Frame: teacher(f, web.NavExams), Exam: examRow(web.ExamRunning), Seat: examSeats()[0], Ends: at(11, 13), Collects: true, Others: []web.Option{{Value: "d1", Label: "MS-0502"}, {Value: "d2", Label: "MS-0503"}}})
	}},
	{"exam-seat-left", "Prüfungen", func(f web.Frame) templ.Component {
		return web.ExamSeatShow(web.ExamSeatPage{Frame: teacher(f, web.NavExams), Exam: examRow(web.ExamRunning), Seat: examSeats()[3], Ends: at(10, 50), Released: true, Problem: &web.Problem{Key: "exam.over"}})
	}},
	{"exam-times", "Prüfungen", func(f web.Frame) templ.Component {
		return web.ExamTimes(web.ExamTimesPage{Frame: teacher(f, web.NavExams), Exam: examRow(web.ExamRunning), Rows: []web.ExamTime{
			{Device: "t1", Name: "Ada B.", Ends: at(10, 50)}, {Device: "t2", Name: "Ben K.", Ends: at(11, 13), More: 23 * time.Minute}}})
	}},
	{"exam-ready", "Prüfungen", func(f web.Frame) templ.Component {
		return web.ExamReadyShow(web.ExamReadyPage{Frame: teacher(f, web.NavExams), Exam: examRow(web.ExamArmed), Armed: 4, Free: 3, Asked: at(9, 40), Answered: 2, Rows: []web.ExamReady{
			{Name: "Ada B. · MS-0401", Armed: true, Answered: true},
			{Name: "Ben K. · MS-0402", Armed: true, Answered: true, Blockers: []web.ExamBlocker{{Key: "battery", Args: map[string]any{"percent": "18"}}}},
			{Name: "Cem A. · MS-0403", Blockers: []web.ExamBlocker{{Key: "not_armed", Stops: true}, {Key: "clock", Args: map[string]any{"seconds": "310"}}}},
			{Name: "Dana L. · MS-0404", Blockers: []web.ExamBlocker{{Key: "app_missing", Args: map[string]any{"app": "GeoGebra"}, Stops: true}}},
			{Name: "Elif S. · MS-0405", Armed: true, Blockers: []web.ExamBlocker{
				{Key: "app_old", Args: map[string]any{"app": "GeoGebra", "is": "5.0.498", "least": "6.0"}, Stops: true},
				{Key: "system_old", Args: map[string]any{"system": "Debian GNU/Linux 11 (bullseye)", "until": "2026-08-31"}}}},
			{Name: "Finn T. · MS-0406", Armed: true, Blockers: []web.ExamBlocker{{Key: "app_unknown"}}}}})
	}},
	{"exam-codes", "Prüfungen", func(f web.Frame) templ.Component {
		codes := []string{"40718265", "90345172", "11860394", "72605511", "35098744"}
		return web.ExamCodesShow(web.ExamCodesPage{Frame: teacher(f, web.NavExams), Exam: examRow(web.ExamArmed), Cards: []web.ExamCodes{
			{Device: "s1", Name: "Ada B. · MS-0401", Release: codes, Resume: codes}, {Device: "s2", Name: "iPad-07"}}})
	}},
	{"exam-browser", "Prüfungen", func(f web.Frame) templ.Component {
		return web.ExamBrowser(web.ExamBrowserPage{
			Frame: teacher(f, web.NavExams), Exam: examRow(web.ExamArmed), Link: "sebs://schulwart.example/api/v1/exams/01a2/seb/5d41402abc4b.seb",
			Open: "k7dm-4x9p-qw2h", Quit: "r3ta-8fhu-zn5c", Key: "b63db1f2a74dbe1ce0b4e1e1a8e1b3a62e2b2c3bfa7f5c0e4a9f1d2c3b4a5968",
		})
	}},
	{"exam-work", "Prüfungen", func(f web.Frame) templ.Component {
		final := web.ExamKept{ID: "w1", Made: at(10, 50), Received: at(10, 51), Final: true, Files: []web.ExamHandedFile{{Path: "Aufsatz.odt", Size: 48_213}, {Path: "Blatt 1.pdf", Size: 712_004, Given: true}}}
		return web.ExamWork(web.ExamWorkPage{
			Frame: teacher(f, web.NavExams), Exam: examRow(web.ExamEnded), Collects: true, Every: 5, Began: true, CSV: "/pruefungen/e1/dateien?format=csv",
			Given: []web.ExamGiven{{ID: "f1", Name: "Blatt 1.pdf", Size: 712_004, By: "Frau Oert", At: at(7, 30)}},
			Seats: []web.ExamHanded{
				{Device: "s1", Name: "Ada B.", Tag: "MS-0401", Standing: "received", Received: at(10, 51), Made: at(10, 50), Files: 2, Size: 760_217, States: []web.ExamKept{final, {ID: "w0", Made: at(10, 45), Received: at(10, 45), Files: final.Files[:1]}}},
				{Device: "s2", Name: "Ben K.", Tag: "MS-0402", Standing: "late", Received: at(11, 30), Made: at(10, 50), Files: 1, Size: 48_213, Left: []web.ExamLeft{{Path: "Video.mp4", Why: "size"}, {Path: "Verknüpfung", Why: "kind"}}, States: []web.ExamKept{final}},
				{Device: "s3", Name: "Cem A.", Tag: "MS-0403", Standing: "missing"},
				{Device: "s4", Name: "MS-0404", Standing: "received", Received: at(10, 51), Nobody: true},
			},
		})
	}},
	{"exam-work-before", "Prüfungen", func(f web.Frame) templ.Component {
		return web.ExamWork(web.ExamWorkPage{
			Frame: teacher(f, web.NavExams), Exam: examRow(web.ExamArmed), Collects: true, MayGive: true, Most: 25, All: 50, Count: 20, MayAsk: true, Asking: &web.ExamAsking{At: now.Add(-time.Minute), All: 1}, Problem: &web.Problem{Key: "exam.given_too_large", Field: "file", Args: map[string]any{"most": 25, "all": 50}},
			Given: []web.ExamGiven{{ID: "f1", Name: "Blatt 1.pdf", Size: 712_004, By: "Frau Oert", At: at(7, 30)}}, Seats: []web.ExamHanded{{Device: "s1", Name: "Ada B.", Tag: "MS-0401", Standing: "waiting"}},
		})
	}},
	{"exam-work-off", "Prüfungen", func(f web.Frame) templ.Component {
		return web.ExamWork(web.ExamWorkPage{Frame: teacher(f, web.NavExams), Exam: examRow(web.ExamPlanned), MayGive: true, Most: 25, All: 50, Count: 20})
	}},
	{"exam-evidence", "Prüfungen", func(f web.Frame) templ.Component {
		return web.ExamEvidence(web.ExamEvidencePage{Frame: teacher(f, web.NavExams), Exam: examRow(web.ExamEnded), Whole: true, Doubtful: []string{"Cem A. · MS-0403"}, CSV: "/pruefungen/e1/nachweis?format=csv", Parts: []web.ExamChain{
			{Head: "5d41402abc4b2a76b9719d911017c592", Rows: []web.ExamRecord{{At: at(9, 40), By: "Frau Oert", Text: say("extended", "minutes", "5")}}},
			{Name: "Ada B. · MS-0401", Head: "7d793037a0760186574b0282f2f435e7", Rows: []web.ExamRecord{
				{At: at(9, 20), Said: at(9, 20), Text: say("deed_started")}, {At: at(9, 51), Said: at(9, 50), Text: say("deed_repaired", "part", "Netzwerk")},
				{At: at(10, 2), Said: at(10, 1), Text: say("event.lost", "seconds", "125")}, {At: at(10, 3), By: "Frau Oert", Text: say("compensated", "minutes", "3")}}}}})
	}},
	{"exam-evidence-broken", "Prüfungen", func(f web.Frame) templ.Component {
		return web.ExamEvidence(web.ExamEvidencePage{Frame: teacher(f, web.NavExams), Exam: examRow(web.ExamEnded), CSV: "/pruefungen/e1/nachweis?format=csv"})
	}},
	{"exam-import", "Prüfungen", func(f web.Frame) templ.Component {
		return web.ExamImport(web.ExamImportPage{Frame: admin(f, web.NavExams), Problem: &web.Problem{Key: "import.not_text", Field: "file"}})
	}},
	{"exam-import-columns", "Prüfungen", func(f web.Frame) templ.Component {
		return web.ExamImportMap(web.ExamImportMapPage{
			Frame: admin(f, web.NavExams), ID: "i1", File: "klausurplan.csv", Rows: 42, Minutes: "45", Problem: &web.Problem{Key: "exam_import.needs_date"},
			Columns: []web.ImportColumn{{Title: "Datum", Sample: []string{"24.11.2026", "25.11.2026"}, Field: "date"}, {Title: "Klasse/Kurs", Sample: []string{"10a", "9b"}, Field: "group"}, {Title: "Bemerkung", Sample: []string{"", "Taschenrechner"}}},
			Fields:  []string{"name", "subject", "group", "date", "start", "end", "length", "room", "teacher", "page", "key", "status"},
			Presets: []web.Option{{Value: "writing"}, {Value: "maths"}},
		})
	}},
	{"exam-import-preview", "Prüfungen", func(f web.Frame) templ.Component {
		planned := func(name, room string, hour int) *web.PlannedExam {
			return &web.PlannedExam{Name: name, Group: "10a", Room: room, Lead: []string{"Frau Oert"}, Calculator: "scientific", Starts: at(hour, 0), Ends: at(hour+1, 30)}
		}
		return web.ExamImportPreview(web.ExamImportPreviewPage{
			Frame: admin(f, web.NavExams), ID: "i1", File: "klausurplan.csv", Token: "t", More: 3, MayDrop: true, ExamImportCounts: web.ExamImportCounts{Create: 12, Update: 1, Remove: 1, Same: 24, Past: 5, Skipped: 2},
			Rows: []web.ExamImportRow{
				{Line: 2, Kind: "create", Name: "Mathematik, Klassenarbeit 2", After: planned("Mathematik, Klassenarbeit 2", "Aula", 8), Draft: true},
				{Line: 7, Kind: "update", Name: "Deutsch, Aufsatz", Before: planned("Deutsch, Aufsatz", "R 204", 10), After: planned("Deutsch, Aufsatz", "Aula", 12)},
				{Line: 9, Kind: "remove", Name: "Physik, Test", Before: planned("Physik, Test", "", 9)},
			},
			Faults: []web.ImportFault{
				{Line: 11, Problem: web.Problem{Key: "exam_import.unknown_group", Args: map[string]any{"value": "10x"}}}, {Line: 17, Problem: web.Problem{Key: "exam_import.bad_time", Args: map[string]any{"value": "morgens"}}},
			},
			Missing: []web.ExamImportRow{{Kind: "remove", Name: "Kunst, Theorie", Before: planned("Kunst, Theorie", "", 11)}},
		})
	}},
	{"exam-import-done", "Prüfungen", func(f web.Frame) templ.Component {
		return web.ExamImportDone(web.ExamImportDonePage{Frame: admin(f, web.NavExams), File: "klausurplan.csv", At: ago(time.Minute), Drafts: true, ExamImportCounts: web.ExamImportCounts{Create: 12, Update: 1, Remove: 1, Same: 24, Skipped: 2}})
	}},
	{"extra", "Prüfungen", func(f web.Frame) templ.Component {
		return web.Extra(web.ExtraPage{Frame: admin(f, web.NavSchool), Target: "Ada", Problem: &web.Problem{Key: "extra.unknown", Field: "target", Args: map[string]any{"name": "Ada", "count": 2}}, Rows: []web.ExtraRow{
			{Target: "p:1", Name: "Ben Krause", Percent: 25, By: "Frau Winter", Changed: ago(100 * time.Hour)}, {Target: "d:2", Name: "MS-0404", Minutes: 10, By: "Frau Winter", Changed: ago(2 * time.Hour)}}})
	}},
	{"extra-empty", "Prüfungen", func(f web.Frame) templ.Component {
		return web.Extra(web.ExtraPage{Frame: admin(f, web.NavSchool)})
	}},
	{"exam-keeping", "Prüfungen", func(f web.Frame) templ.Component {
		return web.ExamKeeping(web.ExamKeepingPage{Frame: admin(f, web.NavSchool), Days: 400, MaySet: true, Least: 30, Most: 3650, Problem: &web.Problem{Key: "exam.kept", Field: "days", Args: map[string]any{"least": 30, "most": 3650}}, Deletions: []web.ExamDeletion{
			{Starts: ago(402 * 24 * time.Hour), Records: 214, Files: 61, Days: 400, Deleted: ago(20 * time.Hour)}}})
	}},
	{"exam-keeping-none", "Prüfungen", func(f web.Frame) templ.Component {
		return web.ExamKeeping(web.ExamKeepingPage{Frame: admin(f, web.NavSchool), Days: 400})
	}},
}
