package e2e

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/lesson"
	"schulwart.org/server/roster"
)

func TestALessonFromItsTapToItsEnd(t *testing.T) {
	h := newHouse(t)
	d := h.desks(3, 7, h.link(h.class, 3), "")
	teacher := h.as(oert)
	began := time.Now()
	mode := teacher.start(order{"target": in(h.class), "kind": "offline", "until": soon(20 * time.Minute)})
	teacher.reaches(mode.ID, lesson.Active, 3)
	t.Logf("three laptops read it back %v after the request", time.Since(began).Round(time.Millisecond))
	one, other := d.desk(0), d.desk(1)
	one.sees("never")

	t.Run("longer", func(t *testing.T) {
		teacher.want(http.StatusOK, "POST", "/api/v1/modes/"+mode.ID.String()+"/extend", map[string]int{"minutes": 10}, nil)
		teacher.reaches(mode.ID, lesson.Active, 3)
		await(t, "the later end on the device", func() bool {
			leases := one.look().Status.Leases
			return len(leases) == 1 && leases[0].Until.Equal(mode.EndsAt.Add(10*time.Minute))
		})
		if status, text := teacher.do("POST", "/api/v1/modes/"+mode.ID.String()+"/extend", map[string]int{"minutes": 600}, nil); status != http.StatusUnprocessableEntity || !strings.Contains(text, "90") {
			t.Errorf("too long is answered %d %s", status, text)
		}
	})
	t.Run("end for one, and undo", func(t *testing.T) {
		teacher.end(mode.ID, one.id)
		teacher.comes(mode.ID, one.id, lesson.Ended)
		one.sees("open")
		other.sees("never")
		made(h.app.Lessons.Resume(context.Background(), h.person(oert), mode.ID, one.id))(t)
		teacher.reaches(mode.ID, lesson.Active, 3)
		one.sees("never")
	})
	t.Run("end for all, and undo", func(t *testing.T) {
		teacher.end(mode.ID)
		teacher.reaches(mode.ID, lesson.Ended, 3)
		one.sees("open")
		made(h.app.Lessons.Resume(context.Background(), h.person(oert), mode.ID))(t)
		teacher.reaches(mode.ID, lesson.Active, 3)
		other.sees("never")
	})
	t.Run("ending twice and by others", func(t *testing.T) {
		colleague := h.as(blum)
		if status, _ := colleague.do("DELETE", "/api/v1/modes/"+mode.ID.String(), nil, nil); status != http.StatusForbidden {
			t.Errorf("a colleague who does not teach them ended it: %d", status)
		}
		other.sees("never")
		made(h.app.Roster.TakeClass(context.Background(), h.person(blum), h.class, soon(30*time.Minute)))(t)
		first := colleague.end(mode.ID)
		teacher.reaches(mode.ID, lesson.Ended, 3)
		if again := teacher.end(mode.ID); !again.EndsAt.Equal(first.EndsAt) || !again.Ended {
			t.Errorf("ending it twice: first %v, then %v", first.EndsAt, again.EndsAt)
		}
		other.sees("open")
	})
	t.Run("with nobody in the class", func(t *testing.T) {
		empty := teacher.start(order{"target": in(h.alone), "kind": "offline", "minutes": 5})
		if got := teacher.end(empty.ID); !got.Ended || len(got.Devices) != 0 {
			t.Errorf("ended with nobody: %+v", got)
		}
		teacher.end(empty.ID)
	})
	t.Run("it ends by itself", func(t *testing.T) {
		short := teacher.start(order{"target": in(h.class), "kind": "offline", "until": soon(4 * time.Second)})
		teacher.reaches(short.ID, lesson.Active, 3)
		one.sees("never")
		teacher.reaches(short.ID, lesson.Ended, 3)
		if late := time.Since(short.EndsAt); late > 10*time.Second {
			t.Errorf("the end was read back %v after it", late)
		}
		one.sees("open")
	})
	t.Run("planned ahead", func(t *testing.T) {
		starts := soon(3 * time.Second)
		planned := teacher.start(order{"target": in(h.class), "kind": "offline", "starts_at": starts, "until": starts.Add(2 * time.Second)})
		teacher.reaches(planned.ID, lesson.Delivered, 3)
		one.do("cut", `{"cut":true}`)
		if got := one.internet(); got != "open" && time.Now().Before(starts) {
			t.Errorf("before its start the internet is %s", got)
		}
		one.sees("never")
		one.sees("open")
		one.do("cut", `{"cut":false}`)
		teacher.reaches(planned.ID, lesson.Ended, 3)
	})
}

func TestWhoComesLateAndWhoLeaves(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	first := h.desks(1, 7, h.link(h.class, 1), "").desk(0)
	outside := h.desks(1, 8, h.link("", 1), "").desk(0)
	teacher, admin := h.as(oert), h.person(schoolAdm)
	mode := teacher.start(order{"target": in(h.class), "kind": "offline", "minutes": 20})
	teacher.reaches(mode.ID, lesson.Active, 1)

	late := h.desks(1, 9, h.link(h.class, 1), "").desk(0)
	teacher.comes(mode.ID, late.id, lesson.Active)
	late.sees("never")

	must(t, h.app.Roster.AddDevices(ctx, admin, h.class, []org.ID{outside.id}, time.Time{}, time.Time{}))
	teacher.comes(mode.ID, outside.id, lesson.Active)
	outside.sees("never")

	must(t, h.app.Roster.RemoveDevices(ctx, admin, h.class, []org.ID{outside.id}))
	teacher.comes(mode.ID, outside.id, lesson.Ended)
	outside.sees("open")
	first.sees("never")

	must(t, h.app.Roster.SetAbsent(ctx, h.person(oert), h.class, first.id, soon(time.Hour)))
	teacher.comes(mode.ID, first.id, lesson.Ended)
	first.sees("open")

	next := teacher.start(order{"target": in(h.class), "kind": "sites", "sites": []string{"geogebra.org"}, "minutes": 20})
	teacher.comes(next.ID, late.id, lesson.Active)
	if state := teacher.is(next.ID, first.id); state != "" {
		t.Errorf("who is absent is %s in a new mode", state)
	}
	must(t, h.app.Roster.SetPresent(ctx, h.person(oert), h.class, first.id))
	teacher.comes(next.ID, first.id, lesson.Active)
	teacher.comes(mode.ID, first.id, lesson.Active)
	first.sees("never") // both hold: internet off and only these sites
}

// A device that moves to another school in mid-mode hears of the end all the
// same: marks were left for the mode's school alone, and it held on to its end.
func TestADeviceThatMovedHearsOfItsEnd(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	other := made(h.app.Roster.CreateSchool(ctx, boss, h.school.Authority, "Realschule", "RS"))(t)
	move := func(device org.ID) {
		t.Helper()
		made(h.app.Roster.UpdateDevice(ctx, boss, device, roster.DeviceUpdate{School: &other.ID}))(t)
	}
	teacher := h.as(oert)

	member := h.desks(1, 7, h.link(h.class, 1), "").desk(0)
	ticked := h.desks(1, 8, h.link(h.class, 1), "").desk(0)
	class := teacher.start(order{"target": in(h.class), "kind": "offline", "minutes": 20})
	teacher.reaches(class.ID, lesson.Active, 2)
	teacher.end(class.ID, ticked.id)
	ticked.sees("open")
	alone := teacher.start(order{"target": map[string]any{"devices": []org.ID{ticked.id}}, "kind": "offline", "minutes": 20})
	teacher.comes(alone.ID, ticked.id, lesson.Active)
	ticked.sees("never")

	move(ticked.id)
	ticked.sees("never") // ticked by hand, and meant wherever it is
	made(h.app.Lessons.End(ctx, boss, alone.ID))(t)
	ticked.sees("open")

	move(member.id)
	member.sees("open") // no longer of the class
}

// Who left a group and comes back while the mode still runs is meant again.
func TestWhoComesBackIsMeantAgain(t *testing.T) {
	h := newHouse(t)
	one := h.desks(1, 7, h.link(h.class, 1), "").desk(0)
	teacher := h.as(oert)
	mode := teacher.start(order{"target": in(h.class), "kind": "offline", "minutes": 20})
	teacher.comes(mode.ID, one.id, lesson.Active)
	must(t, h.app.Roster.SetAbsent(context.Background(), h.person(oert), h.class, one.id, soon(time.Hour)))
	teacher.comes(mode.ID, one.id, lesson.Ended)
	must(t, h.app.Roster.SetPresent(context.Background(), h.person(oert), h.class, one.id))
	teacher.comes(mode.ID, one.id, lesson.Active)
	one.sees("never")
	// Whom the teacher let go by hand stays free, whoever comes and goes.
	teacher.end(mode.ID, one.id)
	teacher.comes(mode.ID, one.id, lesson.Ended)
	h.desks(1, 9, h.link(h.class, 1), "")
	teacher.comes(mode.ID, one.id, lesson.Ended)
	one.sees("open")
}

func TestModesOfOneKindAndOfSeveral(t *testing.T) {
	h := newHouse(t)
	one := h.desks(1, 7, h.link(h.class, 1), "").desk(0)
	teacher := h.as(oert)
	long := teacher.start(order{"target": in(h.class), "kind": "sites", "sites": []string{"geogebra.org", "serlo.org"}, "minutes": 20})
	teacher.comes(long.ID, one.id, lesson.Active)
	await(t, "a second for the later start to be later", func() bool { return time.Now().After(long.StartsAt.Add(time.Second)) })
	short := teacher.start(order{"target": in(h.class), "kind": "sites", "sites": []string{"leo.org"}, "until": soon(4 * time.Second)})
	allowed := func(hosts ...string) func() bool {
		return func() bool { return slices.Equal(one.look().Pupil.Sites, hosts) }
	}
	await(t, "the later list", allowed("leo.org"))
	await(t, "the other board to say so", func() bool {
		d := teacher.mode(long.ID).Devices[0]
		return d.State == lesson.Active && d.Reason == "covered"
	})
	await(t, "the earlier list again", allowed("geogebra.org", "serlo.org"))
	teacher.reaches(short.ID, lesson.Ended, 1)
	teacher.comes(long.ID, one.id, lesson.Active)

	// Different kinds intersect.
	off := teacher.start(order{"target": in(h.class), "kind": "offline", "minutes": 10})
	screen := teacher.start(order{"target": in(h.class), "kind": "screen", "minutes": 5, "message": "Bitte nach vorn"})
	focus := teacher.start(order{"target": in(h.class), "kind": "focus", "apps": []string{"geogebra"}, "minutes": 10})
	for _, mode := range []org.ID{off.ID, screen.ID, focus.ID} {
		teacher.comes(mode, one.id, lesson.Active)
	}
	one.sees("never")
	pupil := one.look().Pupil
	if pupil.Screen == nil || pupil.Screen.Message != "Bitte nach vorn" || !slices.Equal(pupil.Apps, []string{"geogebra"}) || len(pupil.Lines) != 4 {
		t.Errorf("the pupil meets %+v", pupil)
	}
	teacher.end(off.ID)
	one.sees("only")
	await(t, "the list that still runs", allowed("geogebra.org", "serlo.org"))
	for _, mode := range []org.ID{screen.ID, focus.ID, long.ID} {
		teacher.end(mode)
	}
	one.sees("open")
	await(t, "everything as before", func() bool {
		p := one.look().Pupil
		return p.Screen == nil && p.Apps == nil && len(p.Lines) == 0
	})
}

func TestReleaseCodesEndAModeWithoutAConnection(t *testing.T) {
	h := newHouse(t)
	d := h.desks(2, 7, h.link(h.class, 2), "")
	one, other := d.desk(0), d.desk(1)
	teacher := h.as(oert)
	mode := teacher.start(order{"target": in(h.class), "kind": "offline", "minutes": 20})
	teacher.reaches(mode.ID, lesson.Active, 2)
	sheets := made(h.app.Lessons.CodeSheets(context.Background(), h.person(oert), mode.ID))(t)
	if len(sheets) != 2 || len(sheets[0].Codes) < 4 {
		t.Fatalf("an open board keeps %+v", sheets)
	}
	var said struct{ Code string }
	teacher.want(http.StatusOK, "POST", "/api/v1/modes/"+mode.ID.String()+"/release-code", map[string]any{"device": one.id}, &said)
	one.do("cut", `{"cut":true}`)
	if status, text := other.try("release", `{"code":"`+said.Code+`"}`); status == http.StatusOK {
		t.Errorf("a code of one laptop released another: %s", text)
	}
	one.do("release", `{"code":"`+said.Code+`"}`)
	one.sees("open")
	one.do("cut", `{"cut":false}`)
	teacher.comes(mode.ID, one.id, lesson.Ended)
	other.sees("never")

	// The server is down; the board has the codes, and somebody restarts the laptop.
	h.close()
	other.do("restart", `{}`)
	other.sees("never")
	for _, sheet := range sheets {
		if sheet.Device == other.id {
			other.do("release", `{"code":"`+sheet.Codes[0].Digits+`"}`)
		}
	}
	other.sees("open")
	h.open()
	teacher = h.as(oert)
	teacher.reaches(mode.ID, lesson.Ended, 2)
	other.sees("open")
	// What ended so does not come back, but it can be given anew.
	made(h.app.Lessons.Resume(context.Background(), h.person(oert), mode.ID))(t)
	stays(t, "released", 500*time.Millisecond, func() bool { return other.internet() == "open" })
	again := teacher.start(order{"target": in(h.class), "kind": "offline", "minutes": 20})
	teacher.reaches(again.ID, lesson.Active, 2)
}

// A device that was taken out of use in mid-mode was shut out at once: it never
// heard of the end and held on to it.
func TestADeviceRetiredInMidModeIsLetGoFirst(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	d := h.desks(2, 7, h.link(h.class, 2), "")
	near, away := d.desk(0), d.desk(1)
	teacher, admin := h.as(oert), h.person(schoolAdm)
	mode := teacher.start(order{"target": in(h.class), "kind": "offline", "minutes": 20})
	teacher.reaches(mode.ID, lesson.Active, 2)
	// Ticked by hand: no membership ends it when the device leaves its groups.
	ticked := teacher.start(order{"target": map[string]any{"devices": []org.ID{near.id, away.id}}, "kind": "sites", "sites": []string{"geogebra.org"}, "minutes": 20})
	teacher.reaches(ticked.ID, lesson.Active, 2)
	away.do("cut", `{"cut":true}`)
	retire := func(device org.ID) time.Time {
		t.Helper()
		made(h.app.Roster.RetireDevice(ctx, admin, device))(t)
		return made(h.app.Leave(ctx, admin, device))(t)
	}
	state := func(device org.ID) string {
		t.Helper()
		sheet := made(h.app.Store.Sheet(ctx, device))(t)
		if sheet.Enrolment == "" {
			return "shut out"
		}
		return "heard"
	}

	retire(near.id)
	near.sees("open")
	await(t, "the end to be read back, and the door to close", func() bool {
		must(t, h.app.Part(ctx))
		return state(near.id) == "shut out"
	})

	until := retire(away.id)
	if until.Before(mode.EndsAt) || until.After(mode.EndsAt.Add(2*time.Minute)) {
		t.Fatalf("heard until %s, the mode ends %s", until, mode.EndsAt)
	}
	must(t, h.app.Part(ctx))
	if state(away.id) != "heard" {
		t.Fatal("shut out before it heard of the end")
	}
	away.sees("never")
	// Its release code is still to be had, by whoever may end the mode.
	code := made(h.app.Lessons.ReleaseCode(ctx, admin, mode.ID, away.id, ""))(t)
	away.do("release", `{"code":"`+code.Digits+`"}`)
	away.sees("only")
	away.do("cut", `{"cut":false}`)
	away.sees("open")
	await(t, "the end to be read back, and the door to close", func() bool {
		must(t, h.app.Part(ctx))
		return state(away.id) == "shut out"
	})
}

// The key under which modes are signed is changed in the middle of a lesson, by
// the operator's button's way: what holds goes on, and what is new is believed.
func TestChangingTheKeyOfTheModes(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	one := h.desks(1, 7, h.link(h.class, 1), "").desk(0)
	teacher := h.as(oert)
	mode := teacher.start(order{"target": in(h.class), "kind": "offline", "minutes": 20})
	teacher.reaches(mode.ID, lesson.Active, 1)
	before, _ := h.app.Ring.Current()
	if err := h.app.Ring.Rotate(ctx, h.person(schoolAdm)); !errs.Is(err, errs.NotFound) { // outside its branch there is nothing
		t.Fatalf("a school's admin: %v", err)
	}
	must(t, h.app.Ring.Rotate(ctx, boss))
	if after, _ := h.app.Ring.Current(); after == before || len(h.app.Ring.Keys()) != 2 {
		t.Fatalf("%s after %s, %d believed", after, before, len(h.app.Ring.Keys()))
	}
	next := teacher.start(order{"target": in(h.class), "kind": "sites", "sites": []string{"geogebra.org"}, "minutes": 20})
	teacher.reaches(next.ID, lesson.Active, 1)
	teacher.reaches(mode.ID, lesson.Active, 1)
	one.sees("never")
	teacher.end(mode.ID)
	one.sees("only")
	// A laptop that enrols now knows both from the start.
	late := h.desks(1, 9, h.link(h.class, 1), "").desk(0)
	late.sees("only")
}
