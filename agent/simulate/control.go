package simulate

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"time"

	"schulwart.org/agent/device"
	"schulwart.org/agent/enforce"
	"schulwart.org/agent/reconcile"
	"schulwart.org/policies/catalog"
)

// View is one device as its pupil and its tormentor see it.
type View struct {
	Name      string  `json:"name"`
	UDID      string  `json:"udid,omitempty"`
	Serial    string  `json:"serial"`
	Model     string  `json:"model"`
	Enrolled  bool    `json:"enrolled"`
	On        bool    `json:"on"`
	Cut       bool    `json:"cut"` // no network
	Battery   int     `json:"battery"`
	Plugged   bool    `json:"plugged"`
	ClockMove float64 `json:"clock_moved_seconds"`
	Pupil     Pupil   `json:"pupil"`
	// Status is what `status --json` would show; absent while the device is off.
	Status *reconcile.Status `json:"status,omitempty"`
}

// Pupil is what the pupil meets: what stands in the machine, not what is wanted.
type Pupil struct {
	Internet string          `json:"internet"` // open, only, never
	Sites    []string        `json:"sites,omitempty"`
	Screen   *enforce.Screen `json:"screen,omitempty"`
	Apps     []string        `json:"apps,omitempty"`
	Lines    []string        `json:"lines,omitempty"` // the notice
	Until    time.Time       `json:"until,omitzero"`
}

// serve answers the control until the context ends. It is on loopback only, and
// asks for JSON, so that no web page can reach it by a plain form.
func (s *school) serve(ctx context.Context, listener net.Listener) {
	server := &http.Server{Handler: s.control(ctx), ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
		s.Log.Error("control ended", "error", err)
	}
}

func (s *school) control(ctx context.Context) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /devices", func(w http.ResponseWriter, r *http.Request) {
		views := make([]View, len(s.devices))
		for i, d := range s.devices {
			views[i] = d.view(r.URL.Query().Get("status") == "1")
		}
		reply(w, map[string]any{"items": views, "speed": s.pace.speed()})
	})
	mux.HandleFunc("GET /devices/{name}", func(w http.ResponseWriter, r *http.Request) {
		if d := s.find(w, r); d != nil {
			reply(w, d.view(true))
		}
	})
	mux.HandleFunc("GET /speed", func(w http.ResponseWriter, _ *http.Request) { reply(w, map[string]float64{"factor": s.pace.speed()}) })
	mux.HandleFunc("POST /speed", func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ Factor float64 }
		if read(w, r, &asked) {
			if asked.Factor < 0.1 || asked.Factor > 1000 {
				http.Error(w, "factor must be between 0.1 and 1000", http.StatusUnprocessableEntity)
				return
			}
			s.pace.set(asked.Factor)
			s.wake()
			reply(w, map[string]float64{"factor": asked.Factor})
		}
	})
	for action, do := range s.actions(ctx) {
		mux.HandleFunc("POST /devices/{name}/"+action, func(w http.ResponseWriter, r *http.Request) {
			var asked order
			d := s.find(w, r)
			if d == nil || !read(w, r, &asked) {
				return
			}
			if err := do(d, asked); err != nil {
				http.Error(w, err.Error(), http.StatusUnprocessableEntity)
				return
			}
			reply(w, d.view(true))
		})
	}
	return mux
}

// order is what an action may need.
type order struct {
	Cut   bool   `json:"cut"`   // cut
	By    string `json:"by"`    // clock: "24h", "-24h"
	Part  string `json:"part"`  // tamper: network, screen, apps, browser
	Code  string `json:"code"`  // release
	Lease string `json:"lease"` // release
	Up    bool   `json:"up"`    // hand
}

func (s *school) actions(ctx context.Context) map[string]func(*pupilDevice, order) error {
	return map[string]func(*pupilDevice, order) error{
		"cut":     func(d *pupilDevice, o order) error { d.plug(o.Cut); return nil },
		"restart": func(d *pupilDevice, _ order) error { return d.restart(ctx) },
		"battery": func(d *pupilDevice, _ order) error { d.empty(); return nil },
		"power":   func(d *pupilDevice, _ order) error { d.power(ctx); return nil },
		"tamper":  func(d *pupilDevice, o order) error { return d.tamper(catalog.Part(o.Part)) },
		"clock": func(d *pupilDevice, o order) error {
			by, err := time.ParseDuration(o.By)
			if err == nil {
				d.clock.move(by)
			}
			return err
		},
		"hand": func(d *pupilDevice, o order) error {
			running := d.running()
			if running == nil {
				return errOff
			}
			if outcome := running.Hand(o.Up); outcome.Key != "hand.up" && outcome.Key != "hand.down" {
				return errors.New(outcome.Key)
			}
			return nil
		},
		"release": func(d *pupilDevice, o order) error {
			running := d.running()
			if running == nil {
				return errOff
			}
			if outcome := running.Release(o.Code, o.Lease); outcome.Key != "release.done" {
				return errors.New(outcome.Key)
			}
			return nil
		},
	}
}

var errOff = errors.New("the device is off")

// running is the device's agent; nil while it is off.
func (d *pupilDevice) running() *device.Device {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.device
}

// wake lets every device look at its clock, since time runs at another pace.
func (s *school) wake() {
	for _, d := range s.devices {
		if running := d.running(); running != nil {
			running.Poke()
		}
	}
}

func (s *school) find(w http.ResponseWriter, r *http.Request) *pupilDevice {
	name := r.PathValue("name")
	for _, d := range s.devices {
		if d.name == name || d.udid() == name || d.about.hardware.Serial == name {
			return d
		}
	}
	http.Error(w, "no such device", http.StatusNotFound)
	return nil
}

func (d *pupilDevice) udid() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.id == nil {
		return ""
	}
	return d.id.UDID
}

func (d *pupilDevice) view(full bool) View {
	condition := d.Condition()
	d.mu.Lock()
	running, network, parts := d.device, d.network, d.parts
	v := View{
		Name: d.name, Serial: d.about.hardware.Serial, Model: d.about.hardware.Vendor + " " + d.about.hardware.Model, Enrolled: d.id != nil, On: running != nil,
		Cut: d.cut.Load(), Battery: *condition.Battery, Plugged: d.about.plugged, ClockMove: d.clock.moved().Seconds(), Pupil: Pupil{Internet: "open"},
	}
	if d.id != nil {
		v.UDID = d.id.UDID
	}
	d.mu.Unlock()
	if network == nil {
		return v
	}
	if wall := network.Standing(); wall.Closed > 0 {
		v.Pupil.Internet = "never"
		if wall.Web {
			v.Pupil.Internet = "only"
		}
	}
	if rules := parts[catalog.Screen].standing(); rules.Screen != nil {
		v.Pupil.Screen = rules.Screen
	}
	if rules := parts[catalog.Apps].standing(); rules.Apps != nil {
		v.Pupil.Apps = rules.Apps.Allow
	}
	rules := parts[catalog.Browser].standing()
	v.Pupil.Lines, v.Pupil.Until, v.Pupil.Sites = rules.Notice.Lines, rules.Notice.Until, rules.Network.Allow
	if running != nil && full {
		status := running.Status()
		v.Status = &status
	}
	return v
}

func read(w http.ResponseWriter, r *http.Request, into any) bool {
	if r.Header.Get("Content-Type") != "application/json" {
		http.Error(w, "send application/json", http.StatusUnsupportedMediaType)
		return false
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10)).Decode(into); err != nil {
		http.Error(w, "send a JSON object", http.StatusBadRequest)
		return false
	}
	return true
}

func reply(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}
