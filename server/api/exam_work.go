package api

import (
	"context"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"schulwart.org/policies/org"
	"schulwart.org/server/exam"
	"schulwart.org/server/may"
)

// ExamFile is a file that is given out with an examination.
type ExamFile struct {
	ID   org.ID    `json:"id"`
	Name string    `json:"name"`
	Size int64     `json:"size" doc:"Bytes."`
	Hash string    `json:"hash" doc:"SHA-256, hexadecimal."`
	At   time.Time `json:"at"`
	By   string    `json:"by"`
}

// ExamWork is what was handed in from one device.
type ExamWork struct {
	ID      org.ID      `json:"id"`
	Name    string      `json:"name"`
	Missing bool        `json:"missing" doc:"Its time is over and the last state did not come yet; devices try for weeks."`
	Late    bool        `json:"late" doc:"The latest state came long after the end."`
	States  []WorkState `json:"states" nullable:"false" doc:"The latest first; at most the last 20."`
}

// WorkState is one state of a folder, as it was received.
type WorkState struct {
	ID         string     `json:"id"`
	MadeAt     time.Time  `json:"made_at" doc:"Device time; nobody can move the clock that it is from."`
	ReceivedAt time.Time  `json:"received_at" doc:"Server time."`
	Final      bool       `json:"final" doc:"Taken after the end."`
	Nobody     bool       `json:"nobody" doc:"Nobody had a session on the device."`
	Files      []WorkFile `json:"files" nullable:"false"`
	Left       []WorkLeft `json:"left" nullable:"false" doc:"Files that were left out."`
}

// WorkFile is one file of it.
type WorkFile struct {
	Path       string    `json:"path"`
	Size       int64     `json:"size" doc:"Bytes."`
	ModifiedAt time.Time `json:"modified_at" doc:"As the file says; people can change that."`
	Given      bool      `json:"given" doc:"As it was given out."`
}

// WorkLeft is a file that was left out.
type WorkLeft struct {
	Path string `json:"path"`
	Why  string `json:"why" enum:"size,count,kind,read"`
}

// stream is an answer that is written piece by piece.
type stream struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Length      string `header:"Content-Length"`
	Body        func(huma.Context)
}

// upload is a request that is read piece by piece.
type upload struct {
	ID   org.ID `path:"id" maxLength:"64"`
	Name string `query:"name" required:"true" minLength:"1" maxLength:"255" doc:"Name of the file."`

	content io.Reader
}

// Resolve takes the body as it comes.
func (u *upload) Resolve(ctx huma.Context) []error {
	u.content = ctx.BodyReader()
	return nil
}

type examFileIn struct {
	ID   org.ID `path:"id" maxLength:"64"`
	File org.ID `path:"file" maxLength:"64"`
}

type workZipIn struct {
	ID     org.ID `path:"id" maxLength:"64"`
	Device org.ID `query:"device" maxLength:"64" doc:"Of this device only."`
}

type workFileIn struct {
	ID     org.ID `path:"id" maxLength:"64"`
	Device org.ID `path:"device" maxLength:"64"`
	State  string `path:"state" maxLength:"64"`
	Path   string `query:"path" required:"true" maxLength:"500"`
}

func registerExamWork(d *door) {
	handle(d, op{id: "list-exam-files", method: http.MethodGet, path: "/api/v1/exams/{id}/files", summary: "List files that are given out with an examination", needs: may.ExamRun}, d.examFiles)
	handle(d, op{id: "give-exam-file", method: http.MethodPost, path: "/api/v1/exams/{id}/files", summary: "Give a file out with an examination that has not begun; its work is collected from then on",
		needs: may.ExamWrite, status: http.StatusCreated, file: true}, d.giveExamFile)
	handle(d, op{id: "read-exam-file", method: http.MethodGet, path: "/api/v1/exams/{id}/files/{file}", summary: "Read a file that is given out", needs: may.ExamRun}, d.readExamFile)
	handle(d, op{id: "take-back-exam-file", method: http.MethodDelete, path: "/api/v1/exams/{id}/files/{file}", summary: "Give a file out no more", needs: may.ExamWrite, status: http.StatusNoContent}, d.takeBackExamFile)
	handle(d, op{id: "exam-work", method: http.MethodGet, path: "/api/v1/exams/{id}/work", summary: "List what was handed in", needs: may.ExamRun}, d.examWork)
	handle(d, op{id: "exam-work-zip", method: http.MethodGet, path: "/api/v1/exams/{id}/work.zip", summary: "Fetch what was handed in as a ZIP file, with a folder for each seat", needs: may.ExamRun}, d.examWorkZIP)
	handle(d, op{id: "exam-work-file", method: http.MethodGet, path: "/api/v1/exams/{id}/work/{device}/{state}", summary: "Fetch one file that was handed in", needs: may.ExamRun}, d.examWorkFile)
}

func examFileOut(f exam.GivenFile) ExamFile {
	return ExamFile{ID: f.ID, Name: f.Name, Size: f.Size, Hash: f.Hash, At: f.At.UTC(), By: f.By}
}

func (d *door) examFiles(ctx context.Context, actor may.Actor, in *byID) (*body[List[ExamFile]], error) {
	files, err := d.Exams.Given(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	out := List[ExamFile]{Items: make([]ExamFile, len(files))}
	for i, f := range files {
		out.Items[i] = examFileOut(f)
	}
	return &body[List[ExamFile]]{out}, nil
}

func (d *door) giveExamFile(ctx context.Context, actor may.Actor, in *upload) (*body[ExamFile], error) {
	given, err := d.Exams.Give(ctx, actor, in.ID, in.Name, in.content)
	if err != nil {
		return nil, err
	}
	return &body[ExamFile]{examFileOut(given)}, nil
}

func (d *door) readExamFile(ctx context.Context, actor may.Actor, in *examFileIn) (*stream, error) {
	content, err := d.Exams.ReadGiven(ctx, actor, in.ID, in.File)
	return streamed(content, "application/octet-stream"), err
}

func (d *door) takeBackExamFile(ctx context.Context, actor may.Actor, in *examFileIn) (*struct{}, error) {
	return nil, d.Exams.TakeBack(ctx, actor, in.ID, in.File)
}

func (d *door) examWorkZIP(ctx context.Context, actor may.Actor, in *workZipIn) (*stream, error) {
	content, err := d.Exams.Bundle(ctx, actor, in.ID, in.Device)
	return streamed(content, "application/zip"), err
}

func (d *door) examWorkFile(ctx context.Context, actor may.Actor, in *workFileIn) (*stream, error) {
	content, err := d.Exams.ReadWork(ctx, actor, in.ID, in.Device, in.State, in.Path)
	return streamed(content, "application/octet-stream"), err
}

// streamed writes content to be saved. Where it breaks off, so does the answer.
func streamed(content exam.Content, kind string) *stream {
	s := &stream{ContentType: kind, Disposition: mime.FormatMediaType("attachment", map[string]string{"filename": content.Name})}
	if content.Size >= 0 {
		s.Length = strconv.FormatInt(content.Size, 10)
	}
	s.Body = func(ctx huma.Context) {
		if err := content.Write(ctx.BodyWriter()); err != nil {
			panic(http.ErrAbortHandler)
		}
	}
	return s
}

func (d *door) examWork(ctx context.Context, actor may.Actor, in *byID) (*body[List[ExamWork]], error) {
	collected, err := d.Exams.Collected(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	out := List[ExamWork]{Items: make([]ExamWork, len(collected.Seats))}
	for i, seat := range collected.Seats {
		one := ExamWork{ID: seat.Device, Name: seat.Name, Missing: seat.Missing(), Late: seat.Late, States: make([]WorkState, len(seat.Works))}
		for j, state := range seat.Works {
			one.States[j] = workStateOut(state)
		}
		out.Items[i] = one
	}
	return &body[List[ExamWork]]{out}, nil
}

func workStateOut(w exam.Work) WorkState {
	out := WorkState{ID: w.ID, MadeAt: w.At, ReceivedAt: w.Received.UTC(), Final: w.Final, Nobody: w.Nobody, Files: make([]WorkFile, len(w.Files)), Left: make([]WorkLeft, len(w.Left))}
	for i, f := range w.Files {
		out.Files[i] = WorkFile{Path: f.Path, Size: f.Size, ModifiedAt: f.Modified.UTC(), Given: f.Given}
	}
	for i, left := range w.Left {
		out.Left[i] = WorkLeft(left)
	}
	return out
}
