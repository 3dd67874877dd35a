package api

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/may"
	"schulwart.org/server/packages"
)

// App is a version of a package in the catalogue.
type App struct {
	ID           org.ID       `json:"id"`
	Authority    org.ID       `json:"authority,omitempty" doc:"Only this authority has it; all have it if it is left out."`
	Kind         rollout.Kind `json:"kind" enum:"deb,flatpak,appimage,webapp,agent"`
	Name         string       `json:"name" doc:"As its system knows it: the name of a Debian package, a Flatpak id." example:"geogebra-classic"`
	Version      string       `json:"version"`
	Architecture string       `json:"architecture,omitempty" example:"amd64"`
	Depends      []string     `json:"depends" nullable:"false"`
	Licence      string       `json:"licence,omitempty" doc:"SPDX expression, where somebody said it." example:"GPL-3.0-or-later"`
	Size         int64        `json:"size" doc:"Bytes; 0 without a file."`
	SHA256       string       `json:"sha256,omitempty" doc:"Hexadecimal."`
	Signature    string       `json:"signature,omitempty" doc:"minisign, over the file. It is kept and handed on."`
	Source       string       `json:"source,omitempty"`
	URL          string       `json:"url,omitempty" doc:"Of a web app."`
	Commit       string       `json:"commit,omitempty" doc:"What Flatpak itself calls the version."`
	Repository   *Repository  `json:"repository,omitempty" doc:"Where devices have it from; left out for one that has a file."`
	Title        rollout.Text `json:"title"`
	Description  rollout.Text `json:"description"`
	At           time.Time    `json:"at"`
	By           Named        `json:"by"`
}

// Repository is where a system's own program gets a package from.
type Repository struct {
	URL        string   `json:"url" maxLength:"500" doc:"By https, or http: what counts is the signature."`
	Suite      string   `json:"suite" maxLength:"128" doc:"An apt repository's, or a Flatpak's branch." example:"bookworm"`
	Components []string `json:"components,omitempty" maxItems:"10" doc:"Of an apt repository." example:"[\"main\"]"`
	Key        string   `json:"key" maxLength:"20480" doc:"OpenPGP public key, in ASCII armor. What is not signed with it is refused by the device."`
}

func (r *Repository) wanted() *rollout.Repository {
	if r == nil {
		return nil
	}
	return &rollout.Repository{URL: r.URL, Suite: r.Suite, Components: r.Components, Key: r.Key}
}

func appOut(p packages.Package) App {
	out := App{
		ID: p.ID, Authority: p.Authority, Kind: p.Kind, Name: p.Name, Version: p.Version, Architecture: p.Architecture, Depends: p.Depends, Licence: p.Licence, Size: p.Size,
		SHA256: p.SHA256, Signature: p.Signature, Source: p.Source, URL: p.URL, Title: p.Title, Description: p.Description, At: p.At, By: Named{p.By, p.ByName},
	}
	out.Commit = p.Commit
	if r := p.Repository; r != nil {
		out.Repository = &Repository{URL: r.URL, Suite: r.Suite, Components: r.Components, Key: r.Key}
	}
	if out.Depends == nil {
		out.Depends = []string{}
	}
	return out
}

// Upload is a file on its way into the catalogue.
type Upload struct {
	ID       org.ID `json:"id,omitempty"`
	Path     string `json:"path,omitempty" doc:"Where to PATCH the file's bytes, from the offset on, in as many requests as you like."`
	Offset   int64  `json:"offset" doc:"Bytes that are kept for good."`
	Size     int64  `json:"size"`
	Finished bool   `json:"finished" doc:"The file was looked at and is in the catalogue."`
	App      *App   `json:"package,omitempty" doc:"What it became. What needs no file is there at once."`
}

const uploads = "/api/v1/packages/uploads/"

func uploadOut(u packages.Upload, pack *packages.Package) Upload {
	out := Upload{ID: u.ID, Path: uploads + u.ID.String(), Offset: u.Received, Size: u.Size}
	if pack != nil {
		app := appOut(*pack)
		out = Upload{Offset: u.Received, Size: u.Size, Finished: true, App: &app}
	}
	return out
}

type newAppIn struct {
	Body struct {
		Authority   org.ID       `json:"authority,omitempty" maxLength:"64" doc:"Only for this authority; for all if it is left out."`
		Kind        string       `json:"kind,omitempty" enum:"file,webapp,deb,flatpak" doc:"A file tells its kind itself. deb and flatpak are for packages that devices have from a repository."`
		File        string       `json:"file,omitempty" maxLength:"255" doc:"Name of the file. One whose end promises something else than its content is refused."`
		Size        int64        `json:"size,omitempty" minimum:"0" doc:"Bytes of the file."`
		SHA256      string       `json:"sha256,omitempty" maxLength:"64" doc:"If you know it: a file that has another one is refused."`
		Name        string       `json:"name,omitempty" maxLength:"128" doc:"For what does not say it itself: AppImages, web apps, and what comes from a repository."`
		Version     string       `json:"version,omitempty" maxLength:"128" doc:"For AppImages, Flatpaks, web apps, and what comes from a repository."`
		Commit      string       `json:"commit,omitempty" maxLength:"64" doc:"Of a Flatpak that comes from a repository."`
		Repository  *Repository  `json:"repository,omitempty"`
		URL         string       `json:"url,omitempty" maxLength:"500" doc:"Of a web app."`
		Licence     string       `json:"licence,omitempty" maxLength:"200"`
		Signature   string       `json:"signature,omitempty" maxLength:"2000"`
		Source      string       `json:"source,omitempty" maxLength:"500"`
		Title       rollout.Text `json:"title,omitempty"`
		Description rollout.Text `json:"description,omitempty"`
	}
}

// pieceIn carries bytes of a file. They are read as they come: nobody holds them.
type pieceIn struct {
	ID     org.ID `path:"upload" maxLength:"64"`
	Offset int64  `header:"Upload-Offset" required:"true" minimum:"0" doc:"Where the bytes belong; another offset than the upload's is a 409 that names it."`

	content io.Reader
}

// Resolve keeps the body for whoever reads it.
func (in *pieceIn) Resolve(ctx huma.Context) []error {
	in.content = ctx.BodyReader()
	return nil
}

type uploadState struct {
	Offset string `header:"Upload-Offset"`
	Body   Upload
}

func stateOut(u Upload) *uploadState {
	return &uploadState{Offset: strconv.FormatInt(u.Offset, 10), Body: u}
}

func registerApps(d *door) {
	handle(d, op{id: "list-packages", method: http.MethodGet, path: "/api/v1/packages", summary: "List the catalogue of apps", needs: may.AppRead}, d.apps)
	handle(d, op{id: "create-package", method: http.MethodPost, path: "/api/v1/packages", summary: "Begin an upload, or take in what has no file: a web app, a package from a repository", needs: may.AppWrite, status: http.StatusCreated}, d.createApp)
	handle(d, op{id: "get-upload", method: http.MethodGet, path: uploads + "{upload}", summary: "Say how much of a file is there", needs: may.AppWrite}, d.findUpload)
	handle(d, op{id: "continue-upload", method: http.MethodPatch, path: uploads + "{upload}", summary: "Send more of a file", needs: may.AppWrite, most: packages.Largest + 1}, d.continueUpload)
	handle(d, op{id: "abandon-upload", method: http.MethodDelete, path: uploads + "{upload}", summary: "Throw away a file on its way", needs: may.AppWrite, status: http.StatusNoContent}, d.abandonUpload)
	handle(d, op{id: "get-package", method: http.MethodGet, path: "/api/v1/packages/{id}", summary: "Get an app", needs: may.AppRead}, d.findApp)
	handle(d, op{id: "delete-package", method: http.MethodDelete, path: "/api/v1/packages/{id}", summary: "Take an app out of the catalogue", needs: may.AppWrite, status: http.StatusNoContent}, d.deleteApp)
}

type byUpload struct {
	ID org.ID `path:"upload" maxLength:"64"`
}

func (d *door) apps(ctx context.Context, actor may.Actor, _ *struct{}) (*body[List[App]], error) {
	list, err := d.Packages.List(ctx, actor)
	if err != nil {
		return nil, err
	}
	return listOf(list, "", appOut), nil
}

func (d *door) findApp(ctx context.Context, actor may.Actor, in *byID) (*body[App], error) {
	pack, err := d.Packages.Find(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	return &body[App]{appOut(pack)}, nil
}

func (d *door) deleteApp(ctx context.Context, actor may.Actor, in *byID) (*struct{}, error) {
	return nil, d.Packages.Delete(ctx, actor, in.ID)
}

func (d *door) createApp(ctx context.Context, actor may.Actor, in *newAppIn) (*body[Upload], error) {
	b := in.Body
	wanted := rollout.Package{
		Name: b.Name, Version: b.Version, Licence: b.Licence, Signature: b.Signature, Source: b.Source, SHA256: b.SHA256, URL: b.URL, Title: b.Title, Description: b.Description,
	}
	take := d.Packages.WebApp
	if b.Kind == string(rollout.Deb) || b.Kind == string(rollout.Flatpak) {
		wanted.Kind, wanted.Commit, wanted.Repository = rollout.Kind(b.Kind), b.Commit, b.Repository.wanted()
		take = d.Packages.FromRepository
	}
	if b.Kind != "" && b.Kind != "file" {
		pack, err := take(ctx, actor, b.Authority, wanted)
		if err != nil {
			return nil, err
		}
		return &body[Upload]{uploadOut(packages.Upload{}, &pack)}, nil
	}
	upload, err := d.Packages.Begin(ctx, actor, b.Authority, b.File, b.Size, wanted)
	if err != nil {
		return nil, err
	}
	return &body[Upload]{uploadOut(upload, nil)}, nil
}

func (d *door) findUpload(ctx context.Context, actor may.Actor, in *byUpload) (*uploadState, error) {
	upload, err := d.Packages.FindUpload(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	return stateOut(uploadOut(upload, nil)), nil
}

func (d *door) continueUpload(ctx context.Context, actor may.Actor, in *pieceIn) (*uploadState, error) {
	upload, pack, err := d.Packages.Append(ctx, actor, in.ID, in.Offset, in.content)
	if err != nil {
		return nil, err
	}
	return stateOut(uploadOut(upload, pack)), nil
}

func (d *door) abandonUpload(ctx context.Context, actor may.Actor, in *byUpload) (*struct{}, error) {
	return nil, d.Packages.Abandon(ctx, actor, in.ID)
}
