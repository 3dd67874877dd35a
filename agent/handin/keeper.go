// Package handin keeps the folder of an examination: what is given out lies in it
// from the beginning, what is written in it is kept sealed every few minutes and at
// the end, and carried to the server until that says that it has it. It decides
// nothing about examinations; the loop says which one holds.
package handin

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"schulwart.org/agent/host"
	"schulwart.org/agent/memory"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/work"
)

// Loop says what holds, and keeps the log.
type Loop interface {
	Examinations() (all []lease.Lease, holds string, clock memory.Clock)
	Noted(id string, what ddm.Deed, args map[string]string, change func(*memory.State)) bool
	Happened(key string, args map[string]string)
}

// Options are what a keeper needs.
type Options struct {
	Memory   *memory.Memory
	Loop     Loop
	Box      host.Box // for what waits to be carried; nothing else lies there
	Folders  host.Folders
	Desktops host.Desktops
	// Free returns how much room is left on the disk of the box, in bytes; 0 where
	// that is not known.
	Free func() int64
	Log  *slog.Logger // nil: nothing is logged
}

// Bounds of patience and room.
const (
	retryAfter = time.Minute      // a state that could not be kept
	lookAfter  = 10 * time.Second // for who sits at the device now
	clearAfter = 2 * time.Hour    // the end: whoever was let out may come back
	giveUp     = 60 * 24 * time.Hour
	mostWaits  = 3        // states of one examination that wait for the network
	spareRoom  = 32 << 20 // bytes that stay free on the disk
	mostPlaces = 4
)

// Keeper keeps the folders of a device.
type Keeper struct {
	o     Options
	wake  chan struct{}
	carry chan struct{}

	mu     sync.Mutex // turn and Carry take turns where they touch the box
	tidied bool
	states map[string]*state // by lease
}

// state is what a process knows of one examination beside what is remembered.
type state struct {
	due    time.Duration // elapsed at which the next state is kept
	again  time.Duration // elapsed at which one that was asked for is tried again
	looked time.Duration // elapsed of the last look at who sits there
	told   bool          // that there is no room
	known  map[string]known
	sent   map[string]bool // pieces that the server has, by hash
	laid   map[string]bool // files that were given out and lie in the folder, by hash
}

// known is what a file held when it was read last.
type known struct {
	stamp  string
	pieces []string
	given  bool
}

// New returns a keeper; Run begins it.
func New(o Options) *Keeper {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Keeper{o: o, wake: make(chan struct{}, 1), carry: make(chan struct{}, 1), states: map[string]*state{}}
}

// Poke says that something may have begun or ended; it does not block. Without a
// keeper it does nothing.
func (k *Keeper) Poke() {
	if k != nil {
		signal(k.wake)
	}
}

// Wants receives when there is something to carry.
func (k *Keeper) Wants() <-chan struct{} { return k.carry }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run keeps folders until the context ends.
func (k *Keeper) Run(ctx context.Context) {
	for {
		k.Turn()
		select {
		case <-ctx.Done():
			return
		case <-k.wake:
		}
	}
}

// Turn does what is due.
func (k *Keeper) Turn() {
	all, holds, clock := k.o.Loop.Examinations()
	works := k.works()
	if len(works) == 0 && len(all) == 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tidy()
	for _, l := range all {
		k.learn(l)
	}
	for _, w := range k.works() {
		at := slices.IndexFunc(all, func(l lease.Lease) bool { return l.ID == w.Lease })
		switch {
		case w.Lease == holds:
			k.hold(w, clock)
		case at >= 0 && w.Over.IsZero():
			// It waits for its beginning, or another one goes first.
		case !w.Began:
			k.drop(w)
		default:
			k.over(w, clock)
		}
	}
}

func (k *Keeper) works() (all []memory.Work) {
	k.o.Memory.Look(func(s *memory.State) { all = slices.Clone(s.Works) })
	return all
}

func (k *Keeper) state(id string) *state {
	s := k.states[id]
	if s == nil {
		s = &state{known: map[string]known{}, sent: map[string]bool{}, laid: map[string]bool{}}
		k.states[id] = s
	}
	return s
}

// update changes what is remembered of one work. It is false if that could not be
// stored.
func (k *Keeper) update(id string, change func(*memory.Work)) bool {
	return k.o.Memory.Update(func(s *memory.State) {
		if w, is := s.WorkOf(id); is {
			change(&w)
			s.SetWork(w)
		}
	}) == nil
}

// hold looks after the folder of the examination that holds.
func (k *Keeper) hold(w memory.Work, clock memory.Clock) {
	s := k.state(w.Lease)
	if !w.Over.IsZero() {
		// Whoever was let out is let in again, and finds what they had written.
		for _, place := range w.Places {
			if err := k.o.Folders.Reopen(place); err != nil {
				k.o.Log.Info("folder was not given back", "error", err)
			}
		}
		w.Over, w.Final = time.Time{}, false
		if !k.update(w.Lease, func(stored *memory.Work) { stored.Over, stored.Final = w.Over, false }) {
			return
		}
	}
	if s.looked == 0 || clock.Elapsed-s.looked >= lookAfter {
		s.looked = clock.Elapsed
		k.place(&w)
	}
	every := time.Duration(w.Rules.Every) * time.Minute
	switch asked := unanswered(w); {
	case asked && clock.Elapsed >= s.again:
		if k.collect(w, clock, now) {
			s.due, s.again = clock.Elapsed+every, 0
		} else {
			s.again = clock.Elapsed + retryAfter
		}
	case every <= 0:
	case s.due == 0:
		s.due = clock.Elapsed + every
	case clock.Elapsed >= s.due:
		s.due = clock.Elapsed + every
		if !k.collect(w, clock, between) {
			s.due = clock.Elapsed + min(retryAfter, every)
		}
	}
}

// over collects at the end, and clears up when all is received.
func (k *Keeper) over(w memory.Work, clock memory.Clock) {
	s := k.state(w.Lease)
	if w.Over.IsZero() {
		for _, place := range w.Places {
			if err := k.o.Folders.Close(place); err != nil {
				k.o.Log.Info("folder stays open", "error", err)
			}
		}
		w.Over, s.due = clock.Now, 0
		if !k.update(w.Lease, func(stored *memory.Work) { stored.Over = w.Over }) {
			return
		}
	}
	switch {
	case !w.Final:
		if s.due > 0 && clock.Elapsed < s.due {
			return
		}
		if !k.collect(w, clock, final) {
			s.due = clock.Elapsed + retryAfter
		}
	case len(w.Batches) > 0 && clock.Now.Sub(w.Over) < giveUp:
		if s.due == 0 || clock.Elapsed >= s.due { // after a start, nobody else says so
			s.due = clock.Elapsed + retryAfter
			signal(k.carry)
		}
	case clock.Now.Sub(w.Over) < clearAfter:
	default:
		k.clear(w)
		k.drop(w)
	}
}

// clear takes the folder away if it still holds exactly what was received. Otherwise
// it is given back: nothing that we do not know to be elsewhere is deleted.
func (k *Keeper) clear(w memory.Work) {
	if len(w.Batches) > 0 {
		return
	}
	scan, err := k.scan(w, nil)
	if err != nil || scan.digest() != w.Seen {
		for _, place := range w.Places {
			_ = k.o.Folders.Reopen(place)
		}
		return
	}
	for i, place := range w.Places {
		if err := k.o.Folders.Clear(place, scan.paths[i]); err != nil {
			_ = k.o.Folders.Reopen(place)
			k.o.Log.Info("folder stays", "error", err)
		}
	}
}

// drop forgets a work with all that lies in the box for it.
func (k *Keeper) drop(w memory.Work) {
	if k.o.Memory.Update(func(s *memory.State) { s.DropWork(w.Lease) }) == nil {
		delete(k.states, w.Lease)
		k.tidied = false
		k.tidy()
	}
}

// tidy throws away what nobody remembers: of a state that was being kept when the
// agent ended, or that was received.
func (k *Keeper) tidy() {
	if k.tidied {
		return
	}
	wanted := map[string]bool{}
	for _, w := range k.works() {
		for _, batch := range w.Batches {
			wanted[listName(batch.ID)] = true
			for _, hash := range batch.Pieces {
				wanted[pieceName(hash)] = true
			}
		}
		if w.Over.IsZero() {
			for _, given := range w.Rules.Given {
				for n := range piecesOf(given.Size) {
					wanted[givenName(given.Hash, n)] = true
				}
			}
		}
	}
	names, err := k.o.Box.Names()
	if err != nil {
		return
	}
	k.tidied = true
	for _, name := range names {
		if !wanted[name] {
			k.tidied = k.o.Box.Remove(name) == nil && k.tidied
		}
	}
}

func pieceName(hash string) string { return "piece." + hash }
func listName(id string) string    { return "list." + id }

func givenName(hash string, n int) string { return "given." + hash + "." + strconv.Itoa(n) }

func piecesOf(size int64) int { return int((size + work.Piece - 1) / work.Piece) }
