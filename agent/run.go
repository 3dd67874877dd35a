package main

import (
	"context"
	"errors"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"schulwart.org/agent/control"
	"schulwart.org/agent/device"
	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/agent/identity"
	"schulwart.org/agent/reconcile"
	"schulwart.org/agent/service"
	"schulwart.org/agent/slots"
	"schulwart.org/policies/version"
)

// lockFile is held by the running agent, so that there is one, and that the
// sweep knows whether it lives.
const lockFile = "agent.lock"

// runAgent keeps the device until the process is told to end.
func runAgent(at *place, _ []string) error {
	// The agent runs on every desk: memory matters more than speed.
	debug.SetGCPercent(50)
	debug.SetMemoryLimit(64 << 20)
	own := ownSlots(at.state)
	own.Choose(host.Become)
	asked := at.ctx
	ctx, restart := context.WithCancel(asked)
	defer restart()
	at.ctx = ctx
	files, err := host.OpenDir(at.state)
	if err != nil {
		return err
	}
	release, err := waitForLock(at.ctx, at.state)
	if err != nil {
		return err
	}
	defer release()
	a := &agent{place: at, files: files, clock: host.NewClock(at.state), machine: host.NewMachine(at.state), reload: make(chan struct{}, 1), slots: own, restart: restart}
	go service.Watchdog(at.ctx, a.alive)
	go slim(at.ctx)
	go func() {
		if err := control.Serve(at.ctx, at.state, a, at.log); err != nil {
			at.log.Error("commands cannot reach the agent", "error", err)
		}
	}()
	at.log.Info("agent started", "version", version.String())
	a.run(at.ctx)
	service.Notify("STOPPING=1")
	if asked.Err() != nil {
		_ = own.Stopped()
	}
	return nil
}

// slim gives memory back that only the start, or a moment of work, needed.
func slim(ctx context.Context) {
	for pause := 20 * time.Second; ; pause = 10 * time.Minute {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
			debug.FreeOSMemory()
		}
	}
}

// waitForLock waits for a former agent or a sweep to end.
func waitForLock(ctx context.Context, state string) (func(), error) {
	for {
		release, ok, err := host.Lock(filepath.Join(state, lockFile))
		if ok || err != nil {
			return release, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// agent is the running agent: one device after the other, as it is enrolled.
type agent struct {
	*place
	files   host.Files
	clock   host.Clock
	machine host.Machine
	reload  chan struct{}
	slots   *slots.Slots
	restart func() // ends the process, so that another one is started

	mu     sync.Mutex
	device *device.Device
	stop   func()        // ends the device's life and returns when it is over
	gate   chan struct{} // no device begins to live before it is closed; nil is open
}

// run keeps whichever device this machine is, until the context ends.
func (a *agent) run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := a.live(ctx); err != nil {
			a.idle(ctx, err)
		}
	}
}

func (a *agent) live(ctx context.Context) error {
	a.mu.Lock()
	gate := a.gate
	a.mu.Unlock()
	if gate != nil {
		select {
		case <-ctx.Done():
			return nil
		case <-gate:
		}
	}
	id, err := identity.Open(a.files, a.machine)
	if err != nil {
		return err
	}
	return a.keep(ctx, id)
}

// keep is the life of one enrolment.
func (a *agent) keep(parent context.Context, id *identity.Identity) error {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	parts, err := drivers(optionsFor(a.state, a.files, a.clock, id, a.log))
	if err != nil {
		return err
	}
	box, err := host.OpenBox(filepath.Join(a.state, "work"))
	if err != nil {
		return err
	}
	shelf, err := host.OpenBox(filepath.Join(a.state, "packages"))
	if err != nil {
		return err
	}
	var d *device.Device
	d, err = device.New(device.Options{
		Apps: apps(a.renewal(func() time.Time { return d.Now() })), Shelf: shelf,
		Files: a.files, Clock: a.clock, Machine: a.machine, Identity: id, Drivers: parts, Lang: deviceLang, Log: a.log,
		Box: box, Folders: host.SystemFolders(), Sessions: sessions(),
	})
	if err != nil {
		return err
	}
	over := make(chan struct{})
	defer close(over)
	defer a.set(nil, nil)
	a.set(d, func() { cancel(); <-over })
	go ready(ctx, d.Settled)
	go a.follow(ctx, d)
	go a.prove(ctx, d)
	go func() {
		select {
		case <-ctx.Done():
		case <-a.reload:
			cancel()
		}
	}()
	d.Run(ctx)
	return nil
}

// follow wakes the session when the network is back: nobody waits for the end of
// a pause that began without one.
func (a *agent) follow(ctx context.Context, d *device.Device) {
	back, err := host.Uplink(ctx)
	if err != nil {
		a.log.Info("the network's changes are not told", "reason", err)
		return
	}
	for range back {
		d.Woken()
	}
}

// ready tells the system that what holds is in force, so that nobody logs in
// before; a driver that hangs delays the desktop for some seconds at the most.
func ready(ctx context.Context, settled func() bool) {
	deadline := time.After(10 * time.Second)
	for !settled() {
		select {
		case <-ctx.Done():
			return
		case <-deadline:
			service.Notify("READY=1")
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
	service.Notify("READY=1")
}

// idle waits for an enrolment. Nothing of a former one stays in force.
func (a *agent) idle(ctx context.Context, why error) {
	a.log.Info("waiting for an enrolment", "reason", why)
	if errors.Is(why, identity.ErrNone) || errors.Is(why, identity.ErrClone) {
		a.takeBack(ctx)
	}
	service.Notify("READY=1")
	select {
	case <-ctx.Done():
	case <-a.reload:
	case <-time.After(time.Minute):
	}
}

func (a *agent) takeBack(ctx context.Context) {
	parts, err := drivers(optionsFor(a.state, a.files, a.clock, nil, a.log))
	if err == nil {
		err = takeBackAll(ctx, parts)
	}
	if err != nil {
		a.log.Error("could not take everything back", "error", err)
	}
}

func takeBackAll(ctx context.Context, parts []enforce.Driver) error {
	return errors.Join(reconcile.TakeBack(ctx, parts), device.Close(parts))
}

func (a *agent) set(d *device.Device, stop func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.device, a.stop = d, stop
}

func (a *agent) current() *device.Device {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.device
}

func (a *agent) alive() bool {
	d := a.current()
	return d == nil || d.Alive()
}

// Status answers `status`.
func (a *agent) Status() reconcile.Status {
	if d := a.current(); d != nil {
		return d.Status()
	}
	return reconcile.Status{Running: true, Version: version.Version, Time: a.clock.Read().Wall, Leases: []reconcile.StatusLease{}}
}

// Release answers `release`.
func (a *agent) Release(code, lease string) reconcile.Outcome {
	if d := a.current(); d != nil {
		return d.Release(code, lease)
	}
	return reconcile.Outcome{Key: "release.nothing"}
}

// Hand answers `hand`.
func (a *agent) Hand(up bool) reconcile.Outcome {
	if d := a.current(); d != nil {
		return d.Hand(up)
	}
	return reconcile.Outcome{Key: "hand.nothing"}
}

// Reload reads the identity anew.
func (a *agent) Reload() {
	select {
	case a.reload <- struct{}{}:
	default:
	}
}

// Sync asks the server now.
func (a *agent) Sync() {
	if d := a.current(); d != nil {
		d.Sync()
	}
}

// soon is how near a planned mode may be for a pause.
const soon = 10 * time.Minute

// Pause ends the device's life until resume is called. A mode that holds, or
// begins soon, is not paused away.
func (a *agent) Pause() (resume func(), ok bool) {
	a.mu.Lock()
	d, stop := a.device, a.stop
	if d == nil || a.gate != nil || !d.Free(soon) {
		a.mu.Unlock()
		return nil, false
	}
	gate := make(chan struct{})
	a.gate = gate
	a.mu.Unlock()
	stop()
	return func() {
		a.mu.Lock()
		a.gate = nil
		a.mu.Unlock()
		close(gate)
	}, true
}
