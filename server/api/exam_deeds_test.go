package api_test

import (
	"testing"
	"time"

	"schulwart.org/server/may"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

func TestTheLifeOfAnExaminationByProgram(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s)
		admin := h.tokens[may.SchoolAdmin]
		starts := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
		wanted := object{
			"name": "Physik", "target": object{"group": h.class.ID}, "starts_at": starts, "ends_at": starts.Add(90 * time.Minute), "rules": object{"page": "https://moodle.example"},
		}
		type seat struct{ ID, State, Reason string }
		var exam struct {
			ID, Name, State string
			Paused          bool
			Devices         []seat
		}
		is := func(status int, method, path string, body any) {
			t.Helper()
			exam.Devices = nil
			if r := h.ask(admin, method, path, body, &exam); r.StatusCode != status {
				t.Fatalf("%s %s: %d", method, path, r.StatusCode)
			}
		}
		is(201, "POST", "/api/v1/exams", wanted)
		path := "/api/v1/exams/" + exam.ID
		wanted["name"] = "Physik 2"
		is(200, "PUT", path, wanted)
		is(200, "POST", path+"/rehearsal", object{})
		is(200, "POST", path+"/rehearsal/end", nil)
		is(200, "POST", path+"/start", nil)
		is(200, "POST", path+"/pause", nil)
		if !exam.Paused || exam.Name != "Physik 2" {
			t.Errorf("%+v", exam)
		}
		is(200, "POST", path+"/continue", nil)
		first, second := exam.Devices[0].ID, exam.Devices[1].ID
		is(200, "POST", path+"/devices/"+first+"/release", nil)
		if exam.Devices[0].State != "left" || exam.Paused {
			t.Errorf("%+v", exam)
		}
		is(200, "POST", path+"/devices/"+first+"/readmit", nil)
		is(200, "POST", path+"/devices/"+second+"/seen", nil)
		is(409, "POST", path+"/devices/"+second+"/compensate", nil)
		is(409, "POST", path+"/devices/"+second+"/dismiss", nil)
		is(200, "POST", path+"/devices/"+second+"/release", nil)
		is(200, "POST", path+"/devices/"+first+"/swap", object{"other": second})
		is(409, "POST", path+"/copy", object{"missing_only": true})
		is(200, "POST", path+"/end", nil)
		is(201, "POST", path+"/copy", object{"missing_only": true})
		if exam.State != "draft" || len(exam.Devices) != 2 {
			t.Errorf("the resit of who never was there: %+v", exam)
		}
		var list struct{ Items []struct{ ID, Name string } }
		if r := h.ask(admin, "GET", "/api/v1/exams", nil, &list); r.StatusCode != 200 || len(list.Items) != 2 || list.Items[1].ID != exam.ID {
			t.Errorf("%d %+v", r.StatusCode, list)
		}
		if r := h.ask(admin, "DELETE", "/api/v1/exams/"+exam.ID, nil, nil); r.StatusCode != 204 {
			t.Errorf("cancelling: %d", r.StatusCode)
		}
	})
}

func TestAFileOfExaminationsByProgram(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s)
		admin := h.tokens[may.SchoolAdmin]
		day := time.Now().AddDate(0, 0, 9).Format("2.1.2006")
		file := object{"school": h.school.ID, "name": "plan.csv", "content": []byte("Datum;Zeit;Klasse;Fach;Merkmal\n" + day + ";8:00-9:30;" + h.class.Name + ";Mathe;x\n" + day + ";8:00-9:30;weg;Mathe;x\n"), "preset": "writing"}
		var plan struct {
			Created, Same int
			Token         string
			Columns       []struct{ Title, Field string }
			Changes       []struct{ What, Name string }
			Faults        []struct {
				Line int
				Key  string
			}
		}
		if r := h.ask(admin, "POST", "/api/v1/exam-imports/preview", file, &plan); r.StatusCode != 200 || plan.Created != 1 || len(plan.Faults) != 1 || plan.Faults[0].Line != 3 || plan.Columns[1].Field != "start" {
			t.Fatalf("%d %+v", r.StatusCode, plan)
		}
		if r := h.ask(admin, "POST", "/api/v1/exam-imports/apply", file, nil); r.StatusCode != 409 {
			t.Errorf("without having seen it: %d", r.StatusCode)
		}
		file["token"] = plan.Token
		if r := h.ask(admin, "POST", "/api/v1/exam-imports/apply", file, &plan); r.StatusCode != 200 || plan.Created != 1 {
			t.Errorf("%d %+v", r.StatusCode, plan)
		}
		plan.Created = 0
		if r := h.ask(admin, "POST", "/api/v1/exam-imports/preview", file, &plan); r.StatusCode != 200 || plan.Created != 0 || plan.Same != 1 {
			t.Errorf("again: %d %+v", r.StatusCode, plan)
		}
		if r := h.ask(h.foreign, "POST", "/api/v1/exam-imports/preview", file, nil); r.StatusCode != 404 {
			t.Errorf("from another school: %d", r.StatusCode)
		}
	})
}
