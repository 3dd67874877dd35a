package host

import (
	"io/fs"
	"path"
	"slices"
	"sort"
	"sync"
	"time"
)

// FakePrograms is a machine's processes in memory.
type FakePrograms struct {
	mu       sync.Mutex
	running  []Program
	environ  map[int][]string
	asked    []Program
	launched []Launch
	// Stubborn processes stay when asked to end.
	Stubborn bool
}

// Run adds a process.
func (f *FakePrograms) Run(p Program, env ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running = append(f.running, p)
	if f.environ == nil {
		f.environ = map[int][]string{}
	}
	f.environ[p.PID] = env
}

// Programs lists what runs.
func (f *FakePrograms) Programs() ([]Program, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Program(nil), f.running...), nil
}

// Environ returns what Run was given.
func (f *FakePrograms) Environ(p Program) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.environ[p.PID], nil
}

// Running reports whether the process was run and not ended.
func (f *FakePrograms) Running(p Program) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.running, func(q Program) bool { return q.PID == p.PID && q.Started == p.Started })
}

// End ends the process.
func (f *FakePrograms) End(p Program) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running = slices.DeleteFunc(f.running, func(q Program) bool { return q.PID == p.PID })
	return nil
}

// AskToEnd ends the process unless it is stubborn.
func (f *FakePrograms) AskToEnd(p Program) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, p)
	if f.Stubborn {
		return nil
	}
	var left []Program
	for _, q := range f.running {
		if q.PID != p.PID {
			left = append(left, q)
		}
	}
	f.running = left
	return nil
}

// Launch notes what was started.
func (f *FakePrograms) Launch(l Launch) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.launched = append(f.launched, l)
	return nil
}

// Asked returns which processes were asked to end.
func (f *FakePrograms) Asked() []Program {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Program(nil), f.asked...)
}

// Launched returns what was started.
func (f *FakePrograms) Launched() []Launch {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Launch(nil), f.launched...)
}

// FakeTree is a file system in memory. The zero value is empty and ready.
type FakeTree struct {
	mu     sync.Mutex
	files  map[string][]byte
	status map[string]FileStatus
	// Fail names paths whose writing fails, and how.
	Fail map[string]error
}

// Read returns the content; links are not followed.
func (f *FakeTree) Read(name string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	data, ok := f.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return append([]byte(nil), data...), nil
}

// Write replaces the content.
func (f *FakeTree) Write(name string, data []byte) ([]string, error) {
	return f.Put(name, data, FileStatus{Mode: 0o644})
}

// Put replaces the content and what else there is to say.
func (f *FakeTree) Put(name string, data []byte, status FileStatus) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.Fail[name]; err != nil {
		return nil, err
	}
	if f.files == nil {
		f.files, f.status = map[string][]byte{}, map[string]FileStatus{}
	}
	f.files[name], f.status[name] = append([]byte(nil), data...), status
	return nil, nil
}

// Status returns what Put was given.
func (f *FakeTree) Status(name string) (FileStatus, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	status, ok := f.status[name]
	if !ok {
		return FileStatus{}, fs.ErrNotExist
	}
	return status, nil
}

// Remove deletes a file.
func (f *FakeTree) Remove(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.files, name)
	delete(f.status, name)
	return nil
}

// List returns the names in a directory.
func (f *FakeTree) List(dir string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var names []string
	for name := range f.files {
		if path.Dir(name) == path.Clean(dir) {
			names = append(names, path.Base(name))
		}
	}
	sort.Strings(names)
	return names
}

// FakeHolds keeps what helpers were told. Its helpers run as soon as they are
// told to, and report what Report says.
type FakeHolds struct {
	Clock Clock
	// Report is what every helper says; nil for nothing.
	Report func(name string, content []byte) []byte

	mu   sync.Mutex
	held map[string]fakeHold
}

type fakeHold struct {
	content []byte
	ends    time.Duration
	killed  bool
}

// Hold notes content and end.
func (f *FakeHolds) Hold(name string, content []byte, release time.Duration) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held == nil {
		f.held = map[string]fakeHold{}
	}
	f.held[name] = fakeHold{content: content, ends: f.Clock.Read().Elapsed + release}
	return nil
}

// Drop forgets the helper.
func (f *FakeHolds) Drop(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.held, name)
	return nil
}

// Kill ends the process of a helper, as somebody might.
func (f *FakeHolds) Kill(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := f.held[name]
	h.killed = true
	f.held[name] = h
}

// Held tells what the helper does.
func (f *FakeHolds) Held(name string) Held {
	f.mu.Lock()
	defer f.mu.Unlock()
	h, ok := f.held[name]
	left := h.ends - f.Clock.Read().Elapsed
	if !ok || left <= 0 {
		return Held{}
	}
	held := Held{Wanted: true, Running: !h.killed, Content: h.content, Left: left}
	if f.Report != nil {
		held.Report = f.Report(name, h.content)
	}
	return held
}

// FakeDesktops is a list of sessions, and what was shown on them.
type FakeDesktops struct {
	mu    sync.Mutex
	all   []Desktop
	shown []string
}

// SetDesktops changes who is logged in.
func (f *FakeDesktops) SetDesktops(all ...Desktop) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = all
}

// Desktops lists the sessions.
func (f *FakeDesktops) Desktops() ([]Desktop, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Desktop(nil), f.all...), nil
}

// Notify keeps the text.
func (f *FakeDesktops) Notify(_ Desktop, title, body string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.shown = append(f.shown, title+": "+body)
	return nil
}

// Shown returns every text that was shown.
func (f *FakeDesktops) Shown() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.shown...)
}
