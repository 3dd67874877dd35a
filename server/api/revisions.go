package api

import (
	"context"
	"net/http"
	"time"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
)

// PolicyVersion is something that was published.
type PolicyVersion struct {
	ID          org.ID                `json:"id"`
	Place       Place                 `json:"place"`
	Draft       org.ID                `json:"draft,omitempty"`
	Title       string                `json:"title"`
	Reason      string                `json:"reason,omitempty"`
	Differences []standard.Difference `json:"differences" nullable:"false"`
	Undoes      org.ID                `json:"undoes,omitempty" doc:"The version that this one took back."`
	Undone      org.ID                `json:"undone,omitempty" doc:"The version that took this one back."`
	By          Named                 `json:"by"`
	Approver    *Named                `json:"approver,omitempty"`
	At          time.Time             `json:"at"`
}

func versionOut(v standard.Version) PolicyVersion {
	out := PolicyVersion{
		ID: v.ID, Place: placeOut(v.Place), Draft: v.Draft, Title: v.Title, Reason: v.Reason, Differences: v.Differences(), Undoes: v.Undoes, Undone: v.Undone,
		By: Named{v.By, v.ByName}, At: v.At,
	}
	if out.Differences == nil {
		out.Differences = []standard.Difference{}
	}
	if v.Approver != "" {
		out.Approver = &Named{v.Approver, v.ApproverName}
	}
	return out
}

type versionsIn struct {
	Paging
	Level     org.Level `query:"level" enum:"operator,authority,school,group,device"`
	Place     org.ID    `query:"place" maxLength:"64"`
	Authority org.ID    `query:"authority" maxLength:"64"`
	School    org.ID    `query:"school" maxLength:"64"`
}

func registerRevisions(d *door) {
	handle(d, op{id: "list-policy-revisions", method: http.MethodGet, path: "/api/v1/policies/revisions", summary: "What was published, the latest first", needs: may.PolicyRead}, d.versions)
	handle(d, op{id: "revert-policy-revision", method: http.MethodPost, path: "/api/v1/policies/revisions/{id}/revert", summary: "Take a revision back, or propose to where a second person has to approve", needs: may.PolicyPropose}, d.undoVersion)
}

// Reverted is what became of the wish to take a revision back.
type Reverted struct {
	Revision *PolicyVersion `json:"revision,omitempty" doc:"The revision that took it back."`
	Draft    *Draft         `json:"draft,omitempty" doc:"The draft that a second person has to approve."`
}

func (d *door) versions(ctx context.Context, actor may.Actor, in *versionsIn) (*body[List[PolicyVersion]], error) {
	filter := standard.VersionFilter{Authority: in.Authority, School: in.School, Cursor: in.Cursor, Limit: in.Limit}
	if in.Level != "" {
		filter.Place = &desired.Place{Level: in.Level, ID: in.Place}
	}
	versions, next, err := d.Standard.Versions(ctx, actor, filter)
	if err != nil {
		return nil, err
	}
	return listOf(versions, next, versionOut), nil
}

func (d *door) undoVersion(ctx context.Context, actor may.Actor, in *byID) (*body[Reverted], error) {
	draft, version, err := d.Standard.Undo(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	if draft.ID != "" {
		waiting := draftOut(draft)
		return &body[Reverted]{Reverted{Draft: &waiting}}, nil
	}
	made := versionOut(version)
	return &body[Reverted]{Reverted{Revision: &made}}, nil
}
