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

// Undo takes a version back: the fields that it changed are as before. It needs
// no second person: what comes back was published once already. It is a Conflict
// fault "policy.touched_later", with TouchedLater, if one of the fields is not as
// the version left it, and "policy.undone_already" the second time.
func (s *Service) Undo(ctx context.Context, actor may.Actor, id org.ID) (Version, error) {
	version, err := s.Store.FindVersion(ctx, id)
	if err != nil {
		return Version{}, err
	}
	permit, err := may.Do(actor, may.PolicyWrite, version.Place.Branch)
	if err != nil {
		return Version{}, err
	}
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
	if err := invalid(faults); err != nil {
		return Version{}, err
	}
	err = s.Store.UndoVersion(ctx, permit, back)
	s.wake()
	return back.masked(), err
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
