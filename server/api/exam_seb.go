package api

import (
	"context"
	"net/http"
	"strings"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// SafeBrowser says what belongs to an examination's file for Safe Exam Browser.
type SafeBrowser struct {
	Link         string `json:"link" doc:"Starts the program with the sealed file. Anyone may have it: the file opens with its password only."`
	OpenPassword string `json:"open_password" doc:"Opens the sealed file; for pupils, when it begins."`
	QuitPassword string `json:"quit_password" doc:"Ends the program before its page does; for invigilators."`
	ConfigKey    string `json:"config_key" doc:"With it the page's server checks that these settings hold."`
}

// file is an answer that is no JSON.
type file struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

type sebIn struct {
	ID    org.ID `path:"id" maxLength:"64"`
	Plain bool   `query:"plain" doc:"A file that everybody can read, without a password."`
}

type sealedIn struct {
	ID   org.ID `path:"id" maxLength:"64"`
	Mark string `path:"mark" maxLength:"64" doc:"As the link names it."`
}

// sealedPath is where Safe Exam Browser fetches its settings.
const sealedPath = "/api/v1/exams/{id}/seb/{mark}"

// SealedPath is the path at which SealedFile answers, for links.
func SealedPath(exam org.ID, mark string) string {
	return strings.NewReplacer("{id}", exam.String(), "{mark}", mark+".seb").Replace(sealedPath)
}

func registerSafeBrowser(d *door) {
	handle(d, op{id: "exam-seb", method: http.MethodGet, path: "/api/v1/exams/{id}/seb", summary: "Write an examination as settings of Safe Exam Browser", needs: may.ExamRun}, d.examSEB)
	handle(d, op{id: "exam-seb-keys", method: http.MethodGet, path: "/api/v1/exams/{id}/seb-keys", summary: "Read passwords and key of those settings", needs: may.ExamRun}, d.examSEBKeys)
	handle(d, op{id: "exam-seb-sealed", method: http.MethodGet, path: sealedPath, summary: "Fetch the sealed settings, as Safe Exam Browser does", public: true}, d.examSEBSealed)
}

func (d *door) examSEB(ctx context.Context, actor may.Actor, in *sebIn) (*file, error) {
	b, err := d.Exams.SafeBrowser(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	if in.Plain {
		return sebFile(b.Plain), nil
	}
	return sebFile(b.Sealed), nil
}

func (d *door) examSEBKeys(ctx context.Context, actor may.Actor, in *byID) (*body[SafeBrowser], error) {
	b, err := d.Exams.SafeBrowser(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	return &body[SafeBrowser]{SafeBrowser{Link: b.Link, OpenPassword: b.Open, QuitPassword: b.Quit, ConfigKey: b.ConfigKey}}, nil
}

func (d *door) examSEBSealed(ctx context.Context, _ may.Actor, in *sealedIn) (*file, error) {
	data, err := d.Exams.SealedFile(ctx, in.ID, strings.TrimSuffix(in.Mark, ".seb"))
	if err != nil {
		return nil, err
	}
	return sebFile(data), nil
}

func sebFile(data []byte) *file {
	return &file{ContentType: "application/seb", Disposition: `attachment; filename="pruefung.seb"`, Body: data}
}
