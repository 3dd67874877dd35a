// Package audit is who did what to whom, from where: reading the log, chaining
// it so that no row can be changed, removed or slipped in unseen, and proving
// that afterwards.
package audit

import (
	"context"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Entry is one row of the log.
type Entry struct {
	Seq        int64
	Authority  org.ID
	At         time.Time
	Actor      org.ID
	ActorName  string
	Via        string // "console", "api", "cli", "job", "device"
	From       string // network address
	Action     string // may.Action, as text
	School     org.ID
	TargetKind string
	Target     org.ID
	TargetName string // as it is called now; empty if it is gone or has none
	Before     string // JSON; empty for none
	After      string
	Erased     bool // personal content was erased; the chain still holds
	Sealed     bool
}

// ByPerson reports whether somebody did it, and not a device or a job.
func (e Entry) ByPerson() bool { return e.Via != "device" && e.Via != "job" }

// Filter narrows the log.
type Filter struct {
	Actor      org.ID
	Query      string // part of an actor's name or login, or the whole target id
	Action     string
	TargetKind string
	Target     org.ID
	School     org.ID
	From       time.Time
	Until      time.Time
	Cursor     string
	Limit      int // 0 means 50, at most 500
}

// State says whether the chain of an authority is whole.
type State struct {
	Authority org.ID
	OK        bool
	Checked   time.Time
	Sealed    int64 // rows in the chain
	Open      int   // rows not sealed yet
	BrokenAt  int64 // chain number of the first row that does not fit; 0 for none
	Reason    string
}

// Link is what the chain needs of a row.
type Link struct {
	Seq         int64
	Authority   org.ID
	At          int64 // unix milliseconds, as stored
	Chain       int64 // 1, 2, 3 … within the authority; 0: not sealed
	ContentHash string
	Hash        string
	Erased      int64 // unix milliseconds; 0: not
	// Recomputed is the content hash of what the row says now; for an erased
	// row it is empty if the row is truly empty.
	Recomputed string
}

// Head is the end of a chain at an instant, signed.
type Head struct {
	Authority org.ID    `json:"authority"`
	Chain     int64     `json:"chain"` // number of the last row
	Hash      string    `json:"hash"`
	At        time.Time `json:"at"`
	Key       string    `json:"key"`       // Ed25519 public key, base64
	Signature string    `json:"signature"` // base64
}

// Segment is a closed part of a chain that was moved to a file.
type Segment struct {
	Authority org.ID
	First     int64
	Last      int64
	PrevHash  string // of the row before First
	Hash      string // of Last
	File      string // name inside the archive folder
	SHA256    string // of the file
	At        time.Time
}

// Store is what the room needs to remember.
type Store interface {
	ListAudit(ctx context.Context, branches []org.Branch, filter Filter) (entries []Entry, next string, err error)
	// UnsealedAuthorities lists authorities with rows that are not sealed.
	UnsealedAuthorities(ctx context.Context) ([]org.ID, error)
	ChainedAuthorities(ctx context.Context) ([]org.ID, error)
	// SealRows chains up to limit rows of an authority, in one transaction, and
	// returns how many.
	SealRows(ctx context.Context, authority org.ID, limit int, hash func(prev string, link Link) string) (int, error)
	// ChainRows lists sealed rows of an authority after a number, in order.
	ChainRows(ctx context.Context, authority org.ID, after int64, limit int) ([]Link, error)
	// OpenRows counts rows that are not sealed.
	OpenRows(ctx context.Context, authority org.ID) (int, error)
	// ChainHead returns the last number and hash that the sealer wrote down
	// apart from the rows.
	ChainHead(ctx context.Context, authority org.ID) (int64, string, error)

	PutHead(ctx context.Context, head Head) error
	ListHeads(ctx context.Context, authority org.ID) ([]Head, error)

	// ArchiveRows returns the rows of a closed segment, as they are kept.
	ArchiveRows(ctx context.Context, authority org.ID, before time.Time, limit int) ([]Row, error)
	// DropRows removes the rows of a segment that is safely in its file.
	DropRows(ctx context.Context, segment Segment) error
	ListSegments(ctx context.Context, authority org.ID) ([]Segment, error)

	// EraseRow empties the personal content of a row and leaves an audit row of
	// its own, with the target kind ErasedKind.
	EraseRow(ctx context.Context, permit may.Permit, seq int64, at time.Time) error
	FindAudit(ctx context.Context, seq int64) (Entry, error)
	// ErasedRows returns the sequence numbers that audit rows say were erased.
	ErasedRows(ctx context.Context, authority org.ID) (map[int64]bool, error)

	Setting(ctx context.Context, name string) (string, error)
	PutSetting(ctx context.Context, name, value string) error
	Secret(ctx context.Context, name string) ([]byte, error)
	// EnsureSecret keeps a secret unless there is one, and returns what is kept.
	EnsureSecret(ctx context.Context, name string, secret []byte) ([]byte, error)
}

// Row is a row as an archive file keeps it.
type Row struct {
	Seq         int64  `json:"seq"`
	Authority   string `json:"authority"`
	At          int64  `json:"at"`
	Actor       string `json:"actor"`
	ActorName   string `json:"actor_name"`
	Via         string `json:"via"`
	Origin      string `json:"origin"`
	Action      string `json:"action"`
	School      string `json:"school"`
	TargetKind  string `json:"target_kind"`
	Target      string `json:"target"`
	Before      string `json:"before"`
	After       string `json:"after"`
	Salt        string `json:"salt"`
	ContentHash string `json:"content_hash"`
	Chain       int64  `json:"chain"`
	Hash        string `json:"hash"`
	Erased      int64  `json:"erased,omitempty"`
}

// Service is the room.
type Service struct {
	Store Store
	Now   func() time.Time
	// Folder holds archived segments and exported heads.
	Folder string
}

// List reads the log of the actor's branches, latest first.
func (s *Service) List(ctx context.Context, actor may.Actor, filter Filter) ([]Entry, string, error) {
	branches := may.Branches(actor, may.AuditRead)
	if len(branches) == 0 {
		return nil, "", errs.E(errs.Denied, "denied", "action", string(may.AuditRead))
	}
	return s.Store.ListAudit(ctx, branches, filter)
}

// Mine lists what was done with the actor's own account by others.
func (s *Service) Mine(ctx context.Context, actor may.Actor, limit int) ([]Entry, error) {
	entries, _, err := s.Store.ListAudit(ctx, []org.Branch{{}}, Filter{TargetKind: "staff", Target: actor.ID, Limit: limit})
	return entries, err
}

// About lists what was done to one thing, for its history. The caller has asked
// whether the actor may see the thing.
func (s *Service) About(ctx context.Context, branch org.Branch, kind string, target org.ID, cursor string, limit int) ([]Entry, string, error) {
	return s.Store.ListAudit(ctx, []org.Branch{branch}, Filter{TargetKind: kind, Target: target, Cursor: cursor, Limit: limit})
}

// Erase empties the personal content of a row. The row, its place in the chain
// and the fact of the erasure stay.
func (s *Service) Erase(ctx context.Context, actor may.Actor, seq int64) error {
	entry, err := s.Store.FindAudit(ctx, seq)
	if err != nil {
		return err
	}
	permit, err := may.Do(actor, may.OperationRun, org.Branch{Authority: entry.Authority})
	if err != nil {
		return err
	}
	if !entry.Sealed {
		return errs.E(errs.Conflict, "audit.not_sealed")
	}
	if entry.Erased {
		return nil
	}
	return s.Store.EraseRow(ctx, permit, seq, s.Now())
}
