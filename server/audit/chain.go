package audit

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// sealBatch bounds one transaction of the sealer.
const sealBatch = 500

// chainHash ties a row to the one before it. It covers the hash of the content,
// not the content: that can be erased and the chain still holds.
func chainHash(prev string, link Link) string {
	sum := sha256.Sum256([]byte(prev + "\x00" + link.Authority.String() + "\x00" + strconv.FormatInt(link.Chain, 10) + "\x00" +
		strconv.FormatInt(link.Seq, 10) + "\x00" + strconv.FormatInt(link.At, 10) + "\x00" + link.ContentHash))
	return hex.EncodeToString(sum[:])
}

// Seal chains every row that is not sealed yet. A job calls it each minute.
func (s *Service) Seal(ctx context.Context) error {
	authorities, err := s.Store.UnsealedAuthorities(ctx)
	if err != nil {
		return fmt.Errorf("looking for rows to seal: %w", err)
	}
	for _, authority := range authorities {
		for {
			n, err := s.Store.SealRows(ctx, authority, sealBatch, chainHash)
			if err != nil {
				return fmt.Errorf("sealing audit rows: %w", err)
			}
			if n < sealBatch {
				break
			}
		}
	}
	return nil
}

// Verify walks the whole chain of an authority, archived segments included, and
// says where it is broken. It changes nothing but the note of when it looked.
func (s *Service) Verify(ctx context.Context, authority org.ID) (State, error) {
	walk := walk{s: s, empty: map[int64]int64{}, state: State{Authority: authority, Checked: s.Now().UTC()}}
	if err := walk.run(ctx); err != nil {
		return State{}, fmt.Errorf("verifying the audit log: %w", err)
	}
	walk.state.OK = walk.state.Reason == ""
	return walk.state, s.keep(ctx, walk.state)
}

// VerifyAll verifies every authority that has a log.
func (s *Service) VerifyAll(ctx context.Context) ([]State, error) {
	authorities, err := s.Store.ChainedAuthorities(ctx)
	if err != nil {
		return nil, err
	}
	states := make([]State, 0, len(authorities))
	for _, authority := range authorities {
		state, err := s.Verify(ctx, authority)
		if err != nil {
			return nil, err
		}
		states = append(states, state)
	}
	return states, nil
}

// Chain returns what the last verification found, for an actor who may read the
// log of the authority.
func (s *Service) Chain(ctx context.Context, actor may.Actor, authority org.ID) (State, error) {
	reads := false
	for _, branch := range may.Branches(actor, may.AuditRead) {
		reads = reads || branch.Authority == "" || branch.Authority == authority
	}
	if !reads {
		return State{}, errs.E(errs.NotFound, "not_found")
	}
	state := State{Authority: authority}
	text, err := s.Store.Setting(ctx, "audit-state:"+authority.String())
	if err != nil {
		return State{}, err
	}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &state); err != nil {
			return State{}, fmt.Errorf("reading what the last verification found: %w", err)
		}
	}
	state.Open, err = s.Store.OpenRows(ctx, authority)
	return state, err
}

func (s *Service) keep(ctx context.Context, state State) error {
	text, err := json.Marshal(state)
	if err != nil {
		return err
	}
	return s.Store.PutSetting(ctx, "audit-state:"+state.Authority.String(), string(text))
}

// walk is one verification.
type walk struct {
	s      *Service
	state  State
	prev   string
	seq    int64
	erased map[int64]bool   // rows that some audit row says were erased
	empty  map[int64]int64  // rows that are erased, to their chain number
	hashes map[int64]string // at the numbers of signed heads
}

// Reasons why a chain is broken; people read audit.broken.<reason>.
const (
	brokenNumber  = "row_missing"
	brokenHash    = "row_changed"
	brokenContent = "content_changed"
	brokenErased  = "erased_without_record"
	brokenHead    = "head_differs"
	brokenTail    = "tail_missing"
	brokenArchive = "archive_differs"
	brokenKey     = "head_not_signed"
)

func (w *walk) run(ctx context.Context) error {
	authority := w.state.Authority
	heads, err := w.s.Store.ListHeads(ctx, authority)
	if err != nil {
		return err
	}
	w.hashes = make(map[int64]string, len(heads))
	for _, head := range heads {
		w.hashes[head.Chain] = ""
	}
	if w.erased, err = w.s.Store.ErasedRows(ctx, authority); err != nil {
		return err
	}
	if err := w.archives(ctx); err != nil {
		return err
	}
	for w.state.Reason == "" {
		rows, err := w.s.Store.ChainRows(ctx, authority, w.state.Sealed, sealBatch)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		w.links(rows)
	}
	if w.state.Reason == "" {
		if err := w.ends(ctx, heads); err != nil {
			return err
		}
	}
	w.state.Open, err = w.s.Store.OpenRows(ctx, authority)
	return err
}

func (w *walk) links(rows []Link) {
	for _, row := range rows {
		if w.state.Reason != "" {
			return
		}
		switch {
		case row.Chain != w.state.Sealed+1:
			w.broken(w.state.Sealed+1, brokenNumber)
		case row.Hash != chainHash(w.prev, row):
			w.broken(row.Chain, brokenHash)
		case row.Erased == 0 && row.Recomputed != row.ContentHash:
			w.broken(row.Chain, brokenContent)
		case row.Erased != 0 && row.Recomputed != "":
			w.broken(row.Chain, brokenErased)
		default:
			if row.Erased != 0 {
				w.empty[row.Seq] = row.Chain
			}
			w.prev, w.seq, w.state.Sealed = row.Hash, row.Seq, row.Chain
			if _, asked := w.hashes[row.Chain]; asked {
				w.hashes[row.Chain] = row.Hash
			}
		}
	}
}

func (w *walk) broken(at int64, reason string) { w.state.BrokenAt, w.state.Reason = at, reason }

// ends compares the end of the chain with what the sealer wrote down, and with
// every head that was signed on an earlier day.
func (w *walk) ends(ctx context.Context, heads []Head) error {
	for seq, chain := range w.empty {
		if !w.erased[seq] {
			w.broken(chain, brokenErased)
			return nil
		}
	}
	number, hash, err := w.s.Store.ChainHead(ctx, w.state.Authority)
	if err != nil {
		return err
	}
	if number != w.state.Sealed || hash != w.prev {
		w.broken(w.state.Sealed+1, brokenTail)
		return nil
	}
	key, err := w.s.key(ctx)
	if err != nil {
		return err
	}
	public := base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
	for _, head := range heads {
		switch {
		case head.Key != public || !head.Holds():
			w.broken(head.Chain, brokenKey)
		case head.Chain > w.state.Sealed:
			w.broken(w.state.Sealed+1, brokenTail)
		case head.Chain > 0 && w.hashes[head.Chain] != head.Hash:
			w.broken(head.Chain, brokenHead)
		default:
			continue
		}
		return nil
	}
	return nil
}

// key returns the key under which heads are signed, made at first use.
func (s *Service) key(ctx context.Context) (ed25519.PrivateKey, error) {
	seed, err := s.Store.Secret(ctx, "audit-key")
	if err != nil {
		return nil, fmt.Errorf("reading the key of the audit log: %w", err)
	}
	if seed == nil {
		seed = make([]byte, ed25519.SeedSize)
		if _, err := rand.Read(seed); err != nil {
			return nil, err
		}
		if seed, err = s.Store.EnsureSecret(ctx, "audit-key", seed); err != nil {
			return nil, fmt.Errorf("keeping the key of the audit log: %w", err)
		}
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

func (h Head) content() []byte {
	return []byte("schulwart audit head\x00" + h.Authority.String() + "\x00" + strconv.FormatInt(h.Chain, 10) + "\x00" + h.Hash + "\x00" + h.At.UTC().Format(time.RFC3339))
}

// Holds reports whether the signature fits content and key. Whose key it is,
// the reader has to know.
func (h Head) Holds() bool {
	public, err := base64.StdEncoding.DecodeString(h.Key)
	if err != nil || len(public) != ed25519.PublicKeySize {
		return false
	}
	signature, err := base64.StdEncoding.DecodeString(h.Signature)
	return err == nil && ed25519.Verify(public, h.content(), signature)
}

// ExportHeads signs the end of every chain, keeps it and writes it to a file,
// to be kept elsewhere: what was signed can no longer be left out. A job calls
// it daily.
func (s *Service) ExportHeads(ctx context.Context) error {
	authorities, err := s.Store.ChainedAuthorities(ctx)
	if err != nil {
		return err
	}
	key, err := s.key(ctx)
	if err != nil {
		return err
	}
	at := s.Now().UTC().Truncate(time.Second)
	var heads []Head
	for _, authority := range authorities {
		number, hash, err := s.Store.ChainHead(ctx, authority)
		if err != nil {
			return err
		}
		head := Head{Authority: authority, Chain: number, Hash: hash, At: at, Key: base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))}
		head.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(key, head.content()))
		if err := s.Store.PutHead(ctx, head); err != nil {
			return fmt.Errorf("keeping an audit head: %w", err)
		}
		heads = append(heads, head)
	}
	data, err := json.MarshalIndent(heads, "", "  ")
	if err != nil || s.Folder == "" {
		return err
	}
	if err := os.MkdirAll(s.Folder, 0o700); err != nil {
		return fmt.Errorf("making the audit folder: %w", err)
	}
	return writeFile(filepath.Join(s.Folder, "heads-"+at.Format(time.DateOnly)+".json"), data)
}
