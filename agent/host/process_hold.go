package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// HoldDir is where helpers find what to hold: in memory, gone with a restart of
// the system, for root alone.
const HoldDir = "/run/schulwart/hold"

// order is what a helper is told. Its end is on the clock that nobody can move.
type order struct {
	Boot    string        `json:"boot"`
	Ends    time.Duration `json:"ends"` // Reading.Elapsed
	Content []byte        `json:"content"`
}

// word is what a helper reports.
type word struct {
	At     time.Duration   `json:"at"` // Reading.Elapsed
	Report json.RawMessage `json:"report"`
}

// holdFiles are the files between agent and helpers, the same on both sides.
type holdFiles struct {
	dir   string
	clock Clock
}

func (h holdFiles) order(name string) string  { return filepath.Join(h.dir, name+".json") }
func (h holdFiles) report(name string) string { return filepath.Join(h.dir, name+".report") }
func (h holdFiles) lock(name string) string   { return filepath.Join(h.dir, name+".lock") }

// read returns what holds now; false when nothing does.
func (h holdFiles) read(name string) (order, bool) {
	data, err := os.ReadFile(h.order(name))
	if err != nil {
		return order{}, false
	}
	var o order
	if json.Unmarshal(data, &o) != nil {
		return order{}, false
	}
	now := h.clock.Read()
	return o, o.Boot == now.Boot && now.Elapsed < o.Ends
}

func (h holdFiles) write(path string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encoding hold: %w", err)
	}
	beside := path + ".new"
	if err := os.WriteFile(beside, data, 0o600); err != nil {
		return fmt.Errorf("writing hold: %w", err)
	}
	if err := os.Rename(beside, path); err != nil {
		return fmt.Errorf("writing hold: %w", err)
	}
	return nil
}

// holdSlack is how far two ends may be apart and still be the same one: the
// remaining time is computed anew at each call.
const holdSlack = 1500 * time.Millisecond

func (h holdFiles) tell(name string, content []byte, release time.Duration) error {
	now := h.clock.Read()
	wanted := order{Boot: now.Boot, Ends: now.Elapsed + release, Content: content}
	if known, ok := h.read(name); ok && bytes.Equal(known.Content, content) && (known.Ends-wanted.Ends).Abs() < holdSlack {
		return nil
	}
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		return fmt.Errorf("making directory for holds: %w", err)
	}
	return h.write(h.order(name), wanted)
}

func (h holdFiles) forget(name string) error {
	if err := os.Remove(h.order(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing hold: %w", err)
	}
	return nil
}

// Keeper is the helper's side: it reads what to hold and says what it sees.
type Keeper struct {
	holdFiles
	name string
	lock *os.File
}

// Order returns what to hold and for how long still; false when it is over.
func (k *Keeper) Order() (content []byte, left time.Duration, ok bool) {
	o, ok := k.read(k.name)
	return o.Content, o.Ends - k.clock.Read().Elapsed, ok
}

// Report says what the helper sees now.
func (k *Keeper) Report(report any) error {
	data, err := json.Marshal(report)
	if err != nil {
		return fmt.Errorf("encoding report: %w", err)
	}
	return k.write(k.report(k.name), word{At: k.clock.Read().Elapsed, Report: data})
}

// Close ends the helper's word.
func (k *Keeper) Close() {
	_ = os.Remove(k.report(k.name))
	_ = k.lock.Close()
}
