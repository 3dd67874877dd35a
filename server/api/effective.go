package api

import (
	"context"
	"net/http"
	"time"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
)

// Effective is one setting that holds on a device.
type Effective struct {
	Family   string           `json:"family"`
	Setting  string           `json:"setting"`
	Value    any              `json:"value"`
	Origin   Place            `json:"origin"`
	Locked   bool             `json:"locked"`
	Until    *time.Time       `json:"until,omitempty" doc:"When an exception that decides here ends."`
	Ability  string           `json:"ability" enum:"enforced,reported,not-possible,unverified" doc:"What the device does with it."`
	Missing  string           `json:"missing,omitempty" doc:"What the device lacks for it."`
	Reported string           `json:"reported,omitempty" enum:"active,waiting,deviating" doc:"What the device last said of the family; left out for one that is not enrolled."`
	Drift    *Drift           `json:"drift,omitempty" doc:"There only if the device deviates."`
	From     []desired.Source `json:"from" nullable:"false" doc:"Everybody who says something, from the top to the device, with what became of it."`
}

// Drift is how a device deviates.
type Drift struct {
	Since   *time.Time        `json:"since,omitempty" doc:"The report since which the device says so."`
	Reasons []standard.Reason `json:"reasons,omitempty"`
}

// EffectiveList is what holds on a device.
type EffectiveList struct {
	Items    []Effective `json:"items" nullable:"false"`
	Reported *time.Time  `json:"reported,omitempty" doc:"When the device last said what it has."`
}

// Coverage is what one platform does with a setting.
type Coverage struct {
	Family     string       `json:"family"`
	Setting    string       `json:"setting"`
	Platform   org.Platform `json:"platform"`
	Ability    string       `json:"ability" enum:"enforced,reported,not-possible,unverified"`
	Supervised bool         `json:"supervised,omitempty" doc:"From supervised devices only."`
}

func registerEffective(d *door) {
	handle(d, op{id: "effective-policies", method: http.MethodGet, path: "/api/v1/devices/{id}/effective", summary: "What holds on a device, and why", needs: may.PolicyRead}, d.effective)
	handle(d, op{id: "coverage", method: http.MethodGet, path: "/api/v1/coverage", summary: "What each platform does with each setting", needs: may.PolicyRead}, d.coverage)
}

func (d *door) effective(ctx context.Context, actor may.Actor, in *byID) (*body[EffectiveList], error) {
	holding, err := d.Standard.OnDevice(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	out := EffectiveList{Items: []Effective{}, Reported: at(holding.Reported)}
	for _, held := range holding.Items {
		one := Effective{
			Family: held.Family, Setting: held.Field, Value: held.Value, Origin: placeOut(held.Origin), Locked: held.Hold == desired.Locked, Until: at(held.Until),
			Ability: string(held.Ability), Missing: held.Missing, From: held.From,
		}
		if held.State != "absent" {
			one.Reported = held.State
		}
		if held.State == "deviating" {
			one.Drift = &Drift{at(held.Since), held.Reasons}
		}
		out.Items = append(out.Items, one)
	}
	return &body[EffectiveList]{out}, nil
}

func (d *door) coverage(context.Context, may.Actor, *struct{}) (*body[List[Coverage]], error) {
	out := List[Coverage]{Items: []Coverage{}}
	for _, family := range catalog.Families {
		for _, field := range family.Fields {
			for _, platform := range catalog.Platforms {
				out.Items = append(out.Items, Coverage{
					family.Name, field.Name, platform, string(family.Ability(field.Name, platform)), family.NeedsSupervision(field.Name, platform),
				})
			}
		}
	}
	return &body[List[Coverage]]{out}, nil
}
