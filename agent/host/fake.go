package host

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"sort"
	"strconv"
	"sync"
	"time"
)

// ErrFull is what fake files answer on a full disk.
var ErrFull = errors.New("host: no space left")

// Fake is a machine in memory. Its time stands still until Advance; a test reads
// and sets everything.
type Fake struct {
	mu       sync.Mutex
	reading  Reading
	boots    int
	timers   []timer
	waits    int
	hardware Hardware
	state    Condition
	notes    []string
	versions map[string]string
	// Files is its disk.
	Files *FakeFiles
}

type timer struct {
	at   time.Duration // elapsed
	boot string
	c    chan time.Time
}

// NewFake returns a machine that was just started.
func NewFake(wall time.Time) *Fake {
	f := &Fake{Files: &FakeFiles{}}
	f.reading = Reading{Boot: "boot-0", Elapsed: time.Second, Wall: wall}
	f.hardware = Hardware{Platform: "linux", OSName: "Debian GNU/Linux 12 (bookworm)", OSVersion: "12", Model: "Fake", Hostname: "fake", MachineID: "fake", ProductUUID: "00000000-0000-0000-0000-00000000fa4e"}
	return f
}

// Read returns the clocks.
func (f *Fake) Read() Reading {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reading
}

// After returns a channel that fires when Advance has passed the duration.
func (f *Fake) After(d time.Duration) <-chan time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := make(chan time.Time, 1)
	f.timers = append(f.timers, timer{f.reading.Elapsed + d, f.reading.Boot, c})
	f.waits++
	return c
}

// Waits is how often somebody began to wait for time to pass.
func (f *Fake) Waits() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.waits
}

// Advance lets time pass on both clocks and fires what is due, in order.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reading.Elapsed += d
	f.reading.Wall = f.reading.Wall.Add(d)
	sort.SliceStable(f.timers, func(i, j int) bool { return f.timers[i].at < f.timers[j].at })
	var waiting []timer
	for _, t := range f.timers {
		if t.boot == f.reading.Boot && t.at > f.reading.Elapsed {
			waiting = append(waiting, t)
			continue
		}
		t.c <- f.reading.Wall
	}
	f.timers = waiting
}

// MoveWall moves the wall clock alone.
func (f *Fake) MoveWall(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reading.Wall = f.reading.Wall.Add(d)
}

// Reboot starts the machine anew after it was off for a while.
func (f *Fake) Reboot(off time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.boots++
	f.reading = Reading{Boot: "boot-" + strconv.Itoa(f.boots), Elapsed: time.Second, Wall: f.reading.Wall.Add(off)}
	f.timers = nil
}

// Hardware returns what was set.
func (f *Fake) Hardware() Hardware {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.hardware
}

// Condition returns what was set.
func (f *Fake) Condition() Condition {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state
}

// SetHardware makes it another machine.
func (f *Fake) SetHardware(h Hardware) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hardware = h
}

// SetCondition changes how it is doing.
func (f *Fake) SetCondition(c Condition) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state = c
}

// Versions returns what was set, of the ids.
func (f *Fake) Versions(ids []string) map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := map[string]string{}
	for _, id := range ids {
		if version, is := f.versions[id]; is {
			all[id] = version
		}
	}
	return all
}

// SetVersions installs programs, by the ids of their desktop entries, and takes all
// others away.
func (f *Fake) SetVersions(versions map[string]string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.versions = maps.Clone(versions)
}

// Note keeps a line.
func (f *Fake) Note(line string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notes = append(f.notes, line)
}

// Notes returns every line that was noted.
func (f *Fake) Notes() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.notes...)
}

// FakeFiles keeps files in memory. The zero value is empty and ready.
type FakeFiles struct {
	mu    sync.Mutex
	files map[string][]byte
	full  bool
}

// Read returns a copy of the content.
func (f *FakeFiles) Read(name string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	data, ok := f.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return append([]byte(nil), data...), nil
}

// Write replaces the content, or fails while the disk is full.
func (f *FakeFiles) Write(name string, data []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.full {
		return ErrFull
	}
	if f.files == nil {
		f.files = map[string][]byte{}
	}
	f.files[name] = append([]byte(nil), data...)
	return nil
}

// Overwrite writes in place; on a full disk it works only where the file has
// its size already.
func (f *FakeFiles) Overwrite(name string, data []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.full && len(data) > len(f.files[name]) {
		return ErrFull
	}
	if f.files == nil {
		f.files = map[string][]byte{}
	}
	f.files[name] = append([]byte(nil), data...)
	return nil
}

// Remove deletes a file.
func (f *FakeFiles) Remove(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.files, name)
	return nil
}

// Names lists the files.
func (f *FakeFiles) Names() ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Collect(maps.Keys(f.files)), nil
}

// SetFull fills the disk, or empties it.
func (f *FakeFiles) SetFull(full bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.full = full
}
