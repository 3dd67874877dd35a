package api

import (
	"context"
	"net/http"

	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/may"
)

// Calendar is where an authority lies, for public holidays, and its school
// holidays.
type Calendar struct {
	Land   ground.Land `json:"land,omitempty" enum:",BB,BE,BW,BY,HB,HE,HH,MV,NI,NW,RP,SH,SL,SN,ST,TH"`
	Breaks []Break     `json:"breaks" nullable:"false" maxItems:"200"`
}

// SchoolCalendar is when a school has no lessons.
type SchoolCalendar struct {
	Land      ground.Land `json:"land,omitempty" enum:",BB,BE,BW,BY,HB,HE,HH,MV,NI,NW,RP,SH,SL,SN,ST,TH" doc:"Of its authority."`
	Authority []Break     `json:"authority" nullable:"false" doc:"Those of its authority, which hold here, too."`
	Breaks    []Break     `json:"breaks" nullable:"false" doc:"Those of the school alone."`
}

// SchoolBreaks are the days without lessons that a school has of its own.
type SchoolBreaks struct {
	Breaks []Break `json:"breaks" nullable:"false" maxItems:"200"`
}

// Break is days without lessons.
type Break struct {
	Name  string      `json:"name,omitempty" maxLength:"120" example:"Weihnachtsferien"`
	First ground.Date `json:"first" format:"date" example:"2026-12-21"`
	Last  ground.Date `json:"last" format:"date" example:"2027-01-02"`
}

type byAuthority struct {
	ID org.ID `path:"authority" maxLength:"64"`
}

type calendarIn struct {
	ID   org.ID `path:"authority" maxLength:"64"`
	Body Calendar
}

type schoolBreaksIn struct {
	ID   org.ID `path:"id" maxLength:"64"`
	Body SchoolBreaks
}

func registerCalendars(d *door) {
	handle(d, op{id: "get-calendar", method: http.MethodGet, path: "/api/v1/calendars/{authority}", summary: "Get where an authority lies and its school holidays", needs: may.AppRead}, d.calendar)
	handle(d, op{id: "put-calendar", method: http.MethodPut, path: "/api/v1/calendars/{authority}", summary: "Say where an authority lies and when it has no lessons", needs: may.SchoolWrite}, d.putCalendar)
	handle(d, op{id: "get-school-calendar", method: http.MethodGet, path: "/api/v1/schools/{id}/calendar", summary: "Get when a school has no lessons", needs: may.AppRead}, d.schoolCalendar)
	handle(d, op{id: "put-school-calendar", method: http.MethodPut, path: "/api/v1/schools/{id}/calendar", summary: "Say which days without lessons a school has of its own", needs: may.SchoolWrite}, d.putSchoolCalendar)
}

func breaksOut(breaks []ground.Break) []Break {
	out := make([]Break, len(breaks))
	for i, b := range breaks {
		out[i] = Break(b)
	}
	return out
}

func breaksIn(breaks []Break) []ground.Break {
	in := make([]ground.Break, len(breaks))
	for i, b := range breaks {
		in[i] = ground.Break(b)
	}
	return in
}

func (d *door) calendar(ctx context.Context, actor may.Actor, in *byAuthority) (*body[Calendar], error) {
	c, err := d.Calendars.Find(ctx, actor, org.Authority, in.ID)
	if err != nil {
		return nil, err
	}
	return &body[Calendar]{Calendar{c.Land, breaksOut(c.Breaks)}}, nil
}

func (d *door) putCalendar(ctx context.Context, actor may.Actor, in *calendarIn) (*body[Calendar], error) {
	if err := d.Calendars.Set(ctx, actor, org.Authority, in.ID, in.Body.Land, breaksIn(in.Body.Breaks)); err != nil {
		return nil, err
	}
	return d.calendar(ctx, actor, &byAuthority{in.ID})
}

func (d *door) schoolCalendar(ctx context.Context, actor may.Actor, in *byID) (*body[SchoolCalendar], error) {
	c, err := d.Calendars.Find(ctx, actor, org.School, in.ID)
	if err != nil {
		return nil, err
	}
	return &body[SchoolCalendar]{SchoolCalendar{c.Land, breaksOut(c.Breaks), breaksOut(c.Own)}}, nil
}

func (d *door) putSchoolCalendar(ctx context.Context, actor may.Actor, in *schoolBreaksIn) (*body[SchoolCalendar], error) {
	if err := d.Calendars.Set(ctx, actor, org.School, in.ID, "", breaksIn(in.Body.Breaks)); err != nil {
		return nil, err
	}
	return d.schoolCalendar(ctx, actor, &byID{in.ID})
}
