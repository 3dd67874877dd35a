package rollout

import (
	"context"

	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Do is one thing that a person does to a rollout.
type Do string

// The deeds.
const (
	DoStart    Do = "start"
	DoPause    Do = "pause"
	DoResume   Do = "resume"
	DoRetry    Do = "retry"
	DoRollBack Do = "rollback"
)

// Act does something to a rollout.
func (s *Service) Act(ctx context.Context, actor may.Actor, id org.ID, do Do) (View, error) {
	before, err := s.find(ctx, actor, id)
	if err != nil {
		return View{}, err
	}
	permit, err := may.Do(actor, may.RolloutRun, before.Branch)
	if err != nil {
		return View{}, err
	}
	after, err := s.after(before, do)
	if err != nil {
		return View{}, err
	}
	if err := s.Store.SaveStatus(ctx, permit, before, after, string(do)); err != nil {
		return View{}, err
	}
	s.Changes.Wake()
	return s.look(ctx, actor, after, nil)
}

// after returns the rollout after a deed, or the Conflict fault
// "rollout.not_now" where it cannot be done.
func (s *Service) after(r Rollout, do Do) (Rollout, error) {
	ok, now := false, s.Now().UTC()
	switch do {
	case DoStart:
		if ok = r.Status.State == rollout.Draft; ok {
			r.Status, r.Started = rollout.Start(now), now
		}
	case DoPause:
		r.Status, ok = r.Status.Pause()
	case DoResume:
		r.Status, ok = r.Status.Resume()
	case DoRetry:
		r.Status, ok = r.Status.Retry()
	case DoRollBack:
		r.Status, ok = r.Status.RollBack()
	}
	if !ok {
		return r, errs.E(errs.Conflict, "rollout.not_now", "state", string(r.Status.State), "do", string(do))
	}
	r.Changed = now
	return r, nil
}

// Touched says what a deed would touch.
type Touched struct {
	Do       Do
	Devices  int    // whose answer would change
	Have     int    // of them have the version now
	Begun    int    // of them are at it, or have failed
	Version  string // that they would have then; empty for none
	Own      bool   // each would have the version again that it had before itself
	Possible bool   // the rollout's state allows it
}

// Touches says what a deed would touch, and does nothing.
func (s *Service) Touches(ctx context.Context, actor may.Actor, id org.ID, do Do) (Touched, error) {
	r, err := s.find(ctx, actor, id)
	if err != nil {
		return Touched{}, err
	}
	tallies, err := s.tallies(ctx, r)
	if err != nil {
		return Touched{}, err
	}
	after, err := s.after(r, do)
	touched := Touched{Do: do, Version: r.Package.Version, Possible: err == nil}
	if do == DoRollBack {
		touched.Version, touched.Own = "", r.Package.Kind == rollout.Agent
		if r.Former != nil {
			touched.Version = r.Former.Version
		}
	}
	for ring, f := range total(r.Plan, tallies).Rings {
		switch {
		case !after.Status.Offered(ring):
		case do == DoRetry:
			touched.Devices += f.Failed
			touched.Begun += f.Failed
		default:
			touched.Devices += f.Devices
			touched.Have += f.Verified
			touched.Begun += f.Begun + f.Failed
		}
	}
	return touched, nil
}
