// Package simulate is many devices in one process: pretend machines under the
// real loop, the real session and the real memory. They lag, drop out and are
// tampered with as their personality has it, and they say that they are
// simulated.
package simulate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"schulwart.org/agent/host"
	"schulwart.org/agent/identity"
)

// Options say what to simulate.
type Options struct {
	Devices int
	Links   []string // enrolment links, shared out in order
	Plan    string   // file with a list of Planned; takes the place of both
	State   string   // directory in which devices survive the simulator; empty for none
	Seed    uint64

	Lag, Drop, Tamper bool
	Speed             float64

	Control     string // address of the control, empty for none
	ControlFile string // file that receives the address
	Log         *slog.Logger
}

// Planned is one device of a plan.
type Planned struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

// school is all the devices.
type school struct {
	Options
	pace    *pace
	devices []*pupilDevice
	links   []identity.Link
	byName  map[string]*pupilDevice
}

// Run simulates until the context ends.
func Run(ctx context.Context, o Options) error {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	// One line for each device and hiccup would bury everything else.
	o.Log = slog.New(atLeast{o.Log.Handler(), slog.LevelError})
	s, err := newSchool(o)
	if err != nil {
		return err
	}
	listener, err := s.listen()
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	if listener != nil {
		all.Go(func() { s.serve(ctx, listener) })
	}
	s.begin(ctx, &all)
	s.liveOn(ctx)
	for _, d := range s.devices {
		all.Go(func() { d.halt(0) })
	}
	all.Wait()
	return nil
}

func newSchool(o Options) (*school, error) {
	plan, err := o.plan()
	if err != nil {
		return nil, err
	}
	s := &school{Options: o, pace: newPace(o.Speed), byName: map[string]*pupilDevice{}}
	epoch := time.Now()
	for i, planned := range plan {
		link, err := identity.ParseLink(planned.URL)
		if err != nil {
			return nil, err
		}
		files, err := o.files(planned.Name)
		if err != nil {
			return nil, err
		}
		d := newDevice(planned.Name, i, files, newClock(s.pace, epoch), o)
		s.devices, s.links = append(s.devices, d), append(s.links, link)
		s.byName[planned.Name] = d
	}
	return s, nil
}

func (o Options) plan() ([]Planned, error) {
	if o.Plan != "" {
		data, err := os.ReadFile(o.Plan)
		if err != nil {
			return nil, fmt.Errorf("reading plan: %w", err)
		}
		var plan []Planned
		if err := json.Unmarshal(data, &plan); err != nil {
			return nil, fmt.Errorf("reading plan: %w", err)
		}
		return plan, nil
	}
	if len(o.Links) == 0 || o.Devices < 1 {
		return nil, errors.New("simulating: it takes a number of devices and a link")
	}
	plan := make([]Planned, o.Devices)
	for i := range plan {
		plan[i] = Planned{Name: fmt.Sprintf("NB-%04d", i+1), URL: o.Links[i*len(o.Links)/o.Devices]}
	}
	return plan, nil
}

func (o Options) files(name string) (host.Store, error) {
	if o.State == "" {
		return &host.FakeFiles{}, nil
	}
	return host.OpenCasual(filepath.Join(o.State, filepath.Base(name)))
}

// enrolAtOnce is how many devices enrol side by side.
const enrolAtOnce = 8

// begin enrols and starts all devices; one that fails tries again with patience.
func (s *school) begin(ctx context.Context, all *sync.WaitGroup) {
	places := make(chan struct{}, enrolAtOnce)
	for i, d := range s.devices {
		all.Go(func() {
			for wait := 200 * time.Millisecond; ; wait = min(2*wait, 30*time.Second) {
				places <- struct{}{}
				err := d.enrol(ctx, s.links[i])
				<-places
				if err == nil {
					err = d.start(ctx)
				}
				if err == nil || ctx.Err() != nil {
					return
				}
				s.Log.Error("device could not begin", "device", d.name, "error", err)
				select {
				case <-ctx.Done():
					return
				case <-time.After(time.Duration(rand.Float64() * float64(wait))): //nolint:gosec // jitter is no secret
				}
			}
		})
	}
}

// liveOn lets time pass for all devices until the context ends.
func (s *school) liveOn(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for _, d := range s.devices {
				d.live(ctx, s.Options)
			}
		}
	}
}

func (s *school) listen() (net.Listener, error) {
	if s.Control == "" {
		return nil, nil
	}
	hostname, _, err := net.SplitHostPort(s.Control)
	if ip := net.ParseIP(hostname); err != nil || ip == nil || !ip.IsLoopback() {
		return nil, errors.New("simulating: the control address must be on loopback, such as 127.0.0.1:0")
	}
	listener, err := net.Listen("tcp", s.Control)
	if err != nil {
		return nil, fmt.Errorf("simulating: %w", err)
	}
	address := listener.Addr().String()
	fmt.Println("control http://" + address)
	if s.ControlFile == "" {
		return listener, nil
	}
	if err := os.WriteFile(s.ControlFile+".new", []byte(address+"\n"), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("writing control address: %w", err), listener.Close())
	}
	if err := os.Rename(s.ControlFile+".new", s.ControlFile); err != nil {
		return nil, errors.Join(fmt.Errorf("writing control address: %w", err), listener.Close())
	}
	return listener, nil
}

// atLeast drops records below a level.
type atLeast struct {
	slog.Handler
	level slog.Level
}

func (a atLeast) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= a.level && a.Handler.Enabled(ctx, level)
}

func (a atLeast) WithAttrs(attrs []slog.Attr) slog.Handler {
	return atLeast{a.Handler.WithAttrs(attrs), a.level}
}

func (a atLeast) WithGroup(name string) slog.Handler {
	return atLeast{a.Handler.WithGroup(name), a.level}
}
