package audit

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"schulwart.org/policies/org"
)

// segmentRows is how many rows an archive file holds at most.
const segmentRows = 50_000

// Archive moves sealed rows from before the instant to files of their own, one
// segment after the other, and keeps the chain verifiable through them.
func (s *Service) Archive(ctx context.Context, before time.Time) error {
	if s.Folder == "" {
		return nil
	}
	authorities, err := s.Store.ChainedAuthorities(ctx)
	if err != nil {
		return err
	}
	for _, authority := range authorities {
		for {
			n, err := s.archive(ctx, authority, before)
			if err != nil {
				return fmt.Errorf("archiving audit rows: %w", err)
			}
			if n < segmentRows {
				break
			}
		}
	}
	return nil
}

func (s *Service) archive(ctx context.Context, authority org.ID, before time.Time) (int, error) {
	rows, err := s.Store.ArchiveRows(ctx, authority, before, segmentRows)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	earlier, err := s.Store.ListSegments(ctx, authority)
	if err != nil {
		return 0, err
	}
	segment := Segment{Authority: authority, First: rows[0].Chain, Last: rows[len(rows)-1].Chain, Hash: rows[len(rows)-1].Hash, At: s.Now().UTC()}
	if len(earlier) > 0 {
		segment.PrevHash = earlier[len(earlier)-1].Hash
	}
	owner := authority.String()
	if owner == "" {
		owner = "operator"
	}
	segment.File = fmt.Sprintf("%s-%012d-%012d.jsonl.gz", owner, segment.First, segment.Last)
	data, err := pack(rows)
	if err != nil {
		return 0, err
	}
	sum := sha256.Sum256(data)
	segment.SHA256 = hex.EncodeToString(sum[:])
	if err := os.MkdirAll(s.Folder, 0o700); err != nil {
		return 0, fmt.Errorf("making the audit folder: %w", err)
	}
	if err := writeFile(filepath.Join(s.Folder, segment.File), data); err != nil {
		return 0, err
	}
	return len(rows), s.Store.DropRows(ctx, segment)
}

func pack(rows []Row) ([]byte, error) {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	lines := json.NewEncoder(zip)
	for _, row := range rows {
		if err := lines.Encode(row); err != nil {
			return nil, err
		}
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

func unpack(data []byte) ([]Row, error) {
	zip, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	lines := json.NewDecoder(zip)
	var rows []Row
	for {
		var row Row
		err := lines.Decode(&row)
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
}

// archives walks the segments that were moved to files.
func (w *walk) archives(ctx context.Context) error {
	segments, err := w.s.Store.ListSegments(ctx, w.state.Authority)
	if err != nil {
		return err
	}
	for _, segment := range segments {
		if w.state.Reason != "" {
			return nil
		}
		data, err := os.ReadFile(filepath.Join(w.s.Folder, filepath.Base(segment.File)))
		sum := sha256.Sum256(data)
		if err != nil || hex.EncodeToString(sum[:]) != segment.SHA256 {
			w.broken(segment.First, brokenArchive)
			return nil
		}
		rows, err := unpack(data)
		if err != nil {
			w.broken(segment.First, brokenArchive)
			return nil
		}
		links := make([]Link, len(rows))
		for i, row := range rows {
			links[i] = row.Link()
			if seq, err := strconv.ParseInt(row.Target, 10, 64); err == nil && row.TargetKind == ErasedKind {
				w.erased[seq] = true
			}
		}
		w.links(links)
	}
	return nil
}

// ErasedKind is the kind of target of the audit row that an erasure leaves.
const ErasedKind = "audit_row"

// Link returns what the chain needs of an archived row.
func (r Row) Link() Link {
	link := Link{Seq: r.Seq, Authority: org.ID(r.Authority), At: r.At, Chain: r.Chain, ContentHash: r.ContentHash, Hash: r.Hash, Erased: r.Erased}
	if r.Erased == 0 || r.Salt+r.Actor+r.ActorName+r.Origin+r.Before+r.After != "" {
		link.Recomputed = ContentHash(r.Salt, r.Authority, r.Actor, r.ActorName, r.Via, r.Origin, r.Action, r.School, r.TargetKind, r.Target, r.Before, r.After)
	}
	return link
}

// ContentHash is the salted hash of what a row says, as the store makes it when
// the row is written.
func ContentHash(salt string, fields ...string) string {
	sum := sha256.Sum256([]byte(salt + "\x00" + strings.Join(fields, "\x00")))
	return hex.EncodeToString(sum[:])
}

// writeFile writes beside, syncs and renames, so that a file is there whole or
// not at all.
func writeFile(path string, data []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	defer os.Remove(file.Name())
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	return nil
}
