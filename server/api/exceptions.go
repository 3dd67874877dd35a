package api

import (
	"context"
	"net/http"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
)

// Exception is a deviation with owner, reason and end.
type Exception struct {
	ID       org.ID     `json:"id"`
	Place    Place      `json:"place"`
	Family   string     `json:"family"`
	Field    string     `json:"field"`
	Value    any        `json:"value" doc:"Of a list that adds up: the items that do not hold here."`
	Owner    Named      `json:"owner"`
	Reason   string     `json:"reason"`
	StartsAt time.Time  `json:"starts_at"`
	EndsAt   time.Time  `json:"ends_at"`
	EndedAt  *time.Time `json:"ended_at,omitempty" doc:"Before its time."`
	Devices  int        `json:"devices" doc:"In its place."`
	Then     any        `json:"then,omitempty" doc:"What holds when it ends."`
	Needless bool       `json:"needless,omitempty" doc:"Ending it changes nothing."`
	Asked    string     `json:"asked,omitempty" enum:"begin,extend,end" doc:"What a second person has to decide. One that asks for its beginning does not hold yet."`
	AskedBy  *Named     `json:"asked_by,omitempty"`
	Approver *Named     `json:"approver,omitempty"`
}

func exceptionOut(e standard.Entry) Exception {
	out := Exception{
		ID: e.ID, Place: placeOut(e.Place), Family: e.Family, Field: e.Field, Value: e.Value, Owner: Named{e.Owner, e.OwnerName}, Reason: e.Reason,
		StartsAt: e.Starts, EndsAt: e.Until, EndedAt: at(e.Ended), Devices: e.Devices, Needless: e.Needless,
	}
	if e.Then != nil {
		out.Then = e.Then.Value
	}
	if out.Asked = e.Asked.What; out.Asked != "" {
		out.AskedBy = &Named{e.Asked.By, e.Asked.ByName}
	}
	if e.Approver != "" {
		out.Approver = &Named{e.Approver, e.ApproverName}
	}
	return out
}

type exceptionsIn struct {
	Paging
	Authority org.ID `query:"authority" maxLength:"64"`
	School    org.ID `query:"school" maxLength:"64"`
	Over      bool   `query:"over" doc:"Those that are over, instead of the others."`
	Within    int    `query:"within" minimum:"0" maximum:"400" doc:"Only those that end within so many days."`
}

type newExceptionIn struct {
	Body struct {
		Place  Place     `json:"place"`
		Family string    `json:"family" maxLength:"64"`
		Field  string    `json:"field" maxLength:"64"`
		Value  any       `json:"value"`
		Owner  org.ID    `json:"owner,omitempty" maxLength:"64" doc:"Who answers for it; yourself if it is left out."`
		Reason string    `json:"reason" maxLength:"4000"`
		From   time.Time `json:"from,omitempty" doc:"Now if it is left out."`
		Until  time.Time `json:"until" doc:"At most a year ahead."`
	}
}

func registerExceptions(d *door) {
	handle(d, op{id: "list-exceptions", method: http.MethodGet, path: "/api/v1/exceptions", summary: "List exceptions, the next end first", needs: may.PolicyRead}, d.exceptions)
	handle(d, op{id: "create-exception", method: http.MethodPost, path: "/api/v1/exceptions", summary: "File an exception, or ask for it where a second person has to approve", needs: may.PolicyPropose, status: http.StatusCreated}, d.createException)
	handle(d, op{id: "end-exception", method: http.MethodDelete, path: "/api/v1/exceptions/{id}", summary: "End an exception now, or ask for it; it stays in the register", needs: may.PolicyPropose}, d.endException)
	handle(d, op{id: "grant-exception", method: http.MethodPost, path: "/api/v1/exceptions/{id}/approve", summary: "Do what somebody else asked about an exception", needs: may.PolicyApprove}, d.grantException)
	handle(d, op{id: "refuse-exception", method: http.MethodPost, path: "/api/v1/exceptions/{id}/refuse", summary: "Refuse what somebody asked about an exception, or take back what you asked", needs: may.PolicyPropose}, d.refuseException)
}

func (d *door) exceptions(ctx context.Context, actor may.Actor, in *exceptionsIn) (*body[List[Exception]], error) {
	entries, next, err := d.Standard.Register(ctx, actor, standard.ExceptionFilter{
		Authority: in.Authority, School: in.School, Over: in.Over, Within: time.Duration(in.Within) * 24 * time.Hour, Cursor: in.Cursor, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	return listOf(entries, next, exceptionOut), nil
}

func (d *door) createException(ctx context.Context, actor may.Actor, in *newExceptionIn) (*body[Exception], error) {
	b := in.Body
	made, err := d.Standard.Except(ctx, actor, standard.NewException{Place: b.Place.of(), Family: b.Family, Field: b.Field, Value: b.Value, Owner: b.Owner, Reason: b.Reason, Starts: b.From, Until: b.Until})
	return d.exception(ctx, actor, made.ID, err)
}

func (d *door) endException(ctx context.Context, actor may.Actor, in *byID) (*body[Exception], error) {
	_, err := d.Standard.End(ctx, actor, in.ID)
	return d.exception(ctx, actor, in.ID, err)
}

func (d *door) grantException(ctx context.Context, actor may.Actor, in *byID) (*body[Exception], error) {
	_, err := d.Standard.Grant(ctx, actor, in.ID)
	return d.exception(ctx, actor, in.ID, err)
}

func (d *door) refuseException(ctx context.Context, actor may.Actor, in *byID) (*body[Exception], error) {
	_, err := d.Standard.Refuse(ctx, actor, in.ID)
	return d.exception(ctx, actor, in.ID, err)
}

// exception answers with an exception as the register shows it after a change.
func (d *door) exception(ctx context.Context, actor may.Actor, id org.ID, err error) (*body[Exception], error) {
	if err != nil {
		return nil, err
	}
	entry, err := d.Standard.Exception(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	return &body[Exception]{exceptionOut(entry)}, nil
}
