package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/licence"
	"schulwart.org/server/may"
)

// LicenceApp names an app, whatever its version.
type LicenceApp struct {
	Kind ground.Kind `json:"kind" enum:"deb,flatpak,appimage,webapp,agent"`
	Name string      `json:"name" minLength:"1" maxLength:"200" doc:"As its system knows it." example:"geogebra-classic"`
}

// LicenceCost is what one licence costs.
type LicenceCost struct {
	Amount   string `json:"amount" maxLength:"12" pattern:"^[0-9]+([.][0-9]{1,2})?$" example:"4.90"`
	Currency string `json:"currency" minLength:"3" maxLength:"3" example:"EUR"`
}

// NewLicencePool is how many licences a place has of an app.
type NewLicencePool struct {
	Authority org.ID       `json:"authority,omitempty" maxLength:"64" doc:"May be left out where a school is named."`
	School    org.ID       `json:"school,omitempty" maxLength:"64" doc:"The only one that may use them; they go before its authority's."`
	App       LicenceApp   `json:"app"`
	Total     int          `json:"total" minimum:"0" maximum:"1000000"`
	Cost      *LicenceCost `json:"cost,omitempty" doc:"Of one licence."`
	Until     ground.Date  `json:"valid_until,omitempty" maxLength:"10" example:"2027-07-31" doc:"Last day. After it no new ones are given; who has one keeps it."`
	Note      string       `json:"note,omitempty" maxLength:"500"`
}

// LicencePool is a pool with what became of it.
type LicencePool struct {
	ID org.ID `json:"id"`
	NewLicencePool
	Used    int        `json:"used"`
	Free    int        `json:"free"`
	Waiting int        `json:"waiting" doc:"Devices that shall have the app and wait for a licence."`
	RunsOut *time.Time `json:"runs_out" doc:"When none is left, at the pace of the last four weeks; null if nobody can tell."`
	Over    bool       `json:"over" doc:"Its last day is past."`
}

// LicenceDevice is a device that has a licence, or waits for one.
type LicenceDevice struct {
	ID     org.ID     `json:"id"`
	Name   string     `json:"name"`
	School Named      `json:"school"`
	Waits  bool       `json:"waits"`
	Since  *time.Time `json:"since"`
}

// LicenceChange says what a pool changes.
type LicenceChange struct {
	LicencePool
	Before int             `json:"total_before"`
	Gain   []LicenceDevice `json:"gain" nullable:"false" doc:"That waited and have one then."`
	Lose   []LicenceDevice `json:"lose" nullable:"false" doc:"That have the app now and stay without then, in school order: it is taken from them."`
}

// RolloutLicences says for how many devices of a rollout there are licences.
type RolloutLicences struct {
	Needed  int             `json:"needed"`
	Without int             `json:"without" doc:"Devices that stay without until one is free."`
	Names   []LicenceDevice `json:"devices" nullable:"false" doc:"The first hundred of them, in school order."`
}

func licenceCost(t ground.Terms) licence.Cost {
	return licence.Cost{Cents: t.Cents, Currency: t.Currency}
}

func costOut(c licence.Cost) *LicenceCost {
	if c.Currency == "" {
		return nil
	}
	return &LicenceCost{fmt.Sprintf("%d.%02d", c.Cents/100, c.Cents%100), c.Currency}
}

// cost reads an amount; the pattern of the document was checked before.
func (c *LicenceCost) cost() (licence.Cost, error) {
	if c == nil {
		return licence.Cost{}, nil
	}
	whole, part, _ := strings.Cut(c.Amount, ".")
	cents, err := strconv.ParseInt(whole+(part + "00")[:2], 10, 64)
	if err != nil {
		return licence.Cost{}, errs.E(errs.Invalid, "licence.bad_cost").In("cost")
	}
	return licence.Cost{Cents: cents, Currency: strings.ToUpper(c.Currency)}, nil
}

func poolOut(p licence.Pool, used int) LicencePool {
	return LicencePool{ID: p.ID, NewLicencePool: NewLicencePool{p.Branch.Authority, p.Branch.School, LicenceApp{p.App.Kind, p.App.Name}, p.Total, costOut(p.Cost), p.Until, p.Note}, Used: used, Free: max(0, p.Total-used), Over: p.Over}
}

func poolViewOut(v licence.View) LicencePool {
	out := poolOut(v.Pool, v.Used)
	out.Waiting, out.RunsOut = v.Waiting, instantOut(v.RunsOut)
	return out
}

func licenceDevice(m licence.Member) LicenceDevice {
	return LicenceDevice{ID: m.ID, Name: m.Name, School: Named{m.Branch.School, m.School}, Since: instantOut(m.Since)}
}

func licenceDevices(members []licence.Member) []LicenceDevice {
	out := make([]LicenceDevice, len(members))
	for i, m := range members {
		out[i] = licenceDevice(m)
	}
	return out
}

func changeOut(c licence.Change) LicenceChange {
	out := LicenceChange{poolOut(c.Pool, c.Used), c.Before, licenceDevices(c.Gain), licenceDevices(c.Lose)}
	out.Waiting = c.Waits
	return out
}

// namedLacking is how many devices without a licence an answer names.
const namedLacking = 100

func shortageOut(s ground.Shortage) *RolloutLicences {
	if !s.Counted {
		return nil
	}
	out := &RolloutLicences{Needed: s.Needed, Without: len(s.Without), Names: []LicenceDevice{}}
	for _, l := range s.Without[:min(len(s.Without), namedLacking)] {
		out.Names = append(out.Names, LicenceDevice{ID: l.Device, Name: l.Name, School: Named{l.SchoolID, l.School}, Waits: true})
	}
	return out
}

type newPoolIn struct{ Body NewLicencePool }

func (in *newPoolIn) wanted() (licence.New, error) {
	b := in.Body
	cost, err := b.Cost.cost()
	return licence.New{Authority: b.Authority, School: b.School, App: ground.App{Kind: b.App.Kind, Name: b.App.Name}, Total: b.Total, Cost: cost, Until: b.Until, Note: b.Note}, err
}

func registerLicences(d *door) {
	handle(d, op{id: "list-licence-pools", method: http.MethodGet, path: "/api/v1/licence-pools", summary: "List pools of licences", needs: may.AppRead}, d.licencePools)
	handle(d, op{id: "put-licence-pool", method: http.MethodPut, path: "/api/v1/licence-pools", summary: "Say how many licences a place has of an app", needs: may.LicenceWrite}, d.putLicencePool)
	handle(d, op{id: "preview-licence-pool", method: http.MethodPost, path: "/api/v1/licence-pools/preview", summary: "Say who would gain or lose a licence", needs: may.LicenceWrite}, d.previewLicencePool)
	handle(d, op{id: "get-licence-pool", method: http.MethodGet, path: "/api/v1/licence-pools/{id}", summary: "Get a pool of licences", needs: may.AppRead}, d.licencePool)
	handle(d, op{id: "delete-licence-pool", method: http.MethodDelete, path: "/api/v1/licence-pools/{id}", summary: "Count licences of the app there no more", needs: may.LicenceWrite, status: http.StatusNoContent}, d.dropLicencePool)
	handle(d, op{id: "list-licence-devices", method: http.MethodGet, path: "/api/v1/licence-pools/{id}/devices", summary: "List who has a licence, and who waits", needs: may.AppRead}, d.licenceDevices)
}

func (d *door) licencePools(ctx context.Context, actor may.Actor, _ *struct{}) (*body[List[LicencePool]], error) {
	pools, err := d.Licences.List(ctx, actor)
	if err != nil {
		return nil, err
	}
	return listOf(pools, "", poolViewOut), nil
}

func (d *door) licencePool(ctx context.Context, actor may.Actor, in *byID) (*body[LicencePool], error) {
	view, err := d.Licences.Find(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	return &body[LicencePool]{poolViewOut(view)}, nil
}

func (d *door) putLicencePool(ctx context.Context, actor may.Actor, in *newPoolIn) (*body[LicenceChange], error) {
	return d.changePool(ctx, actor, in, d.Licences.Put)
}

func (d *door) previewLicencePool(ctx context.Context, actor may.Actor, in *newPoolIn) (*body[LicenceChange], error) {
	return d.changePool(ctx, actor, in, d.Licences.Preview)
}

func (d *door) changePool(ctx context.Context, actor may.Actor, in *newPoolIn, do func(context.Context, may.Actor, licence.New) (licence.Change, error)) (*body[LicenceChange], error) {
	wanted, err := in.wanted()
	if err != nil {
		return nil, err
	}
	change, err := do(ctx, actor, wanted)
	if err != nil {
		return nil, err
	}
	return &body[LicenceChange]{changeOut(change)}, nil
}

func (d *door) dropLicencePool(ctx context.Context, actor may.Actor, in *byID) (*struct{}, error) {
	return nil, d.Licences.Drop(ctx, actor, in.ID)
}

func (d *door) licenceDevices(ctx context.Context, actor may.Actor, in *byID) (*body[List[LicenceDevice]], error) {
	list, err := d.Licences.Holders(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	return listOf(list, "", func(h licence.Holder) LicenceDevice {
		out := licenceDevice(h.Member)
		out.Waits = h.Waits
		if h.Waits {
			out.Since = nil
		}
		return out
	}), nil
}
