package api

import (
	"context"
	"net/http"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
)

// Draft is a change that somebody prepares.
type Draft struct {
	ID          org.ID                `json:"id"`
	Place       Place                 `json:"place"`
	Title       string                `json:"title"`
	Reason      string                `json:"reason,omitempty"`
	State       standard.State        `json:"state" enum:"draft,proposed,pilot,published,discarded"`
	Changes     map[string]Said       `json:"changes" doc:"Families as they shall be."`
	Differences []standard.Difference `json:"differences" nullable:"false"`
	Pilot       org.ID                `json:"pilot,omitempty" doc:"Group that tries it first."`
	Author      Named                 `json:"author"`
	Approver    *Named                `json:"approver,omitempty"`
	Created     time.Time             `json:"created"`
	Changed     time.Time             `json:"changed"`
	Published   *time.Time            `json:"published,omitempty"`
}

func draftOut(d standard.Draft) Draft {
	out := Draft{
		ID: d.ID, Place: placeOut(d.Place), Title: d.Title, Reason: d.Reason, State: d.State, Changes: saidOut(d.Changes), Differences: d.Differences(),
		Pilot: d.Pilot, Author: Named{d.Author, d.AuthorName}, Created: d.Created, Changed: d.Changed, Published: at(d.Published),
	}
	if out.Differences == nil {
		out.Differences = []standard.Difference{}
	}
	if d.Approver != "" {
		out.Approver = &Named{d.Approver, d.ApproverName}
	}
	return out
}

// draftBody answers with a draft, unless there is a fault.
func draftBody(draft standard.Draft, err error) (*body[Draft], error) {
	if err != nil {
		return nil, err
	}
	return &body[Draft]{draftOut(draft)}, nil
}

type newDraftIn struct {
	Body struct {
		Place  Place           `json:"place"`
		Title  string          `json:"title" maxLength:"200"`
		Reason string          `json:"reason,omitempty" maxLength:"4000"`
		Pilot  org.ID          `json:"pilot,omitempty" maxLength:"64"`
		Says   map[string]Said `json:"says" doc:"By family. One without settings takes the family away."`
	}
}

type publishIn struct {
	ID   org.ID `path:"id" maxLength:"64"`
	Body struct {
		Pilot org.ID    `json:"pilot,omitempty" maxLength:"64" doc:"Publish for this group only, first."`
		Seen  time.Time `json:"seen,omitempty" doc:"When the draft had changed last as you saw it."`
	} `required:"false"`
}

func registerDrafts(d *door) {
	handle(d, op{id: "create-policy-draft", method: http.MethodPost, path: "/api/v1/drafts", summary: "Prepare a change", needs: may.PolicyPropose, status: http.StatusCreated}, d.createDraft)
	handle(d, op{id: "find-policy-draft", method: http.MethodGet, path: "/api/v1/drafts/{id}", summary: "Find a draft", needs: may.PolicyRead}, d.findDraft)
	handle(d, op{id: "draft-impact", method: http.MethodPost, path: "/api/v1/drafts/{id}/impact", summary: "Work out what a draft would change, on devices as they are now", needs: may.PolicyRead}, d.impact)
	handle(d, op{id: "propose-draft", method: http.MethodPost, path: "/api/v1/drafts/{id}/propose", summary: "Ask a second person", needs: may.PolicyPropose}, d.proposeDraft)
	handle(d, op{id: "publish-draft", method: http.MethodPost, path: "/api/v1/drafts/{id}/publish", summary: "Publish a draft, for all or for a pilot group", needs: may.PolicyWrite}, d.publishDraft)
	handle(d, op{id: "approve-draft", method: http.MethodPost, path: "/api/v1/drafts/{id}/approve", summary: "Publish what somebody else proposed", needs: may.PolicyApprove}, d.approveDraft)
	handle(d, op{id: "discard-draft", method: http.MethodPost, path: "/api/v1/drafts/{id}/discard", summary: "Give a draft up; a running pilot is taken back", needs: may.PolicyPropose}, d.discardDraft)
}

func (d *door) createDraft(ctx context.Context, actor may.Actor, in *newDraftIn) (*body[Draft], error) {
	wishes := map[string]standard.Wish{}
	for family, said := range in.Body.Says {
		wishes[family] = standard.Wish{Settings: said.Settings, Holds: said.Holds}
	}
	return draftBody(d.Standard.Begin(ctx, actor, in.Body.Place.of(), standard.NewDraft{Title: in.Body.Title, Reason: in.Body.Reason, Pilot: in.Body.Pilot, Families: wishes}))
}

func (d *door) findDraft(ctx context.Context, actor may.Actor, in *byID) (*body[Draft], error) {
	return draftBody(d.Standard.Draft(ctx, actor, in.ID))
}

func (d *door) impact(ctx context.Context, actor may.Actor, in *byID) (*body[Impact], error) {
	found, err := d.Standard.Impact(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	return &body[Impact]{impactOut(found)}, nil
}

func (d *door) proposeDraft(ctx context.Context, actor may.Actor, in *byID) (*body[Draft], error) {
	return draftBody(d.Standard.Propose(ctx, actor, in.ID))
}

func (d *door) publishDraft(ctx context.Context, actor may.Actor, in *publishIn) (*body[Draft], error) {
	draft, _, err := d.Standard.Publish(ctx, actor, in.ID, standard.Release{Pilot: in.Body.Pilot, Seen: in.Body.Seen})
	return draftBody(draft, err)
}

func (d *door) approveDraft(ctx context.Context, actor may.Actor, in *publishIn) (*body[Draft], error) {
	draft, _, err := d.Standard.Approve(ctx, actor, in.ID, standard.Release{Pilot: in.Body.Pilot, Seen: in.Body.Seen})
	return draftBody(draft, err)
}

func (d *door) discardDraft(ctx context.Context, actor may.Actor, in *byID) (*body[Draft], error) {
	return draftBody(d.Standard.Discard(ctx, actor, in.ID))
}
