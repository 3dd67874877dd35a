package main

import (
	"errors"
	"flag"
	"os"
	"path/filepath"

	"schulwart.org/agent/control"
	"schulwart.org/agent/device"
	"schulwart.org/agent/host"
	"schulwart.org/agent/identity"
	"schulwart.org/agent/selftest"
)

// selftestCommand tries each kind of mode for seconds on this very machine.
func selftestCommand(flags *flag.FlagSet) action {
	site := flags.String("site", "de.wikipedia.org", "a host of the world outside that answers on port 443")
	other := flags.String("other", "www.wikimedia.org", "another one")
	return func(at *place, _ []string) error { return tryAll(at, *site, *other) }
}

// tryAll looks from the pupil's side. The running agent stands aside meanwhile,
// unless a mode holds: nobody frees a device by testing it.
func tryAll(at *place, site, other string) error {
	resume, err := stepAside(at)
	if err != nil {
		return err
	}
	defer resume()
	files, clock := host.LookDir(at.state), host.NewClock(at.state)
	id, err := identity.Peek(files)
	if err != nil && !errors.Is(err, identity.ErrNone) {
		return err
	}
	o := optionsFor(at.state, files, clock, id, at.log)
	parts, err := drivers(o)
	if err != nil {
		return err
	}
	options := selftest.Options{Drivers: parts, Machine: selftestMachine(), Site: site, Other: other, Lang: at.lang}
	if len(o.servers) > 0 {
		options.Server = o.servers[0]
	}
	trials := selftest.Run(at.ctx, options)
	err = device.Close(parts)
	selftest.Print(os.Stdout, at.lang, trials)
	if err == nil && !selftest.Good(trials) {
		return exitCode(1)
	}
	return err
}

// stepAside makes sure that nobody else drives the device and that nothing
// holds on it.
func stepAside(at *place) (resume func(), err error) {
	resume, err = control.Pause(at.ctx, at.state)
	if !errors.Is(err, control.ErrNotRunning) {
		return resume, err
	}
	files := host.LookDir(at.state)
	id, err := identity.Peek(files)
	if err == nil {
		stored, err := device.Stored(files, host.NewClock(at.state), id, at.lang)
		if err != nil {
			return nil, err
		}
		if len(stored.Leases) > 0 {
			return nil, control.ErrBusy
		}
	} else if !errors.Is(err, identity.ErrNone) {
		return nil, err
	}
	if _, err := host.OpenDir(at.state); err != nil {
		return nil, err
	}
	release, ok, err := host.Lock(filepath.Join(at.state, lockFile))
	if err == nil && !ok {
		err = control.ErrBusy
	}
	return release, err
}
