package standard

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"slices"
	"strings"
	"time"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/policies/sheet"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// TemplateStore keeps publishers and their packages. A scope is an authority, or
// empty for the operator, whose packages all authorities see.
type TemplateStore interface {
	// ListPublishers lists those of the scopes, nil for all.
	ListPublishers(ctx context.Context, scopes []org.ID) ([]Publisher, error)
	FindPublisher(ctx context.Context, id org.ID) (Publisher, error)
	// CreatePublisher is the Conflict fault "template.publisher_known" for a key
	// that the scope has already.
	CreatePublisher(ctx context.Context, permit may.Permit, publisher Publisher) error
	DeletePublisher(ctx context.Context, permit may.Permit, publisher Publisher) error
	// ListPackages lists those of the scopes, nil for all, by title, the latest
	// version first.
	ListPackages(ctx context.Context, scopes []org.ID) ([]Package, error)
	FindPackage(ctx context.Context, id org.ID) (Package, error)
	CreatePackage(ctx context.Context, permit may.Permit, pack Package) error
	// TakenPackages lists what was published from packages in the branches and
	// not taken back, the latest first.
	TakenPackages(ctx context.Context, branches []org.Branch) ([]Taken, error)
	// FindDecline is NotFound for a package that the place did not decline.
	FindDecline(ctx context.Context, place Place, pack org.ID) (Decline, error)
	CreateDecline(ctx context.Context, permit may.Permit, place Place, pack Package, decline Decline) error
}

// Publisher is somebody whose templates are believed, because a person compared
// the fingerprint of the key.
type Publisher struct {
	ID        org.ID
	Authority org.ID // scope
	Name      string
	Key       ed25519.PublicKey
	By        org.ID
	ByName    string
	At        time.Time
	MayRemove bool
}

// Package is one version of a template that was taken in.
type Package struct {
	sheet.Template
	ID        org.ID
	Authority org.ID // scope
	Key       ed25519.PublicKey
	By        org.ID
	ByName    string
	At        time.Time
	// Trusted reports whether the key is still one of a known publisher's.
	Trusted bool
}

// of reports whether two packages are versions of the same template.
func (p Package) of(other Package) bool { return p.Name == other.Name && bytes.Equal(p.Key, other.Key) }

// Opened is what is in a package that was not taken in yet.
type Opened struct {
	sheet.Template
	Key   ed25519.PublicKey
	Known *Publisher // nil for a key that nobody here knows
	// Says is what the template says, by family.
	Says   map[string]Say
	Faults []sheet.Fault // of its sheet, by line
}

// scopes lists the authorities whose publishers and packages an actor may read:
// the operator's, and those of the own branches; nil for all.
func scopes(actor may.Actor) ([]org.ID, error) {
	branches, err := readable(actor)
	if err != nil {
		return nil, err
	}
	list := []org.ID{""}
	for _, branch := range branches {
		if branch.Authority == "" {
			return nil, nil
		}
		if !slices.Contains(list, branch.Authority) {
			list = append(list, branch.Authority)
		}
	}
	return list, nil
}

// Publishers lists the publishers that are believed where the actor is.
func (s *Service) Publishers(ctx context.Context, actor may.Actor) ([]Publisher, error) {
	seen, err := scopes(actor)
	if err != nil {
		return nil, err
	}
	list, err := s.Store.ListPublishers(ctx, seen)
	for i := range list {
		list[i].MayRemove = may.Can(actor, may.PolicyWrite, org.Branch{Authority: list[i].Authority})
	}
	return list, err
}

// Trust makes a publisher known in an authority, or for the empty id everywhere.
// The fingerprint is what the publisher told over another way; it is the Invalid
// fault "template.fingerprint" if the key has another.
func (s *Service) Trust(ctx context.Context, actor may.Actor, authority org.ID, name, key, fingerprint string) (Publisher, error) {
	permit, err := may.Do(actor, may.PolicyWrite, org.Branch{Authority: authority})
	if err != nil {
		return Publisher{}, err
	}
	public, err := sheet.ReadKey(key)
	name = clip(strings.Join(strings.Fields(name), " "), longestTitle)
	switch {
	case err != nil:
		return Publisher{}, errs.E(errs.Invalid, "template.no_key").In("key")
	case name == "":
		return Publisher{}, errs.E(errs.Invalid, "template.no_name").In("name")
	case !sheet.SameFingerprint(public, fingerprint):
		return Publisher{}, errs.E(errs.Invalid, "template.fingerprint").In("fingerprint")
	}
	who, err := s.Store.PersonBehind(ctx, actor.ID)
	if err != nil {
		return Publisher{}, err
	}
	publisher := Publisher{ID: s.NewID(), Authority: authority, Name: name, Key: public, By: who, ByName: actor.Name, At: s.now(), MayRemove: true}
	return publisher, s.Store.CreatePublisher(ctx, permit, publisher)
}

// Distrust forgets a publisher. What was taken over from it stays; nothing new of
// it is offered.
func (s *Service) Distrust(ctx context.Context, actor may.Actor, id org.ID) error {
	publisher, err := s.Store.FindPublisher(ctx, id)
	if err != nil {
		return err
	}
	permit, err := may.Do(actor, may.PolicyWrite, org.Branch{Authority: publisher.Authority})
	if err != nil {
		return err
	}
	return s.Store.DeletePublisher(ctx, permit, publisher)
}

// OpenPackage says what is in a package, from whom it is and whether its signature
// holds; it keeps nothing. Faults are Invalid: "template.too_long", "template.not_package",
// "template.too_new", "template.tampered".
func (s *Service) OpenPackage(ctx context.Context, actor may.Actor, authority org.ID, data []byte) (Opened, error) {
	if _, err := may.Do(actor, may.PolicyRead, org.Branch{Authority: authority}); err != nil {
		return Opened{}, err
	}
	template, key, err := sheet.Unpack(data)
	if err != nil {
		return Opened{}, errs.E(errs.Invalid, packageFault(err)).In("file").Because(err)
	}
	opened := Opened{Template: template, Key: key}
	read, faults := template.Read()
	opened.Says, opened.Faults = saysOf(read), faults
	known, err := s.Store.ListPublishers(ctx, []org.ID{"", authority})
	for i := range known {
		if key.Equal(known[i].Key) {
			opened.Known = &known[i]
		}
	}
	return opened, err
}

func packageFault(err error) string {
	switch {
	case errors.Is(err, sheet.ErrTooLong):
		return "template.too_long"
	case errors.Is(err, sheet.ErrTooNew):
		return "template.too_new"
	case errors.Is(err, sheet.ErrSignature):
		return "template.tampered"
	}
	return "template.not_package"
}

func saysOf(read sheet.Sheet) map[string]Say {
	says := make(map[string]Say, len(read.Families))
	for name, family := range read.Families {
		says[name] = Say{Settings: family.Settings, Holds: family.Holds}
	}
	return says
}

// TakeIn keeps a package of a known publisher in an authority, or for the empty id
// for all; nothing holds by that. Further faults than those of OpenPackage: Denied
// "template.unknown_publisher", Invalid "template.faults" for a sheet with faults,
// Conflict "template.older" where a newer version is there, and
// "template.version_differs" for a version that is there with another content.
func (s *Service) TakeIn(ctx context.Context, actor may.Actor, authority org.ID, data []byte) (Package, error) {
	permit, err := may.Do(actor, may.PolicyWrite, org.Branch{Authority: authority})
	if err != nil {
		return Package{}, err
	}
	opened, err := s.OpenPackage(ctx, actor, authority, data)
	if err != nil {
		return Package{}, err
	}
	switch {
	case opened.Known == nil:
		return Package{}, errs.E(errs.Denied, "template.unknown_publisher", "fingerprint", sheet.Fingerprint(opened.Key)).In("file")
	case len(opened.Faults) > 0:
		return Package{}, errs.E(errs.Invalid, "template.faults", "count", len(opened.Faults), "line", opened.Faults[0].Line).In("file")
	}
	who, err := s.Store.PersonBehind(ctx, actor.ID)
	if err != nil {
		return Package{}, err
	}
	pack := Package{Template: opened.Template, ID: s.NewID(), Authority: authority, Key: opened.Key, By: who, ByName: actor.Name, At: s.now(), Trusted: true}
	is, err := s.Store.ListPackages(ctx, []org.ID{authority})
	if err != nil {
		return Package{}, err
	}
	for _, old := range is {
		switch {
		case !old.of(pack) || old.Version < pack.Version:
		case old.Version > pack.Version:
			return Package{}, errs.E(errs.Conflict, "template.older", "version", pack.Version, "newest", old.Version).In("file")
		case old.Template == pack.Template:
			return old, nil
		default:
			return Package{}, errs.E(errs.Conflict, "template.version_differs", "version", pack.Version).In("file")
		}
	}
	return pack, s.Store.CreatePackage(ctx, permit, pack)
}

// Packages lists the packages that the actor may take over, by title, the latest
// version of each first.
func (s *Service) Packages(ctx context.Context, actor may.Actor) ([]Package, error) {
	seen, err := scopes(actor)
	if err != nil {
		return nil, err
	}
	list, err := s.Store.ListPackages(ctx, seen)
	if err != nil {
		return nil, err
	}
	return s.trusted(ctx, list)
}

// trusted marks packages whose key is that of a publisher known in their scope, or
// everywhere.
func (s *Service) trusted(ctx context.Context, list []Package) ([]Package, error) {
	known, err := s.Store.ListPublishers(ctx, nil)
	for i := range list {
		list[i].Trusted = slices.ContainsFunc(known, func(p Publisher) bool {
			return (p.Authority == "" || p.Authority == list[i].Authority) && p.Key.Equal(list[i].Key)
		})
	}
	return list, err
}

// Package returns one that the actor may read.
func (s *Service) Package(ctx context.Context, actor may.Actor, id org.ID) (Package, error) {
	seen, err := scopes(actor)
	if err != nil {
		return Package{}, err
	}
	pack, err := s.Store.FindPackage(ctx, id)
	if err != nil {
		return Package{}, err
	}
	if seen != nil && !slices.Contains(seen, pack.Authority) {
		return Package{}, errs.E(errs.NotFound, "template.not_found")
	}
	list, err := s.trusted(ctx, []Package{pack})
	return list[0], err
}

// Taken is a package that was published at a place.
type Taken struct {
	Place  Place
	Pack   Package
	At     time.Time
	ByName string
}

// Decline is a newer version that a place does not want.
type Decline struct {
	Reason string
	By     org.ID
	ByName string
	At     time.Time
}

// takenAt returns the version of the package's template that a place took over
// last; nil for none.
func takenAt(taken []Taken, place desired.Place, pack Package) *Package {
	for i := range taken {
		if taken[i].Place.Place == place && taken[i].Pack.of(pack) {
			return &taken[i].Pack
		}
	}
	return nil
}
