package e2e

import (
	"context"
	"net/http"
	"testing"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/api"
	"schulwart.org/server/roster"
)

// An invigilator asks for the work, long before it would be collected: it is there,
// and the board counts it only then.
func TestWorkIsHandedInAtOnce(t *testing.T) {
	h := newHouse(t)
	name, kind := "10c", org.Class
	class := made(h.app.Roster.CreateGroup(context.Background(), boss, h.school.School, roster.GroupUpdate{Name: &name, Kind: &kind}))(t).ID
	laptop := newSatchel(t, h.link(class, 1))
	office := h.as(schoolAdm)
	var exam api.Exam
	starts := time.Now().Add(3 * time.Second).Truncate(time.Second)
	office.want(http.StatusCreated, "POST", "/api/v1/exams", order{
		"name": "Deutsch", "target": in(class), "starts_at": starts, "ends_at": starts.Add(time.Hour), "rules": order{"page": "https://moodle.example", "collect": true, "collect_every": 30},
	}, &exam)
	path := "/api/v1/exams/" + exam.ID.String()
	await(t, "the examination to run on the device", func() bool {
		office.want(http.StatusOK, "GET", path, nil, &exam)
		return len(exam.Devices) == 1 && exam.Devices[0].State == "in_exam"
	})
	laptop.writes("Deutsch", "Aufsatz.txt", []byte("Es war einmal"))
	laptop.kill()
	office.want(http.StatusOK, "POST", path+"/collect", order{}, &exam)
	if c := exam.Collecting; c == nil || c.Asked != 1 || c.Received != 0 {
		t.Fatalf("asked, and the device is off: %+v", c)
	}
	laptop.start()
	await(t, "the work to be there", func() bool {
		office.want(http.StatusOK, "GET", path, nil, &exam)
		return exam.Collecting != nil && exam.Collecting.Received == 1
	}, func() any { return exam.Collecting })
	if got := unzip(t, office, path+"/work.zip"); string(got["Aufsatz.txt"]) != "Es war einmal" {
		t.Errorf("handed in: %q", got)
	}
	var work api.List[api.ExamWork]
	office.want(http.StatusOK, "GET", path+"/work", nil, &work)
	if states := work.Items[0].States; len(states) != 1 || states[0].Final {
		t.Errorf("%+v", states)
	}
}
