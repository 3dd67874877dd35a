package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"schulwart.org/agent/simulate"
	"schulwart.org/policies/org"
	"schulwart.org/server/api"
)

// desks are laptops in this process: the real loop, session and memory of the
// agent on pretend hosts.
type desks struct {
	t    testing.TB
	h    *house
	base string
	stop func()
}

// desks starts n laptops that enrol by the link. Different seeds are different
// machines. dir keeps what they remember; empty for memory alone.
func (h *house) desks(n int, seed uint64, link, dir string) *desks {
	h.t.Helper()
	return h.desksBy(n, seed, []string{link}, dir)
}

// desksBy shares the laptops out among links, in order.
func (h *house) desksBy(n int, seed uint64, links []string, dir string) *desks {
	h.t.Helper()
	file := filepath.Join(h.t.TempDir(), "control")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- simulate.Run(ctx, simulate.Options{Devices: n, Links: links, Seed: seed, State: dir, Control: "127.0.0.1:0", ControlFile: file})
	}()
	d := &desks{t: h.t, h: h}
	stopped := false
	d.stop = func() {
		if !stopped {
			stopped = true
			cancel()
			if err := <-done; err != nil {
				h.t.Error(err)
			}
		}
	}
	h.t.Cleanup(d.stop)
	await(h.t, "the control of pretend laptops", func() bool {
		data, err := os.ReadFile(file)
		d.base = "http://" + strings.TrimSpace(string(data))
		return err == nil
	})
	await(h.t, "all laptops enrolled", func() bool {
		for _, v := range d.all() {
			if !v.Enrolled {
				return false
			}
		}
		return len(d.all()) == n
	})
	return d
}

func (d *desks) all() []simulate.View {
	d.t.Helper()
	var got struct{ Items []simulate.View }
	d.get("/devices?status=1", &got)
	return got.Items
}

// desk returns one of them, counted from zero.
func (d *desks) desk(i int) *desk {
	d.t.Helper()
	v := d.all()[i]
	return &desk{d, v.Name, v.Serial, d.h.deviceOf(v.Serial)}
}

func (d *desks) get(path string, into any) {
	d.t.Helper()
	response := made(http.Get(d.base + path))(d.t)
	defer response.Body.Close()
	must(d.t, json.NewDecoder(response.Body).Decode(into))
}

// deviceOf finds the id of a machine, once the server knows it.
func (h *house) deviceOf(serial string) (id org.ID) {
	h.t.Helper()
	program := h.as(schoolAdm)
	await(h.t, "the server to know "+serial, func() bool {
		var list api.List[api.Device]
		program.want(http.StatusOK, "GET", "/api/v1/devices?q="+serial, nil, &list)
		for _, device := range list.Items {
			if device.Enrolled && strings.EqualFold(device.Serial, serial) {
				id = device.ID
			}
		}
		return id != ""
	})
	return id
}

// desk is one of the laptops.
type desk struct {
	*desks
	name, serial string
	id           org.ID
}

func (d *desk) look() simulate.View {
	d.t.Helper()
	var v simulate.View
	d.get("/devices/"+d.name, &v)
	return v
}

// internet is what the pupil meets: open, only, never.
func (d *desk) internet() string { return d.look().Pupil.Internet }

func (d *desk) sees(internet string) {
	d.t.Helper()
	await(d.t, d.name+" to have the internet "+internet, func() bool { return d.internet() == internet }, func() any { return d.look().Pupil })
}

// do does something to the laptop: cut, restart, clock, release, …
func (d *desk) do(action, order string) {
	d.t.Helper()
	if status, text := d.try(action, order); status != http.StatusOK {
		d.t.Fatalf("%s: %d %s", action, status, text)
	}
}

func (d *desk) try(action, order string) (int, string) {
	d.t.Helper()
	return d.post("/devices/"+d.name+"/"+action, order)
}

func (d *desks) post(path, order string) (int, string) {
	d.t.Helper()
	response := made(http.Post(d.base+path, "application/json", bytes.NewBufferString(order)))(d.t)
	defer response.Body.Close()
	text := made(io.ReadAll(response.Body))(d.t)
	return response.StatusCode, string(text)
}
