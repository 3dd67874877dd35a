package e2e

import (
	"context"
	"net/http"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"schulwart.org/agent/host"
	"schulwart.org/policies/org"
	"schulwart.org/server/api"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
)

// hours is a clock for server and laptop that a test lets run ahead.
type hours struct {
	host.Clock
	ahead atomic.Int64
}

func (h *hours) by() time.Duration { return time.Duration(h.ahead.Load()) }

// Read is host.Clock.
func (h *hours) Read() host.Reading {
	now := h.Clock.Read()
	now.Elapsed, now.Wall = now.Elapsed+h.by(), now.Wall.Add(h.by())
	return now
}

func (h *hours) now() time.Time { return time.Now().Add(h.by()) }

// owns reports whether the folder of an examination is the pupil's.
func (d *satchel) owns(folder string) bool {
	info, err := os.Lstat(d.in(folder, ""))
	if err != nil {
		return false
	}
	owner, is := info.Sys().(*syscall.Stat_t)
	return is && owner.Uid == writerID
}

// In an interruption the server is away for half an hour. The laptop ends by its own
// clock, and its folder is closed; when the server is back, the laptop is in the
// examination again, by itself, and ends with it. Whoever was let out stays out.
func TestAnInterruptionOutlastsTheServer(t *testing.T) {
	h := newHouse(t)
	clock := &hours{Clock: host.NewClock("")}
	h.close()
	h.clock = clock.now
	h.open()
	name, kind := "10d", org.Class
	class := made(h.app.Roster.CreateGroup(context.Background(), boss, h.school.School, roster.GroupUpdate{Name: &name, Kind: &kind}))(t).ID
	laptop := newSatchel(t, h.link(class, 1))
	laptop.kill()
	laptop.clock = clock
	laptop.start()
	others := h.desks(1, 7, h.link(class, 1), "")
	out := others.desk(0)
	var exam api.Exam
	starts := time.Now().Add(3 * time.Second).Truncate(time.Second)
	h.as(schoolAdm).want(http.StatusCreated, "POST", "/api/v1/exams", order{
		"name": "Physik", "target": in(class), "starts_at": starts, "ends_at": starts.Add(20 * time.Minute), "rules": order{"page": "https://moodle.example", "collect": true},
	}, &exam)
	path := "/api/v1/exams/" + exam.ID.String()
	state := func(device org.ID) string {
		h.as(schoolAdm).want(http.StatusOK, "GET", path, nil, &exam)
		for _, one := range exam.Devices {
			if one.ID == device {
				return string(one.State)
			}
		}
		return ""
	}
	id := h.deviceOf("WORK-1")
	await(t, "the examination to run on both", func() bool { return state(id) == "in_exam" && state(out.id) == "in_exam" }, func() any { return exam.Devices })
	lead := may.Actor{ID: "system:e2e", Name: "Test", Grants: []may.Grant{{Role: may.Operator}}, Via: "cli"}
	must(t, h.app.Exams.Release(context.Background(), lead, exam.ID, out.id))
	await(t, "one to be let out", func() bool { return state(out.id) == "left" && out.internet() == "open" })
	made(h.app.Exams.Pause(context.Background(), lead, exam.ID))(t)
	must(t, h.app.Exams.Tick(context.Background()))
	laptop.writes("Physik", "Aufsatz.txt", []byte("Es war"))
	await(t, "the laptop to have the longer end", func() bool {
		planned := made(h.app.Exams.Find(context.Background(), lead, exam.ID))(t)
		for _, line := range made(h.app.Lessons.Lines(context.Background(), planned.Mode))(t) {
			if line.Device == id {
				return line.Lease.Ends.After(exam.EndsAt) && line.Lease.ReportedRev == line.Lease.Rev
			}
		}
		return false
	})
	h.close()
	clock.ahead.Store(int64(31 * time.Minute))
	await(t, "the laptop to end by its own clock, and to collect", func() bool { return len(lists(t, laptop.box)) == 1 && !laptop.owns("Physik") })
	h.open()
	await(t, "the laptop to be in the examination again", func() bool { return state(id) == "in_exam" }, func() any { return exam.Devices })
	await(t, "the folder to be the pupil's again", func() bool { return laptop.owns("Physik") })
	laptop.writes("Physik", "Aufsatz.txt", []byte("Es war einmal"))
	if got := state(out.id); got != "left" || out.internet() != "open" {
		t.Errorf("who was let out is %s, and has internet %s", got, out.internet())
	}
	made(h.app.Exams.GoOn(context.Background(), lead, exam.ID))(t)
	clock.ahead.Store(int64(31*time.Minute + 32*time.Minute))
	await(t, "the end, half an hour later than planned", func() bool { return state(id) == "ended" }, func() any { return exam.Devices })
	var work api.List[api.ExamWork]
	await(t, "the work to be there", func() bool {
		h.as(schoolAdm).want(http.StatusOK, "GET", path+"/work", nil, &work)
		for _, one := range work.Items {
			if one.ID == id && len(one.States) > 0 && one.States[0].Final {
				return string(unzip(t, h.as(schoolAdm), path+"/work.zip?device="+id.String())["Aufsatz.txt"]) == "Es war einmal"
			}
		}
		return false
	}, func() any { return []any{work, lists(t, laptop.box)} })
}
