package standard

import (
	"context"
	"slices"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Versions lists what was published, the latest first.
func (s *Service) Versions(ctx context.Context, actor may.Actor, filter VersionFilter) (versions []Version, next string, err error) {
	branches, err := readable(actor)
	if err != nil {
		return nil, "", err
	}
	versions, next, err = s.Store.ListVersions(ctx, branches, filter)
	for i := range versions {
		versions[i] = versions[i].masked()
	}
	return versions, next, err
}

// Version returns one.
func (s *Service) Version(ctx context.Context, actor may.Actor, id org.ID) (Version, error) {
	version, err := s.Store.FindVersion(ctx, id)
	if err != nil {
		return Version{}, err
	}
	_, err = may.Do(actor, may.PolicyRead, version.Place.Branch)
	return version.masked(), err
}

// Undo takes a version back: the fields that it changed are as before. Where a
// second person has to approve, and for whoever only proposes, it becomes a
// proposed draft, and the version is the zero value. It is a Conflict fault
// "policy.touched_later", with TouchedLater, if one of the fields is not as the
// version left it, "policy.undone_already" the second time, and
// "policy.undo_waits" while a draft for it waits.
func (s *Service) Undo(ctx context.Context, actor may.Actor, id org.ID) (Draft, Version, error) {
	version, err := s.Store.FindVersion(ctx, id)
	if err != nil {
		return Draft{}, Version{}, err
	}
	permit, asks, err := s.deciding(ctx, actor, version.Place.Branch)
	if err != nil {
		return Draft{}, Version{}, err
	}
	back, err := s.back(ctx, actor, version)
	if err != nil {
		return Draft{}, Version{}, err
	}
	if asks {
		draft, err := s.askUndo(ctx, actor, permit, version, back)
		return draft, Version{}, err
	}
	err = s.Store.UndoVersion(ctx, permit, back)
	s.wake()
	return Draft{}, back.masked(), err
}

// back makes up the version that takes another one back.
func (s *Service) back(ctx context.Context, actor may.Actor, version Version) (Version, error) {
	if version.Undone != "" {
		return Version{}, errs.E(errs.Conflict, "policy.undone_already")
	}
	said, err := s.Store.SaidAt(ctx, version.Place)
	if err != nil {
		return Version{}, err
	}
	if err := s.untouched(ctx, version, said); err != nil {
		return Version{}, err
	}
	who, err := s.Store.PersonBehind(ctx, actor.ID)
	if err != nil {
		return Version{}, err
	}
	back := Version{
		ID: s.NewID(), Place: version.Place, Title: version.Title, Before: map[string]Say{}, After: map[string]Say{}, Undoes: version.ID,
		By: who, ByName: actor.Name, At: s.now(),
	}
	for _, d := range version.Differences() {
		if _, begun := back.After[d.Family]; !begun {
			back.Before[d.Family], back.After[d.Family] = said[d.Family], said[d.Family]
		}
		back.After[d.Family] = back.After[d.Family].with(d.Field, version.Before[d.Family])
	}
	faults, err := s.faults(ctx, actor, version.Place, back.Before, back.After)
	if err != nil {
		return Version{}, err
	}
	return back, invalid(faults)
}

// askUndo puts taking a version back before a second person.
func (s *Service) askUndo(ctx context.Context, actor may.Actor, permit may.Permit, version, back Version) (Draft, error) {
	waiting, _, err := s.Store.ListDrafts(ctx, []org.Branch{{}}, DraftFilter{Place: &version.Place.Place, Limit: 200})
	if err != nil {
		return Draft{}, err
	}
	if slices.ContainsFunc(waiting, func(d Draft) bool { return d.Source.Version == version.ID }) {
		return Draft{}, errs.E(errs.Conflict, "policy.undo_waits")
	}
	draft, _, err := s.begun(ctx, actor, version.Place.Place, NewDraft{Title: version.Title, Source: Source{Kind: SourceUndo, Version: version.ID, Name: version.Title}})
	if err != nil {
		return Draft{}, err
	}
	draft.State, draft.Changes = Proposed, back.After
	return draft.masked(), s.Store.CreateDraft(ctx, permit, draft)
}

// untouched makes sure that all fields of a version are as it left them.
func (s *Service) untouched(ctx context.Context, version Version, said map[string]Say) error {
	var moved []Part
	for _, d := range version.Differences() {
		is := said[d.Family]
		if !catalog.Same(is.Settings[d.Field], d.New) || d.New != nil && is.Holds[d.Field] != d.NewHold {
			moved = append(moved, Part{d.Family, d.Field})
		}
	}
	if len(moved) == 0 {
		return nil
	}
	later, err := s.Store.VersionsSince(ctx, version.Place, version.At)
	if err != nil {
		return err
	}
	var list touched
	for _, other := range later {
		if other.ID != version.ID && slices.ContainsFunc(other.Differences(), func(d Difference) bool { return slices.Contains(moved, Part{d.Family, d.Field}) }) {
			list = append(list, other.masked())
		}
	}
	fault := errs.E(errs.Conflict, "policy.touched_later", "count", len(list), "title", version.Title)
	if len(list) > 0 {
		fault.Args["title"], fault.Args["name"] = list[0].Title, list[0].ByName
	}
	return fault.Because(list)
}
