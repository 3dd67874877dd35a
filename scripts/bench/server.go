package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
	"schulwart.org/server/app"
	"schulwart.org/server/command"
	"schulwart.org/server/config"
	"schulwart.org/server/enroll"
	"schulwart.org/server/lesson"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/standard"
)

// classSize is how many devices a click is for, schoolSize how many devices the
// other schools have.
const (
	classSize  = 30
	schoolSize = 1000
)

var operator = may.Actor{ID: "bench", Name: "Frau Oert", Grants: []may.Grant{{Role: may.Operator}}, Via: "api"}

// measured is the server in its own process: an installation with one class,
// many other devices, and a door through which the bench gives orders.
type measured struct {
	app    *app.App
	branch org.Branch
	class  org.ID
}

// Place is what the bench needs to know of a started server.
type Place struct {
	Orders string   // address of the door for orders
	Class  string   // enrolment link of the class
	Others []string // enrolment links of everybody else, one of each school
}

// runServer serves until it is told to end. The folder may hold an installation
// already: then it is a restart.
func runServer(folder string, devices int) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := &config.Serve{Data: folder, Listen: "127.0.0.1:0", DeviceListen: keptAddress(folder), Timezone: "Europe/Berlin"}
	if err := c.Settle(); err != nil {
		return err
	}
	a, err := app.New(ctx, app.Options{Config: c, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))})
	if err != nil {
		return err
	}
	m := &measured{app: a}
	place, err := m.settle(ctx, folder, devices)
	if err != nil {
		return err
	}
	if err := a.Start(ctx); err != nil {
		return err
	}
	orders, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	place.Orders = "http://" + orders.Addr().String()
	go func() { _ = http.Serve(orders, m.orders()) }() //nolint:gosec // loopback, for the bench alone
	if err := writePlace(folder, place); err != nil {
		return err
	}
	<-ctx.Done()
	return a.Close()
}

// keptAddress chooses a port once and keeps it over restarts.
func keptAddress(folder string) string {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "127.0.0.1:0" // the server will say why
	}
	file := filepath.Join(folder, "address")
	if data, err := os.ReadFile(file); err == nil {
		return string(data)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "127.0.0.1:0"
	}
	defer listener.Close()
	address := listener.Addr().String()
	_ = os.WriteFile(file, []byte(address), 0o600)
	return address
}

func writePlace(folder string, place Place) error {
	data, err := json.Marshal(place)
	if err != nil {
		return err
	}
	part := filepath.Join(folder, "place.part")
	if err := os.WriteFile(part, data, 0o600); err != nil {
		return err
	}
	return os.Rename(part, filepath.Join(folder, "place.json"))
}

// settle makes the school, or finds it again after a restart.
func (m *measured) settle(ctx context.Context, folder string, devices int) (Place, error) {
	known := filepath.Join(folder, "known.json")
	var kept struct {
		Branch org.Branch
		Class  org.ID
		Place  Place
	}
	if data, err := os.ReadFile(known); err == nil {
		err = json.Unmarshal(data, &kept)
		m.branch, m.class = kept.Branch, kept.Class
		return kept.Place, err
	}
	authority, err := m.app.Roster.CreateAuthority(ctx, operator, "Musterstadt", "Europe/Berlin")
	if err != nil {
		return Place{}, err
	}
	school, err := m.app.Roster.CreateSchool(ctx, operator, authority.ID, "Goethe-Gymnasium", "GYM")
	if err != nil {
		return Place{}, err
	}
	kind, name := org.Class, "7b"
	group, err := m.app.Roster.CreateGroup(ctx, operator, school.ID, roster.GroupUpdate{Kind: &kind, Name: &name})
	if err != nil {
		return Place{}, err
	}
	m.branch, m.class = school.Branch(), group.ID
	class, err := m.app.Enroll.CreateToken(ctx, operator, enroll.NewToken{Group: group.ID, Uses: 1000, For: 24 * time.Hour})
	if err != nil {
		return Place{}, err
	}
	others := Place{Class: class.URL}
	for n := 0; n*schoolSize < devices; n++ {
		school, err := m.app.Roster.CreateSchool(ctx, operator, authority.ID, fmt.Sprintf("Schule am Park %d", n+1), fmt.Sprintf("P%02d", n+1))
		if err != nil {
			return Place{}, err
		}
		token, err := m.app.Enroll.CreateToken(ctx, operator, enroll.NewToken{School: school.ID, Uses: schoolSize + 100, For: 24 * time.Hour})
		if err != nil {
			return Place{}, err
		}
		others.Others = append(others.Others, token.URL)
	}
	kept.Branch, kept.Class, kept.Place = m.branch, m.class, others
	data, err := json.Marshal(kept)
	if err != nil {
		return others, err
	}
	return others, os.WriteFile(known, data, 0o600)
}

// orders is the door for the bench.
func (m *measured) orders() http.Handler {
	mux := http.NewServeMux()
	answer := func(path string, do func(r *http.Request) (any, error)) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			value, err := do(r)
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			_ = json.NewEncoder(w).Encode(value)
		})
	}
	answer("GET /streams", func(*http.Request) (any, error) { return m.app.Streams.Count(), nil })
	answer("GET /memory", func(*http.Request) (any, error) { return tidied(), nil })
	answer("POST /profile", func(r *http.Request) (any, error) { return nil, m.profile(r.FormValue("file")) })
	answer("POST /nothing", func(*http.Request) (any, error) { return org.ID(""), nil })
	answer("POST /click", func(r *http.Request) (any, error) { return m.click(r.Context()) })
	answer("POST /all", func(r *http.Request) (any, error) { return m.all(r.Context()) })
	answer("POST /site", func(r *http.Request) (any, error) {
		devices, err := strconv.Atoi(r.FormValue("devices"))
		if err != nil {
			return nil, err
		}
		return m.site(r.Context(), r.FormValue("alone") == "true", devices)
	})
	answer("POST /hold", func(r *http.Request) (any, error) {
		_, took, err := m.start(r.Context())
		return slices.Collect(maps.Keys(took)), err
	})
	answer("POST /held", func(r *http.Request) (any, error) { return m.held(r.Context(), strings.Fields(r.FormValue("devices"))) })
	answer("GET /device", func(r *http.Request) (any, error) {
		found, err := m.app.Store.Seek(r.Context(), []org.Branch{m.branch}, r.FormValue("serial"), 1)
		if err != nil || len(found) == 0 {
			return nil, errors.Join(err, errors.New("no such device"))
		}
		return found[0].Device, nil
	})
	answer("POST /command", func(r *http.Request) (any, error) {
		receipt, err := m.app.Command.Enqueue(r.Context(), command.Order{
			Authority: m.branch.Authority, Device: org.ID(r.FormValue("device")), Command: mdm.DeviceInformation("SerialNumber"), About: r.FormValue("about"),
		})
		return receipt.ID, err
	})
	return mux
}

// click starts a mode for the class and ends it again. It returns, per device,
// how long it took from the click until its read-back was durable.
func (m *measured) click(ctx context.Context) ([]time.Duration, error) {
	mode, took, err := m.start(ctx)
	if err != nil {
		return nil, err
	}
	_, err = m.app.Lessons.End(ctx, operator, mode.ID)
	return slices.Collect(maps.Values(took)), err
}

// start starts a mode for the class and waits until every device has read it
// back.
func (m *measured) start(ctx context.Context) (lesson.Mode, map[org.ID]time.Duration, error) {
	board := m.app.Live.Open(m.branch)
	defer board.Close()
	began := time.Now()
	mode, err := m.app.Lessons.Start(ctx, operator, lesson.Request{Group: m.class, Kind: lease.Offline, Minutes: 10})
	if err != nil {
		return mode, nil, err
	}
	took := map[org.ID]time.Duration{}
	patience := time.NewTimer(30 * time.Second)
	defer patience.Stop()
	for len(took) < classSize {
		select {
		case <-board.Ready():
		case <-patience.C:
			return mode, nil, fmt.Errorf("%d of %d devices have read back", len(took), classSize)
		}
		changed := board.Take()
		now := time.Since(began)
		for _, device := range changed {
			if _, done := took[device]; done {
				continue
			}
			active, err := m.active(ctx, device, mode.ID)
			if err != nil {
				return mode, nil, err
			}
			if active {
				took[device] = now
			}
		}
	}
	return mode, took, nil
}

// active reports whether a device has read back the mode, any if none is named.
func (m *measured) active(ctx context.Context, device, mode org.ID) (bool, error) {
	lines, err := m.app.Lessons.Leases(ctx, m.branch, device)
	for _, line := range lines {
		if (mode == "" || line.Lease.Mode == mode) && line.State == lesson.Active {
			return true, nil
		}
	}
	return false, err
}

// held counts the devices on which a mode is in force as they said last.
func (m *measured) held(ctx context.Context, devices []string) (int, error) {
	n := 0
	for _, device := range devices {
		active, err := m.active(ctx, org.ID(device), "")
		if err != nil {
			return n, err
		}
		if active {
			n++
		}
	}
	return n, nil
}

// all changes the base filter of the authority and returns how long it took
// until every connected device had fetched and reported it, durably.
func (m *measured) all(ctx context.Context) (time.Duration, error) {
	want := m.app.Streams.Count()
	began := time.Now()
	host := fmt.Sprintf("a%d.example", began.UnixNano())
	wanted := standard.NewDraft{Title: "Bench", Families: map[string]standard.Wish{"webfilter": {Settings: map[string]any{"deny": []any{host}}}}}
	if _, err := m.app.Standard.Put(ctx, operator, desired.Place{Level: org.Authority, ID: m.branch.Authority}, wanted); err != nil {
		return 0, err
	}
	for {
		n, err := m.app.Store.ReportedSince(ctx, began)
		if err != nil {
			return 0, err
		}
		if n >= want {
			return time.Since(began), nil
		}
		if time.Since(began) > 2*time.Minute {
			return 0, fmt.Errorf("%d of %d devices have reported", n, want)
		}
		// Counting costs the server, too, and more the more devices there are.
		time.Sleep(20*time.Millisecond + time.Duration(want)*20*time.Microsecond)
	}
}
