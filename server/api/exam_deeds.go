package api

import (
	"context"
	"net/http"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/exam"
	"schulwart.org/server/may"
)

// ExamEntry is an examination in a list.
type ExamEntry struct {
	ID       org.ID     `json:"id"`
	Name     string     `json:"name"`
	State    exam.State `json:"state" enum:"draft,planned,armed,running,ended,cancelled"`
	School   org.ID     `json:"school"`
	Group    org.ID     `json:"group,omitempty"`
	Room     string     `json:"room,omitempty"`
	StartsAt time.Time  `json:"starts_at"`
	EndsAt   time.Time  `json:"ends_at"`
}

type examsIn struct {
	School org.ID    `query:"school" maxLength:"64"`
	From   time.Time `query:"from" doc:"Those that end after it; without it, those whose end has not passed."`
	Until  time.Time `query:"until" doc:"Those that begin before it."`
	Paging
}

type examChangeIn struct {
	ID org.ID `path:"id" maxLength:"64"`
	examIn
}

type examCopyIn struct {
	ID   org.ID `path:"id" maxLength:"64"`
	Body struct {
		MissingOnly bool `json:"missing_only,omitempty" doc:"A resit for those who did not take part."`
	}
}

type rehearseIn struct {
	ID   org.ID `path:"id" maxLength:"64"`
	Body struct {
		Devices []org.ID `json:"devices,omitempty" maxItems:"500" doc:"Only these; otherwise all."`
	}
}

type examSeatIn struct {
	ID     org.ID `path:"id" maxLength:"64"`
	Device org.ID `path:"device" maxLength:"64"`
}

type examSwapIn struct {
	ID     org.ID `path:"id" maxLength:"64"`
	Device org.ID `path:"device" maxLength:"64"`
	Body   struct {
		Other org.ID `json:"other" maxLength:"64" doc:"The device to write on."`
	}
}

// registerExamDeeds registers what is done with an examination beside its beginning
// and its end.
func registerExamDeeds(d *door) {
	handle(d, op{id: "list-exams", method: http.MethodGet, path: "/api/v1/exams", summary: "List examinations, the next first", needs: may.ExamRead}, d.listExams)
	handle(d, op{id: "change-exam", method: http.MethodPut, path: "/api/v1/exams/{id}", summary: "Change an examination that has not begun", needs: may.ExamWrite}, d.changeExam)
	handle(d, op{id: "cancel-exam", method: http.MethodDelete, path: "/api/v1/exams/{id}", summary: "Cancel an examination that has not begun", needs: may.ExamWrite, status: http.StatusNoContent}, d.cancelExam)
	handle(d, op{id: "copy-exam", method: http.MethodPost, path: "/api/v1/exams/{id}/copy", summary: "Prepare another one like it, or a resit, as a draft", needs: may.ExamWrite, status: http.StatusCreated}, d.copyExam)
	deed := func(id, path, summary string, needs may.Action, do func(context.Context, may.Actor, org.ID) (exam.Exam, error)) {
		handle(d, op{id: id, method: http.MethodPost, path: "/api/v1/exams/{id}/" + path, summary: summary, needs: needs}, func(ctx context.Context, actor may.Actor, in *byID) (*body[Exam], error) {
			if _, err := do(ctx, actor, in.ID); err != nil {
				return nil, err
			}
			return d.examOut(ctx, actor, in.ID)
		})
	}
	deed("pause-exam", "pause", "Interrupt the writing for everybody; the end moves", may.ExamRun, d.Exams.Pause)
	deed("continue-exam", "continue", "End an interruption", may.ExamRun, d.Exams.GoOn)
	deed("end-rehearsal", "rehearsal/end", "End a rehearsal before its time", may.ModeEnd, d.Exams.EndRehearsal)
	handle(d, op{id: "rehearse-exam", method: http.MethodPost, path: "/api/v1/exams/{id}/rehearsal", summary: "Try an examination out on its devices, for ten minutes at most", needs: may.ExamRun}, d.rehearseExam)
	seat := func(id, path, summary string, needs may.Action, do func(ctx context.Context, actor may.Actor, exam, device org.ID) error) {
		handle(d, op{id: id, method: http.MethodPost, path: "/api/v1/exams/{id}/devices/{device}/" + path, summary: summary, needs: needs}, func(ctx context.Context, actor may.Actor, in *examSeatIn) (*body[Exam], error) {
			if err := do(ctx, actor, in.ID, in.Device); err != nil {
				return nil, err
			}
			return d.examOut(ctx, actor, in.ID)
		})
	}
	seat("release-seat", "release", "Let one device out before its end", may.ModeEnd, d.Exams.Release)
	seat("readmit-seat", "readmit", "Let a device in again, until its own end", may.ExamRun, d.Exams.Readmit)
	seat("see-to-seat", "seen", "Note that somebody went to a pupil who had raised a hand", may.ExamRun, d.Exams.SeenTo)
	seat("dismiss-seat", "dismiss", "Decide that what the device's log proposes is not given back", may.ExamRun, d.Exams.Dismiss)
	seat("compensate-seat", "compensate", "Give back what was lost by technical failure, as the device's log says", may.ExamRun, d.Exams.Compensate)
	handle(d, op{id: "swap-seat", method: http.MethodPost, path: "/api/v1/exams/{id}/devices/{device}/swap", summary: "Let somebody write on with another device, until the same end", needs: may.ExamRun}, d.swapSeat)
}

func (d *door) listExams(ctx context.Context, actor may.Actor, in *examsIn) (*body[List[ExamEntry]], error) {
	now := d.Now()
	filter := exam.Filter{School: in.School, From: in.From, Until: in.Until, Cursor: in.Cursor, Limit: in.Limit}
	if filter.From.IsZero() {
		filter.From = now
	}
	if !may.Anywhere(actor, may.SchoolRead) {
		filter.Staff = actor.ID
	}
	exams, next, err := d.Exams.List(ctx, actor, filter)
	return listOf(exams, next, func(e exam.Exam) ExamEntry {
		return ExamEntry{e.ID, e.Name, e.State(now), e.Branch.School, e.Branch.Group, e.Room, e.Starts.UTC(), e.End(now).UTC()}
	}), err
}

func (d *door) changeExam(ctx context.Context, actor may.Actor, in *examChangeIn) (*body[Exam], error) {
	now, err := d.Exams.Find(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	plan := in.plan()
	if now.Rules.Exam != nil {
		plan.Rules.Exam.Work = now.Rules.Exam.Work // kept: the request does not know it
	}
	if _, err := d.Exams.Update(ctx, actor, in.ID, plan); err != nil {
		return nil, err
	}
	return d.examOut(ctx, actor, in.ID)
}

func (d *door) cancelExam(ctx context.Context, actor may.Actor, in *byID) (*struct{}, error) {
	return nil, d.Exams.Delete(ctx, actor, in.ID)
}

func (d *door) copyExam(ctx context.Context, actor may.Actor, in *examCopyIn) (*body[Exam], error) {
	do := d.Exams.Copy
	if in.Body.MissingOnly {
		do = d.Exams.Resit
	}
	made, err := do(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	return d.examOut(ctx, actor, made.ID)
}

func (d *door) rehearseExam(ctx context.Context, actor may.Actor, in *rehearseIn) (*body[Exam], error) {
	if _, err := d.Exams.Rehearse(ctx, actor, in.ID, in.Body.Devices...); err != nil {
		return nil, err
	}
	return d.examOut(ctx, actor, in.ID)
}

func (d *door) swapSeat(ctx context.Context, actor may.Actor, in *examSwapIn) (*body[Exam], error) {
	if err := d.Exams.Swap(ctx, actor, in.ID, in.Device, in.Body.Other); err != nil {
		return nil, err
	}
	return d.examOut(ctx, actor, in.ID)
}
