package app

import (
	"context"
	"io"

	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/checkin"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/packages"
)

// Catalogue tells rollouts of packages. It is exported for the tests of doors.
type Catalogue struct{ *packages.Service }

// Package finds a package that the actor sees.
func (c Catalogue) Package(ctx context.Context, actor may.Actor, id org.ID) (rollout.Package, org.ID, error) {
	pack, err := c.Service.Find(ctx, actor, id)
	return pack.Package, pack.Authority, err
}

// shelf hands devices the files that they are offered, and no other.
type shelf struct{ app *App }

func (s shelf) Open(ctx context.Context, e checkin.Enrolment, sha256 string) (io.ReadSeeker, error) {
	offered, err := s.app.Declare.Offers(ctx, place(e), sha256)
	if err != nil {
		return nil, err
	}
	if !offered {
		return nil, errs.E(errs.NotFound, "package.not_found")
	}
	return s.app.Packages.Open(ctx, e.Authority, sha256)
}
