package handin_test

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"schulwart.org/agent/handin"
	"schulwart.org/agent/host"
	"schulwart.org/agent/memory"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/work"
)

var nine = time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)

// rig is a device with one pupil at it, and a server that keeps what it is sent.
type rig struct {
	t       testing.TB
	files   *host.FakeFiles // of memory
	box     *host.FakeFiles
	folders *host.FakeFolders
	disk    *killer
	free    int64

	memory *memory.Memory
	keeper *handin.Keeper
	server *server
	nobody bool

	// What the loop says.
	lease  lease.Lease
	there  bool
	holds  bool
	clock  memory.Clock
	deeds  []ddm.Deed
	events []string
}

func newRig(t testing.TB) *rig {
	t.Helper()
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, files: &host.FakeFiles{}, box: &host.FakeFiles{}, folders: &host.FakeFolders{}, disk: &killer{}, clock: memory.Clock{Boot: "b", Elapsed: time.Second, Now: nine, Exam: nine}}
	r.server = &server{key: key, given: map[string][]byte{}, pieces: map[string][]byte{}, lists: map[string]work.List{}}
	r.lease = lease.Lease{ID: "l1", Rev: 1, Kind: lease.Exam, NotBefore: nine.Add(time.Hour), Expires: nine.Add(2 * time.Hour), Rules: lease.Rules{Exam: &lease.Examination{
		Work: &lease.Work{Folder: "Mathe", Every: 5, Exam: "e1", Ticket: "t1", Key: key.PublicKey().Bytes()},
	}}}
	r.there = true
	r.start()
	return r
}

// start begins a new process over the same disk.
func (r *rig) start() {
	m, err := memory.Open(killed{r.files, r.disk})
	if err != nil {
		r.t.Fatal(err)
	}
	r.memory = m
	r.keeper = handin.New(handin.Options{
		Memory: m, Loop: r, Box: killedBox{killed{r.box, r.disk}, r.box}, Folders: r.folders, Desktops: r, Free: func() int64 { return r.free },
	})
}

func (r *rig) give(name string, content []byte) {
	hash := work.Hash(content)
	r.server.given[hash] = content
	w := *r.lease.Rules.Exam.Work
	w.Given = append(w.Given, lease.Given{Name: name, Size: int64(len(content)), Hash: hash})
	r.lease.Rules.Exam = &lease.Examination{Work: &w}
}

func (r *rig) Desktops() ([]host.Desktop, error) {
	if r.nobody {
		return nil, nil
	}
	return []host.Desktop{{UID: 1000, GID: 1000}}, nil
}

func (r *rig) Examinations() (all []lease.Lease, holds string, clock memory.Clock) {
	if r.there {
		all = []lease.Lease{r.lease}
	}
	if r.holds {
		holds = r.lease.ID
	}
	return all, holds, r.clock
}

func (r *rig) Noted(_ string, what ddm.Deed, _ map[string]string, change func(*memory.State)) bool {
	if r.memory.Update(change) != nil {
		return false
	}
	r.deeds = append(r.deeds, what)
	return true
}

func (r *rig) Happened(key string, _ map[string]string) { r.events = append(r.events, key) }

// pass lets time pass, with a turn every ten seconds.
func (r *rig) pass(d time.Duration) {
	for step := 10 * time.Second; d > 0; d -= step {
		r.clock.Elapsed += step
		r.clock.Now, r.clock.Exam = r.clock.Now.Add(step), r.clock.Exam.Add(step)
		r.keeper.Turn()
	}
}

func (r *rig) begin() {
	r.there, r.holds = true, true
	r.keeper.Turn()
}

func (r *rig) end() {
	r.there, r.holds = false, false
	r.keeper.Turn()
}

func (r *rig) carry() error { return r.keeper.Carry(context.Background(), r.server) }

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// only is the content of the one folder.
func (r *rig) only() host.FakeFolder {
	for _, folder := range r.folders.Look() {
		return folder
	}
	return host.FakeFolder{}
}

// waits counts what lies in the box.
func (r *rig) waits() (n int) {
	names, _ := r.box.Names()
	for _, name := range names {
		if !strings.HasPrefix(name, "given.") {
			n++
		}
	}
	return n
}

// server keeps what it is sent, as the real one does.
type server struct {
	key     *ecdh.PrivateKey
	off     bool
	dies    int // answers that are lost on the way after so many were given; 0: none
	mu      sync.Mutex
	given   map[string][]byte
	pieces  map[string][]byte
	lists   map[string]work.List
	order   []string
	puts    int // of pieces
	fetched int
}

var errOff = errors.New("no network")

func (s *server) Get(_ context.Context, path string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.off {
		return nil, errOff
	}
	s.fetched++
	parts := strings.Split(path, "/")
	content, n := s.given[parts[5]], 0
	n, _ = strconv.Atoi(parts[6])
	if n*work.Piece >= len(content) {
		return nil, fmt.Errorf("no piece %d", n)
	}
	return content[n*work.Piece : min((n+1)*work.Piece, len(content))], s.answer()
}

func (s *server) Put(_ context.Context, path string, body []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.off {
		return nil, errOff
	}
	if hash, is := strings.CutPrefix(path, "/work/e1/t1/piece/"); is {
		content, err := work.Open(s.key, body, work.AboutPiece("e1", hash))
		if err != nil || work.Hash(content) != hash {
			return nil, errors.New("unreadable")
		}
		s.puts++
		s.pieces[hash] = content
		return nil, s.answer()
	}
	content, err := work.Open(s.key, body, work.AboutList("e1"))
	if err != nil || path != "/work/e1/t1/list" {
		return nil, errors.New("unreadable")
	}
	list, err := work.Read(content)
	if err != nil {
		return nil, err
	}
	var missing string
	for _, hash := range list.All() {
		if s.pieces[hash] == nil {
			missing += `,"` + hash + `"`
		}
	}
	if missing != "" {
		return []byte(`{"received":false,"missing":[` + missing[1:] + `]}`), s.answer()
	}
	id := work.Hash(content)
	if _, known := s.lists[id]; !known {
		s.order = append(s.order, id)
	}
	s.lists[id] = list
	return []byte(`{"received":true}`), s.answer()
}

// answer is whether the answer reaches the device.
func (s *server) answer() error {
	if s.dies > 0 {
		if s.dies--; s.dies == 0 {
			return errOff
		}
	}
	return nil
}

// latest is the state that was received last, byte for byte.
func (s *server) latest() (work.List, map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var latest work.List
	for _, list := range s.lists {
		if list.At.After(latest.At) || list.At.Equal(latest.At) && list.Final {
			latest = list
		}
	}
	content := map[string]string{}
	for _, file := range latest.Files {
		for _, hash := range file.Pieces {
			content[file.Path] += string(s.pieces[hash])
		}
	}
	return latest, content
}

func (s *server) finals() (n int) {
	for _, list := range s.lists {
		if list.Final {
			n++
		}
	}
	return n
}

// killer ends the process before or after one of its writes.
type killer struct {
	at     int // which write; 0: none
	after  bool
	writes int
}

type kill struct{}

func (k *killer) write(do func() error) error {
	k.writes++
	if k.writes == k.at && !k.after {
		panic(kill{})
	}
	err := do()
	if k.writes == k.at {
		panic(kill{})
	}
	return err
}

type killed struct {
	*host.FakeFiles
	disk *killer
}

func (k killed) Write(name string, data []byte) error {
	return k.disk.write(func() error { return k.FakeFiles.Write(name, data) })
}

func (k killed) Remove(name string) error {
	return k.disk.write(func() error { return k.FakeFiles.Remove(name) })
}

type killedBox struct {
	killed
	box *host.FakeFiles
}

func (k killedBox) Names() ([]string, error) { return k.box.Names() }
