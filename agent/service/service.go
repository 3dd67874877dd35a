// Package service makes the agent a service of the system, and lets it say to
// the system that it lives. The unit files lie beside this file; packages ship
// the same ones.
package service

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"schulwart.org/agent/host"
)

//go:embed *.service *.timer
var files embed.FS

// Units are the unit files: the agent, and the sweep with its timer.
var Units = []string{"schulwart-agent.service", "schulwart-agent-sweep.service", "schulwart-agent-sweep.timer"}

// enabled are those that start with the system.
var enabled = []string{"schulwart-agent.service", "schulwart-agent-sweep.timer"}

// ErrUnsupported says that this system has no service manager that we know.
var ErrUnsupported = errors.New("service: only systems with systemd are supported so far")

// UnitDir is where an administrator's units lie.
const UnitDir = "/etc/systemd/system"

// Unit returns a unit file for a program and a state directory.
func Unit(name, exe, state string) ([]byte, error) {
	text, err := files.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading unit: %w", err)
	}
	return []byte(strings.NewReplacer("@EXE@", exe, "@STATE@", state).Replace(string(text))), nil
}

// Install writes the units and starts them. Units of a package are left alone:
// its files lie elsewhere and go with it.
func Install(ctx context.Context, exe, state string) error {
	if !host.HasSystemd() {
		return ErrUnsupported
	}
	if err := write(UnitDir, exe, state); err != nil {
		return err
	}
	if err := host.Systemctl(ctx, "daemon-reload"); err != nil {
		return err
	}
	return host.Systemctl(ctx, append([]string{"enable", "--now"}, enabled...)...)
}

func write(dir, exe, state string) error {
	for _, name := range Units {
		text, err := Unit(name, exe, state)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return fmt.Errorf("writing unit: %w", err)
		}
	}
	return nil
}

// Uninstall stops the units and removes those that Install wrote.
func Uninstall(ctx context.Context) error {
	if !host.HasSystemd() {
		return ErrUnsupported
	}
	err := host.Systemctl(ctx, append([]string{"disable", "--now"}, enabled...)...)
	for _, name := range Units {
		if removed := os.Remove(filepath.Join(UnitDir, name)); removed != nil && !os.IsNotExist(removed) {
			err = errors.Join(err, removed)
		}
	}
	return errors.Join(err, host.Systemctl(ctx, "daemon-reload"))
}

// Again ends the running agent and has it started anew.
func Again(ctx context.Context) error {
	if !host.HasSystemd() {
		return ErrUnsupported
	}
	return host.Systemctl(ctx, "--no-block", "restart", Units[0])
}

// Notify tells systemd a state ("READY=1"), as sd_notify(3) does. Without
// systemd it does nothing.
func Notify(state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	if strings.HasPrefix(path, "@") {
		path = "\x00" + path[1:]
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_, _ = conn.Write([]byte(state))
}

// Watchdog tells systemd that the agent lives for as long as alive says so; an
// agent that hangs is then started anew.
func Watchdog(ctx context.Context, alive func() bool) {
	micros, err := time.ParseDuration(os.Getenv("WATCHDOG_USEC") + "us")
	if err != nil || micros <= 0 {
		return
	}
	ticker := time.NewTicker(micros / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if alive() {
				Notify("WATCHDOG=1")
			}
		}
	}
}
