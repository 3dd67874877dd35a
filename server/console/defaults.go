package console

import (
	"context"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/mail"
	"schulwart.org/server/may"
	"schulwart.org/server/propose"
)

// withDefaults fills what an installation may do without.
func (d Deps) withDefaults() Deps {
	if d.Proposer == nil {
		d.Proposer = propose.New()
	}
	if d.Mail == nil {
		d.Mail = without{}
	}
	if d.Keys == nil {
		d.Keys = without{}
	}
	if d.Operations == nil {
		d.Operations = without{}
	}
	if d.Enrolments == nil {
		d.Enrolments = without{}
	}
	if d.Atomically == nil {
		d.Atomically = func(ctx context.Context, do func(context.Context) error) error { return do(ctx) }
	}
	return d
}

// without stands where a neighbour is missing. It claims nothing.
type without struct{}

func (without) Ready(context.Context) bool { return false }

func (without) Send(context.Context, string, string, string) error {
	return errs.E(errs.Unavailable, "mail.not_set_up")
}

func (without) State(context.Context) (mail.State, error) { return mail.State{}, nil }

func (without) Current() (string, time.Time) { return "", time.Time{} }

func (without) Keys() []lease.Key { return nil }

func (without) Rotate(context.Context, may.Actor) error {
	return errs.E(errs.NotFound, "not_found")
}

func (without) Installation(context.Context) (Installation, error) {
	return Installation{Free: -1}, nil
}

func (without) Leave(context.Context, may.Actor, org.ID) (time.Time, error) {
	return time.Time{}, errs.E(errs.Unavailable, "device.cannot_leave")
}
