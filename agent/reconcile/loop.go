package reconcile

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/agent/memory"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

// How often the loop looks, at the least. What is due sooner wakes it sooner.
const (
	watchHolding = 2 * time.Second  // while a mode holds
	watchIdle    = 10 * time.Second // while only the base filter does
	checkpoint   = 10 * time.Second
	resumed      = 30 * time.Second // a longer gap between two looks was a sleep
)

// Config is what a loop needs.
type Config struct {
	Memory  *memory.Memory
	Clock   host.Clock
	Drivers []enforce.Driver
	Speech  Speech
	// About returns what the device is and how it is doing; it is called for
	// each report and must be cheap.
	About func() (ddm.DeviceItems, ddm.Facts)
	// Versions, if set, returns the versions of programs, by the ids of their desktop
	// entries; it must be cheap.
	Versions func(ids []string) map[string]string
	// Secret is the release secret, shared with the server.
	Secret []byte
	// Packages, if set, returns the device's word on what is rolled out to it; it
	// must be cheap. Announce tells the loop that it changed.
	Packages func() []ddm.PackageStatus
	// Linked, if set, reports whether the server is in reach; it must not block.
	Linked func() bool
	// Version is the agent's own.
	Version string
	// Simulated marks devices that exist in a process only.
	Simulated bool
	// Rest is how long the loop sleeps while nothing holds, and between two
	// checkpoints of the clock. Zero is the default of ten seconds.
	Rest time.Duration
	// Inline runs drivers in the caller's goroutine, so that a test sees what
	// they did as soon as a call returns.
	Inline bool
	// ReadOnly changes nothing on disk, for a look beside the running agent.
	ReadOnly bool
	// Ticked, if set, is called after each look at the clock; it must not block.
	Ticked func()
	// Woken, if set, is called after the machine slept; it must not block.
	Woken func()
	Log   *slog.Logger
}

// Loop keeps one device as it should be. All methods are safe for concurrent
// use; none waits for the network.
type Loop struct {
	config Config
	wake   chan struct{}
	ticked atomic.Int64 // when Tick began last
	// changed receives when there is something to tell the server.
	changed chan struct{}

	mu      sync.Mutex
	ctx     context.Context
	state   reading // of the set in force
	leases  []lease.Lease
	holding lease.Holding
	rules   enforce.Rules
	parts   []*part
	phases  map[string]phase
	watched time.Duration // elapsed at the last look at the drivers
	urgent  bool          // the system of a driver told of a change
	saved   time.Duration // elapsed at the last checkpoint
	looked  time.Duration // elapsed at the last tick
	boot    string
	before  memory.Clock // as it stood when the former process, or run of the system, ended
	// unlinked is elapsed since when the server is out of reach; zero while it is not.
	unlinked time.Duration
	contact  time.Time
	// unstored are ends that hold in this process and go to disk with the next
	// change. After a restart they are found ended again, by the clock.
	unstored []memory.Ended
	// left are the parts of leases that are over, by id, which were not yet read
	// back as released. Memory has a copy of it.
	left map[string][]catalog.Part
	// freed says that left became less since it was stored.
	freed bool
	// early are revisions that were over when they came: somebody ended them.
	early    map[string]int
	fault    *ddm.Reason       // why memory could not be written
	facts    factsKey          // as last reported
	programs map[string]string // as the server has it; nil: it was told nothing
	revision uint64            // of what there is to tell
	told     uint64
	// sighted is what was taken down of the examination that holds.
	sighted map[string]bool
	// seen is what this run saw of the page of the examination that holds.
	seen pageWatch
	// rehearsals are what dry runs found, by lease and revision.
	rehearsals map[string]rehearsal
	salt       string
}

type phase struct {
	phase ddm.LeasePhase
	since time.Time
}

// New returns a loop over what is remembered. Nothing is touched before Run or
// Tick.
func New(config Config) *Loop {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Rest == 0 {
		config.Rest = watchIdle
	}
	l := &Loop{
		config: config, wake: make(chan struct{}, 1), changed: make(chan struct{}, 1),
		ctx: context.Background(), phases: map[string]phase{}, left: map[string][]catalog.Part{}, salt: newSalt(), revision: 1,
	}
	for _, driver := range config.Drivers {
		l.parts = append(l.parts, &part{driver: driver, name: driver.Part()})
	}
	l.load()
	if config.ReadOnly {
		// Nothing turns this loop: what holds is computed here, once.
		clock := l.config.Memory.Clock()
		l.endings(clock)
		_, l.holding = Decide(l.state.base, l.leases, clock, l.config.Speech)
		l.phasing(clock.Now)
	}
	return l
}

// load takes in what memory holds. Leases are verified again: what stands on
// disk is believed no more than what comes over the wire.
func (l *Loop) load() {
	l.before = l.config.Memory.Clock()
	clock := l.readClock()
	l.config.Memory.Look(func(s *memory.State) {
		l.state = read(s.Declarations, s.Trust, clock.Now)
		l.contact = s.Contact
		for _, end := range s.Ended {
			if len(end.Left) > 0 {
				l.left[end.ID] = end.Left
			}
		}
		for _, kept := range s.Leases {
			if found, reason := believe(kept.JWS, s.Trust.Keys, s.Trust, kept.Received); reason == nil {
				l.leases = append(l.leases, found)
			} else {
				l.config.Log.Warn("stored lease is not believed", "reason", reason.Code)
			}
		}
	})
	if l.config.Memory.Torn() {
		l.happened("memory.torn", nil)
	}
}

// Run applies what is remembered at once, then keeps watch until the context
// ends. What is in force stays in force after it.
func (l *Loop) Run(ctx context.Context) {
	l.mu.Lock()
	l.ctx = ctx
	l.mu.Unlock()
	l.started()
	l.listen(ctx)
	for {
		pause := l.Tick()
		if l.config.Ticked != nil {
			l.config.Ticked()
		}
		select {
		case <-ctx.Done():
			l.save()
			return
		case <-l.wake:
		case <-l.config.Clock.After(pause):
		}
	}
}

// watcher is a driver whose system tells when somebody changed something.
type watcher interface {
	Watch(ctx context.Context) (<-chan struct{}, error)
}

// listen lets drivers that can tell of changes wake the loop: what somebody
// changes is then repaired at once and not at the next look.
func (l *Loop) listen(ctx context.Context) {
	for _, p := range l.parts {
		watching, ok := p.driver.(watcher)
		if !ok {
			continue
		}
		go func() {
			changes, err := watching.Watch(ctx)
			if err != nil {
				l.config.Log.Info("changes are found by looking only", "part", p.name, "error", err)
				return
			}
			for range changes {
				l.mu.Lock()
				l.urgent = true
				l.mu.Unlock()
				l.poke()
			}
		}()
	}
}

// Alive reports whether the loop looked within the last half minute.
func (l *Loop) Alive() bool {
	return time.Since(time.Unix(0, l.ticked.Load())) < 30*time.Second
}

// Settled reports whether every driver of modes has read back what holds now, for
// the start: the desktop must not be there first. It does not wait for the base
// policy's families, some of which install programs.
func (l *Loop) Settled() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.parts {
		if !p.family() && !p.settled() && p.failed == 0 {
			return false
		}
	}
	return true
}

func (l *Loop) started() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.update(func(s *memory.State) { s.Counters.Starts++ })
	l.happened("agent.started", nil)
}

// update stores a change and remembers why if it could not. It reports whether
// the change is durable.
func (l *Loop) update(change func(*memory.State)) bool {
	if l.config.ReadOnly {
		return false
	}
	err := l.config.Memory.Update(func(s *memory.State) {
		s.Contact = l.contact
		for _, end := range l.unstored {
			s.End(end)
		}
		change(s)
		for i := range s.Ended {
			s.Ended[i].Left = l.left[s.Ended[i].ID]
		}
	})
	if err == nil {
		l.unstored, l.freed = nil, false
	}
	former := l.fault
	l.fault = reasonOf(err)
	if l.fault != nil && (former == nil || former.Code != l.fault.Code) {
		l.config.Log.Error("state could not be stored", "error", err)
		l.tell()
	}
	if former != nil && l.fault == nil {
		l.tell()
	}
	return err == nil
}

func reasonOf(err error) *ddm.Reason {
	switch {
	case err == nil:
		return nil
	case host.IsFull(err):
		return &ddm.Reason{Code: "memory.full"}
	}
	return &ddm.Reason{Code: "memory.unwritten", Details: map[string]string{"error": err.Error()}}
}

// Poke lets Run look at the clock, for whoever changed it.
func (l *Loop) Poke() { l.poke() }

// poke wakes Run.
func (l *Loop) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}
