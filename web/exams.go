package web

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"
)

// examTone is the colour of an examination's state.
func examTone(s ExamState) string {
	switch s {
	case ExamRunning:
		return "ok"
	case ExamArmed:
		return "info"
	case ExamDraft:
		return "warn"
	}
	return ""
}

// window tells day and time: "Montag, 23. November, 09:50–11:20".
func (f Frame) window(row ExamRow) string {
	return f.T("exam.window", "date", f.Date(row.Starts), "from", f.Clock(row.Starts), "to", f.Clock(row.Ends))
}

// presets are the beginnings of rules, with none of them first.
func (p ExamImportMapPage) presets() []Option {
	return append([]Option{{Label: p.T("exam.import.preset.none"), Chosen: len(chosen(p.Presets)) == 0}}, p.Presets...)
}

// inPlace lets a button send the form and draw the picker alone anew.
func (p Picker) inPlace(path string) templ.Attributes {
	at := "#pick-" + p.Name
	return templ.Attributes{"hx-post": path, "hx-target": at, "hx-select": at, "hx-swap": "outerHTML"}
}

// groups are the classes to choose from, and none of them.
func (p ExamFormPage) groups() []Option {
	return append([]Option{{Label: p.T("exam.group.none"), Chosen: len(chosen(p.Groups)) == 0 && (p.ID != "" || len(p.Who.Chosen) > 0)}}, p.Groups...)
}

// plannedText tells an examination of a file in one line.
func (f Frame) plannedText(p *PlannedExam) string {
	if p == nil {
		return ""
	}
	text := f.examSub(ExamRow{Group: p.Group, Room: p.Room, Lead: p.Lead, Starts: p.Starts, Ends: p.Ends})
	if p.Calculator != "" {
		text += " · " + f.T("exam.calculator") + ": " + f.T("exam.calculator.kind."+p.Calculator)
	}
	return text
}

// examSub is the line below an examination's name.
func (f Frame) examSub(row ExamRow) string {
	parts := []string{f.window(row)}
	for _, part := range []string{row.Group, row.Room} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if len(row.Lead) > 0 {
		parts = append(parts, f.T("exam.lead", "names", strings.Join(row.Lead, ", ")))
	}
	return strings.Join(parts, " · ")
}

func (p ExamFormPage) title() string {
	if p.ID == "" {
		return p.T("exams.new")
	}
	return p.T("exam.edit")
}

func (p ExamFormPage) path() string {
	if p.ID == "" {
		return PathExamNew
	}
	return To(PathExamEdit, p.ID)
}

func (p ExamFormPage) back() string {
	if p.ID == "" {
		return PathExams
	}
	return To(PathExam, p.ID)
}

// mark is the shape that a standing shares with states of modes.
func (s ExamSeat) mark() State {
	switch s.Standing {
	case "armed":
		return StateDelivered
	case "in_exam":
		if s.Look {
			return StateDeviating
		}
		return StateActive
	case "left":
		return StateAbsent
	case "ended":
		return StateEnded
	case "not_ready":
		return StateUnreachable
	}
	return StatePlanned
}

// examStandings is the order in which the board counts.
var examStandings = []string{"in_exam", "armed", "planned", "not_ready", "left", "ended"}

func (l ExamLive) count(standing string) int {
	n := 0
	for _, seat := range l.Seats {
		if seat.Standing == standing {
			n++
		}
	}
	return n
}

// looks are the seats that need a look: who waits for somebody first, the longest
// waiting before the others.
func (l ExamLive) looks() []ExamSeat {
	var all []ExamSeat
	for _, seat := range l.Seats {
		if seat.Look {
			all = append(all, seat)
		}
	}
	slices.SortStableFunc(all, func(a, b ExamSeat) int {
		if c := cmp.Compare(b.pressing(), a.pressing()); c != 0 {
			return c
		}
		return a.Asked.Compare(b.Asked)
	})
	return all
}

func (s ExamSeat) pressing() int {
	switch {
	case s.Waits:
		return 3
	case s.Hand:
		return 2
	case s.Standing == "not_ready" || s.Standing == "left":
		return 1
	}
	return 0
}

// headline says where the examination stands.
func (l ExamLive) headline() string {
	f := l.Frame
	switch {
	case l.State == ExamRunning && !l.Paused.IsZero():
		return f.T("exam.now.paused", "since", l.Paused)
	case l.State == ExamRunning && !f.now().Before(l.Ends):
		return f.T("exam.now.waiting", "at", l.Ends)
	case l.State == ExamRunning:
		return f.T("exam.now.running", "at", l.Ends)
	case !l.Rehearsal.IsZero():
		return f.T("exam.now.rehearsal", "until", l.Rehearsal)
	case l.State == ExamArmed || l.State == ExamPlanned:
		return f.T("exam.now."+string(l.State), "count", l.count("armed"), "all", len(l.Seats), "at", l.Starts)
	}
	return f.T("exam.now." + string(l.State))
}

// explain says what that means.
func (l ExamLive) explain() string {
	switch {
	case l.State == ExamRunning && !l.Paused.IsZero():
		return l.Frame.T("exam.explain.paused")
	case l.State == ExamRunning:
		return l.Frame.T("exam.explain.running")
	case !l.Rehearsal.IsZero():
		return l.Frame.T("exam.explain.rehearsal")
	}
	return l.Frame.T("exam.explain." + string(l.State))
}

func chosen(options []Option) []Option {
	var all []Option
	for _, option := range options {
		if option.Chosen {
			all = append(all, option)
		}
	}
	return all
}

func others(options []Option) []Option {
	var all []Option
	for _, option := range options {
		if !option.Chosen {
			all = append(all, option)
		}
	}
	return all
}

// labels joins options in words.
func (f Frame) labels(prefix string, options []Option) string {
	words := make([]string, len(options))
	for i, option := range options {
		words[i] = optionLabel(f, prefix, option)
	}
	return strings.Join(words, ", ")
}

// lines splits what stands one per line.
func textLines(text string) string { return strings.Join(strings.Fields(text), ", ") }

// extraText tells extra time: "25 %", "15 Minuten".
func (f Frame) extraText(row ExtraRow) string {
	var parts []string
	if row.Percent > 0 {
		parts = append(parts, itoa(row.Percent)+" %")
	}
	if row.Minutes > 0 {
		parts = append(parts, f.T("exam.minutes", "count", row.Minutes))
	}
	return strings.Join(parts, " + ")
}

func showCode(code string) string {
	if len(code) != 8 {
		return code
	}
	return code[:4] + " " + code[4:]
}

func minutesText(d time.Duration) string { return "+" + itoa(int(d/time.Minute)) }

func (p ExamReadyPage) readyWord(armed bool) string {
	if armed {
		return p.T("exam.standing.armed")
	}
	return p.T("exam.ready.free")
}

// examPrograms are the programs of saved rules, as options that are chosen.
func examPrograms(r ExamRules) []Option {
	options := make([]Option, len(r.Apps))
	for i, name := range r.Apps {
		options[i] = Option{Value: name, Label: name, Chosen: true}
	}
	return options
}
