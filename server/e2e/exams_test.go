package e2e

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"schulwart.org/agent/simulate"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/server/api"
	"schulwart.org/server/roster"
)

// Three hundred laptops in ten examinations that begin in the same second, with
// the server stopped before and until after their end: each starts and ends by its
// own clock, and what each sealed proves it to the second when the server is back.
// They are simulated, the loop, the session and the memory of each are the real
// ones. Around the start and the end time runs at a quarter of its pace for them,
// so that a second of theirs is one also where three hundred share two cores.
func TestThreeHundredLaptopsInTenExamsStartInTheSameSecond(t *testing.T) {
	const exams, each = 10, 30
	const length, slowly, quickly = 12 * time.Second, 0.25, 4.0
	h := newHouse(t)
	ctx := context.Background()
	office := h.as(schoolAdm)
	var classes []org.ID
	var links []string
	for i := range exams {
		name, kind := fmt.Sprintf("10-%d", i), org.Class
		class := made(h.app.Roster.CreateGroup(ctx, boss, h.school.School, roster.GroupUpdate{Name: &name, Kind: &kind}))(t).ID
		classes, links = append(classes, class), append(links, h.link(class, each))
	}
	all := h.desksBy(exams*each, 100, links, "")
	more := all.desk(0)
	starts := time.Now().Add(15 * time.Second).UTC().Truncate(time.Second)
	ends := starts.Add(length)
	ids := make([]org.ID, exams)
	for i, class := range classes {
		wanted := order{"name": fmt.Sprint("Prüfung ", i), "target": in(class), "starts_at": starts, "ends_at": ends, "rules": order{"page": "https://moodle.example"}}
		if i == 0 {
			wanted["extra_time"] = []order{{"device": more.id, "minutes": 1}}
		}
		var exam api.Exam
		office.want(http.StatusCreated, "POST", "/api/v1/exams", wanted, &exam)
		ids[i] = exam.ID
	}
	stand := func(i int, state string) (n int) {
		var exam api.Exam
		office.want(http.StatusOK, "GET", "/api/v1/exams/"+ids[i].String(), nil, &exam)
		for _, device := range exam.Devices {
			if string(device.State) == state {
				n++
			}
		}
		return n
	}
	for i := range ids {
		await(t, fmt.Sprint("examination ", i, " to be armed"), func() bool { return stand(i, "armed") == each })
	}
	t.Logf("all were armed %v before the start", time.Until(starts).Round(time.Millisecond))
	var asked api.ExamAsked
	since := time.Now()
	office.want(http.StatusOK, "POST", "/api/v1/exams/"+ids[0].String()+"/readiness", nil, &asked)
	if asked.Asked != each {
		t.Errorf("%d of %d devices were asked how they are", asked.Asked, each)
	}
	await(t, "each to have said how it is", func() bool {
		var ready api.ExamReadiness
		office.want(http.StatusOK, "GET", "/api/v1/exams/"+ids[0].String()+"/readiness", nil, &ready)
		return len(ready.Devices) == each && !slices.ContainsFunc(ready.Devices, func(d api.ExamReady) bool { return d.SeenAt == nil || d.SeenAt.Before(since) })
	})
	h.close()
	all.until(starts.Add(-time.Second))
	all.pace(slowly)
	all.until(starts.Add(900 * time.Millisecond))
	all.pace(quickly)
	all.until(ends.Add(-3 * time.Second))
	all.pace(slowly)
	if n := all.locked(); n != exams*each && all.now().Before(ends) {
		t.Errorf("before the end %d of %d are in their examination", n, exams*each)
	}
	all.until(ends.Add(900 * time.Millisecond))
	all.pace(quickly)
	await(t, "their clocks to be right again", func() bool { return all.now().After(time.Now().Add(-100 * time.Millisecond)) })
	all.pace(1)
	await(t, "all to be free but the one with more time", func() bool { return all.locked() == 1 })
	if until := more.look().Pupil.Until; !until.Equal(ends.Add(time.Minute)) {
		t.Errorf("the one with more time reads %s as its end, not a minute after %s", until, ends)
	}

	h.open()
	office = h.as(schoolAdm)
	for _, v := range all.all() {
		all.post("/devices/"+v.Name+"/cut", `{"cut":false}`) // the network is back: nobody waits for the next try
	}
	office.want(http.StatusOK, "POST", "/api/v1/exams/"+ids[0].String()+"/end", nil, nil)
	worst := map[ddm.Deed]time.Duration{}
	due := map[ddm.Deed]time.Time{ddm.DeedStarted: starts, ddm.DeedEnded: ends}
	for i := range ids {
		var evidence api.ExamEvidence
		lines := func(deed ddm.Deed) (lines []api.ExamRecordLine) {
			for _, line := range evidence.Records {
				if line.Key == "deed_"+string(deed) {
					lines = append(lines, line)
				}
			}
			return lines
		}
		await(t, fmt.Sprint("all laptops to have told of examination ", i), func() bool {
			office.want(http.StatusOK, "GET", "/api/v1/exams/"+ids[i].String()+"/evidence", nil, &evidence)
			return len(lines(ddm.DeedEnded)) == each
		}, func() any { return len(lines(ddm.DeedEnded)) })
		if !evidence.Whole || len(lines(ddm.DeedArmed)) != each || len(lines(ddm.DeedStarted)) != each || stand(i, "ended") != each {
			t.Errorf("examination %d: whole %v, %d armed, %d started", i, evidence.Whole, len(lines(ddm.DeedArmed)), len(lines(ddm.DeedStarted)))
		}
		for deed, due := range due {
			for _, line := range lines(deed) {
				if line.Device == more.id && deed == ddm.DeedEnded {
					continue
				}
				late := line.Said.Sub(due)
				worst[deed] = max(worst[deed], late)
				if late < 0 || late > time.Second {
					t.Errorf("examination %d: %s %v after it was due", i, deed, late)
				}
			}
		}
	}
	t.Logf("sealed at the latest after it was due: %v", worst)
	if overdue := made(h.app.Board.OverdueAnywhere(ctx))(t); len(overdue) > 0 {
		t.Errorf("leases that outlived their end: %+v", overdue)
	}
}

// pace lets time run faster or slower for all of them.
func (d *desks) pace(factor float64) {
	d.t.Helper()
	d.post("/speed", fmt.Sprintf(`{"factor":%g}`, factor))
}

// now is the time of the first of them.
func (d *desks) now() (now time.Time) {
	d.t.Helper()
	var v simulate.View
	d.get("/devices/NB-0001", &v)
	if v.Status != nil {
		now = v.Status.Time
	}
	return now
}

// until waits for an instant of their time.
func (d *desks) until(at time.Time) {
	d.t.Helper()
	await(d.t, "the instant "+at.Format(time.TimeOnly), func() bool { return !d.now().Before(at) }, func() any { return d.now() })
}

// locked counts those whose internet is not open.
func (d *desks) locked() (n int) {
	d.t.Helper()
	for _, v := range d.all() {
		if v.Pupil.Internet != "open" {
			n++
		}
	}
	return n
}
