package api

import (
	"context"
	"net/http"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/lesson"
	"schulwart.org/server/may"
)

// Mode is what was switched on, with what is known of each device.
type Mode struct {
	ID       org.ID       `json:"id"`
	Kind     string       `json:"kind" enum:"offline,sites,focus,screen"`
	Group    org.ID       `json:"group,omitempty"`
	By       string       `json:"by"`
	Sites    []string     `json:"sites,omitempty"`
	Apps     []string     `json:"apps,omitempty"`
	Message  string       `json:"message,omitempty"`
	StartsAt time.Time    `json:"starts_at"`
	EndsAt   time.Time    `json:"ends_at" doc:"When it ends, or was ended."`
	Ended    bool         `json:"ended" doc:"Somebody ended it before its time."`
	Devices  []ModeDevice `json:"devices" nullable:"false"`
}

// ModeDevice is what is known of a mode on one device.
type ModeDevice struct {
	ID         org.ID            `json:"id"`
	Name       string            `json:"name"`
	State      lesson.State      `json:"state" enum:"planned,delivered,active,deviating,unreachable,ended"`
	Reason     string            `json:"reason" doc:"Why it is so; a stable key, empty when there is nothing to say."`
	ReasonArgs map[string]string `json:"reason_args,omitempty"`
	Since      *time.Time        `json:"since"`
}

type startIn struct {
	Body struct {
		Target struct {
			Group   org.ID   `json:"group,omitempty" maxLength:"64"`
			Devices []org.ID `json:"devices,omitempty" maxItems:"1000" doc:"Devices of one school; with a group, these devices of it."`
		} `json:"target"`
		Kind     string    `json:"kind" enum:"offline,sites,focus,screen"`
		Minutes  *int      `json:"minutes,omitempty" doc:"Length; without it and until, the running lesson's end."`
		Until    time.Time `json:"until,omitempty" doc:"End, instead of minutes; both together are refused."`
		StartsAt time.Time `json:"starts_at,omitempty"`
		Sites    []string  `json:"sites,omitempty" maxItems:"500" doc:"Host names; each covers its subdomains."`
		Apps     []string  `json:"apps,omitempty" maxItems:"500"`
		Message  string    `json:"message,omitempty" maxLength:"1000"`
	}
}

type extendIn struct {
	ID   org.ID `path:"id" maxLength:"64"`
	Body struct {
		Minutes int `json:"minutes" example:"10"`
	}
}

type endIn struct {
	ID     org.ID   `path:"id" maxLength:"64"`
	Device []org.ID `query:"device,explode" maxItems:"1000" doc:"End it for these devices only."`
}

type releaseIn struct {
	ID   org.ID `path:"id" maxLength:"64"`
	Body struct {
		Device    org.ID `json:"device" maxLength:"64"`
		Challenge string `json:"challenge,omitempty" maxLength:"40" doc:"What a device without trusted time shows."`
	}
}

// Code is a release code.
type Code struct {
	Code       string    `json:"code" example:"1234 5678"`
	ValidUntil time.Time `json:"valid_until"`
}

func registerModes(d *door) {
	handle(d, op{id: "start-mode", method: http.MethodPost, path: "/api/v1/modes", summary: "Switch a group or devices into a mode", needs: may.ModeStart, status: http.StatusCreated}, d.startMode)
	handle(d, op{id: "find-mode", method: http.MethodGet, path: "/api/v1/modes/{id}", summary: "Find a mode", needs: may.GroupRead}, d.findMode)
	handle(d, op{id: "extend-mode", method: http.MethodPost, path: "/api/v1/modes/{id}/extend", summary: "Move a mode's end", needs: may.ModeStart}, d.extendMode)
	handle(d, op{id: "end-mode", method: http.MethodDelete, path: "/api/v1/modes/{id}", summary: "End a mode; twice is harmless", needs: may.ModeEnd}, d.endMode)
	handle(d, op{id: "release-code", method: http.MethodPost, path: "/api/v1/modes/{id}/release-code", summary: "Get the code that ends a mode on a device without connection", needs: may.ModeEnd}, d.releaseCode)
}

func (d *door) startMode(ctx context.Context, actor may.Actor, in *startIn) (*body[Mode], error) {
	b := in.Body
	minutes := 0
	if b.Minutes != nil {
		if minutes = *b.Minutes; minutes == 0 {
			return nil, errs.E(errs.Invalid, "mode.ends_before_start").In("minutes")
		}
	}
	mode, err := d.Lessons.Start(ctx, actor, lesson.Request{
		Group: b.Target.Group, Devices: b.Target.Devices, Kind: lease.Kind(b.Kind), Minutes: minutes, Until: b.Until, Starts: b.StartsAt,
		Sites: b.Sites, Apps: b.Apps, Message: b.Message,
	})
	if err != nil {
		return nil, err
	}
	return d.modeOut(ctx, actor, mode.ID)
}

func (d *door) findMode(ctx context.Context, actor may.Actor, in *byID) (*body[Mode], error) {
	return d.modeOut(ctx, actor, in.ID)
}

func (d *door) extendMode(ctx context.Context, actor may.Actor, in *extendIn) (*body[Mode], error) {
	if _, err := d.Lessons.Extend(ctx, actor, in.ID, in.Body.Minutes); err != nil {
		return nil, err
	}
	return d.modeOut(ctx, actor, in.ID)
}

func (d *door) endMode(ctx context.Context, actor may.Actor, in *endIn) (*body[Mode], error) {
	if _, err := d.Lessons.End(ctx, actor, in.ID, in.Device...); err != nil {
		return nil, err
	}
	return d.modeOut(ctx, actor, in.ID)
}

func (d *door) releaseCode(ctx context.Context, actor may.Actor, in *releaseIn) (*body[Code], error) {
	code, err := d.Lessons.ReleaseCode(ctx, actor, in.ID, in.Body.Device, in.Body.Challenge)
	if err != nil {
		return nil, err
	}
	return &body[Code]{Code{lease.ShowCode(code.Digits), code.Until.UTC()}}, nil
}

// modeOut reads a mode with its devices, as it is now.
func (d *door) modeOut(ctx context.Context, actor may.Actor, id org.ID) (*body[Mode], error) {
	mode, lines, err := d.Lessons.Find(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	out := Mode{
		ID: mode.ID, Kind: string(mode.Kind), Group: mode.Branch.Group, By: mode.ByName, Sites: mode.Rules.Sites, Apps: mode.Rules.Apps, Message: mode.Rules.Message,
		StartsAt: mode.Starts.UTC(), EndsAt: mode.Ends.UTC(), Ended: !mode.Ended.IsZero(), Devices: make([]ModeDevice, len(lines)),
	}
	if out.Ended && mode.Ended.Before(mode.Ends) {
		out.EndsAt = later(mode.Ended, mode.Starts).UTC() // called off before it began
	}
	for i, line := range lines {
		out.Devices[i] = ModeDevice{ID: line.Device, Name: line.Name, State: line.State, Reason: line.Reason.Key, ReasonArgs: line.Reason.Args, Since: at(line.Since)}
	}
	return &body[Mode]{out}, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
