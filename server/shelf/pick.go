package shelf

import (
	"context"
	"slices"

	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// mostWishes bounds what is picked for one device.
const mostWishes = 30

// forPupils reports whether whoever sits at the device may pick the entry.
func (e Entry) forPupils(d Device) bool {
	return e.For != Teachers && e.Staff == "" && e.fits(d) && (e.Group == "" || slices.Contains(d.Groups, e.Group))
}

// forTeacher reports whether the teacher may pick the entry, for some device.
func (e Entry) forTeacher(staff org.ID, teaches []org.ID) bool {
	return e.For != Pupils && (e.Staff == "" || e.Staff == staff) && (e.Group == "" || slices.Contains(teaches, e.Group))
}

// fits reports whether the device is the school's and can have the app.
func (e Entry) fits(d Device) bool {
	return e.Branch.Holds(d.Branch) && slices.Contains(e.Package.Kind.Agents(), d.Platform)
}

// AtDevice lists what whoever sits at a device may pick. Nobody is asked who that
// is: the door knows the device by its link.
func (s *Service) AtDevice(ctx context.Context, id org.ID) ([]Offer, error) {
	device, err := s.Store.FindPickDevice(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.offers(ctx, device.Branch, &device, func(e Entry) bool { return e.forPupils(device) })
}

// offers lists entries with their conditions and, of a device, what was picked; one
// for each app, the newest.
func (s *Service) offers(ctx context.Context, school org.Branch, device *Device, may func(Entry) bool) ([]Offer, error) {
	entries, err := s.Store.ListEntries(ctx, school)
	if err != nil {
		return nil, err
	}
	var wishes []Wish
	if device != nil {
		if wishes, err = s.Store.WishesOf(ctx, *device); err != nil {
			return nil, err
		}
	}
	var offers []Offer
	for _, entry := range entries {
		if !may(entry) || slices.ContainsFunc(offers, func(o Offer) bool {
			return o.Package.ID == entry.Package.ID && o.Wish == nil && !picked(wishes, entry.ID)
		}) {
			continue
		}
		offer := Offer{Entry: entry}
		if offer.Terms, err = s.Licences.Terms(ctx, school, entry.Package.App()); err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(wishes, func(w Wish) bool { return w.Entry == entry.ID }); i >= 0 {
			offer.Wish = &wishes[i]
		}
		offers = append(offers, offer)
	}
	return offers, nil
}

func picked(wishes []Wish, entry org.ID) bool {
	return slices.ContainsFunc(wishes, func(w Wish) bool { return w.Entry == entry })
}

// PickAt picks an app at a device.
func (s *Service) PickAt(ctx context.Context, id, entry org.ID) error {
	device, err := s.Store.FindPickDevice(ctx, id)
	if err != nil {
		return err
	}
	found, err := s.Store.FindEntry(ctx, entry)
	if err != nil {
		return err
	}
	if !found.forPupils(device) {
		return errs.E(errs.NotFound, "shelf.not_found")
	}
	return s.wish(ctx, may.AtDevice(device.ID, found.Branch), found, device, Wish{})
}

// wish keeps a pick.
func (s *Service) wish(ctx context.Context, permit may.Permit, entry Entry, device Device, w Wish) error {
	wishes, err := s.Store.WishesOf(ctx, device)
	if err != nil {
		return err
	}
	if len(wishes) >= mostWishes {
		return errs.E(errs.Conflict, "shelf.many", "most", mostWishes)
	}
	w.ID, w.Entry, w.Branch, w.Device, w.DeviceName, w.Package, w.At = s.NewID(), entry.ID, entry.Branch, device.ID, device.Name, entry.Package, s.Now().UTC()
	if err := s.Store.MakeWish(ctx, permit, w); err != nil {
		return err
	}
	s.Changes.Wake()
	return nil
}

// ReturnAt gives an app back that was picked at the device.
func (s *Service) ReturnAt(ctx context.Context, device, wish org.ID) error {
	found, err := s.Store.FindWish(ctx, wish)
	if err != nil {
		return err
	}
	if found.Device != device || found.By != "" {
		return errs.E(errs.NotFound, "shelf.not_found")
	}
	return s.drop(ctx, may.AtDevice(device, found.Branch), found)
}

func (s *Service) drop(ctx context.Context, permit may.Permit, w Wish) error {
	if err := s.Store.DropWish(ctx, permit, w); err != nil {
		return err
	}
	s.Changes.Wake()
	return nil
}

// Mine is what a teacher reads: what may be picked, for a device if one is named, and
// what became of requests.
type Mine struct {
	Device   *Device // nil where none is named
	Offers   []Offer
	Requests []Request
	Missing  []rollout.Package // of the catalogue, that may be asked for
}

// Mine lists what a teacher of a school may pick.
func (s *Service) Mine(ctx context.Context, actor may.Actor, school, device org.ID) (Mine, error) {
	var mine Mine
	branch, err := s.school(ctx, actor, may.AppAsk, school)
	if err != nil {
		return mine, err
	}
	staff, teaches, err := s.teacher(ctx, actor)
	if err != nil {
		return mine, err
	}
	if device != "" {
		found, err := s.Store.FindPickDevice(ctx, device)
		if err == nil && !branch.Holds(found.Branch) {
			err = errs.E(errs.NotFound, "not_found")
		}
		if err != nil {
			return mine, err
		}
		mine.Device = &found
	}
	mine.Offers, err = s.offers(ctx, branch, mine.Device, func(e Entry) bool {
		return e.forTeacher(staff, teaches) && (mine.Device == nil || e.fits(*mine.Device))
	})
	if err != nil {
		return mine, err
	}
	if mine.Requests, err = s.Store.RequestsOf(ctx, staff); err != nil {
		return mine, err
	}
	packs, err := s.Catalogue.OfAuthority(ctx, branch.Authority)
	for _, pack := range packs {
		if !slices.ContainsFunc(mine.Offers, func(o Offer) bool { return o.Package.Same(pack) }) && !slices.ContainsFunc(mine.Missing, pack.Same) {
			mine.Missing = append(mine.Missing, pack)
		}
	}
	return mine, err
}

func (s *Service) teacher(ctx context.Context, actor may.Actor) (org.ID, []org.ID, error) {
	staff, err := s.Store.PersonBehind(ctx, actor.ID)
	if err != nil {
		return "", nil, err
	}
	teaches, err := s.Store.GroupsTaught(ctx, staff)
	return staff, teaches, err
}

// Pick picks an app for a device, as a teacher.
func (s *Service) Pick(ctx context.Context, actor may.Actor, device, entry org.ID) error {
	found, err := s.Store.FindEntry(ctx, entry)
	if err != nil {
		return err
	}
	permit, err := may.Do(actor, may.AppAsk, found.Branch)
	if err != nil {
		return err
	}
	target, err := s.Store.FindPickDevice(ctx, device)
	if err == nil && !found.Branch.Holds(target.Branch) {
		err = errs.E(errs.NotFound, "not_found")
	}
	if err != nil {
		return err
	}
	staff, teaches, err := s.teacher(ctx, actor)
	if err != nil {
		return err
	}
	switch {
	case !found.forTeacher(staff, teaches):
		return errs.E(errs.NotFound, "shelf.not_found")
	case !found.fits(target):
		return errs.E(errs.Invalid, "shelf.not_here")
	case found.For == Teachers && target.Pupils():
		return errs.E(errs.Invalid, "shelf.pupils_device")
	}
	return s.wish(ctx, permit, found, target, Wish{By: staff, ByName: actor.Name})
}

// Return gives an app back: one that the teacher picked, or, for whoever keeps the
// shelf, any.
func (s *Service) Return(ctx context.Context, actor may.Actor, wish org.ID) error {
	found, err := s.Store.FindWish(ctx, wish)
	if err != nil {
		return err
	}
	staff, err := s.Store.PersonBehind(ctx, actor.ID)
	if err != nil {
		return err
	}
	action := may.ShelfWrite
	if found.By != "" && found.By == staff {
		action = may.AppAsk
	}
	permit, err := may.Do(actor, action, found.Branch)
	if err != nil {
		return err
	}
	return s.drop(ctx, permit, found)
}

// MyRequests lists what the actor asked for, the latest first.
func (s *Service) MyRequests(ctx context.Context, actor may.Actor) ([]Request, error) {
	if !may.Anywhere(actor, may.AppAsk) {
		return nil, errs.E(errs.Denied, "denied", "action", string(may.AppAsk))
	}
	staff, err := s.Store.PersonBehind(ctx, actor.ID)
	if err != nil {
		return nil, err
	}
	return s.Store.RequestsOf(ctx, staff)
}

// NewRequest is what a teacher asks for: a package of the catalogue, or something
// that is not there, by its name.
type NewRequest struct {
	School  org.ID
	Package org.ID
	Title   string
	Why     string
}

// Ask asks the school for an app.
func (s *Service) Ask(ctx context.Context, actor may.Actor, wanted NewRequest) (Request, error) {
	branch, err := s.Store.FindTarget(ctx, org.School, wanted.School)
	if err != nil {
		return Request{}, err
	}
	permit, err := may.Do(actor, may.AppAsk, branch)
	if err != nil {
		return Request{}, err
	}
	staff, err := s.Store.PersonBehind(ctx, actor.ID)
	if err != nil {
		return Request{}, err
	}
	request := Request{ID: s.NewID(), Branch: branch, Staff: staff, StaffName: actor.Name, Title: clip(wanted.Title), Why: clip(wanted.Why), At: s.Now().UTC(), Answer: Open}
	if wanted.Package != "" {
		packs, err := s.Catalogue.OfAuthority(ctx, branch.Authority)
		if err != nil {
			return Request{}, err
		}
		i := slices.IndexFunc(packs, func(p rollout.Package) bool { return p.ID == wanted.Package })
		if i < 0 {
			return Request{}, errs.E(errs.Invalid, "shelf.no_app").In("package")
		}
		request.Package, request.Title = packs[i].ID, packs[i].Name
		if title := packs[i].Title.In("de"); title != "" {
			request.Title = title
		}
	}
	if request.Title == "" {
		return Request{}, errs.E(errs.Invalid, "request.no_title").In("title")
	}
	return request, s.Store.MakeRequest(ctx, permit, request)
}
