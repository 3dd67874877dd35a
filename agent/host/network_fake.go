package host

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// FakeNetwork is packet rules in memory. Time is its clock's: a closed wall
// opens by itself, as in the real system. It has no sockets.
type FakeNetwork struct {
	clock Clock

	mu       sync.Mutex
	boot     string
	wall     Wall
	present  bool
	tampered bool
	fail     error
	closed   time.Duration // elapsed at which the wall opens
	filter   time.Duration // elapsed at which the filter lapses
	lapsing  bool
	sets     int
	cuts     int
	admitted []netip.Addr
	watchers []chan struct{}
}

// NewFakeNetwork returns an open network on the clock of a machine.
func NewFakeNetwork(clock Clock) *FakeNetwork { return &FakeNetwork{clock: clock} }

// reboot forgets what does not survive one: packet rules do not. The caller
// holds the lock.
func (f *FakeNetwork) reboot() time.Duration {
	reading := f.clock.Read()
	if reading.Boot != f.boot {
		f.boot, f.present, f.tampered, f.wall = reading.Boot, false, false, Wall{}
		f.closed, f.filter, f.admitted = 0, 0, nil
	}
	return reading.Elapsed
}

// SetWall keeps the wall.
func (f *FakeNetwork) SetWall(wall Wall) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.reboot()
	if f.fail != nil {
		return f.fail
	}
	f.sets++
	f.wall, f.present, f.tampered = wall, !wall.Zero(), false
	f.closed, f.filter = 0, 0
	if wall.Closed > 0 {
		f.closed = now + wall.Closed
	}
	if wall.Filter {
		f.filter = now + FilterLapse
	}
	f.tell()
	return nil
}

// ReadWall returns what a real system would show.
func (f *FakeNetwork) ReadWall() (WallState, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.reboot()
	return WallState{
		Present: f.present,
		Intact:  f.present && !f.tampered,
		Closed:  max(0, f.closed-now),
		Filter:  f.standing(now),
	}, nil
}

// standing is how long the filter stands. A gate in memory does not die, and
// beats by another clock than the machine's, so the filter lapses only after
// LetLapse. The caller holds the lock.
func (f *FakeNetwork) standing(now time.Duration) time.Duration {
	if f.filter > 0 && !f.lapsing {
		return FilterLapse
	}
	return max(0, f.filter-now)
}

// LetLapse makes the filter lapse without a Beat, as it does in a real system.
func (f *FakeNetwork) LetLapse() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lapsing = true
}

// Standing returns the wall as packets would meet it now: without a mode whose
// time is over, or without anything after Flush.
func (f *FakeNetwork) Standing() Wall {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.reboot()
	if !f.present {
		return Wall{}
	}
	wall := f.wall
	wall.Closed = max(0, f.closed-now)
	wall.Filter = f.standing(now) > 0
	return wall
}

// Admit notes the addresses.
func (f *FakeNetwork) Admit(addrs []netip.Addr, _ time.Duration) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.admitted = append(f.admitted, addrs...)
	return nil
}

// Beat prolongs the filter.
func (f *FakeNetwork) Beat() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.reboot(); f.present && f.wall.Filter {
		f.filter = now + FilterLapse
	}
	return nil
}

// Watch receives after SetWall, Flush and Damage.
func (f *FakeNetwork) Watch(ctx context.Context) (<-chan struct{}, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	watcher := make(chan struct{}, 1)
	f.watchers = append(f.watchers, watcher)
	context.AfterFunc(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		for i, w := range f.watchers {
			if w == watcher {
				f.watchers = append(f.watchers[:i], f.watchers[i+1:]...)
				close(watcher)
				return
			}
		}
	})
	return watcher, nil
}

func (f *FakeNetwork) tell() {
	for _, watcher := range f.watchers {
		select {
		case watcher <- struct{}{}:
		default:
		}
	}
}

// Cut counts.
func (f *FakeNetwork) Cut(func(local, remote netip.AddrPort) bool) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cuts++
	return 0, nil
}

// Flush removes every rule, as somebody with root's rights could.
func (f *FakeNetwork) Flush() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.present, f.closed, f.filter = false, 0, 0
	f.tell()
}

// Damage changes one rule.
func (f *FakeNetwork) Damage() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tampered = f.present
	f.tell()
}

// Fail makes SetWall return the error, until nil.
func (f *FakeNetwork) Fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = err
}

// Sets returns how often SetWall did something, Cuts how often connections were
// cut.
func (f *FakeNetwork) Sets() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sets
}

// Cuts returns how often connections were cut.
func (f *FakeNetwork) Cuts() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cuts
}

// NameServers returns none.
func (f *FakeNetwork) NameServers() NameServers { return NameServers{} }

// TimeServers returns none.
func (f *FakeNetwork) TimeServers() []string { return nil }

// OpenGate returns no sockets.
func (f *FakeNetwork) OpenGate() (GateSockets, error) {
	return GateSockets{NamesPort: 1, WebPort: 2}, nil
}

// Dial reaches nothing.
func (f *FakeNetwork) Dial(context.Context, string, netip.AddrPort) (net.Conn, error) {
	return nil, errors.New("host: a fake network reaches nothing")
}

// Original knows nothing.
func (f *FakeNetwork) Original(net.Conn) (netip.AddrPort, bool) { return netip.AddrPort{}, false }

// Local knows loopback.
func (f *FakeNetwork) Local(addr netip.Addr) bool { return addr.IsLoopback() }
