package api

import (
	"context"
	"net/http"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
)

// Place is where something is said.
type Place struct {
	Level org.Level `json:"level" enum:"operator,authority,school,group,device"`
	ID    org.ID    `json:"id,omitempty" maxLength:"64" doc:"Empty for the operator."`
	Name  string    `json:"name,omitempty" readOnly:"true"`
}

func (p Place) of() desired.Place { return desired.Place{Level: p.Level, ID: p.ID} }

func placeOut(p standard.Place) Place { return Place{p.Level, p.ID, p.Name} }

// Said is what a place says about a family.
type Said struct {
	Settings map[string]any          `json:"settings" doc:"Values by field, as the catalogue describes them. Secrets that are set read ••••••••, and stay when they are sent back so."`
	Holds    map[string]desired.Hold `json:"holds,omitempty" doc:"How firmly fields are meant: locked or free; a missing field is the standard."`
}

func saidOut(says map[string]standard.Say) map[string]Said {
	out := make(map[string]Said, len(says))
	for family, say := range says {
		settings := map[string]any{}
		for field, value := range say.Settings {
			settings[field] = value
		}
		out[family] = Said{settings, say.Holds}
	}
	return out
}

// PolicyField is one field of a place.
type PolicyField struct {
	Family  string          `json:"family"`
	Field   string          `json:"field"`
	Own     any             `json:"own,omitempty" doc:"What the place itself says."`
	OwnHold desired.Hold    `json:"own_hold,omitempty"`
	Effect  desired.Effect  `json:"effect,omitempty" doc:"What becomes of it."`
	Above   any             `json:"above,omitempty" doc:"What holds without the place's own word."`
	Value   any             `json:"value,omitempty" doc:"What holds."`
	Origin  *Place          `json:"origin,omitempty" doc:"Who decides above."`
	Leeway  standard.Leeway `json:"leeway" enum:"free,more,stricter,none,locked" doc:"How far the place may go without an exception."`
}

// Policies is what a place says and hears.
type Policies struct {
	Place    Place         `json:"place"`
	Devices  int           `json:"devices"`
	FourEyes bool          `json:"four_eyes" doc:"Whether a second person has to approve."`
	Fields   []PolicyField `json:"fields" nullable:"false" doc:"Fields about which somebody says something."`
}

type placeIn struct {
	Level org.Level `query:"level" required:"true" enum:"operator,authority,school,group,device"`
	Place org.ID    `query:"place" maxLength:"64" doc:"Its id; empty for the operator."`
}

// FamilyPath is a family at a place. It is exported because only then its fields
// are read where it is embedded.
type FamilyPath struct {
	Level  org.Level `path:"level" enum:"operator,authority,school,group,device"`
	ID     org.ID    `path:"id" maxLength:"64" doc:"Of the place; any word for the operator, who is one."`
	Family string    `path:"family" maxLength:"64"`
}

func (in FamilyPath) place() desired.Place {
	if in.Level == org.Operator {
		return desired.Place{Level: org.Operator}
	}
	return desired.Place{Level: in.Level, ID: in.ID}
}

type putFamilyIn struct {
	FamilyPath
	Body struct {
		Said
		Title  string `json:"title,omitempty" maxLength:"200"`
		Reason string `json:"reason,omitempty" maxLength:"4000"`
	}
}

func registerPolicies(d *door) {
	handle(d, op{id: "list-policies", method: http.MethodGet, path: "/api/v1/policies", summary: "What a place says and hears", needs: may.PolicyRead}, d.policies)
	handle(d, op{id: "find-policy", method: http.MethodGet, path: "/api/v1/policies/{level}/{id}/{family}", summary: "What a place itself says about a family", needs: may.PolicyRead}, d.findPolicy)
	handle(d, op{id: "put-policy", method: http.MethodPut, path: "/api/v1/policies/{level}/{id}/{family}", summary: "Prepare a draft in which a place says something about a family", needs: may.PolicyPropose, status: http.StatusCreated}, d.putPolicy)
	handle(d, op{id: "delete-policy", method: http.MethodDelete, path: "/api/v1/policies/{level}/{id}/{family}", summary: "Prepare a draft in which a place says nothing about a family", needs: may.PolicyPropose, status: http.StatusCreated}, d.deletePolicy)
}

func (d *door) findPolicy(ctx context.Context, actor may.Actor, in *FamilyPath) (*body[Said], error) {
	said, err := d.Standard.Own(ctx, actor, in.place())
	if err != nil {
		return nil, err
	}
	say, ok := said[in.Family]
	if !ok {
		return nil, errs.E(errs.NotFound, "not_found")
	}
	return &body[Said]{saidOut(map[string]standard.Say{in.Family: say})[in.Family]}, nil
}

func (d *door) putPolicy(ctx context.Context, actor may.Actor, in *putFamilyIn) (*body[Draft], error) {
	return d.prepare(ctx, actor, in.FamilyPath, standard.NewDraft{
		Title: in.Body.Title, Reason: in.Body.Reason, Families: map[string]standard.Wish{in.Family: {Settings: in.Body.Settings, Holds: in.Body.Holds}},
	})
}

func (d *door) deletePolicy(ctx context.Context, actor may.Actor, in *FamilyPath) (*body[Draft], error) {
	return d.prepare(ctx, actor, *in, standard.NewDraft{Families: map[string]standard.Wish{in.Family: {}}})
}

func (d *door) prepare(ctx context.Context, actor may.Actor, in FamilyPath, wanted standard.NewDraft) (*body[Draft], error) {
	if wanted.Title == "" {
		wanted.Title = in.Family
	}
	return draftBody(d.Standard.Begin(ctx, actor, in.place(), wanted))
}

func (d *door) policies(ctx context.Context, actor may.Actor, in *placeIn) (*body[Policies], error) {
	sheet, err := d.Standard.At(ctx, actor, desired.Place{Level: in.Level, ID: in.Place})
	if err != nil {
		return nil, err
	}
	out := Policies{Place: placeOut(sheet.Place), Devices: sheet.Devices, FourEyes: sheet.FourEyes, Fields: []PolicyField{}}
	for _, f := range sheet.Fields {
		if f.Here == nil && f.Own == nil {
			continue
		}
		one := PolicyField{Family: f.Family, Field: f.Field, Own: f.Own, OwnHold: f.OwnHold, Effect: f.Effect, Leeway: f.Leeway}
		if f.Above != nil {
			one.Above = f.Above.Value
		}
		if f.Upper != nil {
			upper := placeOut(*f.Upper)
			one.Origin = &upper
		}
		if f.Here != nil {
			one.Value = f.Here.Value
		}
		out.Fields = append(out.Fields, one)
	}
	return &body[Policies]{out}, nil
}
