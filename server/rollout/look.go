package rollout

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// List lists the rollouts that the actor sees, the latest first.
func (s *Service) List(ctx context.Context, actor may.Actor, filter Filter) ([]Rollout, string, error) {
	branches := may.Branches(actor, may.AppRead)
	if len(branches) == 0 {
		return nil, "", errs.E(errs.Denied, "denied", "action", string(may.AppRead))
	}
	return s.Store.ListRollouts(ctx, branches, filter)
}

// Find returns a rollout with its figures.
func (s *Service) Find(ctx context.Context, actor may.Actor, id org.ID) (View, error) {
	r, schools, err := s.seen(ctx, actor, id)
	if err != nil {
		return View{}, err
	}
	view, err := s.look(ctx, actor, r, schools)
	if err != nil {
		return View{}, err
	}
	if view.Steps, err = s.Store.Steps(ctx, r.Branch.Authority, r.ID); err != nil || s.Traffic == nil {
		return view, err
	}
	sites, err := s.Traffic.Sites(ctx, r.Branch, r.Package.SHA256)
	view.Sites = slices.DeleteFunc(sites, func(site Site) bool {
		return !may.Can(actor, may.AppRead, org.Branch{Authority: r.Branch.Authority, School: site.School})
	})
	return view, err
}

// find returns a rollout that is wholly the actor's to see.
func (s *Service) find(ctx context.Context, actor may.Actor, id org.ID) (Rollout, error) {
	r, schools, err := s.seen(ctx, actor, id)
	if err == nil && schools != nil {
		_, err = may.Do(actor, may.AppRead, r.Branch)
	}
	return r, err
}

// seen returns a rollout, and of which schools the actor sees it; nil for all. What
// an authority brings to all of its schools each of them sees, once it is begun.
func (s *Service) seen(ctx context.Context, actor may.Actor, id org.ID) (Rollout, []org.ID, error) {
	r, err := s.Store.FindRollout(ctx, id)
	if err != nil {
		return Rollout{}, nil, err
	}
	_, denied := may.Do(actor, may.AppRead, r.Branch)
	if denied == nil {
		return r, nil, nil
	}
	var schools []org.ID
	if r.Branch.School == "" && r.Status.State != rollout.Draft {
		for _, branch := range may.Branches(actor, may.AppRead) {
			if branch.Authority == r.Branch.Authority && !slices.Contains(schools, branch.School) {
				schools = append(schools, branch.School)
			}
		}
	}
	if schools == nil {
		return Rollout{}, nil, denied
	}
	return r, schools, nil
}

// look shows a rollout as it is kept, of some schools; nil for all.
func (s *Service) look(ctx context.Context, actor may.Actor, r Rollout, schools []org.ID) (View, error) {
	tallies, err := s.tallies(ctx, r)
	if err != nil {
		return View{}, err
	}
	if schools != nil {
		maps.DeleteFunc(tallies, func(school org.ID, _ rollout.Tally) bool { return !slices.Contains(schools, school) })
		view, err := s.view(ctx, actor, r, tallies)
		view.Above, view.Licences = true, rollout.Shortage{} // it names devices of other schools
		return view, err
	}
	view, err := s.view(ctx, actor, r, tallies)
	for i := range view.Reasons {
		if err == nil {
			view.Reasons[i].Details, err = s.Store.ReasonDetails(ctx, r.Branch.Authority, r.ID, view.Reasons[i].Code)
		}
	}
	return view, err
}

// tallies returns the figures by school. What changed in a school since they were
// kept is counted first: nothing, most of the time.
func (s *Service) tallies(ctx context.Context, r Rollout) (map[org.ID]rollout.Tally, error) {
	if err := s.Store.Recount(ctx, r); err != nil {
		return nil, err
	}
	return s.Store.Tallies(ctx, r)
}

func total(plan rollout.Plan, tallies map[org.ID]rollout.Tally) rollout.Tally {
	sum := rollout.NewTally(plan)
	for _, tally := range tallies {
		sum.Add(tally)
	}
	return sum
}

// view makes what people see of a rollout from the figures of its schools.
func (s *Service) view(ctx context.Context, actor may.Actor, r Rollout, tallies map[org.ID]rollout.Tally) (View, error) {
	opening, _, err := s.opening(ctx, r, tallies)
	if err != nil {
		return View{}, err
	}
	var short rollout.Shortage
	if r.Status.State != rollout.RolledBack {
		if short, err = s.Licences.Short(ctx, r.Branch.Authority, r.Offer()); err != nil {
			return View{}, err
		}
	}
	sum := total(r.Plan, tallies)
	view := View{Rollout: r, Licences: short, Reasons: reasons(sum), Opens: opening.Opens, Closes: opening.Closes, MayRun: may.Can(actor, may.RolloutRun, r.Branch)}
	for i, f := range sum.Rings {
		ring := RingView{Ring: r.Plan.Rings[i], Figures: f, State: r.ringState(i)}
		if i == r.Status.Ring {
			ring.Since = r.Status.Since
		}
		view.Rings = append(view.Rings, ring)
	}
	return view, nil
}

func (r Rollout) ringState(i int) RingState {
	switch {
	case r.Status.State == rollout.Halted && r.Status.Why != rollout.WhyPaused && r.Status.Where == i:
		return RingHalted
	case i < r.Status.Ring, i == r.Status.Ring && r.Status.State == rollout.Done:
		return RingPassed
	case i == r.Status.Ring:
		return RingOpen
	}
	return RingAhead
}

// opening returns the earliest opening of the schools that the rollout is at, and
// whether one runs now.
func (s *Service) opening(ctx context.Context, r Rollout, tallies map[org.ID]rollout.Tally) (first rollout.Opening, open bool, err error) {
	calendars, err := s.Store.Calendars(ctx, r.Branch)
	if err != nil {
		return first, false, err
	}
	now := s.Now()
	for _, school := range slices.Sorted(maps.Keys(tallies)) {
		if tallies[school].Devices() == 0 {
			continue
		}
		next, ok := r.Plan.Window.Next(calendars[school], now)
		if ok && (first.Key == "" || next.Opens.Before(first.Opens)) {
			first = next
		}
	}
	return first, first.Key != "" && first.Has(now), nil
}

func reasons(sum rollout.Tally) []Reason {
	var list []Reason
	for code, devices := range sum.Reasons {
		list = append(list, Reason{Code: code, Devices: devices})
	}
	slices.SortFunc(list, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(b.Devices, a.Devices), cmp.Compare(a.Code, b.Code))
	})
	return list
}
