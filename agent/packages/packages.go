// Package packages brings to a device what is rolled out to it: it waits for its
// window, fetches, lets the system install, looks, and tells what it saw. What it
// is about to do is on disk before it does it, so that a kill, a restart of the
// system or a full disk make it do nothing twice and lose nothing. It decides by
// the declaration alone, so that it needs no server but to fetch the file.
package packages

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"schulwart.org/agent/host"
	"schulwart.org/agent/reconcile"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/rollout"
)

// System is what the system itself can do about packages.
type System interface {
	// Able says why the package cannot be had here; nil if it can.
	Able(d rollout.Declared) *ddm.Reason
	// Present returns the version that the system itself names, empty for none.
	Present(ctx context.Context, d rollout.Declared) (string, error)
	// Install puts exactly this version there, an older one than is there too, in one
	// transaction as far as the system has such. It is called again after an
	// interruption, and mends what that left.
	Install(ctx context.Context, d rollout.Declared, file string) error
	// Remove takes it out again.
	Remove(ctx context.Context, d rollout.Declared) error
}

// Trier is a system on which what was installed has to prove itself before it is
// there.
type Trier interface {
	// Trying reports whether what the declaration asked for is on trial, or why it
	// failed.
	Trying(d rollout.Declared) (on bool, failed *ddm.Reason)
}

// None is a system on which nothing can be installed yet. It says so.
type None struct{}

// Able says that it is not.
func (None) Able(d rollout.Declared) *ddm.Reason {
	return &ddm.Reason{Code: "package.kind", Details: map[string]string{"kind": string(d.Kind)}}
}

// Present names nothing.
func (None) Present(context.Context, rollout.Declared) (string, error) { return "", nil }

// Install is never called, since nothing is able.
func (None) Install(context.Context, rollout.Declared, string) error { return errors.ErrUnsupported }

// Remove has nothing to remove.
func (None) Remove(context.Context, rollout.Declared) error { return nil }

// Door is the way to the server, as this device.
type Door interface {
	// Piece returns the bytes of a file from an offset on, at most as many as asked
	// for and at least one.
	Piece(ctx context.Context, path string, from int64, most int) ([]byte, error)
	// Way asks from whom this device shall have a file.
	Way(ctx context.Context, path string, ask rollout.Ask) (rollout.Way, error)
}

// Neighbours are the other devices of the site, and this one for them. See package
// peers for the real ones.
type Neighbours interface {
	Offer(hash, word string, read func(from int64, most int) ([]byte, error)) (at, network string, err error)
	Withdraw(hash string)
	Network() string
	Piece(ctx context.Context, peer rollout.Peer, hash, word string, from int64, most int) ([]byte, error)
	Close()
}

// Options are what a keeper needs.
type Options struct {
	// Wanted returns what is rolled out to the device.
	Wanted func() []reconcile.Package
	// Announce is called when there is something new to tell.
	Announce func()
	// Busy reports whether a mode or an examination holds: then nothing begins.
	Busy func() bool
	// Now is the device's trusted time.
	Now    func() time.Time
	Clock  host.Clock
	Store  host.Store
	System System
	// Neighbours may be nil: then files come from the server alone.
	Neighbours Neighbours
	// Free is the free space in bytes.
	Free func() int64
	Log  *slog.Logger
	// Spread chooses when within a stretch of time this device begins, so that not
	// all do at once; nil is at random.
	Spread func(within time.Duration) time.Duration
}

// Keeper keeps one device's packages. Its methods are safe for concurrent use.
type Keeper struct {
	o      Options
	poke   chan struct{}
	wants  chan struct{}
	bucket bucket // used by Carry alone, which does one thing at a time

	mu     sync.Mutex
	kept   []kept
	looked map[string]time.Time // when the system was asked last, by identifier
	full   bool                 // what is kept could not be stored
}

// New reads what the device was about to do.
func New(o Options) *Keeper {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Spread == nil {
		o.Spread = func(within time.Duration) time.Duration { return rand.N(max(within, 1)) }
	}
	k := &Keeper{o: o, poke: make(chan struct{}, 1), wants: make(chan struct{}, 1), looked: map[string]time.Time{}}
	k.load()
	return k
}

// Poke lets the keeper look at what is wanted. It never blocks, and does nothing
// on a keeper that is nil.
func (k *Keeper) Poke() {
	if k != nil {
		signal(k.poke)
	}
}

// Wants receives when a file is to be fetched.
func (k *Keeper) Wants() <-chan struct{} { return k.wants }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Statuses is the device's word on every package; nil from a keeper that is nil.
func (k *Keeper) Statuses() []ddm.PackageStatus {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	var list []ddm.PackageStatus
	for _, p := range k.kept[:min(len(k.kept), ddm.MostPackages)] {
		list = append(list, p.said())

	}
	return list
}

// restTime is how long the keeper sleeps when nothing is due.
const restTime = time.Minute

// Run keeps the packages until the context ends. What the system is doing then is
// gone on with at the next start.
func (k *Keeper) Run(ctx context.Context) {
	if k.o.Neighbours != nil {
		defer k.o.Neighbours.Close()
	}
	for {
		pause := k.turn(ctx)
		select {
		case <-ctx.Done():
			return
		case <-k.poke:
		case <-k.o.Clock.After(pause):
		}
	}
}

// turn does what is due, one package after the other, and returns when to look
// again.
func (k *Keeper) turn(ctx context.Context) time.Duration {
	k.adopt(k.o.Wanted())
	pause := restTime
	for _, id := range k.ids() {
		if ctx.Err() != nil {
			break
		}
		pause = min(pause, k.advance(ctx, id))
	}
	return max(pause, time.Second)
}
