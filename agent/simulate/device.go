package simulate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"schulwart.org/agent/device"
	"schulwart.org/agent/enforce"
	"schulwart.org/agent/enforce/linux"
	"schulwart.org/agent/host"
	"schulwart.org/agent/identity"
	"schulwart.org/agent/words"
	"schulwart.org/policies/catalog"
)

// pupilDevice is one simulated device: a machine in memory with the real loop,
// the real session and, for the network, the real driver.
type pupilDevice struct {
	name  string
	files host.Store
	clock *clock
	about *personality
	log   *slog.Logger
	lag   bool

	cut atomic.Bool // no network

	mu      sync.Mutex
	network *host.FakeNetwork
	parts   map[catalog.Part]*pretend
	apps    *apps
	work    *writing
	id      *identity.Identity
	device  *device.Device // nil while it is off
	stop    func()
	looked  time.Duration // simulated time up to which the battery was reckoned
	back    time.Duration // simulated time at which a drop-out ends; zero for none
	on      time.Duration // simulated time at which it is switched on again; zero for by hand
	off     bool
}

func newDevice(name string, number int, files host.Store, c *clock, o Options) *pupilDevice {
	return &pupilDevice{name: name, files: files, clock: c, about: personalityOf(o.Seed, number, name), log: o.Log.With("device", name), lag: o.Lag, work: newWriting()}
}

// Hardware says what it pretends to be.
func (d *pupilDevice) Hardware() host.Hardware { return d.about.hardware }

// Condition says how it pretends to be doing.
func (d *pupilDevice) Condition() host.Condition {
	d.mu.Lock()
	defer d.mu.Unlock()
	percent, no, yes := int(math.Round(d.about.battery)), false, true
	plugged, crypted := d.about.plugged, d.about.crypted
	return host.Condition{
		Battery: &percent, Charging: &plugged, DiskTotal: d.about.disk, DiskFree: d.about.disk * 6 / 10, Session: d.about.session,
		Encrypted: &crypted, SecureBoot: &yes, PupilIsRoot: &no,
	}
}

// Note goes to the log.
func (d *pupilDevice) Note(line string) { d.log.Info(line) }

// enrol takes the device in, unless it was before.
func (d *pupilDevice) enrol(ctx context.Context, link identity.Link) error {
	id, err := identity.Open(d.files, d)
	if errors.Is(err, identity.ErrNone) || errors.Is(err, identity.ErrClone) {
		id, err = identity.Enrol(ctx, d.files, d, link)
	}
	if err != nil {
		return fmt.Errorf("enrolling %s: %w", d.name, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.id = id
	return nil
}

// slowness is how long a driver takes now.
func (d *pupilDevice) slowness() time.Duration {
	if !d.lag {
		return 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.about.random.Float64() < 0.5 {
		return d.about.slow
	}
	return 0
}

// start switches the device on.
func (d *pupilDevice) start(parent context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.device != nil || d.id == nil {
		return nil
	}
	if d.network == nil {
		d.network = host.NewFakeNetwork(d.clock)
		d.apps = &apps{slow: d.slowness, fault: d.about.fault}
		d.parts = map[catalog.Part]*pretend{}
		for _, name := range pretended() {
			d.parts[name] = &pretend{name: name, clock: d.clock, slow: d.slowness}
		}
		if all := families(); d.about.stubborn > 0 && len(all) > 0 {
			d.parts[all[d.about.stubborn%len(all)]].deviates = "family.changed"
		}
		if d.about.session == "wayland" {
			d.parts[catalog.Screen].impossible = "screen.wayland"
		}
	}
	drivers := []enforce.Driver{slowly{linux.NewNetwork(d.network, linux.NetworkOptions{Clock: d.clock, Log: d.log}), d.clock, d.slowness}}
	for _, name := range pretended() {
		drivers = append(drivers, d.parts[name])
	}
	built, err := device.New(device.Options{
		Files: d.files, Clock: d.clock, Machine: d, Identity: d.id, Lang: words.German, Log: d.log, Drivers: drivers,
		Simulated: true, Rest: time.Minute, Cut: d.cut.Load, Doubts: d.doubts,
		Apps: d.apps, Shelf: d.files, Box: &d.work.box, Folders: &d.work.folders, Sessions: &d.work.sessions,
	})
	if err != nil {
		return fmt.Errorf("starting %s: %w", d.name, err)
	}
	ctx, cancel := context.WithCancel(parent)
	done := make(chan struct{})
	d.device, d.off, d.on, d.looked = built, false, 0, d.clock.pace.now()
	d.stop = func() { cancel(); <-done }
	go func() {
		defer close(done)
		built.Run(ctx)
	}()
	return nil
}

// doubts refuses a server's time while time runs at another pace here than
// there: it would pull the device back and forth.
func (d *pupilDevice) doubts(server, now time.Time) bool {
	return d.clock.pace.speed() != 1 && server.Sub(now).Abs() > time.Minute
}

// halt switches it off, as pulling the battery would. back, if not zero, is
// after which simulated time it is switched on again.
func (d *pupilDevice) halt(back time.Duration) {
	d.mu.Lock()
	stop := d.stop
	d.stop, d.device, d.off = nil, nil, true
	if back > 0 {
		d.on = d.clock.pace.now() + back
	}
	d.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// restart turns it off and on. What is in force survives in its memory alone.
func (d *pupilDevice) restart(ctx context.Context) error {
	d.halt(0)
	d.clock.reboot()
	return d.start(ctx)
}

// plug cuts the cable or puts it back.
func (d *pupilDevice) plug(cut bool) {
	d.cut.Store(cut)
	d.mu.Lock()
	running := d.device
	d.mu.Unlock()
	if running != nil {
		running.Woken()
		if !cut {
			running.Sync()
		}
	}
}

// tamper changes a part, as somebody with root's rights could.
func (d *pupilDevice) tamper(part catalog.Part) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.network == nil {
		return errors.New("the device was never on")
	}
	if part == catalog.Network || part == "" {
		d.network.Flush()
		return nil
	}
	pretended, ok := d.parts[part]
	if !ok {
		return fmt.Errorf("there is no part %q", part)
	}
	pretended.tamper()
	return nil
}

// live lets a step of simulated time pass: battery, drop-outs, tampering.
func (d *pupilDevice) live(ctx context.Context, o Options) {
	now := d.clock.pace.now()
	d.mu.Lock()
	step := now - d.looked
	d.looked = now
	running := d.device != nil
	wake := d.off && d.on > 0 && now >= d.on
	replug := d.back > 0 && now >= d.back
	var flat, drop, tamper bool
	if running {
		flat = d.discharge(step)
		d.work.write(now, d.about.hardware.Serial)
		_ = d.network.Beat() // the driver beats in real time, the wall lapses in simulated
		drop = o.Drop && !d.cut.Load() && d.about.due(d.about.drops, step)
		tamper = o.Tamper && d.about.due(d.about.tampers, step)
	}
	if replug {
		d.back = 0
	}
	if drop {
		d.back = now + time.Duration(20+d.about.random.IntN(70))*time.Second
	}
	d.mu.Unlock()
	switch {
	case flat:
		d.halt(10 * time.Minute)
	case wake:
		d.power(ctx)
	case drop:
		d.plug(true)
	case replug:
		d.plug(false)
	}
	if tamper {
		_ = d.tamper(catalog.Network)
	}
}

// discharge reckons the battery and reports whether it is empty.
func (d *pupilDevice) discharge(step time.Duration) bool {
	if d.about.plugged {
		d.about.battery = min(100, d.about.battery+40*step.Hours())
		if d.about.battery >= 100 {
			d.about.plugged = false
		}
		return false
	}
	d.about.battery -= d.about.drain * step.Hours()
	if d.about.battery < 12 && d.about.random.Float64() < 0.9 {
		d.about.plugged = true // somebody found a socket in time
	}
	return d.about.battery <= 0
}

// power switches the device on at the mains.
func (d *pupilDevice) power(ctx context.Context) {
	d.mu.Lock()
	d.about.plugged, d.about.battery = true, max(d.about.battery, 4)
	d.mu.Unlock()
	d.clock.reboot()
	if err := d.start(ctx); err != nil {
		d.log.Error("device does not start", "error", err)
	}
}

// empty runs the battery out.
func (d *pupilDevice) empty() {
	d.mu.Lock()
	d.about.battery, d.about.plugged = 0, false
	d.mu.Unlock()
	d.halt(0)
}
