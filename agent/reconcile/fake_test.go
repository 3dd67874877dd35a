package reconcile_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"strconv"
	"testing"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/agent/memory"
	"schulwart.org/agent/reconcile"
	"schulwart.org/agent/words"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
)

var monday = time.Date(2026, 3, 16, 9, 0, 0, 0, time.UTC)

const (
	issuer  = "https://schule.example"
	subject = org.ID("11111111-1111-4111-8111-111111111111")
)

var secret = []byte("a secret that only root can read")

// desk is what a fake driver sets: it survives the agent, as rules in a kernel
// do.
type desk struct {
	rules   enforce.Rules
	sets    int
	broken  error
	changed bool
	stuck   bool
	pending bool
	without string // the reason of a session in which nobody can write
}

type driver struct {
	name catalog.Part
	desk *desk
}

func (d driver) Part() catalog.Part { return d.name }

func (d driver) Set(_ context.Context, rules enforce.Rules) error {
	if d.desk.broken != nil {
		return d.desk.broken
	}
	d.desk.rules, d.desk.changed = rules, false
	d.desk.sets++
	return nil
}

func (d driver) Check(context.Context) enforce.Reading {
	if d.desk.changed || d.desk.stuck {
		return enforce.Reading{State: ddm.PartDeviating, Reason: &ddm.Reason{Code: "table-missing"}}
	}
	if d.desk.without != "" {
		return enforce.Reading{State: ddm.PartPending, Reason: &ddm.Reason{Code: d.desk.without}}
	}
	if d.desk.pending {
		return enforce.Reading{State: ddm.PartPending, Reason: &ddm.Reason{Code: "browser.restart"}}
	}
	return enforce.Reading{State: ddm.PartOK}
}

// device is a machine with an agent whose loop is turned by hand.
type device struct {
	t      testing.TB
	host   *host.Fake
	desks  map[catalog.Part]*desk
	key    lease.SigningKey
	memory *memory.Memory
	loop   *reconcile.Loop
	// unplugged is that the server is out of reach.
	unplugged bool
}

func newDevice(t testing.TB) *device {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = 7
	d := &device{t: t, host: host.NewFake(monday), desks: map[catalog.Part]*desk{}, key: lease.SigningKey{ID: "k1", Private: ed25519.NewKeyFromSeed(seed)}}
	for _, name := range []catalog.Part{catalog.Network, catalog.Browser, catalog.Screen, catalog.Apps} {
		d.desks[name] = &desk{}
	}
	m, err := memory.Open(d.host.Files)
	if err != nil {
		t.Fatal(err)
	}
	err = m.Update(func(s *memory.State) {
		s.Trust = memory.Trusted{Issuer: issuer, Subject: subject, School: "Schule am Park", Keys: []lease.Key{d.key.Public()}}
	})
	if err != nil {
		t.Fatal(err)
	}
	d.start()
	d.loop.Confirm(monday)
	return d
}

// start begins a new process over the same disk and the same kernel.
func (d *device) start() {
	m, err := memory.Open(d.host.Files)
	if err != nil {
		d.t.Fatal(err)
	}
	d.memory = m
	d.loop = reconcile.New(reconcile.Config{
		Memory: m, Clock: d.host, Drivers: d.drivers(), Secret: secret, Version: "test", Inline: true, Linked: func() bool { return !d.unplugged },
		Speech: reconcile.Speech{Lang: words.German}, Versions: d.host.Versions,
	})
	d.loop.Tick()
}

// drivers are those of modes, and those of families that a test gave the device.
func (d *device) drivers() []enforce.Driver {
	var drivers []enforce.Driver
	for _, name := range []catalog.Part{catalog.Network, catalog.Screen, catalog.Apps, catalog.Browser, catalog.Session, "usb-storage"} {
		if desk, ok := d.desks[name]; ok {
			drivers = append(drivers, driver{name, desk})
		}
	}
	return drivers
}

// pass lets time go by as Run does: tick by tick.
func (d *device) pass(t time.Duration) {
	for t > 0 {
		step := min(d.loop.Tick(), t)
		d.host.Advance(step)
		t -= step
	}
	d.loop.Tick()
}

// reboot turns the machine off and on; what stood in its kernel is gone.
func (d *device) reboot(off time.Duration) {
	d.host.Reboot(off)
	for _, desk := range d.desks {
		*desk = desk.rebooted()
	}
	d.start()
}

func (d *desk) rebooted() desk { return desk{broken: d.broken} }

func (d *device) lease(id string, rev int, kind lease.Kind, from, until time.Duration) lease.Lease {
	return lease.Lease{
		Issuer: issuer, Subject: subject, ID: id, Rev: rev, Kind: kind, By: "Frau Oert",
		NotBefore: monday.Add(from), Expires: monday.Add(until), Rules: lease.Rules{Sites: []string{"geogebra.org"}, Apps: []string{"geogebra"}},
	}
}

// offer gives the device a set with these leases and the base filter.
func (d *device) offer(leases ...lease.Lease) error {
	var declarations []ddm.Declaration
	for _, l := range leases {
		declarations = append(declarations, d.declare(l))
	}
	return d.give(declarations...)
}

func (d *device) declare(l lease.Lease) ddm.Declaration {
	jws, err := d.key.Sign(l)
	if err != nil {
		d.t.Fatal(err)
	}
	return ddm.New(lease.DeclarationType, "org.schulwart.lease."+l.ID, map[string]any{"kid": d.key.ID, "claims": l, "jws": jws})
}

func (d *device) give(declarations ...ddm.Declaration) error {
	set := append([]ddm.Declaration{ddm.New(catalog.WebFilterType, "org.schulwart.webfilter", catalog.WebFilter{Deny: []string{"bad.example"}})}, declarations...)
	var ids []string
	for _, declaration := range set {
		if ddm.ClassOf(declaration.Type) == ddm.Configuration {
			ids = append(ids, declaration.Identifier)
		}
	}
	set = append(set, ddm.Activate("org.schulwart.activation", ids))
	return d.loop.Take(ddm.ManifestOf(set), set)
}

func (d *device) network() enforce.Network { return d.desks[catalog.Network].rules.Network }

// wire reads a report as the server does.
func (d *device) wire() ddm.AgentItems {
	data, err := json.Marshal(d.loop.Report().Status)
	if err != nil {
		d.t.Fatal(err)
	}
	report, err := ddm.ParseStatus(data)
	if err != nil || report.StatusItems.Agent == nil {
		d.t.Fatalf("report cannot be read: %v", err)
	}
	return *report.StatusItems.Agent
}

func (d *device) phase(id string) (ddm.LeaseStatus, bool) {
	for _, s := range d.wire().Leases {
		if s.ID == id {
			return s, true
		}
	}
	return ddm.LeaseStatus{}, false
}

func (d *device) wantReach(reach enforce.Reach) {
	d.t.Helper()
	if got := d.network().Reach; got != reach {
		d.t.Errorf("network is %q, want %q", got, reach)
	}
}

func (d *device) wantPhase(id string, phase ddm.LeasePhase) {
	d.t.Helper()
	if got, _ := d.phase(id); got.Phase != phase {
		d.t.Errorf("lease %s is %q, want %q", id, got.Phase, phase)
	}
}

func (d *device) events(key string) int {
	n := 0
	for _, e := range d.wire().Events {
		if e.Key == key {
			n++
		}
	}
	return n
}

var errBroken = errors.New("nothing works")

func number(i int) string { return strconv.Itoa(i) }
