package rollout

import (
	"cmp"
	"context"
	"strings"

	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// New is what somebody wants to roll out.
type New struct {
	Title   string
	Package org.ID
	Level   org.Level // of the target: authority, school or group
	Place   org.ID
	Rings   []rollout.Ring // none for UsualRings
	Window  rollout.Window
	Gates   rollout.Gates
	Line    rollout.Line
	Draft   bool // keep it, and begin nothing
}

// UsualRings are taken where nobody names any: a twentieth, a fifth, everybody.
var UsualRings = []rollout.Ring{{Kind: rollout.RingShare, Share: 5}, {Kind: rollout.RingShare, Share: 20}, {Kind: rollout.RingAll}}

// Create plans a rollout, and starts it unless it shall be a draft.
func (s *Service) Create(ctx context.Context, actor may.Actor, wanted New) (View, error) {
	r, permit, err := s.drawUp(ctx, actor, wanted)
	if err != nil {
		return View{}, err
	}
	if !wanted.Draft {
		r.Started, r.Status = r.Created, rollout.Start(r.Created)
	}
	if err := s.Store.CreateRollout(ctx, permit, r); err != nil {
		return View{}, err
	}
	s.Changes.Wake()
	return s.look(ctx, actor, r, nil)
}

// Preview says what a rollout would reach, and keeps nothing.
func (s *Service) Preview(ctx context.Context, actor may.Actor, wanted New) (View, error) {
	r, _, err := s.drawUp(ctx, actor, wanted)
	if err != nil {
		return View{}, err
	}
	tallies, err := s.Store.Reach(ctx, r)
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, actor, r, tallies)
}

func (s *Service) drawUp(ctx context.Context, actor may.Actor, wanted New) (Rollout, may.Permit, error) {
	target, err := s.Store.FindTarget(ctx, wanted.Level, wanted.Place)
	if err != nil {
		return Rollout{}, may.Permit{}, err
	}
	branch := org.Branch{Authority: target.Authority, School: target.School}
	permit, err := may.Do(actor, may.RolloutRun, branch)
	if err != nil {
		return Rollout{}, may.Permit{}, err
	}
	pack, owner, err := s.Catalogue.Package(ctx, actor, wanted.Package)
	if err == nil && owner != "" && owner != branch.Authority {
		err = errs.E(errs.NotFound, "package.not_found")
	}
	if err != nil {
		return Rollout{}, may.Permit{}, err
	}
	who, err := s.Store.PersonBehind(ctx, actor.ID)
	if err != nil {
		return Rollout{}, may.Permit{}, err
	}
	now := s.Now().UTC()
	r := Rollout{
		ID: s.NewID(), Branch: branch, Title: titleOf(wanted.Title, pack), Package: pack, By: who, ByName: actor.Name, Created: now, Changed: now,
		Status: rollout.Status{State: rollout.Draft, Ring: rollout.Outside},
	}
	r.Plan = rollout.Plan{ID: r.ID, Lot: pack.ID, Target: rollout.Target{Branches: []org.Branch{target}, Platforms: pack.Kind.Agents()}, Rings: wanted.Rings, Window: wanted.Window, Gates: wanted.Gates, Line: wanted.Line}
	if len(r.Plan.Rings) == 0 {
		r.Plan.Rings = UsualRings
	}
	if faults := r.Plan.CheckFor(pack.Kind); len(faults) > 0 {
		fault := errs.E(errs.Invalid, faults[0].Key).In(faults[0].Field)
		fault.Args = faults[0].Args
		return Rollout{}, may.Permit{}, fault
	}
	if err := s.ringsInside(ctx, branch, r.Plan.Rings); err != nil {
		return Rollout{}, may.Permit{}, err
	}
	if pack.Kind == rollout.Agent {
		return r, permit, nil // each device goes back to the one that it had itself
	}
	former, err := s.Store.FormerOf(ctx, branch, pack)
	if err != nil || former == "" {
		return r, permit, err
	}
	before, _, err := s.Catalogue.Package(ctx, actor, former)
	r.Former = &before
	return r, permit, err
}

// ringsInside refuses rings of groups and schools that the rollout cannot reach.
func (s *Service) ringsInside(ctx context.Context, branch org.Branch, rings []rollout.Ring) error {
	for i, ring := range rings {
		level := map[rollout.RingKind]org.Level{rollout.RingGroup: org.Group, rollout.RingSchool: org.School}[ring.Kind]
		if level == "" {
			continue
		}
		place, err := s.Store.FindTarget(ctx, level, ring.Place)
		if errs.Is(err, errs.NotFound) || err == nil && !branch.Holds(org.Branch{Authority: place.Authority, School: place.School}) {
			return errs.E(errs.Invalid, "rollout.ring_elsewhere", "ring", i+1).In("rings")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func titleOf(title string, pack rollout.Package) string {
	title = strings.Join(strings.Fields(strings.ToValidUTF8(title, "")), " ")
	if title == "" {
		title = cmp.Or(pack.Title.In("de"), pack.Name) + " " + pack.Version
	}
	runes := []rune(title)
	return string(runes[:min(len(runes), 120)])
}
