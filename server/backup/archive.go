package backup

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"schulwart.org/server/errs"
)

// Names inside an archive.
const (
	nameNote     = "backup.json"
	nameKey      = "key"
	nameDatabase = "schulwart.db"
)

// format changes when an older program cannot read a newer archive.
const format = 1

// Note is the first entry of an archive: what it is.
type Note struct {
	Format  int       `json:"format"`
	At      time.Time `json:"at"`
	Issuer  string    `json:"issuer"`
	Version string    `json:"version"`
}

// NewKey makes a pair of keys: what the server encrypts to, and what whoever
// restores must show. The server keeps the first only.
func NewKey() (recipient, private string, err error) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return "", "", fmt.Errorf("making a backup key: %w", err)
	}
	return identity.Recipient().String(), identity.String(), nil
}

// Lock reads what a backup is encrypted to: an age recipient ("age1…"), or a
// passphrase of at least ShortestPassphrase characters.
func Lock(text string) (age.Recipient, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "age1") {
		recipient, err := age.ParseX25519Recipient(text)
		if err != nil {
			return nil, errs.E(errs.Invalid, "backup.bad_recipient").In("recipient").Because(err)
		}
		return recipient, nil
	}
	if len([]rune(text)) < ShortestPassphrase {
		return nil, errs.E(errs.Invalid, "backup.short_passphrase", "least", ShortestPassphrase).In("recipient")
	}
	return age.NewScryptRecipient(text)
}

func unlock(text string) (age.Identity, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "AGE-SECRET-KEY-") {
		return age.ParseX25519Identity(text)
	}
	return age.NewScryptIdentity(text)
}

// write encrypts an archive of a snapshot: age around a compressed tar.
// https://age-encryption.org/v1
func (s *Service) write(ctx context.Context, to io.Writer, lock string) error {
	recipient, err := Lock(lock)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "schulwart-backup-")
	if err != nil {
		return fmt.Errorf("making room for a snapshot: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	snapshot := filepath.Join(dir, nameDatabase)
	if err := s.Store.Snapshot(ctx, snapshot); err != nil {
		return err
	}
	sealed, err := age.Encrypt(to, recipient)
	if err != nil {
		return fmt.Errorf("encrypting: %w", err)
	}
	packed := gzip.NewWriter(sealed)
	archive := tar.NewWriter(packed)
	note, err := json.Marshal(Note{Format: format, At: s.Now().UTC(), Issuer: s.Issuer, Version: s.Version})
	if err != nil {
		return err
	}
	if err := addBytes(archive, nameNote, note); err != nil {
		return err
	}
	for name, file := range map[string]string{nameKey: s.KeyFile, nameDatabase: snapshot} {
		if err := addFile(archive, name, file); err != nil {
			return err
		}
	}
	for _, closer := range []io.Closer{archive, packed, sealed} {
		if err := closer.Close(); err != nil {
			return fmt.Errorf("finishing the backup: %w", err)
		}
	}
	return nil
}

func addBytes(archive *tar.Writer, name string, data []byte) error {
	if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(data))}); err != nil {
		return err
	}
	_, err := archive.Write(data)
	return err
}

func addFile(archive *tar.Writer, name, file string) error {
	from, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	defer from.Close()
	info, err := from.Stat()
	if err != nil {
		return err
	}
	if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: info.Size()}); err != nil {
		return err
	}
	_, err = io.Copy(archive, from)
	return err
}

// Places say where a restored installation lives.
type Places struct {
	Database string // file
	KeyFile  string
	// Into takes the database of a backup where it does not stay a file: it is
	// called with a temporary one before anything is put in place. May be nil.
	Into func(database string) error
}

// Restore puts a backup onto an empty machine; key is the private key or the
// passphrase. It touches nothing that exists:
// a database or key that is there already is a Conflict fault. A wrong
// key or a damaged file is an Invalid one, and leaves nothing behind.
func Restore(from io.Reader, key string, to Places) (Note, error) {
	keep := []string{to.Database, to.KeyFile}
	if to.Into != nil {
		dir, err := os.MkdirTemp("", "schulwart-restore-")
		if err != nil {
			return Note{}, fmt.Errorf("making room for the database: %w", err)
		}
		defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
		to.Database, keep = filepath.Join(dir, nameDatabase), []string{to.KeyFile}
	}
	for _, file := range keep {
		if _, err := os.Stat(file); err == nil {
			return Note{}, errs.E(errs.Conflict, "restore.not_empty", "file", file)
		}
	}
	note, err := restore(from, key, to)
	if err == nil && to.Into != nil {
		err = to.Into(to.Database + ".part")
	}
	if err != nil {
		_ = os.Remove(to.Database + ".part")
		_ = os.Remove(to.KeyFile + ".part")
		return Note{}, err
	}
	for _, file := range keep {
		if err := os.Rename(file+".part", file); err != nil {
			return Note{}, fmt.Errorf("putting %s in place: %w", file, err)
		}
		if err := syncFolder(filepath.Dir(file)); err != nil {
			return Note{}, err
		}
	}
	return note, nil
}

func restore(from io.Reader, key string, to Places) (Note, error) {
	var note Note
	damaged := func(err error) error { return errs.E(errs.Invalid, "restore.damaged").Because(err) }
	identity, err := unlock(key)
	if err != nil {
		return note, errs.E(errs.Invalid, "restore.passphrase").Because(err)
	}
	opened, err := age.Decrypt(from, identity)
	if err != nil {
		return note, errs.E(errs.Invalid, "restore.passphrase").Because(err)
	}
	unpacked, err := gzip.NewReader(opened)
	if err != nil {
		return note, damaged(err)
	}
	places := map[string]string{nameKey: to.KeyFile, nameDatabase: to.Database}
	archive := tar.NewReader(unpacked)
	for {
		head, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return note, damaged(err)
		}
		if head.Name == nameNote {
			if err := json.NewDecoder(io.LimitReader(archive, 1<<16)).Decode(&note); err != nil {
				return note, damaged(err)
			}
			if note.Format > format {
				return note, errs.E(errs.Invalid, "restore.too_new", "version", note.Version)
			}
			continue
		}
		// Only the names that we know, so that no archive writes elsewhere.
		place, known := places[head.Name]
		if !known {
			continue
		}
		if err := put(archive, place+".part"); err != nil {
			return note, damaged(err)
		}
		delete(places, head.Name)
	}
	if len(places) > 0 || note.Format == 0 {
		return note, damaged(io.ErrUnexpectedEOF)
	}
	return note, nil
}

func put(from io.Reader, file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	to, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	for _, step := range []error{err, to.Sync(), to.Close()} {
		if step != nil {
			return step
		}
	}
	return nil
}
