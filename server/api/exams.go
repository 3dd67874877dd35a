package api

import (
	"context"
	"net/http"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/exam"
	"schulwart.org/server/lesson"
	"schulwart.org/server/may"
)

// ExamRules is what remains possible in an examination. What it does not open is
// closed.
type ExamRules struct {
	Page         string            `json:"page,omitempty" maxLength:"2000" doc:"Address that the examination's browser opens. Either this or apps."`
	Sites        []string          `json:"sites,omitempty" maxItems:"500" doc:"Host names that are reachable beside the page's; each covers its subdomains."`
	Apps         []string          `json:"apps,omitempty" maxItems:"500" doc:"Programs that can be started."`
	Message      string            `json:"message,omitempty" maxLength:"1000" doc:"What pupils read beside the fixed words."`
	USB          bool              `json:"usb,omitempty"`
	Clipboard    bool              `json:"clipboard,omitempty"`
	Printing     bool              `json:"printing,omitempty"`
	SecondScreen bool              `json:"second_screen,omitempty"`
	Spelling     bool              `json:"spelling,omitempty"`
	Assistants   bool              `json:"assistants,omitempty"`
	Capture      bool              `json:"capture,omitempty"`
	Virtual      bool              `json:"virtual,omitempty"`
	Aids         []string          `json:"aids,omitempty" maxItems:"10" doc:"Accessibility aids that stay; without a list, all of them."`
	Calculator   string            `json:"calculator,omitempty" enum:"none,basic,scientific,graphing,cas" doc:"Kind of calculator that pupils may use: none, four functions, scientific (WTR), graphing (GTR), computer algebra (CAS). Without one, nothing is said of it."`
	Versions     map[string]string `json:"versions,omitempty" doc:"Least versions, by program: an id of apps, a name (LibreOffice Writer), or chromium and firefox where there is a page. Readiness names devices with an older one."`
	TabletApp    string            `json:"tablet_app,omitempty" maxLength:"155" doc:"App that Apple tablets are locked to, by bundle identifier; without one, Safari with the page."`
	SelfLock     bool              `json:"self_lock,omitempty" doc:"The app locks the tablet itself (assessment mode)."`
	Collect      bool              `json:"collect,omitempty" doc:"Each pupil has a folder whose files are handed in (Linux)."`
	CollectEvery *int              `json:"collect_every,omitempty" minimum:"0" maximum:"60" doc:"Minutes between two states that are kept while it runs; 0: only the end is. 5 if it is left out."`
	Resume       bool              `json:"resume,omitempty" doc:"After a restart the screen stays covered until the invigilator's code was typed."`
}

func (r ExamRules) rules() lease.Rules {
	var collected *lease.Work
	if r.Collect {
		collected = &lease.Work{Every: exam.CollectEvery}
		if r.CollectEvery != nil {
			collected.Every = *r.CollectEvery
		}
	}
	return lease.Rules{Sites: lesson.Hosts(r.Sites), Apps: r.Apps, Message: r.Message, Exam: &lease.Examination{
		Page: r.Page, USB: r.USB, Clipboard: r.Clipboard, Printing: r.Printing, SecondScreen: r.SecondScreen, Spelling: r.Spelling, Assistants: r.Assistants,
		Capture: r.Capture, Virtual: r.Virtual, Aids: r.Aids, Resume: r.Resume, Calculator: r.Calculator, TabletApp: r.TabletApp, SelfLock: r.SelfLock, Work: collected, Versions: r.Versions,
	}}
}

func examRulesOut(r lease.Rules) ExamRules {
	out := ExamRules{Sites: r.Sites, Apps: r.Apps, Message: r.Message}
	if e := r.Exam; e != nil {
		out.Page, out.USB, out.Clipboard, out.Printing, out.SecondScreen = e.Page, e.USB, e.Clipboard, e.Printing, e.SecondScreen
		out.Versions = e.Versions
		out.Calculator, out.TabletApp, out.SelfLock = e.Calculator, e.TabletApp, e.SelfLock
		out.Spelling, out.Assistants, out.Capture, out.Virtual, out.Aids, out.Resume = e.Spelling, e.Assistants, e.Capture, e.Virtual, e.Aids, e.Resume
		if e.Work != nil {
			out.Collect, out.CollectEvery = true, &e.Work.Every
		}
	}
	return out
}

// Exam is an examination with what is known of each device.
type Exam struct {
	ID           org.ID       `json:"id"`
	Name         string       `json:"name"`
	State        exam.State   `json:"state" enum:"draft,planned,armed,running,ended,cancelled"`
	School       org.ID       `json:"school"`
	Group        org.ID       `json:"group,omitempty"`
	Room         string       `json:"room,omitempty"`
	StartsAt     time.Time    `json:"starts_at"`
	EndsAt       time.Time    `json:"ends_at" doc:"When it ends for everybody without extra time."`
	Paused       bool         `json:"paused"`
	Rules        ExamRules    `json:"rules"`
	By           string       `json:"by"`
	Invigilators []Named      `json:"invigilators" nullable:"false"`
	Collecting   *Collecting  `json:"collecting,omitempty" doc:"How far collecting at once has come, for half an hour after somebody asked."`
	Devices      []ExamDevice `json:"devices" nullable:"false"`
}

// Collecting is how far collecting at once has come.
type Collecting struct {
	AskedAt  time.Time `json:"asked_at"`
	Asked    int       `json:"asked" doc:"Laptops that were asked."`
	Received int       `json:"received" doc:"Of those, what they wrote since is here, durably."`
}

// ExamDevice is what is known of an examination on one device.
type ExamDevice struct {
	ID     org.ID        `json:"id"`
	Name   string        `json:"name"`
	State  exam.Standing `json:"state" enum:"planned,armed,in_exam,left,ended,not_ready" doc:"Only what the device said counts: armed is kept by the device, which starts it by itself."`
	Reason string        `json:"reason" doc:"Why it is so; a stable key, empty when there is nothing to say."`
	EndsAt *time.Time    `json:"ends_at,omitempty" doc:"Its own end, extra time included. Only for who leads the examination, and for the office."`
}

// ExamReadiness is the list of what keeps devices from an examination.
type ExamReadiness struct {
	Ready   int         `json:"ready" doc:"Devices that nothing keeps from it."`
	Armed   int         `json:"armed" doc:"Devices that keep it and start it by themselves."`
	Devices []ExamReady `json:"devices" nullable:"false"`
}

// ExamAsked is how many devices were asked how they are.
type ExamAsked struct {
	Asked int `json:"asked"`
}

// ExamReady is one device of it.
type ExamReady struct {
	ID       org.ID        `json:"id"`
	Name     string        `json:"name"`
	Armed    bool          `json:"armed"`
	SeenAt   *time.Time    `json:"seen_at,omitempty" doc:"When it last said how it is."`
	Blockers []ExamBlocker `json:"blockers" nullable:"false"`
}

// ExamBlocker keeps a device from an examination, or may.
type ExamBlocker struct {
	Key   string            `json:"key" example:"battery"`
	Args  map[string]string `json:"args,omitempty"`
	Stops bool              `json:"stops" doc:"The device cannot take part so; otherwise it is worth a look."`
}

// ExamEvidence is what is kept of an examination.
type ExamEvidence struct {
	Whole   bool             `json:"whole" doc:"No line was changed or taken out."`
	Records []ExamRecordLine `json:"records" nullable:"false"`
}

// ExamRecordLine is one line of the evidence; the lines of a device are a chain.
type ExamRecordLine struct {
	Device org.ID            `json:"device,omitempty" doc:"Empty: of the examination as a whole."`
	Seq    int               `json:"seq"`
	At     time.Time         `json:"at" doc:"Server time."`
	Said   *time.Time        `json:"said,omitempty" doc:"Device time."`
	Key    string            `json:"key"`
	Args   map[string]string `json:"args,omitempty"`
	By     string            `json:"by,omitempty"`
	Hash   string            `json:"hash"`
}

// ExamTarget is who takes part: a group, persons and devices of one school, or both.
type ExamTarget struct {
	Group   org.ID   `json:"group,omitempty" maxLength:"64"`
	School  org.ID   `json:"school,omitempty" maxLength:"64" doc:"Needed where there is no group."`
	Persons []org.ID `json:"persons,omitempty" maxItems:"500"`
	Devices []org.ID `json:"devices,omitempty" maxItems:"500"`
}

type examIn struct {
	Body struct {
		Name         string      `json:"name" maxLength:"200" example:"Mathematik 10a"`
		Target       ExamTarget  `json:"target"`
		StartsAt     time.Time   `json:"starts_at"`
		EndsAt       time.Time   `json:"ends_at"`
		Room         string      `json:"room,omitempty" maxLength:"200"`
		Rules        ExamRules   `json:"rules"`
		Invigilators []org.ID    `json:"invigilators,omitempty" maxItems:"50"`
		Draft        bool        `json:"draft,omitempty" doc:"Prepared only; it goes on no device."`
		ExtraTime    []ExtraTime `json:"extra_time,omitempty" maxItems:"500" doc:"Only for the office. It holds in every examination from then on."`
	}
}

// ExtraTime is extra time of a person or a device.
type ExtraTime struct {
	Person  org.ID `json:"person,omitempty" maxLength:"64"`
	Device  org.ID `json:"device,omitempty" maxLength:"64"`
	Minutes int    `json:"minutes,omitempty" minimum:"0" maximum:"180"`
	Percent int    `json:"percent,omitempty" minimum:"0" maximum:"180"`
}

type examExtendIn struct {
	ID   org.ID `path:"id" maxLength:"64"`
	Body struct {
		Minutes int    `json:"minutes" example:"5"`
		Device  org.ID `json:"device,omitempty" maxLength:"64" doc:"For this device only."`
	}
}

type examCollectIn struct {
	ID   org.ID `path:"id" maxLength:"64"`
	Body struct {
		Device org.ID `json:"device,omitempty" maxLength:"64" doc:"Of this device only."`
	}
}

type handOverIn struct {
	ID   org.ID `path:"id" maxLength:"64"`
	Body struct {
		To org.ID `json:"to" maxLength:"64" doc:"A colleague's id."`
	}
}

func registerExams(d *door) {
	handle(d, op{id: "create-exam", method: http.MethodPost, path: "/api/v1/exams", summary: "Prepare an examination", needs: may.ExamWrite, status: http.StatusCreated}, d.createExam)
	handle(d, op{id: "find-exam", method: http.MethodGet, path: "/api/v1/exams/{id}", summary: "Find an examination", needs: may.ExamRead}, d.findExam)
	handle(d, op{id: "exam-readiness", method: http.MethodGet, path: "/api/v1/exams/{id}/readiness", summary: "Ask what keeps devices from an examination", needs: may.ExamRun}, d.examReadiness)
	handle(d, op{id: "ask-exam-readiness", method: http.MethodPost, path: "/api/v1/exams/{id}/readiness", summary: "Wake the devices of an examination, so that each says now how it is", needs: may.ExamRun}, d.askReadiness)
	handle(d, op{id: "start-exam", method: http.MethodPost, path: "/api/v1/exams/{id}/start", summary: "Start an examination before its time; the whole window moves", needs: may.ExamRun}, d.startExam)
	handle(d, op{id: "end-exam", method: http.MethodPost, path: "/api/v1/exams/{id}/end", summary: "End an examination for everybody; twice is harmless", needs: may.ModeEnd}, d.endExam)
	handle(d, op{id: "extend-exam", method: http.MethodPost, path: "/api/v1/exams/{id}/extend", summary: "Give everybody, or one device, more time", needs: may.ExamRun}, d.extendExam)
	handle(d, op{id: "collect-exam", method: http.MethodPost, path: "/api/v1/exams/{id}/collect", summary: "Make laptops hand in at once; again within a minute is harmless", needs: may.ExamRun}, d.collectExam)
	handle(d, op{id: "hand-over-exam", method: http.MethodPost, path: "/api/v1/exams/{id}/handover", summary: "Add an invigilator", needs: may.ExamRun}, d.handOverExam)
	handle(d, op{id: "exam-evidence", method: http.MethodGet, path: "/api/v1/exams/{id}/evidence", summary: "Read the evidence of an examination", needs: may.ExamRun}, d.examEvidence)
}

func (in *examIn) plan() exam.Plan {
	b := in.Body
	return exam.Plan{
		Name: b.Name, Group: b.Target.Group, Persons: b.Target.Persons, Devices: b.Target.Devices, School: b.Target.School, Room: b.Room,
		Invigilators: b.Invigilators, Starts: b.StartsAt, Ends: b.EndsAt, Rules: b.Rules.rules(), Draft: b.Draft,
	}
}

func (d *door) createExam(ctx context.Context, actor may.Actor, in *examIn) (*body[Exam], error) {
	plan := in.plan()
	branch, err := d.examPlace(ctx, actor, plan)
	if err != nil {
		return nil, err
	}
	plan.School, plan.Authority = branch.School, branch.Authority
	for _, extra := range in.Body.ExtraTime {
		plan.Extra = append(plan.Extra, exam.ExtraTime{Person: extra.Person, Device: extra.Device, Extra: exam.Extra{Minutes: extra.Minutes, Percent: extra.Percent}})
	}
	made, err := d.Exams.Create(ctx, actor, plan)
	if err != nil {
		return nil, err
	}
	return d.examOut(ctx, actor, made.ID)
}

// examPlace is the school in which an examination takes place.
func (d *door) examPlace(ctx context.Context, actor may.Actor, plan exam.Plan) (org.Branch, error) {
	if plan.Group != "" {
		group, err := d.Roster.Group(ctx, actor, plan.Group)
		if err != nil {
			return org.Branch{}, err
		}
		return org.Branch{Authority: group.Authority, School: group.School}, nil
	}
	school, err := d.Roster.School(ctx, actor, plan.School)
	return school.Branch(), err
}

func (d *door) findExam(ctx context.Context, actor may.Actor, in *byID) (*body[Exam], error) {
	return d.examOut(ctx, actor, in.ID)
}

func (d *door) startExam(ctx context.Context, actor may.Actor, in *byID) (*body[Exam], error) {
	if _, err := d.Exams.Start(ctx, actor, in.ID); err != nil {
		return nil, err
	}
	return d.examOut(ctx, actor, in.ID)
}

func (d *door) endExam(ctx context.Context, actor may.Actor, in *byID) (*body[Exam], error) {
	if _, err := d.Exams.End(ctx, actor, in.ID); err != nil {
		return nil, err
	}
	return d.examOut(ctx, actor, in.ID)
}

func (d *door) extendExam(ctx context.Context, actor may.Actor, in *examExtendIn) (*body[Exam], error) {
	var err error
	if in.Body.Device != "" {
		err = d.Exams.ExtendSeat(ctx, actor, in.ID, in.Body.Device, in.Body.Minutes)
	} else {
		_, err = d.Exams.Extend(ctx, actor, in.ID, in.Body.Minutes)
	}
	if err != nil {
		return nil, err
	}
	return d.examOut(ctx, actor, in.ID)
}

func (d *door) collectExam(ctx context.Context, actor may.Actor, in *examCollectIn) (*body[Exam], error) {
	if _, err := d.Exams.CollectNow(ctx, actor, in.ID, in.Body.Device); err != nil {
		return nil, err
	}
	return d.examOut(ctx, actor, in.ID)
}

func (d *door) handOverExam(ctx context.Context, actor may.Actor, in *handOverIn) (*body[Exam], error) {
	if _, err := d.Exams.HandOver(ctx, actor, in.ID, in.Body.To); err != nil {
		return nil, err
	}
	return d.examOut(ctx, actor, in.ID)
}

func (d *door) examReadiness(ctx context.Context, actor may.Actor, in *byID) (*body[ExamReadiness], error) {
	_, ready, err := d.Exams.Readiness(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	out := ExamReadiness{Devices: make([]ExamReady, len(ready))}
	for i, one := range ready {
		device := ExamReady{ID: one.Device, Name: one.Name, Armed: one.Line != nil && one.Line.Armed, Blockers: []ExamBlocker{}}
		if !one.Seen.IsZero() {
			device.SeenAt = &one.Seen
		}
		for _, blocker := range one.Blockers {
			device.Blockers = append(device.Blockers, ExamBlocker{blocker.Key, blocker.Args, blocker.Stops})
		}
		if !one.Stopped() {
			out.Ready++
		}
		if device.Armed {
			out.Armed++
		}
		out.Devices[i] = device
	}
	return &body[ExamReadiness]{out}, nil
}

func (d *door) askReadiness(ctx context.Context, actor may.Actor, in *byID) (*body[ExamAsked], error) {
	asked, err := d.Exams.AskReady(ctx, actor, in.ID)
	return &body[ExamAsked]{ExamAsked{asked}}, err
}

func (d *door) examEvidence(ctx context.Context, actor may.Actor, in *byID) (*body[ExamEvidence], error) {
	evidence, err := d.Exams.Evidence(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	out := ExamEvidence{Whole: evidence.Whole, Records: make([]ExamRecordLine, len(evidence.Records))}
	for i, r := range evidence.Records {
		out.Records[i] = ExamRecordLine{Device: r.Device, Seq: r.Seq, At: r.At, Said: at(r.Said), Key: r.Key, Args: r.Args, By: r.By, Hash: r.Hash}
	}
	return &body[ExamEvidence]{out}, nil
}

// examOut reads an examination with its devices, as it is now.
func (d *door) examOut(ctx context.Context, actor may.Actor, id org.ID) (*body[Exam], error) {
	board, err := d.Exams.Board(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	e := board.Exam
	out := Exam{
		ID: e.ID, Name: e.Name, State: e.State(board.At), School: e.Branch.School, Group: e.Branch.Group, Room: e.Room, StartsAt: e.Starts.UTC(), EndsAt: e.End(board.At).UTC(),
		Paused: !e.Paused.IsZero(), Rules: examRulesOut(e.Rules), By: e.ByName, Invigilators: make([]Named, len(e.Invigilators)), Devices: make([]ExamDevice, len(board.Places)),
	}
	if a := board.Asking; !a.At.IsZero() {
		out.Collecting = &Collecting{AskedAt: a.At.UTC(), Asked: a.All, Received: a.Received}
	}
	for i, one := range e.Invigilators {
		out.Invigilators[i] = Named{one.Staff, one.Name}
	}
	for i, place := range board.Places {
		out.Devices[i] = ExamDevice{ID: place.Device, Name: place.Name, State: place.Standing, Reason: place.Reason, EndsAt: at(place.Ends)}
	}
	return &body[Exam]{out}, nil
}
