package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/policies/sheet"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
)

// Template is a version of a template that was taken in.
type Template struct {
	ID          org.ID    `json:"id"`
	Authority   org.ID    `json:"authority,omitempty" doc:"Only this authority has it; all have it if it is left out."`
	Name        string    `json:"name" doc:"The same for every version."`
	Title       string    `json:"title"`
	Version     int       `json:"version"`
	Publisher   string    `json:"publisher" doc:"As the publisher calls itself."`
	Fingerprint string    `json:"fingerprint" doc:"Of the key that signed it."`
	Trusted     bool      `json:"trusted" doc:"Whether the key is that of a publisher who is known here."`
	At          time.Time `json:"at"`
	By          Named     `json:"by"`
}

func templateOut(p standard.Package) Template {
	return Template{p.ID, p.Authority, p.Name, p.Title, p.Version, p.Publisher, sheet.Fingerprint(p.Key), p.Trusted, p.At, Named{p.By, p.ByName}}
}

// TemplateOffer is what a template would bring to a place.
type TemplateOffer struct {
	Template Template              `json:"template"`
	Place    Place                 `json:"place"`
	Former   *Template             `json:"former,omitempty" doc:"The version that the place took over last; with an older one this is a proposal."`
	Coming   []standard.Difference `json:"coming" nullable:"false" doc:"What the draft would change."`
	Kept     []standard.Difference `json:"kept" nullable:"false" doc:"What the new version changes and the place keeps, because it changed it itself."`
	Devices  int                   `json:"devices" doc:"On which something would change; 0 in lists."`
	Unable   int                   `json:"unable" doc:"That are meant and cannot; 0 in lists."`
	Declined string                `json:"declined,omitempty" doc:"Why the place does not want it."`
	Draft    org.ID                `json:"draft,omitempty" doc:"One that brings it already."`
}

func offerOut(o standard.Offer) TemplateOffer {
	out := TemplateOffer{
		Template: templateOut(o.Pack), Place: placeOut(o.Place), Coming: o.Coming, Kept: o.Kept, Devices: o.Impact.Changed, Unable: o.Impact.Unable, Draft: o.Draft,
	}
	if out.Coming == nil {
		out.Coming = []standard.Difference{}
	}
	if out.Kept == nil {
		out.Kept = []standard.Difference{}
	}
	if o.Former != nil {
		former := templateOut(*o.Former)
		out.Former = &former
	}
	if o.Declined != nil {
		out.Declined = o.Declined.Reason
	}
	return out
}

// Publisher is somebody whose templates are believed.
type Publisher struct {
	ID          org.ID    `json:"id"`
	Authority   org.ID    `json:"authority,omitempty"`
	Name        string    `json:"name"`
	Key         string    `json:"key"`
	Fingerprint string    `json:"fingerprint"`
	At          time.Time `json:"at"`
	By          Named     `json:"by"`
}

func publisherOut(p standard.Publisher) Publisher {
	return Publisher{p.ID, p.Authority, p.Name, sheet.WriteKey(p.Key), sheet.Fingerprint(p.Key), p.At, Named{p.By, p.ByName}}
}

type takeInIn struct {
	Body struct {
		Authority org.ID         `json:"authority,omitempty" maxLength:"64" doc:"Only for this authority; for all if it is left out."`
		Package   map[string]any `json:"package" doc:"The package as schulwart template pack wrote it."`
	}
}

type offerIn struct {
	ID    org.ID    `path:"id" maxLength:"64"`
	Level org.Level `query:"level" required:"true" enum:"operator,authority,school,group"`
	Place org.ID    `query:"place" maxLength:"64" doc:"Its id; empty for the operator."`
}

type takeTemplateIn struct {
	ID   org.ID `path:"id" maxLength:"64"`
	Body struct {
		Place Place  `json:"place"`
		Title string `json:"title,omitempty" maxLength:"120"`
	}
}

type declineIn struct {
	ID   org.ID `path:"id" maxLength:"64"`
	Body struct {
		Place  Place  `json:"place"`
		Reason string `json:"reason" maxLength:"2000"`
	}
}

type proposalsIn struct {
	Authority org.ID `query:"authority" maxLength:"64"`
	School    org.ID `query:"school" maxLength:"64" doc:"Needs its authority."`
}

type trustIn struct {
	Body struct {
		Authority   org.ID `json:"authority,omitempty" maxLength:"64" doc:"Only in this authority; everywhere if it is left out."`
		Name        string `json:"name" maxLength:"120"`
		Key         string `json:"key" maxLength:"200"`
		Fingerprint string `json:"fingerprint" maxLength:"100" doc:"As the publisher told it over another way."`
	}
}

func registerTemplates(d *door) {
	handle(d, op{id: "list-templates", method: http.MethodGet, path: "/api/v1/templates", summary: "List templates that were taken in", needs: may.PolicyRead}, d.templates)
	handle(d, op{id: "take-in-template", method: http.MethodPost, path: "/api/v1/templates", summary: "Take in a signed package of a known publisher; nothing holds by that", needs: may.PolicyWrite, status: http.StatusCreated, most: 2 * sheet.MostPackage}, d.takeIn)
	handle(d, op{id: "find-template", method: http.MethodGet, path: "/api/v1/templates/{id}", summary: "What a template would bring to a place", needs: may.PolicyRead}, d.offer)
	handle(d, op{id: "take-template", method: http.MethodPost, path: "/api/v1/templates/{id}/take", summary: "Prepare a draft that brings a template to a place", needs: may.PolicyPropose, status: http.StatusCreated}, d.takeTemplate)
	handle(d, op{id: "decline-template", method: http.MethodPost, path: "/api/v1/templates/{id}/decline", summary: "Keep a place at the version that it has", needs: may.PolicyWrite, status: http.StatusNoContent}, d.declineTemplate)
	handle(d, op{id: "list-template-proposals", method: http.MethodGet, path: "/api/v1/template-proposals", summary: "List newer versions of templates that were taken over", needs: may.PolicyRead}, d.proposals)
	handle(d, op{id: "list-template-publishers", method: http.MethodGet, path: "/api/v1/template-publishers", summary: "List publishers whose templates are believed", needs: may.PolicyRead}, d.publishers)
	handle(d, op{id: "trust-template-publisher", method: http.MethodPost, path: "/api/v1/template-publishers", summary: "Believe a publisher", needs: may.PolicyWrite, status: http.StatusCreated}, d.trust)
	handle(d, op{id: "distrust-template-publisher", method: http.MethodDelete, path: "/api/v1/template-publishers/{id}", summary: "Believe a publisher no longer", needs: may.PolicyWrite, status: http.StatusNoContent}, d.distrust)
}

func (d *door) templates(ctx context.Context, actor may.Actor, _ *struct{}) (*body[List[Template]], error) {
	list, err := d.Standard.Packages(ctx, actor)
	if err != nil {
		return nil, err
	}
	return listOf(list, "", templateOut), nil
}

func (d *door) takeIn(ctx context.Context, actor may.Actor, in *takeInIn) (*body[Template], error) {
	data, err := json.Marshal(in.Body.Package)
	if err != nil {
		return nil, err
	}
	pack, err := d.Standard.TakeIn(ctx, actor, in.Body.Authority, data)
	if err != nil {
		return nil, err
	}
	return &body[Template]{templateOut(pack)}, nil
}

func (d *door) offer(ctx context.Context, actor may.Actor, in *offerIn) (*body[TemplateOffer], error) {
	offer, err := d.Standard.Offer(ctx, actor, in.ID, desired.Place{Level: in.Level, ID: in.Place})
	if err != nil {
		return nil, err
	}
	return &body[TemplateOffer]{offerOut(offer)}, nil
}

func (d *door) takeTemplate(ctx context.Context, actor may.Actor, in *takeTemplateIn) (*body[Draft], error) {
	return draftBody(d.Standard.TakeTemplate(ctx, actor, in.ID, in.Body.Place.of(), in.Body.Title))
}

func (d *door) declineTemplate(ctx context.Context, actor may.Actor, in *declineIn) (*struct{}, error) {
	return nil, d.Standard.DeclineTemplate(ctx, actor, in.ID, in.Body.Place.of(), in.Body.Reason)
}

func (d *door) proposals(ctx context.Context, actor may.Actor, in *proposalsIn) (*body[List[TemplateOffer]], error) {
	list, err := d.Standard.Proposals(ctx, actor, org.Branch{Authority: in.Authority, School: in.School})
	if err != nil {
		return nil, err
	}
	return listOf(list, "", offerOut), nil
}

func (d *door) publishers(ctx context.Context, actor may.Actor, _ *struct{}) (*body[List[Publisher]], error) {
	list, err := d.Standard.Publishers(ctx, actor)
	if err != nil {
		return nil, err
	}
	return listOf(list, "", publisherOut), nil
}

func (d *door) trust(ctx context.Context, actor may.Actor, in *trustIn) (*body[Publisher], error) {
	publisher, err := d.Standard.Trust(ctx, actor, in.Body.Authority, in.Body.Name, in.Body.Key, in.Body.Fingerprint)
	if err != nil {
		return nil, err
	}
	return &body[Publisher]{publisherOut(publisher)}, nil
}

func (d *door) distrust(ctx context.Context, actor may.Actor, in *byID) (*struct{}, error) {
	return nil, d.Standard.Distrust(ctx, actor, in.ID)
}
