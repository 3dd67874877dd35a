package e2e

import (
	"context"
	"net/http"
	"testing"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/audit"
	"schulwart.org/server/lesson"
	"schulwart.org/server/may"
	"schulwart.org/server/staff"
)

// The ladder of release, from the teacher to the end itself: whoever or whatever
// ends a mode leaves one row, and ending twice leaves none.
func TestEveryRungOfTheLadderLeavesARow(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	const hotline = "hotline@stadt.example"
	made(h.app.Staff.Create(ctx, may.System("e2e", org.Branch{}), staff.Seed{Name: "Hotline", Login: hotline, Password: password,
		Grants: []may.Grant{{Role: may.HelpDesk, Branch: org.Branch{Authority: h.school.Authority}}}}))(t)
	laptop := h.desks(1, 7, h.link(h.class, 1), "").desk(0)
	teacher := h.as(oert)
	made(h.app.Roster.TakeClass(ctx, h.person(blum), h.class, soon(30*time.Minute)))(t)
	rows := func(mode org.ID, action string) (found []audit.Entry) {
		t.Helper()
		list, _, err := h.app.Audit.List(ctx, boss, audit.Filter{TargetKind: "mode", Target: mode, School: h.school.School, Limit: 100})
		must(t, err)
		for _, entry := range list {
			if entry.Action == action {
				found = append(found, entry)
			}
		}
		return found
	}
	started := func(until time.Time) org.ID {
		t.Helper()
		mode := teacher.start(order{"target": in(h.class), "kind": "offline", "until": until})
		teacher.reaches(mode.ID, lesson.Active, 1)
		return mode.ID
	}

	for _, rung := range []struct{ who, login string }{{"Frau Oert", oert}, {"Herr Blum", blum}, {"Frau Kern", schoolAdm}, {"Hotline", hotline}} {
		mode := started(soon(20 * time.Minute))
		h.as(rung.login).end(mode)
		teacher.reaches(mode, lesson.Ended, 1)
		h.as(rung.login).end(mode)
		if got := rows(mode, string(may.ModeEnd)); len(got) != 1 || got[0].ActorName != rung.who {
			t.Errorf("%s ended it: %+v", rung.who, got)
		}
	}

	byCode := started(soon(20 * time.Minute))
	var said struct{ Code string }
	teacher.want(http.StatusOK, "POST", "/api/v1/modes/"+byCode.String()+"/release-code", map[string]any{"device": laptop.id}, &said)
	laptop.do("cut", `{"cut":true}`)
	laptop.do("release", `{"code":"`+said.Code+`"}`)
	laptop.sees("open")
	if got := rows(byCode, "device.report"); len(got) != 0 {
		t.Errorf("known before the laptop told it: %+v", got)
	}
	laptop.do("cut", `{"cut":false}`)
	teacher.reaches(byCode, lesson.Ended, 1)
	laptop.do("restart", `{}`) // it tells its ends anew
	laptop.sees("open")
	shown, used := rows(byCode, string(may.ModeEnd)), rows(byCode, "device.report")
	if len(shown) != 1 || len(used) != 1 || used[0].Actor != laptop.id {
		t.Errorf("the code was shown: %+v, and used: %+v", shown, used)
	}

	// A mode that was made longer while the laptop was out of reach locked it again
	// when it came back, although somebody had let it go.
	longer := started(soon(20 * time.Minute))
	teacher.want(http.StatusOK, "POST", "/api/v1/modes/"+longer.String()+"/release-code", map[string]any{"device": laptop.id}, &said)
	laptop.do("cut", `{"cut":true}`)
	laptop.do("release", `{"code":"`+said.Code+`"}`)
	laptop.sees("open")
	for range 2 {
		teacher.want(http.StatusOK, "POST", "/api/v1/modes/"+longer.String()+"/extend", map[string]int{"minutes": 10}, nil)
	}
	laptop.do("cut", `{"cut":false}`)
	teacher.reaches(longer, lesson.Ended, 1)
	stays(t, "released", time.Second, func() bool { return laptop.internet() == "open" })

	until := soon(3 * time.Second)
	byTime := started(until)
	must(t, h.app.Lessons.RecordEnds(ctx))
	if got := rows(byTime, "job.end"); len(got) != 0 {
		t.Errorf("it runs, and %+v", got)
	}
	teacher.reaches(byTime, lesson.Ended, 1)
	await(t, "its end by the server's clock", func() bool { return !time.Now().Before(until) })
	for range 2 {
		must(t, h.app.Lessons.RecordEnds(ctx))
	}
	if got := rows(byTime, "job.end"); len(got) != 1 {
		t.Errorf("its own end: %+v", got)
	}
	if got := rows(byCode, "job.end"); len(got) != 0 {
		t.Errorf("it has not come to its end yet: %+v", got)
	}
}
