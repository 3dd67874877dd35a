package packages

import (
	"context"
	"crypto/sha256"
	"encoding"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/packages/peek"
)

// Bounds of files. A piece is what is written at once, and all that is held in
// memory of a file.
const (
	Largest = 8 << 30
	piece   = 512 << 10
)

// Upload is a file on its way. Received bytes are kept for good: whoever was cut
// off goes on from there, today or in a week, at whatever replica.
type Upload struct {
	ID        org.ID
	Authority org.ID // scope
	File      string // name that the person gave it
	Size      int64
	Received  int64
	Hash      string // state of SHA-256 over what was received
	Wanted    rollout.Package
	By        org.ID
	ByName    string
	Created   time.Time
	Changed   time.Time
}

// Begin makes room for a file. Of what is wanted counts what the file cannot say:
// texts, licence, signature; name and version of an AppImage; and the hash, if the
// person knows it.
func (s *Service) Begin(ctx context.Context, actor may.Actor, authority org.ID, file string, size int64, wanted rollout.Package) (Upload, error) {
	permit, err := may.Do(actor, may.AppWrite, org.Branch{Authority: authority})
	if err != nil {
		return Upload{}, err
	}
	wanted.SHA256 = strings.ToLower(strings.TrimSpace(wanted.SHA256))
	switch {
	case size <= 0 || size > Largest:
		return Upload{}, errs.E(errs.Invalid, "upload.size", "most", int64(Largest)).In("size")
	case wanted.SHA256 != "" && !isHash(wanted.SHA256):
		return Upload{}, errs.E(errs.Invalid, "upload.bad_hash").In("sha256")
	case wanted.Name != "" && !rollout.SafeName(wanted.Name), wanted.Version != "" && !rollout.SafeName(wanted.Version):
		return Upload{}, errs.E(errs.Invalid, "package.bad_name").In("name")
	}
	used, err := s.Store.AppRoom(ctx, authority)
	if err != nil {
		return Upload{}, err
	}
	if used+size > s.Quota {
		return Upload{}, errs.E(errs.Invalid, "upload.quota", "most", s.Quota, "used", used).In("size")
	}
	who, err := s.Store.PersonBehind(ctx, actor.ID)
	if err != nil {
		return Upload{}, err
	}
	facts := said(wanted)
	facts.Name, facts.Version, facts.SHA256 = wanted.Name, wanted.Version, wanted.SHA256
	now := s.Now().UTC()
	upload := Upload{ID: s.NewID(), Authority: authority, File: clip(file), Size: size, Wanted: facts, By: who, ByName: actor.Name, Created: now, Changed: now}
	return upload, s.Store.CreateUpload(ctx, permit, upload)
}

// FindUpload returns a file on its way.
func (s *Service) FindUpload(ctx context.Context, actor may.Actor, id org.ID) (Upload, error) {
	upload, _, err := s.upload(ctx, actor, id)
	return upload, err
}

func (s *Service) upload(ctx context.Context, actor may.Actor, id org.ID) (Upload, may.Permit, error) {
	upload, err := s.Store.FindUpload(ctx, id)
	if err != nil {
		return Upload{}, may.Permit{}, err
	}
	permit, err := may.Do(actor, may.AppWrite, org.Branch{Authority: upload.Authority})
	if err != nil {
		return Upload{}, may.Permit{}, err
	}
	return upload, permit, nil
}

// Abandon throws a file on its way away.
func (s *Service) Abandon(ctx context.Context, actor may.Actor, id org.ID) error {
	upload, permit, err := s.upload(ctx, actor, id)
	if err != nil {
		return err
	}
	return s.Store.DeleteUpload(ctx, permit, upload)
}

// Append takes more of a file, from the byte at which the sender believes to be.
// What was read is kept even if the sender breaks off. With the last byte the file
// is looked at and becomes a package, or is refused and gone.
func (s *Service) Append(ctx context.Context, actor may.Actor, id org.ID, offset int64, from io.Reader) (Upload, *Package, error) {
	upload, permit, err := s.upload(ctx, actor, id)
	if err != nil {
		return Upload{}, nil, err
	}
	if offset != upload.Received {
		return upload, nil, errs.E(errs.Conflict, "upload.offset", "offset", upload.Received).In("Upload-Offset")
	}
	if upload, err = s.receive(ctx, upload, from); err != nil || upload.Received < upload.Size {
		return upload, nil, err
	}
	pack, err := s.finish(ctx, actor, permit, upload)
	if errs.Is(err, errs.Invalid) || errs.Is(err, errs.Conflict) || errs.Is(err, errs.Denied) {
		return upload, nil, errors.Join(err, s.Store.DeleteUpload(ctx, permit, upload))
	}
	return upload, &pack, err
}

// receive reads to the end of what comes, piece by piece.
func (s *Service) receive(ctx context.Context, upload Upload, from io.Reader) (Upload, error) {
	sum, err := resumed(upload.Hash)
	if err != nil {
		return upload, err
	}
	buffer := make([]byte, piece)
	for {
		n, broke := io.ReadFull(from, buffer[:min(piece, upload.Size-upload.Received+1)])
		if upload.Received+int64(n) > upload.Size {
			return upload, errs.E(errs.Invalid, "upload.too_long", "size", upload.Size)
		}
		if n > 0 {
			sum.Write(buffer[:n])
			state, err := stateOf(sum)
			if err != nil {
				return upload, err
			}
			now := s.Now().UTC()
			if err := s.Store.AddPiece(ctx, upload, buffer[:n], state, now); err != nil {
				return upload, err
			}
			upload.Received, upload.Hash, upload.Changed = upload.Received+int64(n), state, now
		}
		switch {
		case errors.Is(broke, io.EOF), errors.Is(broke, io.ErrUnexpectedEOF) && ctx.Err() == nil:
			return upload, nil
		case broke != nil:
			return upload, errs.E(errs.Unavailable, "upload.broken", "offset", upload.Received).Because(broke)
		}
	}
}

// finish looks at a file that is there, and makes a package of it.
func (s *Service) finish(ctx context.Context, actor may.Actor, permit may.Permit, upload Upload) (Package, error) {
	sum, err := resumed(upload.Hash)
	if err != nil {
		return Package{}, err
	}
	hashed := hex.EncodeToString(sum.Sum(nil))
	if want := upload.Wanted.SHA256; want != "" && want != hashed {
		return Package{}, errs.E(errs.Invalid, "package.hash", "is", hashed).In("sha256")
	}
	file := &pieces{ctx: ctx, store: s.Store, blob: Blob{upload.Authority, upload.ID, upload.Size}}
	found, err := peek.Look(file, upload.Size, upload.File)
	if err != nil {
		return Package{}, err
	}
	if err := s.agent(found, file); err != nil {
		return Package{}, err
	}
	facts := said(upload.Wanted)
	facts.Kind, facts.Name, facts.Version = found.Kind, nameOf(found.Name, upload.Wanted.Name), nameOf(found.Version, upload.Wanted.Version)
	if found.Kind == rollout.Flatpak && upload.Wanted.Version != "" {
		facts.Version = upload.Wanted.Version // the file knows its branch only
	}
	facts.Architecture, facts.Depends, facts.Size, facts.SHA256 = found.Architecture, found.Depends, upload.Size, hashed
	facts.Source, facts.Commit = nameOf(facts.Source, found.Source), found.Commit
	if facts.Description == (rollout.Text{}) {
		facts.Description.EN = found.Summary
	}
	if !rollout.SafeName(facts.Name) || !rollout.SafeName(facts.Version) {
		return Package{}, errs.E(errs.Invalid, "package.no_name").In("name")
	}
	if facts.Title == (rollout.Text{}) {
		facts.Title.DE = facts.Name
	}
	return s.create(ctx, actor, permit, facts, upload.ID)
}

// agent refuses early what no device would take: a version of the agent that is the
// operator's alone to bring, is signed with another key or by nobody, has expired,
// or holds another program than its manifest says. Devices look again, by keys of
// their own.
func (s *Service) agent(found peek.Found, file *pieces) error {
	if found.Agent == nil {
		return nil
	}
	f := found.Agent
	if file.blob.Scope != "" {
		return errs.E(errs.Denied, "package.agent_operator")
	}
	if len(s.AgentKeys) > 0 {
		if err := f.Signed(s.AgentKeys); err != nil {
			return errs.E(errs.Invalid, "package.agent_signature").In("file").Because(err)
		}
	}
	if !s.Now().Before(f.Expires) {
		return errs.E(errs.Invalid, "package.agent_expired", "at", f.Expires.Format(time.DateOnly)).In("file")
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(file, f.Offset, f.Size)); err != nil {
		return fmt.Errorf("reading the agent's program: %w", err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != f.SHA256 {
		return errs.E(errs.Invalid, "package.agent_signature").In("file")
	}
	return nil
}

func isHash(text string) bool {
	data, err := hex.DecodeString(text)
	return err == nil && len(data) == sha256.Size
}

// resumed returns the hash that goes on from a state.
func resumed(state string) (hash.Hash, error) {
	sum := sha256.New()
	if state == "" {
		return sum, nil
	}
	data, err := base64.StdEncoding.DecodeString(state)
	if err != nil {
		return nil, fmt.Errorf("reading the state of a hash: %w", err)
	}
	keeper, ok := sum.(encoding.BinaryUnmarshaler)
	if !ok {
		return nil, errors.New("packages: this hash keeps no state")
	}
	if err := keeper.UnmarshalBinary(data); err != nil {
		return nil, fmt.Errorf("reading the state of a hash: %w", err)
	}
	return sum, nil
}

func stateOf(sum hash.Hash) (string, error) {
	keeper, ok := sum.(encoding.BinaryMarshaler)
	if !ok {
		return "", errors.New("packages: this hash keeps no state")
	}
	data, err := keeper.MarshalBinary()
	return base64.StdEncoding.EncodeToString(data), err
}

// pieces reads a file that is kept in pieces, from any byte; it holds one piece.
type pieces struct {
	ctx    context.Context
	store  Store
	blob   Blob
	begins int64
	held   []byte
}

// ReadAt reads across pieces.
func (p *pieces) ReadAt(into []byte, at int64) (int, error) {
	read := 0
	for read < len(into) {
		if at >= p.blob.Size {
			return read, io.EOF
		}
		if at < p.begins || at >= p.begins+int64(len(p.held)) {
			begins, content, err := p.store.AppPiece(p.ctx, p.blob, at)
			if err != nil {
				return read, err
			}
			if at < begins || at >= begins+int64(len(content)) {
				return read, io.ErrUnexpectedEOF
			}
			p.begins, p.held = begins, content
		}
		n := copy(into[read:], p.held[at-p.begins:])
		read, at = read+n, at+int64(n)
	}
	return read, nil
}
