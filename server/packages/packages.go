// Package packages is the catalogue of apps: files that people bring are hashed
// while they come, looked at and never run, and kept by their hash. It decides
// nothing about who gets what; that is rollout's.
package packages

import (
	"context"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"schulwart.org/policies/agentfile"
	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Store keeps packages, files on their way, and their pieces. A scope is an
// authority, or empty for the operator, whose packages all authorities see.
type Store interface {
	// ListApps lists packages of the scopes, nil for all, by name, the latest first.
	ListApps(ctx context.Context, scopes []org.ID) ([]Package, error)
	FindApp(ctx context.Context, id org.ID) (Package, error)
	// CreateApp takes a package in. With an upload its pieces become the package's,
	// or are thrown away where the scope has the same file already. A version that is
	// there already is the Conflict fault "package.exists".
	CreateApp(ctx context.Context, permit may.Permit, pack Package, upload org.ID) error
	// DeleteApp forgets a package, and its file if no other one needs it. One that a
	// rollout brings is the Conflict fault "package.in_use".
	DeleteApp(ctx context.Context, permit may.Permit, pack Package) error
	// DressApp keeps the texts of a package, and the picture of all of its versions: an
	// empty one is taken away, nil leaves what is there.
	DressApp(ctx context.Context, permit may.Permit, pack Package, before rollout.Package, picture []byte) error
	// Icons lists the hashes of pictures; nil scopes for all.
	Icons(ctx context.Context, scopes []org.ID) (map[Owned]string, error)
	Icon(ctx context.Context, sha256 string) ([]byte, error)
	// AppRoom returns how many bytes packages and files on their way have of a scope.
	AppRoom(ctx context.Context, scope org.ID) (int64, error)

	// PersonBehind returns the person of an actor, be it a login or a program.
	PersonBehind(ctx context.Context, actor org.ID) (org.ID, error)

	FindUpload(ctx context.Context, id org.ID) (Upload, error)
	CreateUpload(ctx context.Context, permit may.Permit, upload Upload) error
	// AddPiece appends to an upload: received is how many bytes there were before,
	// hash the state after. It is the Conflict fault "upload.offset" where another
	// number was received.
	AddPiece(ctx context.Context, upload Upload, piece []byte, hash string, at time.Time) error
	DeleteUpload(ctx context.Context, permit may.Permit, upload Upload) error
	// DropUploads throws away files on their way that nobody went on with since.
	DropUploads(ctx context.Context, before time.Time) (int, error)

	// Blob returns whose pieces are a scope's file with the hash, and its size.
	Blob(ctx context.Context, scopes []org.ID, sha256 string) (Blob, error)
	// AppPiece returns the piece of a blob in which the byte lies, and where it begins.
	AppPiece(ctx context.Context, blob Blob, at int64) (begins int64, content []byte, err error)
}

// Blob names a file that is kept in pieces.
type Blob struct {
	Scope org.ID
	ID    org.ID
	Size  int64
}

// Package is a package in the catalogue.
type Package struct {
	rollout.Package
	Authority org.ID // scope
	Icon      string // hash of its picture; empty for none
	By        org.ID
	ByName    string
	At        time.Time
	MayRemove bool
}

// Service is the room. Quota bounds the bytes of a scope.
type Service struct {
	Store Store
	NewID func() org.ID
	Now   func() time.Time
	Quota int64
	// AgentKeys are those with which versions of the agent must be signed; without any,
	// devices alone decide.
	AgentKeys []agentfile.Key

	sums sums
}

// Quota is how many bytes a scope has unless an installation says otherwise.
const Quota = 50 * gigabyte

const gigabyte = 1_000_000_000

// Space returns the quota of an installation that gives each scope so many gigabytes;
// 0 for the usual one.
func Space(gigabytes int) int64 {
	if gigabytes <= 0 {
		return Quota
	}
	return int64(gigabytes) * gigabyte
}

// Room is how much of its quota a scope has used, in bytes.
type Room struct {
	Scope org.ID
	Used  int64
	Most  int64
}

// Rooms says how much room there is in the scopes for which the actor may take apps
// in.
func (s *Service) Rooms(ctx context.Context, actor may.Actor, scopes []org.ID) ([]Room, error) {
	var rooms []Room
	for _, scope := range scopes {
		if _, err := may.Do(actor, may.AppWrite, org.Branch{Authority: scope}); err != nil {
			return nil, err
		}
		used, err := s.Store.AppRoom(ctx, scope)
		if err != nil {
			return nil, err
		}
		rooms = append(rooms, Room{scope, used, s.Quota})
	}
	return rooms, nil
}

// longest bounds texts that people write, in bytes.
const longest = 4000

// scopes lists whose packages the actor sees: the operator's, and those of the own
// branches; nil for all.
func scopes(actor may.Actor) ([]org.ID, error) {
	branches := may.Branches(actor, may.AppRead)
	if len(branches) == 0 {
		return nil, errs.E(errs.Denied, "denied", "action", string(may.AppRead))
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

// List lists the packages that the actor sees.
func (s *Service) List(ctx context.Context, actor may.Actor) ([]Package, error) {
	seen, err := scopes(actor)
	if err != nil {
		return nil, err
	}
	list, err := s.Store.ListApps(ctx, seen)
	for i := range list {
		list[i].MayRemove = may.Can(actor, may.AppWrite, org.Branch{Authority: list[i].Authority})
	}
	if err != nil {
		return nil, err
	}
	return list, s.addIcons(ctx, seen, list)
}

// Find returns a package that the actor sees.
func (s *Service) Find(ctx context.Context, actor may.Actor, id org.ID) (Package, error) {
	seen, err := scopes(actor)
	if err != nil {
		return Package{}, err
	}
	pack, err := s.Store.FindApp(ctx, id)
	if err != nil {
		return Package{}, err
	}
	if seen != nil && !slices.Contains(seen, pack.Authority) {
		return Package{}, errs.E(errs.NotFound, "package.not_found")
	}
	pack.MayRemove = may.Can(actor, may.AppWrite, org.Branch{Authority: pack.Authority})
	dressed := []Package{pack}
	if err := s.addIcons(ctx, []org.ID{pack.Authority}, dressed); err != nil {
		return Package{}, err
	}
	return dressed[0], nil
}

// Delete takes a package out of the catalogue.
func (s *Service) Delete(ctx context.Context, actor may.Actor, id org.ID) error {
	pack, err := s.Find(ctx, actor, id)
	if err != nil {
		return err
	}
	permit, err := may.Do(actor, may.AppWrite, org.Branch{Authority: pack.Authority})
	if err != nil {
		return err
	}
	return s.Store.DeleteApp(ctx, permit, pack)
}

// WebApp takes in a shortcut to an address, which has no file.
func (s *Service) WebApp(ctx context.Context, actor may.Actor, authority org.ID, wanted rollout.Package) (Package, error) {
	permit, err := may.Do(actor, may.AppWrite, org.Branch{Authority: authority})
	if err != nil {
		return Package{}, err
	}
	address, err := url.Parse(wanted.URL)
	if err != nil || address.Scheme != "https" || address.Hostname() == "" || address.User != nil || len(wanted.URL) > 500 {
		return Package{}, errs.E(errs.Invalid, "package.bad_url").In("url")
	}
	if wanted.Title.DE == "" && wanted.Title.EN == "" {
		return Package{}, errs.E(errs.Invalid, "package.no_title").In("title")
	}
	facts := said(wanted)
	facts.Kind, facts.Name, facts.Version, facts.URL = rollout.WebApp, nameOf(wanted.Name, address.Hostname()), "1", wanted.URL
	if wanted.Version != "" {
		facts.Version = wanted.Version
	}
	if !rollout.SafeName(facts.Name) || !rollout.SafeName(facts.Version) {
		return Package{}, errs.E(errs.Invalid, "package.bad_name").In("name")
	}
	return s.create(ctx, actor, permit, facts, "")
}

// FromRepository takes in a package that devices have from somewhere else, known by
// a signature: it has no file here.
func (s *Service) FromRepository(ctx context.Context, actor may.Actor, authority org.ID, wanted rollout.Package) (Package, error) {
	permit, err := may.Do(actor, may.AppWrite, org.Branch{Authority: authority})
	if err != nil {
		return Package{}, err
	}
	if wanted.Repository == nil {
		return Package{}, errs.E(errs.Invalid, "package.repository.url").In("repository")
	}
	from := *wanted.Repository
	from.URL, from.Suite, from.Key = strings.TrimSpace(from.URL), strings.TrimSpace(from.Suite), strings.ReplaceAll(strings.TrimSpace(from.Key), "\r\n", "\n")+"\n"
	if field := from.Mistake(wanted.Kind); field != "" {
		return Package{}, errs.E(errs.Invalid, "package.repository."+field).In(nameOf(map[string]string{"url": "repository"}[field], field))
	}
	facts := said(wanted)
	facts.Kind, facts.Name, facts.Version, facts.Commit, facts.Repository = wanted.Kind, strings.TrimSpace(wanted.Name), strings.TrimSpace(wanted.Version), strings.ToLower(strings.TrimSpace(wanted.Commit)), &from
	if !facts.Kind.FromRepository(facts.Name, facts.Version, facts.Commit) {
		return Package{}, errs.E(errs.Invalid, "package.repository.name", "kind", string(facts.Kind)).In("package")
	}
	if facts.Title == (rollout.Text{}) {
		facts.Title.DE = facts.Name
	}
	if facts.Source == "" {
		facts.Source = from.URL
	}
	return s.create(ctx, actor, permit, facts, "")
}

func nameOf(names ...string) string {
	for _, name := range names {
		if name = strings.TrimSpace(name); name != "" {
			return name
		}
	}
	return ""
}

func (s *Service) create(ctx context.Context, actor may.Actor, permit may.Permit, facts rollout.Package, upload org.ID) (Package, error) {
	who, err := s.Store.PersonBehind(ctx, actor.ID)
	if err != nil {
		return Package{}, err
	}
	facts.ID = s.NewID()
	pack := Package{Package: facts, Authority: permit.Branch().Authority, By: who, ByName: actor.Name, At: s.Now().UTC(), MayRemove: true}
	return pack, s.Store.CreateApp(ctx, permit, pack, upload)
}

// said keeps what a person may say of a package, within bounds.
func said(wanted rollout.Package) rollout.Package {
	text := func(t rollout.Text) rollout.Text { return rollout.Text{DE: clip(t.DE), EN: clip(t.EN)} }
	return rollout.Package{
		Licence: clip(wanted.Licence), Signature: clip(wanted.Signature), Source: clip(wanted.Source), Title: text(wanted.Title), Description: text(wanted.Description),
	}
}

func clip(text string) string {
	text = strings.TrimSpace(strings.ToValidUTF8(text, ""))
	for i := range text {
		if i >= longest {
			return text[:i]
		}
	}
	return text
}

// Open returns a file of an authority, or of the operator, by its hash, for a
// device that is offered it. Whoever asks has made sure of that.
func (s *Service) Open(ctx context.Context, authority org.ID, sha256 string) (io.ReadSeeker, error) {
	blob, err := s.Store.Blob(ctx, []org.ID{authority, ""}, sha256)
	if err != nil {
		return nil, err
	}
	return io.NewSectionReader(&pieces{ctx: ctx, store: s.Store, blob: blob}, 0, blob.Size), nil
}

// Sweep throws away files on their way that nobody went on with for a week.
func (s *Service) Sweep(ctx context.Context) error {
	_, err := s.Store.DropUploads(ctx, s.Now().Add(-7*24*time.Hour))
	return err
}
