package e2e

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/api"
	"schulwart.org/server/roster"
)

// Ten examinations that begin in the same second, with the server stopped before
// and until after their end: they start and end on every laptop by its own clock,
// each pupil at the own time, and the laptops say so when the server is back.
func TestTenExaminationsStartAndEndWithoutTheServer(t *testing.T) {
	const exams, each = 10, 3
	h := newHouse(t)
	ctx := context.Background()
	office := h.as(schoolAdm)
	var all []*desks
	var classes []org.ID
	for i := range exams {
		name, kind := fmt.Sprintf("10-%d", i), org.Class
		class := made(h.app.Roster.CreateGroup(ctx, boss, h.school.School, roster.GroupUpdate{Name: &name, Kind: &kind}))(t).ID
		classes = append(classes, class)
		all = append(all, h.desks(each, uint64(100+i), h.link(class, each), ""))
	}
	slow := all[0].desk(0)
	starts := time.Now().Add(20 * time.Second).Truncate(time.Second)
	ends := starts.Add(8 * time.Second)
	ids := make([]org.ID, exams)
	for i, class := range classes {
		wanted := order{"name": fmt.Sprint("Prüfung ", i), "target": in(class), "starts_at": starts, "ends_at": ends, "rules": order{"page": "https://moodle.example"}}
		if i == 0 {
			wanted["extra_time"] = []order{{"device": slow.id, "minutes": 1}}
		}
		var exam api.Exam
		office.want(http.StatusCreated, "POST", "/api/v1/exams", wanted, &exam)
		ids[i] = exam.ID
	}
	stands := func(i int, state string) int {
		var exam api.Exam
		h.as(schoolAdm).want(http.StatusOK, "GET", "/api/v1/exams/"+ids[i].String(), nil, &exam)
		n := 0
		for _, device := range exam.Devices {
			if string(device.State) == state {
				n++
			}
		}
		return n
	}
	for i := range ids {
		await(t, fmt.Sprint("examination ", i, " to be armed"), func() bool { return stands(i, "armed")+stands(i, "in_exam") == each })
	}
	h.close()
	locked := func(d *desks) (n int) {
		for _, v := range d.all() {
			if v.Pupil.Internet != "open" {
				n++
			}
		}
		return n
	}
	for i, d := range all {
		if time.Now().Before(starts) && locked(d) > 0 {
			t.Errorf("examination %d has begun before its time", i)
		}
		await(t, fmt.Sprint("examination ", i, " to begin without the server"), func() bool { return locked(d) == each })
	}
	for i, d := range all[1:] {
		await(t, fmt.Sprint("examination ", i+1, " to end without the server"), func() bool { return locked(d) == 0 })
	}
	if time.Now().Before(ends) {
		t.Error("they ended before their time")
	}
	await(t, "the others of the first to end", func() bool { return locked(all[0]) == 1 })
	if until := slow.look().Pupil.Until; !until.Equal(ends.Add(time.Minute)) {
		t.Errorf("the one with more time reads %s as its end, not a minute after %s", until, ends)
	}
	h.open()
	await(t, "the examination to be ended for everybody", func() bool {
		status, _ := h.as(schoolAdm).do("POST", "/api/v1/exams/"+ids[0].String()+"/end", nil, nil)
		return status == http.StatusOK && locked(all[0]) == 0
	})
	for i := range ids {
		await(t, fmt.Sprint("examination ", i, " to have ended everywhere"), func() bool { return stands(i, "ended") == each })
		var evidence api.ExamEvidence
		h.as(schoolAdm).want(http.StatusOK, "GET", "/api/v1/exams/"+ids[i].String()+"/evidence", nil, &evidence)
		if !evidence.Whole {
			t.Errorf("the evidence of examination %d is broken", i)
		}
	}
	if overdue := made(h.app.Board.OverdueAnywhere(ctx))(t); len(overdue) > 0 {
		t.Errorf("leases that outlived their end: %+v", overdue)
	}
}
