package shelf

import (
	"context"
	"strings"

	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// New is what a school wants to let people pick.
type New struct {
	School  org.ID
	Package org.ID
	For     Audience
	Group   org.ID
}

// List lists what a school lets people pick.
func (s *Service) List(ctx context.Context, actor may.Actor, school org.ID) ([]Entry, error) {
	branch, err := s.school(ctx, actor, may.AppRead, school)
	if err != nil {
		return nil, err
	}
	return s.Store.ListEntries(ctx, branch)
}

func (s *Service) school(ctx context.Context, actor may.Actor, action may.Action, school org.ID) (org.Branch, error) {
	branch, err := s.Store.FindTarget(ctx, org.School, school)
	if err == nil {
		_, err = may.Do(actor, action, branch)
	}
	return branch, err
}

// Add puts an app on the shelf.
func (s *Service) Add(ctx context.Context, actor may.Actor, wanted New) (Entry, error) {
	branch, err := s.Store.FindTarget(ctx, org.School, wanted.School)
	if err != nil {
		return Entry{}, err
	}
	permit, err := may.Do(actor, may.ShelfWrite, branch)
	if err != nil {
		return Entry{}, err
	}
	if !wanted.For.Valid() {
		return Entry{}, errs.E(errs.Invalid, "shelf.no_audience").In("for")
	}
	entry, err := s.entry(ctx, actor, branch, wanted.Package)
	if err != nil {
		return Entry{}, err
	}
	entry.For, entry.Group = wanted.For, wanted.Group
	if wanted.Group != "" {
		place, err := s.Store.FindTarget(ctx, org.Group, wanted.Group)
		if err != nil || place.Authority != branch.Authority || place.School != branch.School {
			return Entry{}, errs.E(errs.Invalid, "shelf.group_elsewhere").In("group")
		}
	}
	return entry, s.Store.AddEntry(ctx, permit, entry)
}

func (s *Service) entry(ctx context.Context, actor may.Actor, branch org.Branch, id org.ID) (Entry, error) {
	pack, owner, err := s.Catalogue.Package(ctx, actor, id)
	if err == nil && owner != "" && owner != branch.Authority {
		err = errs.E(errs.NotFound, "package.not_found")
	}
	// The agent comes by its own rollout alone, which begins in one room.
	if errs.Is(err, errs.NotFound) || err == nil && pack.Kind == rollout.Agent {
		err = errs.E(errs.Invalid, "shelf.no_app").In("package")
	}
	return Entry{ID: s.NewID(), Branch: branch, Package: pack, ByName: actor.Name, At: s.Now().UTC()}, err
}

// Remove takes an app off the shelf, and away from the devices that picked it.
func (s *Service) Remove(ctx context.Context, actor may.Actor, id org.ID) error {
	entry, err := s.Store.FindEntry(ctx, id)
	if err != nil {
		return err
	}
	permit, err := may.Do(actor, may.ShelfWrite, entry.Branch)
	if err != nil {
		return err
	}
	if err := s.Store.RemoveEntry(ctx, permit, entry); err != nil {
		return err
	}
	s.Changes.Wake()
	return nil
}

// Picked lists what was picked in a school, the latest first.
func (s *Service) Picked(ctx context.Context, actor may.Actor, school org.ID) ([]Wish, error) {
	branch, err := s.school(ctx, actor, may.AppRead, school)
	if err != nil {
		return nil, err
	}
	return s.Store.WishesIn(ctx, branch)
}

// Requests lists what teachers of a school ask for: what waits first, then the latest.
func (s *Service) Requests(ctx context.Context, actor may.Actor, school org.ID) ([]Request, error) {
	branch, err := s.school(ctx, actor, may.ShelfWrite, school)
	if err != nil {
		return nil, err
	}
	return s.Store.RequestsIn(ctx, branch)
}

// Grant says yes: the app goes on the shelf, for whoever asked or for all teachers of
// the school. pack names it where the request does not.
func (s *Service) Grant(ctx context.Context, actor may.Actor, id, pack org.ID, everybody bool) (Request, error) {
	request, permit, err := s.toAnswer(ctx, actor, id)
	if err != nil {
		return Request{}, err
	}
	if request.Package != "" {
		pack = request.Package
	}
	entry, err := s.entry(ctx, actor, request.Branch, pack)
	if err != nil {
		return Request{}, err
	}
	entry.For = Teachers
	if !everybody {
		entry.Staff = request.Staff
	}
	request.Answer, request.Package = Granted, pack
	request.ByName, request.Answered = actor.Name, s.Now().UTC()
	return request, s.Store.AnswerRequest(ctx, permit, request, &entry)
}

// Refuse says no, with a reason that the teacher reads.
func (s *Service) Refuse(ctx context.Context, actor may.Actor, id org.ID, reason string) (Request, error) {
	request, permit, err := s.toAnswer(ctx, actor, id)
	if err != nil {
		return Request{}, err
	}
	if request.Reason = clip(reason); request.Reason == "" {
		return Request{}, errs.E(errs.Invalid, "request.no_reason").In("reason")
	}
	request.Answer, request.ByName, request.Answered = Refused, actor.Name, s.Now().UTC()
	return request, s.Store.AnswerRequest(ctx, permit, request, nil)
}

func (s *Service) toAnswer(ctx context.Context, actor may.Actor, id org.ID) (Request, may.Permit, error) {
	request, err := s.Store.FindRequest(ctx, id)
	if err != nil {
		return Request{}, may.Permit{}, err
	}
	permit, err := may.Do(actor, may.ShelfWrite, request.Branch)
	if err == nil && request.Answer != Open {
		err = errs.E(errs.Conflict, "request.answered")
	}
	return request, permit, err
}

// longestText bounds what people write, in characters.
const longestText = 500

func clip(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	runes := []rune(text)
	return string(runes[:min(len(runes), longestText)])
}
