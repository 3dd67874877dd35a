// Package backup writes everything that an installation is into one encrypted
// file while it runs, and puts it onto an empty machine: database, sealing key,
// and with them the certificate authority, the lease keys and the settings.
// Devices that were enrolled meet the same server again.
package backup

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Store is what the room needs of the database.
type Store interface {
	// Snapshot writes a consistent copy to an SQLite file that does not exist
	// yet, while others write, whatever the database is.
	Snapshot(ctx context.Context, file string) error
	Secret(ctx context.Context, name string) ([]byte, error)
	// SaveSecret keeps a sealed value with its audit row.
	SaveSecret(ctx context.Context, permit may.Permit, name string, secret []byte) error
	Setting(ctx context.Context, name string) (string, error)
	PutSetting(ctx context.Context, name, value string) error
}

// Names under which the room keeps what it must remember.
const (
	lockSecret  = "backup-lock"
	lastSetting = "backup.last"
)

// Service is the room.
type Service struct {
	Store   Store
	KeyFile string // goes into the backup: without it the copy cannot be read
	Issuer  string
	Version string
	Now     func() time.Time

	mu   sync.RWMutex
	plan Plan
}

// Plan says where nightly backups go, and when.
type Plan struct {
	Dir  string
	Hour int // of school time
}

// SetPlan changes folder and hour, from the next backup on.
func (s *Service) SetPlan(plan Plan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plan = plan
}

// Plan returns where nightly backups go, and when.
func (s *Service) Plan() Plan {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.plan
}

// ShortestPassphrase is how many characters a passphrase has at least.
const ShortestPassphrase = 12

// SetLock chooses what nightly backups are encrypted to: a recipient as NewKey
// makes it, or a passphrase. Who loses the key loses the backups.
func (s *Service) SetLock(ctx context.Context, actor may.Actor, lock string) error {
	permit, err := may.Do(actor, may.OperationRun, org.Branch{})
	if err != nil {
		return err
	}
	if _, err := Lock(lock); err != nil {
		return err
	}
	return s.Store.SaveSecret(ctx, permit, lockSecret, []byte(lock))
}

// Chosen returns what SetLock chose, empty if nothing was. A passphrase comes as
// it is: only the machine's own command may ask for it, no page.
func (s *Service) Chosen(ctx context.Context) (string, error) {
	lock, err := s.Store.Secret(ctx, lockSecret)
	return string(lock), err
}

// Last says how the latest nightly backup went.
type Last struct {
	At    time.Time `json:"at"`
	File  string    `json:"file,omitempty"`
	Bytes int64     `json:"bytes,omitempty"`
	Fault string    `json:"fault,omitempty"` // key of the fault, empty if all went well
}

// State is what pages show: is there a key, how did the last one go,
// which backups are there?
type State struct {
	Ready bool
	Last  Last
	Plan
	Files []File
}

// File is one backup in the folder.
type File struct {
	Name  string
	Bytes int64
	At    time.Time
}

// State returns what pages show.
func (s *Service) State(ctx context.Context, actor may.Actor) (State, error) {
	if _, err := may.Do(actor, may.OperationRead, org.Branch{}); err != nil {
		return State{}, err
	}
	lock, err := s.Chosen(ctx)
	if err != nil {
		return State{}, err
	}
	state := State{Ready: lock != "", Plan: s.Plan()}
	text, err := s.Store.Setting(ctx, lastSetting)
	if err != nil {
		return State{}, err
	}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &state.Last); err != nil {
			return State{}, fmt.Errorf("reading the last backup: %w", err)
		}
	}
	state.Files, err = files(state.Dir)
	return state, err
}

// Run writes a backup into the folder now, and drops the oldest. Actors need
// the permit to run the installation.
func (s *Service) Run(ctx context.Context, actor may.Actor) (Last, error) {
	if _, err := may.Do(actor, may.OperationRun, org.Branch{}); err != nil {
		return Last{}, err
	}
	return s.Nightly(ctx)
}

// Nightly is Run for the job. Without a key it is a Conflict fault, and
// the operations page says so.
func (s *Service) Nightly(ctx context.Context) (Last, error) {
	last, err := s.nightly(ctx)
	if err != nil {
		last.Fault = "backup.failed"
		if fault := errs.Find(err); fault != nil {
			last.Fault = fault.Key
		}
	}
	data, encoding := json.Marshal(last)
	if encoding != nil {
		return last, encoding
	}
	if keeping := s.Store.PutSetting(ctx, lastSetting, string(data)); keeping != nil && err == nil {
		err = keeping
	}
	return last, err
}

func (s *Service) nightly(ctx context.Context) (Last, error) {
	last := Last{At: s.Now().UTC()}
	lock, err := s.Chosen(ctx)
	if err != nil {
		return last, err
	}
	if lock == "" {
		return last, errs.E(errs.Conflict, "backup.no_key")
	}
	dir := s.Plan().Dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return last, errs.E(errs.Unavailable, "backup.folder", "folder", dir).Because(err)
	}
	name := prefix + last.At.Format("20060102T150405Z") + suffix
	last.Bytes, err = s.WriteFile(ctx, filepath.Join(dir, name), lock)
	if err != nil {
		return last, err
	}
	last.File = name
	return last, drop(dir)
}

// WriteFile writes an encrypted backup to a file. It appears under its name
// only when it is whole and on the disk.
func (s *Service) WriteFile(ctx context.Context, file, lock string) (int64, error) {
	part, err := os.OpenFile(file+".part", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, errs.E(errs.Unavailable, "backup.folder", "folder", filepath.Dir(file)).Because(err)
	}
	defer os.Remove(part.Name()) //nolint:errcheck // it is gone when all went well
	err = s.write(ctx, part, lock)
	size, seeking := part.Seek(0, io.SeekEnd)
	for _, step := range []error{err, seeking, part.Sync(), part.Close()} {
		if step != nil {
			return 0, step
		}
	}
	if err := os.Rename(part.Name(), file); err != nil {
		return 0, err
	}
	return size, syncFolder(filepath.Dir(file))
}

const (
	prefix = "schulwart-"
	suffix = ".backup.age"
	// keep is how many nightly backups stay.
	keep = 14
)

func files(dir string) ([]File, error) {
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var files []File
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !strings.HasPrefix(entry.Name(), prefix) || !strings.HasSuffix(entry.Name(), suffix) {
			continue
		}
		files = append(files, File{entry.Name(), info.Size(), info.ModTime()})
	}
	sort.Slice(files, func(i, j int) bool { return files[i].Name > files[j].Name })
	return files, nil
}

func drop(dir string) error {
	files, err := files(dir)
	if err != nil || len(files) <= keep {
		return err
	}
	for _, old := range files[keep:] {
		if err := os.Remove(filepath.Join(dir, old.Name)); err != nil {
			return err
		}
	}
	return nil
}

func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
