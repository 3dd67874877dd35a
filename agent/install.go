package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"schulwart.org/agent/device"
	"schulwart.org/agent/host"
	"schulwart.org/agent/identity"
	"schulwart.org/agent/service"
	"schulwart.org/agent/slots"
	"schulwart.org/agent/words"
)

// install makes this very program the service.
func install(at *place, _ []string) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding own program: %w", err)
	}
	if _, err := host.OpenDir(at.state); err != nil {
		return err
	}
	if err := service.Install(at.ctx, exe, at.state); err != nil {
		return err
	}
	fmt.Println(words.Text(at.lang, "install.done", nil))
	return nil
}

// uninstallCommand lets the device go.
func uninstallCommand(flags *flag.FlagSet) action {
	keep := flags.Bool("keep-service", false, "leave the service to the package manager")
	return func(at *place, _ []string) error { return uninstall(at, *keep) }
}

// uninstall takes everything back, tells the server if it can be reached, and
// discards the identity.
func uninstall(at *place, keepService bool) error {
	var faults []error
	if !keepService {
		if err := service.Uninstall(at.ctx); err != nil && !errors.Is(err, service.ErrUnsupported) {
			faults = append(faults, err)
		}
	}
	files, err := host.OpenDir(at.state)
	if err != nil {
		return err
	}
	clock := host.NewClock(at.state)
	id, err := identity.Peek(files)
	if err != nil && !errors.Is(err, identity.ErrNone) {
		faults = append(faults, err)
	}
	parts, err := drivers(optionsFor(at.state, files, clock, id, at.log))
	if err == nil {
		err = takeBackAll(at.ctx, parts)
	}
	faults = append(faults, err)
	if id != nil {
		sayGoodbye(at, files, clock, id)
	}
	faults = append(faults, identity.Discard(files), slots.Discard(at.state))
	if err := errors.Join(faults...); err != nil {
		return err
	}
	fmt.Println(words.Text(at.lang, "uninstall.done", nil))
	return nil
}

// sayGoodbye is best effort, as Apple's CheckOut is.
func sayGoodbye(at *place, files host.Files, clock host.Clock, id *identity.Identity) {
	d, err := device.New(device.Options{Files: files, Clock: clock, Machine: host.NewMachine(at.state), Identity: id, Log: at.log})
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(at.ctx, 10*time.Second)
	defer cancel()
	if err := d.CheckOut(ctx); err != nil {
		at.log.Info("the server did not hear the goodbye", "error", err)
	}
}
