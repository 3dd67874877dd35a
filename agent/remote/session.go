package remote

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"schulwart.org/agent/host"
	"schulwart.org/agent/identity"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/mdm"
)

// Device is whom a session speaks for.
type Device interface {
	// Known returns the token of the set in force and its declarations.
	Known() (token string, set map[string]ddm.Declaration)
	// Take puts a complete set in force; it is durable when Take returns.
	Take(manifest ddm.Manifest, set []ddm.Declaration) error
	// Pending reports whether there is something to tell, and whether an end is
	// among it.
	Pending() (any, ends bool)
	// Outbox returns what there is to tell, and what to call once it was told.
	Outbox() (ddm.StatusReport, func())
	// Changed receives when there is something to tell.
	Changed() <-chan struct{}
	// Confirm takes the server's time.
	Confirm(at time.Time)
	// Now is the device's own idea of the time.
	Now() time.Time
	// Refresh looks whether facts changed that are worth telling.
	Refresh()
	// LetGo drops what the school wants of the device; leases run to their end.
	LetGo()
}

// Config is what a session needs.
type Config struct {
	Identity *identity.Identity
	Device   Device
	Clock    host.Clock
	Machine  host.Machine
	Log      *slog.Logger
	// Cut, if set, says that the network is unplugged: a simulated device then
	// hears and says nothing.
	Cut func() bool
	// Proven, if set, is told the addresses behind which the server proved itself
	// by its certificate; it must not block.
	Proven func(netip.AddrPort)
	// Carriers have files to fetch and to bring.
	Carriers []Carrier
}

// Link says how the device is woken.
type Link string

// The links.
const (
	LinkNone   Link = "none"
	LinkStream Link = "stream"
	LinkPoll   Link = "poll"
)

// Pace of polling: as the server says where there is no stream, seldom where
// there is one. A stream that breaks nudges when it is back.
const (
	defaultPoll = time.Minute
	streamPoll  = 4 * time.Hour
	slowest     = 24 * time.Hour
)

// Session keeps one device in touch with its server.
type Session struct {
	config    Config
	client    *client
	nudges    chan struct{}
	renews    chan struct{}
	redial    chan struct{}
	repace    chan struct{}
	again     chan struct{}   // the server was reached anew: the stream need not wait
	uplinks   []chan struct{} // the same, for each carrier
	connected atomic.Bool
	reached   atomic.Bool
	pace      atomic.Int64 // of polling, nanoseconds
	refused   atomic.Pointer[string]

	mu   sync.Mutex
	drop context.CancelFunc // ends the round that runs

	// due is what the next round does. After a nudge something has changed, and the
	// manifest is asked for without asking for its token first.
	due struct{ sync, nudged, commands bool }
}

// New returns a session; Run begins it.
func New(config Config) *Session {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	s := &Session{config: config, nudges: make(chan struct{}, 1), renews: make(chan struct{}, 1), redial: make(chan struct{}, 1), repace: make(chan struct{}, 1), again: make(chan struct{}, 1)}
	for range config.Carriers {
		s.uplinks = append(s.uplinks, make(chan struct{}, 1))
	}
	s.pace.Store(int64(defaultPoll))
	s.client = newClient(config.Identity, s.certificateTime, config.Device.Confirm, config.Proven)
	if config.Cut != nil {
		s.client.http.Transport = cable{s.client.http.Transport, config.Cut}
	}
	return s
}

// certificateTime is the time at which the server's certificate is judged: the
// latest of what the device believes and of when this program was written.
func (s *Session) certificateTime() time.Time {
	now := s.config.Device.Now()
	if now.Before(identity.Built) {
		return identity.Built
	}
	return now
}

// Link returns how the device is woken now.
func (s *Session) Link() Link {
	switch {
	case s.connected.Load():
		return LinkStream
	case s.reached.Load():
		return LinkPoll
	}
	return LinkNone
}

// Refused returns for what reason the server does not want this device, empty if
// it does.
func (s *Session) Refused() string {
	if reason := s.refused.Load(); reason != nil {
		return *reason
	}
	return ""
}

// Woken says that the machine slept or that its network changed: what is open
// is worth nothing, what waits for an answer waits in vain, and how often it
// failed before says nothing of now.
func (s *Session) Woken() {
	s.mu.Lock()
	if s.drop != nil {
		s.drop()
	}
	s.mu.Unlock()
	s.client.http.CloseIdleConnections()
	signal(s.redial)
	s.Nudge()
}

// attempt is one round, which Woken ends.
func (s *Session) attempt(parent context.Context) error {
	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	s.mu.Lock()
	s.drop = cancel
	s.mu.Unlock()
	return s.round(ctx)
}

// Nudge makes the session ask the server, as a word on the stream does.
func (s *Session) Nudge() { signal(s.nudges) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run speaks with the server until the context ends.
func (s *Session) Run(ctx context.Context) {
	go s.stream(ctx)
	go s.renew(ctx)
	for i, carrier := range s.config.Carriers {
		go s.carry(ctx, carrier, s.uplinks[i])
	}
	defer s.client.http.CloseIdleConnections()
	s.due.sync, s.due.commands = true, true
	var retry backoff
	for ctx.Err() == nil {
		err := s.attempt(ctx)
		var pause time.Duration
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			retry.reset()
			if !s.reached.Swap(true) {
				for _, uplink := range s.uplinks {
					signal(uplink)
				}
				if !s.connected.Load() {
					signal(s.again)
				}
			}
			s.refused.Store(nil)
			pause = s.pollAfter()
		default:
			pause = s.failed(ctx, err, &retry)
		}
		s.wait(ctx, pause, err == nil || errors.Is(err, errUntaken))
	}
}

func (s *Session) pollAfter() time.Duration {
	if s.connected.Load() {
		return jittered(streamPoll, nil)
	}
	return jittered(time.Duration(s.pace.Load()), nil)
}

// wait returns when there is something to do.
func (s *Session) wait(ctx context.Context, pause time.Duration, well bool) {
	changed := s.config.Device.Changed()
	if !well {
		changed = nil // telling waits with the rest
	}
	select {
	case <-ctx.Done():
	case <-s.nudges:
		s.due.sync, s.due.nudged, s.due.commands = true, true, true
	case <-changed:
	case <-s.repace:
	case <-s.config.Clock.After(pause):
		s.due.sync, s.due.commands = true, true
		s.config.Device.Refresh()
	}
}

// round does what is due: ends are told before anything is fetched, so that a
// server restored from a backup learns of them first.
func (s *Session) round(ctx context.Context) error {
	if err := s.announce(ctx); err != nil {
		return err
	}
	if _, ends := s.config.Device.Pending(); ends {
		if err := s.tell(ctx); err != nil {
			return err
		}
	}
	if s.due.sync {
		took, err := s.synchronize(ctx, s.due.nudged)
		if errors.Is(err, errUntaken) {
			// Why it takes nothing new, and what ends meanwhile, is told all the same.
			return errors.Join(err, s.tell(ctx))
		}
		if err != nil {
			return err
		}
		s.due.sync, s.due.nudged = false, false
		if took {
			s.readBack(ctx)
		}
	}
	if err := s.tell(ctx); err != nil {
		return err
	}
	if s.due.commands {
		if err := s.obey(ctx); err != nil {
			return err
		}
		s.due.commands = false
		return s.tell(ctx)
	}
	return nil
}

// readBackTime is how long a report waits for the drivers after a new set: what
// counts is read back within milliseconds.
const readBackTime = 250 * time.Millisecond

func (s *Session) readBack(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-s.config.Device.Changed():
	case <-time.After(readBackTime):
	}
}

// tell reports if there is something to report.
func (s *Session) tell(ctx context.Context) error {
	if pending, _ := s.config.Device.Pending(); !pending {
		return nil
	}
	status, told := s.config.Device.Outbox()
	quiet, err := s.client.report(ctx, status)
	if err != nil {
		return fmt.Errorf("reporting: %w", err)
	}
	if quiet {
		// What is queued after this answer comes with a nudge of its own.
		s.due.commands = false
	}
	told()
	return nil
}

// announce introduces the device once: Authenticate, then TokenUpdate with the
// release secret.
func (s *Session) announce(ctx context.Context) error {
	id := s.config.Identity
	if id.Announced {
		return nil
	}
	hardware := s.config.Machine.Hardware()
	err := s.client.checkIn(ctx, mdm.CheckIn{
		MessageType: mdm.Authenticate, DeviceName: hardware.Hostname, Model: hardware.Model, ModelName: model(hardware),
		ProductName: hardware.Platform, OSVersion: hardware.OSVersion, SerialNumber: hardware.Serial,
	})
	if err != nil {
		return fmt.Errorf("authenticating: %w", err)
	}
	err = s.client.checkIn(ctx, mdm.CheckIn{MessageType: mdm.TokenUpdate, PushMagic: id.PushMagic, Token: id.PushToken, UnlockToken: id.Secret})
	if err != nil {
		return fmt.Errorf("updating token: %w", err)
	}
	s.due.sync, s.due.commands = true, true
	return id.SetAnnounced(true)
}

func model(h host.Hardware) string {
	if h.Vendor == "" {
		return h.Model
	}
	return h.Vendor + " " + h.Model
}

// failed decides what a fault means, and how long to wait after it.
func (s *Session) failed(ctx context.Context, err error, retry *backoff) time.Duration {
	s.config.Log.Info("server was not reached as it should be", "error", err)
	if identity.Dated(err) {
		s.askTime(ctx)
	}
	var fault Fault
	answered := errors.As(err, &fault)
	if !answered && errors.Is(err, errUntaken) {
		return retry.next()
	}
	if !answered {
		s.reached.Store(false)
		return retry.next()
	}
	reason := fault.Reason
	s.refused.Store(&reason)
	switch reason {
	case mdm.RefusedAnew:
		if s.config.Identity.SetAnnounced(false) == nil {
			return retry.next()
		}
	case mdm.RefusedExpired:
		signal(s.renews)
	case mdm.RefusedRevoked, mdm.RefusedLeft:
		s.config.Device.LetGo()
		return jittered(slowest, nil)
	case mdm.RefusedClone, mdm.RefusedUnknown:
		s.config.Machine.Note("the server does not know this device any more; please enrol it anew")
		return jittered(longestBackoff, nil)
	}
	if fault.Status == http.StatusBadRequest && reason == "" {
		// A message that the server cannot read will not get better.
		s.due.commands = false
	}
	return max(retry.next(), fault.After)
}

// askTime asks for the time alone, where certificates do not fit the clock.
func (s *Session) askTime(ctx context.Context) {
	at, err := s.config.Identity.ServerTime(ctx)
	if err != nil {
		s.config.Log.Info("time was not told", "error", err)
		return
	}
	s.config.Device.Confirm(at)
}

// CheckOut says goodbye, once and without insisting.
func (s *Session) CheckOut(ctx context.Context) error {
	return s.client.checkIn(ctx, mdm.CheckIn{MessageType: mdm.CheckOut})
}

// cable is a network that can be unplugged.
type cable struct {
	http.RoundTripper
	cut func() bool
}

var errUnplugged = errors.New("remote: no network")

func (c cable) RoundTrip(request *http.Request) (*http.Response, error) {
	if c.cut() {
		return nil, errUnplugged
	}
	return c.RoundTripper.RoundTrip(request)
}

func (c cable) CloseIdleConnections() {
	if closer, ok := c.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}
