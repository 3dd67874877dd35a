package standard

import (
	"context"
	"maps"
	"slices"
	"strings"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Offer is what a package would bring to a place. One whose template was taken
// over there in an older version is a proposal.
type Offer struct {
	Pack   Package
	Place  Place
	Former *Package       // the version that the place took over last; nil for none
	Says   map[string]Say // all that the package says
	// Coming is what the draft would change against what the place says now. Kept
	// are fields that the new version changes and the place says differently from
	// the former one: Old is what stays, New what the new version says.
	Coming, Kept []Difference
	Impact       Impact   // of what comes
	Declined     *Decline // nil while nobody declined it here
	Draft        org.ID   // one that brings it already, and is open
	MayTake      bool
	MayDecline   bool
}

// Offer says what a package would bring to a place.
func (s *Service) Offer(ctx context.Context, actor may.Actor, id org.ID, place desired.Place) (Offer, error) {
	offer, err := s.offer(ctx, actor, id, place)
	if err != nil || len(offer.Coming) == 0 {
		return offer, err
	}
	draft, _, err := s.draftOf(ctx, actor, offer, "")
	if errs.Is(err, errs.Denied) {
		return offer, nil // who only reads is told what comes, not what it does
	}
	if err != nil {
		return Offer{}, err
	}
	offer.Impact, err = s.impactOf(ctx, draft)
	return offer, err
}

func (s *Service) offer(ctx context.Context, actor may.Actor, id org.ID, place desired.Place) (Offer, error) {
	pack, err := s.Package(ctx, actor, id)
	if err != nil {
		return Offer{}, err
	}
	found, err := s.Place(ctx, actor, place)
	if err != nil {
		return Offer{}, err
	}
	if pack.Authority != "" && pack.Authority != found.Branch.Authority {
		return Offer{}, errs.E(errs.Invalid, "template.other_authority")
	}
	taken, err := s.Store.TakenPackages(ctx, []org.Branch{found.Branch})
	if err != nil {
		return Offer{}, err
	}
	offer := Offer{Pack: pack, Place: found, Former: takenAt(taken, found.Place, pack)}
	return offer, s.complete(ctx, actor, &offer)
}

// complete adds to an offer what it would change, and what stands about it.
func (s *Service) complete(ctx context.Context, actor may.Actor, offer *Offer) error {
	said, err := s.Store.SaidAt(ctx, offer.Place)
	if err != nil {
		return err
	}
	after, kept, err := offer.merged(said)
	if err != nil {
		return err
	}
	was := map[string]Say{}
	for family := range after {
		was[family] = said[family]
	}
	read, _ := offer.Pack.Read() // merged has reported its faults
	offer.Says = saysOf(read)
	offer.Coming, offer.Kept = differences(Masked(was), after), kept
	decline, err := s.Store.FindDecline(ctx, offer.Place, offer.Pack.ID)
	switch {
	case err == nil:
		offer.Declined = &decline
	case !errs.Is(err, errs.NotFound):
		return err
	}
	drafts, _, err := s.Store.ListDrafts(ctx, []org.Branch{{}}, DraftFilter{Place: &offer.Place.Place, Limit: 200})
	for _, draft := range drafts {
		if draft.Source.Package == offer.Pack.ID {
			offer.Draft = draft.ID
		}
	}
	branch := offer.Place.Branch
	offer.MayTake = offer.Pack.Trusted && len(offer.Coming) > 0 && offer.Draft == "" && offer.Place.Level != org.Device && may.Can(actor, may.PolicyPropose, branch)
	offer.MayDecline = offer.Former != nil && offer.Former.Version < offer.Pack.Version && offer.Declined == nil && may.Can(actor, may.PolicyWrite, branch)
	return err
}

// merged brings what is new in a package into what a place says, without secrets:
// what the place changed itself since it took the former version over stays.
func (o Offer) merged(said map[string]Say) (after map[string]Say, kept []Difference, err error) {
	theirs, faults := o.Pack.Read()
	if len(faults) > 0 {
		return nil, nil, errs.E(errs.Invalid, "template.faults", "count", len(faults), "line", faults[0].Line)
	}
	before := map[string]Say{}
	if o.Former != nil {
		former, _ := o.Former.Read() // what was read once and is no longer known counts as nothing said
		before = saysOf(former)
	}
	said = Masked(said)
	after = map[string]Say{}
	for _, d := range differences(before, saysOf(theirs)) {
		ours, begun := after[d.Family]
		if !begun {
			ours = said[d.Family]
		}
		value, hold, mine := settle(d, ours, o.Former != nil)
		if mine {
			kept = append(kept, Difference{Family: d.Family, Field: d.Field, Old: ours.Settings[d.Field], New: d.New, OldHold: ours.Holds[d.Field], NewHold: d.NewHold})
			continue
		}
		from := Say{Settings: catalog.Settings{}, Holds: map[string]desired.Hold{d.Field: hold}}
		if value != nil {
			from.Settings[d.Field] = value
		}
		if merged := ours.with(d.Field, from); !SameSay(merged, ours) {
			after[d.Family] = merged
		}
	}
	return after, kept, nil
}

// settle decides about one field in which two versions of a template differ, and
// a place says something of its own: lists of names take what comes and lose what
// goes, whatever else the place added; other fields stay as the place changed
// them. Where there is no former version the template's word replaces the place's,
// and the draft shows it.
func settle(d Difference, ours Say, former bool) (value any, hold desired.Hold, mine bool) {
	is, isHold := ours.Settings[d.Field], ours.Holds[d.Field]
	old, oldList := d.Old.([]string)
	new, newList := d.New.([]string)
	own, ownList := is.([]string)
	if ownList && (newList || d.New == nil) && (oldList || d.Old == nil) {
		merged := slices.DeleteFunc(slices.Clone(own), func(name string) bool { return slices.Contains(old, name) && !slices.Contains(new, name) })
		for _, name := range new {
			if !slices.Contains(old, name) && !slices.Contains(merged, name) {
				merged = append(merged, name)
			}
		}
		if isHold == d.OldHold {
			isHold = d.NewHold
		}
		if len(merged) == 0 {
			return nil, "", false
		}
		slices.Sort(merged)
		return merged, isHold, false
	}
	untouched := catalog.Same(is, d.Old) && (is == nil || isHold == d.OldHold)
	there := catalog.Same(is, d.New) && isHold == d.NewHold
	return d.New, d.NewHold, former && !untouched && !there
}

// TakeTemplate makes a draft that brings a package to a place. Faults: Denied
// "template.unknown_publisher" for a publisher that is believed no longer,
// Conflict "template.nothing_new" and "template.draft_open".
func (s *Service) TakeTemplate(ctx context.Context, actor may.Actor, id org.ID, place desired.Place, title string) (Draft, error) {
	offer, err := s.offer(ctx, actor, id, place)
	if err != nil {
		return Draft{}, err
	}
	if offer.Place.Level == org.Device {
		return Draft{}, errs.E(errs.Invalid, "preset.not_for_device")
	}
	draft, permit, err := s.draftOf(ctx, actor, offer, title)
	switch {
	case err != nil:
		return Draft{}, err
	case !offer.Pack.Trusted:
		return Draft{}, errs.E(errs.Denied, "template.unknown_publisher")
	case offer.Draft != "":
		return Draft{}, errs.E(errs.Conflict, "template.draft_open")
	case len(draft.Changes) == 0:
		return Draft{}, errs.E(errs.Conflict, "template.nothing_new")
	}
	return draft.masked(), s.Store.CreateDraft(ctx, permit, draft)
}

// draftOf makes up the draft of an offer without keeping it.
func (s *Service) draftOf(ctx context.Context, actor may.Actor, offer Offer, title string) (Draft, may.Permit, error) {
	said, err := s.Store.SaidAt(ctx, offer.Place)
	if err != nil {
		return Draft{}, may.Permit{}, err
	}
	after, _, err := offer.merged(said)
	if err != nil {
		return Draft{}, may.Permit{}, err
	}
	if title == "" {
		title = offer.Pack.Title
	}
	wishes := map[string]Wish{}
	for name, say := range after {
		wishes[name] = Wish{Settings: maps.Clone(say.Settings), Holds: say.Holds}
	}
	return s.begun(ctx, actor, offer.Place.Place, NewDraft{Title: title, Families: wishes, Source: Source{Kind: SourcePackage, Name: offer.Pack.Label(), Package: offer.Pack.ID}})
}

// DeclineTemplate keeps a place at the version that it has, with a reason; the
// next version is proposed again.
func (s *Service) DeclineTemplate(ctx context.Context, actor may.Actor, id org.ID, place desired.Place, reason string) error {
	offer, err := s.offer(ctx, actor, id, place)
	if err != nil {
		return err
	}
	permit, err := may.Do(actor, may.PolicyWrite, offer.Place.Branch)
	if err != nil {
		return err
	}
	reason = clip(strings.TrimSpace(reason), longestReason)
	switch {
	case reason == "":
		return errs.E(errs.Invalid, "template.no_reason").In("reason")
	case !offer.MayDecline:
		return errs.E(errs.Conflict, "template.no_proposal")
	}
	who, err := s.Store.PersonBehind(ctx, actor.ID)
	if err != nil {
		return err
	}
	return s.Store.CreateDecline(ctx, permit, offer.Place, offer.Pack, Decline{Reason: reason, By: who, ByName: actor.Name, At: s.now()})
}

// mostProposals bounds how many places are looked at for proposals.
const mostProposals = 200

// Proposals lists newer versions of templates that places of a branch took over:
// those that somebody has to decide about. Their impact is not worked out.
func (s *Service) Proposals(ctx context.Context, actor may.Actor, branch org.Branch) ([]Offer, error) {
	if _, err := may.Do(actor, may.PolicyRead, branch); err != nil {
		return nil, err
	}
	packages, err := s.Packages(ctx, actor)
	if err != nil {
		return nil, err
	}
	taken, err := s.Store.TakenPackages(ctx, []org.Branch{branch})
	if err != nil {
		return nil, err
	}
	var list []Offer
	for i, one := range latest(taken) {
		newest := newestOf(packages, one)
		if newest == nil || i == mostProposals {
			continue
		}
		former := one.Pack
		offer := Offer{Pack: *newest, Place: one.Place, Former: &former}
		if err := s.complete(ctx, actor, &offer); err != nil {
			return nil, err
		}
		if offer.Declined == nil && len(offer.Coming)+len(offer.Kept) > 0 {
			list = append(list, offer)
		}
	}
	return list, nil
}

// latest leaves of each template at each place the version that was taken over
// last.
func latest(taken []Taken) []Taken {
	var list []Taken
	for _, one := range taken {
		if takenAt(list, one.Place.Place, one.Pack) == nil {
			list = append(list, one)
		}
	}
	return list
}

// newestOf returns the newest version of a template that is newer than what a
// place took over; nil for none.
func newestOf(packages []Package, taken Taken) *Package {
	var newest *Package
	for i, pack := range packages {
		reaches := pack.Authority == "" || pack.Authority == taken.Place.Branch.Authority
		if reaches && pack.Trusted && pack.of(taken.Pack) && pack.Version > taken.Pack.Version && (newest == nil || pack.Version > newest.Version) {
			newest = &packages[i]
		}
	}
	return newest
}

// TakenOver lists what of templates holds at a place: each with the version that
// was taken over last.
func (s *Service) TakenOver(ctx context.Context, actor may.Actor, place desired.Place) ([]Taken, error) {
	found, err := s.Place(ctx, actor, place)
	if err != nil {
		return nil, err
	}
	taken, err := s.Store.TakenPackages(ctx, []org.Branch{found.Branch})
	return slices.DeleteFunc(latest(taken), func(t Taken) bool { return t.Place.Place != found.Place }), err
}
