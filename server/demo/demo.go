package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"rsc.io/qr"

	"schulwart.org/server/app"
	"schulwart.org/server/config"
	"schulwart.org/server/console"
)

// defaultData is where a server keeps its data unless told otherwise; a demo
// that was not told keeps nothing.
const defaultData = "data"

// Serial is the serial number of the i-th simulated device, under which it finds
// its place in the roster.
func Serial(i int) string { return fmt.Sprintf("SIM01%05d", i+1) }

// Run runs the server with a demo authority and simulated devices until the
// context ends.
func Run(ctx context.Context, c *config.DemoCommand, log *slog.Logger, out io.Writer) error {
	began := time.Now()
	forget, err := settle(c)
	if err != nil {
		return err
	}
	defer forget()
	clock := newClock()
	stage := newStage(clock, log)
	a, err := app.New(ctx, app.Options{
		Config: &c.Serve, Log: log, Now: clock.Now, Stage: stage,
	})
	if err != nil {
		return err
	}
	world, err := Seed(ctx, a, c.Devices)
	if err != nil {
		return errors.Join(err, a.Close())
	}
	stage.app, stage.world = a, world
	if c.LAN {
		stage.phone = c.PublicURL + console.Tour
	}
	if err := a.Start(context.WithoutCancel(ctx)); err != nil {
		return errors.Join(err, a.Close())
	}
	simulator, err := startSimulator(ctx, c, world, log)
	if err != nil {
		return errors.Join(err, a.Close())
	}
	stage.simulator = simulator
	if c.Logins != "" {
		if err := world.WriteLogins(c.Logins); err != nil {
			return errors.Join(err, simulator.stop(), a.Close())
		}
	}
	announce(out, c, world, time.Since(began))
	stage.live(ctx, a)
	<-ctx.Done()
	return errors.Join(simulator.stop(), a.Close())
}

// settle gives a demo without a data folder one that goes with it, and with --lan
// an address that phones reach.
func settle(c *config.DemoCommand) (forget func(), err error) {
	forget = func() {}
	if c.Data == defaultData {
		folder, err := os.MkdirTemp("", "schulwart-demo-")
		if err != nil {
			return forget, fmt.Errorf("making a folder for the demo: %w", err)
		}
		c.Data, c.Database, c.KeyFile, c.BackupDir = folder, "", "", ""
		forget = func() { _ = os.RemoveAll(folder) }
	}
	if err := c.Settle(); err != nil {
		forget()
		return func() {}, err
	}
	if c.LAN {
		return forget, c.Open(outward())
	}
	return forget, nil
}

// outward returns this machine's address in the local network, without sending
// anything.
func outward() string {
	addresses, err := net.InterfaceAddrs()
	if err == nil {
		for _, address := range addresses {
			if network, ok := address.(*net.IPNet); ok && network.IP.To4() != nil && !network.IP.IsLoopback() {
				return network.IP.String()
			}
		}
	}
	return "127.0.0.1"
}

// announce tells where to go. The line with the address comes last, where it is
// seen.
func announce(out io.Writer, c *config.DemoCommand, world World, took time.Duration) {
	fmt.Fprintf(out, "\nSchulwart demo: %d simulated devices, ready after %.1f s.\n\n", c.Devices, took.Seconds())
	for _, login := range world.Logins {
		fmt.Fprintf(out, "  %-16s %-18s %-34s %s\n", login.Role, login.Name, login.Email, login.Password)
	}
	if c.LAN {
		fmt.Fprintf(out, "\nFor a phone in the same network:\n\n%s", draw(c.PublicURL+console.Tour))
	}
	fmt.Fprintf(out, "\nOpen  %s%s\n\n", c.PublicURL, console.Tour)
}

// draw writes a QR code in half blocks, with the quiet zone that scanners need.
func draw(text string) string {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return text + "\n"
	}
	var b strings.Builder
	for y := -2; y < code.Size+2; y += 2 {
		b.WriteString("  ")
		for x := -2; x < code.Size+2; x++ {
			switch upper, lower := code.Black(x, y), code.Black(x, y+1); {
			case upper && lower:
				b.WriteString(" ")
			case upper:
				b.WriteString("▄")
			case lower:
				b.WriteString("▀")
			default:
				b.WriteString("█")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// beside returns a program that lies in the same folder as this one.
func beside(name string) string {
	self, err := os.Executable()
	if err != nil {
		return name
	}
	return filepath.Join(filepath.Dir(self), name)
}

func lower(text string) string { return strings.ToLower(text) }

func last(name string) string {
	words := strings.Fields(name)
	return words[len(words)-1]
}
