package rollout

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"schulwart.org/policies/ddm"
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
	return s.view(ctx, actor, r)
}

// Preview says what a rollout would reach, and keeps nothing.
func (s *Service) Preview(ctx context.Context, actor may.Actor, wanted New) (View, error) {
	r, _, err := s.drawUp(ctx, actor, wanted)
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, actor, r)
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
	r, err := s.find(ctx, actor, id)
	if err != nil {
		return View{}, err
	}
	view, err := s.view(ctx, actor, r)
	if err != nil || s.Traffic == nil {
		return view, err
	}
	sites, err := s.Traffic.Sites(ctx, r.Branch, r.Package.SHA256)
	view.Sites = slices.DeleteFunc(sites, func(site Site) bool {
		return !may.Can(actor, may.AppRead, org.Branch{Authority: r.Branch.Authority, School: site.School})
	})
	return view, err
}

func (s *Service) find(ctx context.Context, actor may.Actor, id org.ID) (Rollout, error) {
	r, err := s.Store.FindRollout(ctx, id)
	if err != nil {
		return Rollout{}, err
	}
	_, err = may.Do(actor, may.AppRead, r.Branch)
	return r, err
}

// Devices lists the devices of a rollout by ring and name.
func (s *Service) Devices(ctx context.Context, actor may.Actor, id org.ID) ([]DeviceView, error) {
	r, err := s.find(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	devices, err := s.devices(ctx, r)
	slices.SortStableFunc(devices, func(a, b DeviceView) int {
		return cmp.Or(cmp.Compare(a.Ring, b.Ring), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return devices, err
}

func (s *Service) devices(ctx context.Context, r Rollout) ([]DeviceView, error) {
	members, err := s.Store.Members(ctx, r.Branch)
	if err != nil {
		return nil, err
	}
	words, err := s.Store.Words(ctx, r.Branch.Authority, r.ID)
	if err != nil {
		return nil, err
	}
	seats, err := s.Store.Seats(ctx, r.Branch, r.Package.App())
	if err != nil {
		return nil, err
	}
	offer, devices := r.Offer(), make([]DeviceView, 0, len(members))
	offer.Seats = seats
	for _, member := range members {
		ring := r.Plan.RingOf(member.Member)
		if ring == rollout.Outside {
			continue
		}
		view := DeviceView{Member: member, Ring: ring, Offered: offer.Reaches(member.Member)}
		if word, ok := words[member.ID]; ok {
			view.Word, view.Outcome = &word, offer.Judge(word.PackageStatus)
		}
		if r.Status.Offered(ring) && !view.Offered {
			view.Outcome = rollout.OutcomeUnlicensed
		}
		devices = append(devices, view)
	}
	return devices, nil
}

func figures(r Rollout, devices []DeviceView) []rollout.Figures {
	return rollout.Count(r.Plan, func(yield func(int, rollout.Outcome, bool)) {
		for _, device := range devices {
			yield(device.Ring, device.Outcome, false)
		}
	})
}

func (s *Service) view(ctx context.Context, actor may.Actor, r Rollout) (View, error) {
	devices, err := s.devices(ctx, r)
	if err != nil {
		return View{}, err
	}
	opening, _, err := s.opening(ctx, r, devices)
	if err != nil {
		return View{}, err
	}
	var short rollout.Shortage
	if r.Status.State != rollout.RolledBack {
		if short, err = s.Licences.Short(ctx, r.Branch.Authority, r.Offer()); err != nil {
			return View{}, err
		}
	}
	view := View{Rollout: r, Licences: short, Reasons: reasons(devices), Opens: opening.Opens, Closes: opening.Closes, MayRun: may.Can(actor, may.RolloutRun, r.Branch)}
	for i, f := range figures(r, devices) {
		ring := RingView{Ring: r.Plan.Rings[i], Figures: f, State: RingAhead}
		switch {
		case r.Status.State == rollout.Halted && r.Status.Why != rollout.WhyPaused && r.Status.Where == i:
			ring.State = RingHalted
		case i < r.Status.Ring, i == r.Status.Ring && r.Status.State == rollout.Done:
			ring.State = RingPassed
		case i == r.Status.Ring:
			ring.State = RingOpen
		}
		if i == r.Status.Ring {
			ring.Since = r.Status.Since
		}
		view.Rings = append(view.Rings, ring)
	}
	return view, nil
}

// opening returns the earliest opening of the schools that the rollout is at, and
// whether one runs now.
func (s *Service) opening(ctx context.Context, r Rollout, devices []DeviceView) (first rollout.Opening, open bool, err error) {
	calendars, err := s.Store.Calendars(ctx, r.Branch)
	if err != nil {
		return first, false, err
	}
	now, asked := s.Now(), map[org.ID]bool{}
	for _, device := range devices {
		school := device.Branch.School
		if asked[school] {
			continue
		}
		asked[school] = true
		next, ok := r.Plan.Window.Next(calendars[school], now)
		if ok && (first.Key == "" || next.Opens.Before(first.Opens)) {
			first = next
		}
	}
	return first, first.Key != "" && first.Has(now), nil
}

func reasons(devices []DeviceView) []Reason {
	var list []Reason
	for _, device := range devices {
		if device.Outcome != rollout.OutcomeFailed && device.Outcome != rollout.OutcomeUnable {
			continue
		}
		reason := ddm.Reason{Code: "package.unsaid"}
		if device.Word.Reason != nil {
			reason = *device.Word.Reason
		}
		i := slices.IndexFunc(list, func(r Reason) bool { return r.Code == reason.Code })
		if i < 0 {
			list, i = append(list, Reason{Code: reason.Code, Details: reason.Details}), len(list)
		}
		list[i].Devices++
	}
	slices.SortStableFunc(list, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(b.Devices, a.Devices), cmp.Compare(a.Code, b.Code))
	})
	return list
}

// Tick lets each rollout go on, wait or halt as its figures have it. It may run on
// several replicas at once: whoever is late finds the status changed and leaves it.
func (s *Service) Tick(ctx context.Context) error {
	list, err := s.Store.LiveRollouts(ctx)
	if err != nil {
		return err
	}
	for _, r := range list {
		if err := s.decide(ctx, r); err != nil && !errs.Is(err, errs.Conflict) {
			return err
		}
	}
	return nil
}

func (s *Service) decide(ctx context.Context, before Rollout) error {
	devices, err := s.devices(ctx, before)
	if err != nil {
		return err
	}
	_, open, err := s.opening(ctx, before, devices)
	if err != nil {
		return err
	}
	after := before
	after.Status = rollout.Decide(before.Plan, before.Status, figures(before, devices), open, s.Now())
	if after.Status == before.Status {
		return nil
	}
	after.Changed = s.Now().UTC()
	what := "goes_on"
	if after.Status.State == rollout.Halted {
		what = "halts"
	}
	if err := s.Store.SaveStatus(ctx, may.System("rollout", before.Branch), before, after, what); err != nil {
		return err
	}
	s.Changes.Wake()
	return nil
}

// Reported keeps what a device read back of its packages.
func (s *Service) Reported(ctx context.Context, authority, device org.ID, said []ddm.PackageStatus) error {
	if len(said) == 0 {
		return nil
	}
	said = slices.Clone(said[:min(len(said), ddm.MostPackages)])
	for i := range said {
		said[i] = bounded(said[i])
	}
	return s.Store.SaveWords(ctx, authority, device, said, s.Now())
}

func bounded(said ddm.PackageStatus) ddm.PackageStatus {
	cut := func(text string) string { return strings.ToValidUTF8(text[:min(len(text), 200)], "") }
	said.Rollout, said.Name, said.Present, said.State = cut(said.Rollout), cut(said.Name), cut(said.Present), ddm.PackageState(cut(string(said.State)))
	if said.Reason != nil {
		reason := ddm.Reason{Code: cut(said.Reason.Code)}
		for name, value := range said.Reason.Details {
			if reason.Details == nil {
				reason.Details = map[string]string{}
			}
			if len(reason.Details) < 10 {
				reason.Details[cut(name)] = cut(value)
			}
		}
		said.Reason = &reason
	}
	return said
}
