package api_test

import (
	"testing"
	"time"

	"schulwart.org/server/may"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

func TestAnExaminationByProgram(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s)
		admin := h.tokens[may.SchoolAdmin]
		starts := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
		wanted := object{
			"name": "Mathematik", "target": object{"group": h.class.ID}, "starts_at": starts, "ends_at": starts.Add(90 * time.Minute), "room": "Aula",
			"rules": object{"page": "https://moodle.example/mathe", "resume": true, "calculator": "scientific"}, "extra_time": []object{{"device": h.devices[0].ID, "percent": 10}},
		}
		var exam struct {
			ID, State string
			EndsAt    time.Time `json:"ends_at"`
			Rules     object
			Devices   []struct {
				ID, State, Reason string
				EndsAt            *time.Time `json:"ends_at"`
			}
		}
		if r := h.ask(h.tokens[may.Teacher], "POST", "/api/v1/exams", wanted, nil); r.StatusCode != 403 {
			t.Errorf("extra time by a teacher: %d", r.StatusCode)
		}
		if r := h.ask(admin, "POST", "/api/v1/exams", wanted, &exam); r.StatusCode != 201 || exam.State != "armed" || len(exam.Devices) != 3 {
			t.Fatalf("%d %+v", r.StatusCode, exam)
		}
		for _, device := range exam.Devices {
			want := starts.Add(90 * time.Minute)
			if device.ID == h.devices[0].ID.String() {
				want = want.Add(9 * time.Minute)
			}
			if device.EndsAt == nil || !device.EndsAt.Equal(want) || device.State != "not_ready" || device.Reason != "not_enrolled" {
				t.Errorf("%+v, want an end at %s", device, want)
			}
		}
		path := "/api/v1/exams/" + exam.ID
		exam.Devices = nil
		h.ask(h.tokens[may.HelpDesk], "GET", path, nil, &exam)
		for _, device := range exam.Devices {
			if device.EndsAt != nil {
				t.Errorf("the help desk reads whose end is later: %+v", device)
			}
		}
		if r := h.ask(h.foreign, "GET", path, nil, nil); r.StatusCode != 404 {
			t.Errorf("from another school: %d", r.StatusCode)
		}
		var ready struct {
			Ready, Armed int
			Devices      []struct{ Blockers []struct{ Key string } }
		}
		h.ask(admin, "GET", path+"/readiness", nil, &ready)
		if len(ready.Devices) != 3 || ready.Ready != 0 || ready.Devices[0].Blockers[0].Key != "not_enrolled" {
			t.Errorf("%+v", ready)
		}
		for _, step := range []struct {
			what string
			in   any
			want int
		}{
			{"end", nil, 409}, {"start", nil, 200}, {"start", nil, 200}, {"extend", object{"minutes": 10}, 200}, {"extend", object{"minutes": 10, "device": h.devices[1].ID}, 200},
			{"extend", object{"minutes": 600}, 422}, {"collect", object{}, 409}, {"collect", object{"device": "nobody"}, 404}, {"handover", object{"to": "nobody"}, 422}, {"end", nil, 200}, {"end", nil, 200}, {"extend", object{"minutes": 5}, 409},
		} {
			if r := h.ask(admin, "POST", path+"/"+step.what, step.in, nil); r.StatusCode != step.want {
				t.Errorf("%s %v: %d, want %d", step.what, step.in, r.StatusCode, step.want)
			}
		}
		h.ask(admin, "GET", path, nil, &exam)
		if exam.State != "ended" || exam.Rules["resume"] != true || exam.Rules["calculator"] != "scientific" || exam.Rules["page"] != "https://moodle.example/mathe" {
			t.Errorf("%+v", exam)
		}
		var evidence struct {
			Whole   bool
			Records []struct{ Key, By string }
		}
		h.ask(admin, "GET", path+"/evidence", nil, &evidence)
		keys := ""
		for _, r := range evidence.Records {
			keys += r.Key + " "
		}
		if !evidence.Whole || keys != "started extended ended given " {
			t.Errorf("whole %v, %q", evidence.Whole, keys)
		}
	})
}
