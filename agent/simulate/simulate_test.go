package simulate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"schulwart.org/agent/remote/remotetest"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

// try is a running simulator with its control.
type try struct {
	t      *testing.T
	server *remotetest.Server
	base   string
	stop   func()
}

func simulate(t *testing.T, server *remotetest.Server, o Options) *try {
	t.Helper()
	file := filepath.Join(t.TempDir(), "control")
	o.Links, o.Seed, o.Control, o.ControlFile = []string{server.Link()}, 7, "127.0.0.1:0", file
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, o) }()
	s := &try{t: t, server: server}
	stopped := false
	s.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(s.stop)
	remotetest.Await(t, "control", func() bool {
		data, err := os.ReadFile(file)
		s.base = "http://" + strings.TrimSpace(string(data))
		return err == nil
	})
	remotetest.Await(t, "all devices on their streams", func() bool {
		views := s.list()
		for _, v := range views {
			d, ok := server.Look(v.UDID)
			if !ok || !d.Streaming || len(d.Reports) == 0 {
				return false
			}
		}
		return len(views) == o.Devices
	})
	return s
}

func (s *try) list() []View {
	var got struct{ Items []View }
	s.get("/devices", &got)
	return got.Items
}

func (s *try) one(name string) View {
	var v View
	s.get("/devices/"+name, &v)
	return v
}

func (s *try) get(path string, into any) {
	response, err := http.Get(s.base + path)
	if err != nil {
		return
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		s.t.Errorf("%s: %v", path, err)
	}
}

func (s *try) post(path, body string) {
	s.t.Helper()
	response, err := http.Post(s.base+path, "application/json", bytes.NewBufferString(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %s", path, response.Status)
	}
}

func (s *try) phase(udid, id string) ddm.LeasePhase {
	d, _ := s.server.Look(udid)
	if len(d.Reports) == 0 {
		return ""
	}
	for _, l := range d.Reports[len(d.Reports)-1].StatusItems.Agent.Leases {
		if l.ID == id {
			return l.Phase
		}
	}
	return ""
}

func TestDevicesObeyAndSayThatTheyAreSimulated(t *testing.T) {
	server := remotetest.New(t)
	s := simulate(t, server, Options{Devices: 5})
	for _, v := range s.list() {
		server.Give(v.UDID, remotetest.NewLease(v.UDID, "a", lease.Offline, time.Hour))
	}
	for _, v := range s.list() {
		remotetest.Await(t, "read-back of "+v.Name, func() bool { return s.phase(v.UDID, "a") == ddm.LeaseActive })
		now := s.one(v.Name)
		if now.Pupil.Internet != "never" || len(now.Pupil.Lines) != 1 || now.Status == nil || !now.Status.Simulated {
			t.Errorf("%s: %+v", v.Name, now)
		}
		d, _ := server.Look(v.UDID)
		agent := d.Reports[len(d.Reports)-1].StatusItems.Agent
		if !agent.Simulated || agent.Facts == nil || agent.Facts.Battery == nil || agent.Facts.Hostname != v.Name {
			t.Errorf("reported %+v", agent)
		}
	}
}

func TestARestartAndACutCableDoNotFree(t *testing.T) {
	server := remotetest.New(t)
	s := simulate(t, server, Options{Devices: 1})
	v := s.list()[0]
	server.Give(v.UDID, remotetest.NewLease(v.UDID, "a", lease.Offline, 6*time.Second))
	remotetest.Await(t, "mode", func() bool { return s.one(v.Name).Pupil.Internet == "never" })
	s.post("/devices/"+v.Name+"/cut", `{"cut":true}`)
	remotetest.Await(t, "the stream's end", func() bool { d, _ := server.Look(v.UDID); return !d.Streaming })
	s.post("/devices/"+v.Name+"/clock", `{"by":"24h"}`)
	s.post("/devices/"+v.Name+"/clock", `{"by":"-24h"}`)
	s.post("/devices/"+v.Name+"/restart", `{}`)
	remotetest.Await(t, "mode after restart without network", func() bool { return s.one(v.Name).Pupil.Internet == "never" })
	remotetest.Await(t, "the end without network", func() bool { return s.one(v.Name).Pupil.Internet == "open" })
	s.post("/devices/"+v.Name+"/cut", `{"cut":false}`)
	remotetest.Await(t, "the end told", func() bool { return s.phase(v.UDID, "a") == ddm.LeaseEnded })
}

func TestTamperingIsRepairedAndTold(t *testing.T) {
	server := remotetest.New(t)
	s := simulate(t, server, Options{Devices: 1})
	v := s.list()[0]
	server.Give(v.UDID, remotetest.NewLease(v.UDID, "a", lease.Offline, time.Hour))
	remotetest.Await(t, "read-back", func() bool { return s.phase(v.UDID, "a") == ddm.LeaseActive })
	s.post("/devices/"+v.Name+"/tamper", `{"part":"network"}`)
	remotetest.Await(t, "the word on it", func() bool {
		d, _ := server.Look(v.UDID)
		for _, r := range d.Reports {
			for _, e := range r.StatusItems.Agent.Events {
				if e.Key == "tamper.repaired" && e.Args["part"] == string(catalog.Network) {
					return s.one(v.Name).Pupil.Internet == "never"
				}
			}
		}
		return false
	})
}

func TestAnEmptyBatteryEndsADeviceUntilItIsPlugged(t *testing.T) {
	server := remotetest.New(t)
	s := simulate(t, server, Options{Devices: 1})
	v := s.list()[0]
	s.post("/devices/"+v.Name+"/battery", `{}`)
	remotetest.Await(t, "darkness", func() bool { d, _ := server.Look(v.UDID); return !d.Streaming && !s.one(v.Name).On })
	s.post("/devices/"+v.Name+"/power", `{}`)
	remotetest.Await(t, "light", func() bool { d, _ := server.Look(v.UDID); return d.Streaming && s.one(v.Name).On })
}

func TestTimeTenTimesFasterEndsTenTimesSooner(t *testing.T) {
	server := remotetest.New(t)
	s := simulate(t, server, Options{Devices: 1})
	v := s.list()[0]
	server.Give(v.UDID, remotetest.NewLease(v.UDID, "a", lease.Offline, 3*time.Minute))
	remotetest.Await(t, "mode", func() bool { return s.one(v.Name).Pupil.Internet == "never" })
	s.post("/speed", `{"factor":60}`)
	remotetest.Await(t, "the end", func() bool { return s.one(v.Name).Pupil.Internet == "open" })
}

func TestDevicesSurviveTheSimulator(t *testing.T) {
	server := remotetest.New(t)
	dir := t.TempDir()
	s := simulate(t, server, Options{Devices: 2, State: dir})
	before := s.list()
	server.Give(before[0].UDID, remotetest.NewLease(before[0].UDID, "a", lease.Offline, time.Hour))
	remotetest.Await(t, "mode", func() bool { return s.one(before[0].Name).Pupil.Internet == "never" })
	s.stop()
	again := simulate(t, server, Options{Devices: 2, State: dir})
	after := again.list()
	if after[0].UDID != before[0].UDID || after[1].UDID != before[1].UDID {
		t.Errorf("%s, %s became %s, %s", before[0].UDID, before[1].UDID, after[0].UDID, after[1].UDID)
	}
	remotetest.Await(t, "mode in the new process", func() bool { return again.one(before[0].Name).Pupil.Internet == "never" })
}

func TestTheSameSeedMakesTheSameDevices(t *testing.T) {
	for i := range 50 {
		a, b := personalityOf(3, i, "x"), personalityOf(3, i, "x")
		if fmt.Sprintf("%+v", a.hardware) != fmt.Sprintf("%+v", b.hardware) || a.slow != b.slow || a.battery != b.battery {
			t.Fatalf("device %d differs: %+v, %+v", i, a, b)
		}
	}
}

func TestTheControlIsOnLoopbackOnly(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", "192.0.2.1:80", "example.org:80", ":0"} {
		if _, err := (&school{Options: Options{Control: address}}).listen(); err == nil {
			t.Errorf("listens on %s", address)
		}
	}
}

// A simulated device must be small, so that a school authority fits into one
// process. The figure includes the server's side of each connection.
func TestADeviceIsSmall(t *testing.T) {
	server := remotetest.New(t)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	const devices = 100
	s := simulate(t, server, Options{Devices: devices})
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := (int64(after.HeapAlloc+after.StackInuse) - int64(before.HeapAlloc+before.StackInuse)) / devices
	t.Logf("%d kB each, both sides of the connection, %d goroutines", each/1000, runtime.NumGoroutine())
	s.stop()
}
