package e2e

import (
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/scripts/need"
	"schulwart.org/scripts/rig"
	"schulwart.org/server/api"
	"schulwart.org/web"
)

// An examination in which everything goes wrong. The server is a process of its
// own, as are the agents on five machines with the real drivers and a kernel's
// network each; one of them has a desktop and the real Chromium as well, since a
// machine of two cores does not carry five of those. Extra time counts in whole
// minutes, so that it is what this test takes longest to wait for.
//
// The server is gone from ten seconds before the start until twenty seconds after
// it. Then:
//
//	anna     has a minute more; her agent is killed three times, her clock moved
//	         a day ahead and a day back, and she tries the catalogue of bypasses
//	ben      has two minutes more; his laptop breaks, and he writes on with another
//	         that lay in the cupboard; his own is let go when somebody starts it again
//	cem      comes late: his laptop is switched on when the others write
//	dana     has her cable out
//
// What proves it is what each laptop sealed, by its own clock.
func TestAnExamInWhichEverythingGoesWrong(t *testing.T) {
	for _, tool := range []string{"chromium", "Xvfb", "openbox", "xterm", "xdotool", "xclip"} {
		need.Tool(t, tool)
	}
	c := townOf(t, 5)
	x := &sitting{town: c, t: t, seats: map[string]*seat{}}
	c.Web.Handle(rig.Lernen.Name, &x.page)
	x.sit("anna", movableAgent(t), c.link)
	for _, name := range []string{"ben", "cem", "dana"} {
		x.sit(name, theAgent(t), c.link)
	}
	x.sit("spare", theAgent(t), c.spares)
	anna, ben, cem, dana, spare := x.seats["anna"], x.seats["ben"], x.seats["cem"], x.seats["dana"], x.seats["spare"]
	desk := anna.examDesktop()
	before := anna.picture()

	step(t, "prepared and armed", func() { x.plan(map[*seat]int{anna: 1, ben: 2}) })
	step(t, "the server is gone before the start", func() {
		time.Sleep(time.Until(x.starts.Add(-10 * time.Second)))
		for _, s := range []*seat{anna, ben, dana} {
			if got := s.reach("spiel.example"); got != rig.OK && time.Now().Before(x.starts) {
				t.Errorf("before the examination the internet of %s is %v", s.name, got)
			}
		}
		c.stop(syscall.SIGKILL)
		cem.off()
		spare.off()
		for _, s := range []*seat{anna, ben} {
			s.look = s.lookoutEvery(150*time.Millisecond, rig.Spiel, rig.Spiel.Addr)
		}
	})
	step(t, "it starts all the same", func() {
		for _, s := range []*seat{anna, ben, dana} {
			await(t, s.name+" to be in it", func() bool { return len(s.holding()) == 1 }, func() any { return s.status() })
		}
		await(t, "the page in anna's browser", func() bool { return x.page.shown(x.starts) })
		await(t, "it to be in front", desk.inFront)
	})
	step(t, "the cable is out", func() { c.Unplug(t, dana.Namespace) })
	step(t, "one comes late", func() {
		cem.on()
		cem.nodes()
		cem.watch()
		cem.on2 = time.Now()
		await(t, "cem to be in it", func() bool { return len(cem.holding()) == 1 }, func() any { return cem.status() })
		cem.shut("spiel.example")
	})
	step(t, "killed three times, and the clock moved", func() {
		for _, by := range []time.Duration{24 * time.Hour, -24 * time.Hour, 0} {
			anna.sh("echo " + by.String() + " >" + agentState + "/wall-shift")
			await(t, "the agent to see it", func() bool { return math.Abs(anna.status().WallAhead-by.Seconds()) < 60 })
			former := anna.agent.pid()
			anna.kill()
			await(t, "another agent, in the examination", func() bool {
				now := anna.agent.pid()
				return now != 0 && now != former && len(anna.holding()) == 1
			})
			anna.shut("spiel.example")
		}
	})
	step(t, "she tries the catalogue of bypasses", func() { x.bypasses(anna, desk) })
	step(t, "she asks for help", func() {
		await(t, "the hand to be up", func() bool {
			if !anna.status().Hand {
				desk.tool("key", "ctrl+alt+m")
			}
			return anna.status().Hand
		})
		await(t, "the end that she reads", func() bool {
			return strings.Contains(anna.ownPage(), "Deine Zeit endet um "+x.ends.Add(time.Minute).In(berlin()).Format("15:04")+" Uhr.")
		}, func() any { return anna.ownPage() })
	})
	step(t, "the server is back, and one writes on with another laptop", func() {
		time.Sleep(time.Until(x.starts.Add(20 * time.Second)))
		c.start()
		c.Plug(t, dana.Namespace)
		ben.off()
		x.swap(ben, spare)
		spare.on()
		spare.nodes()
		spare.watch()
		await(t, "the other laptop to be in it", func() bool { return len(spare.holding()) == 1 })
		if until := spare.holding()[0]; !until.Equal(x.ends.Add(2 * time.Minute)) {
			t.Errorf("the other laptop ends at %s and not two minutes after %s", until, x.ends)
		}
		ben.on()
		ben.nodes()
		ben.watch()
		await(t, "ben's own to be let go", func() bool { return len(ben.holding()) == 0 })
	})
	step(t, "it ends for whoever has no more time", func() {
		for _, s := range []*seat{cem, dana} {
			s.opens("spiel.example")
			s.rests()
		}
		if time.Now().Before(x.ends) {
			t.Error("before its time")
		}
	})
	step(t, "and for whoever has, at the own end", func() {
		if until := anna.holding(); len(until) != 1 || !until[0].Equal(x.ends.Add(time.Minute)) {
			t.Errorf("anna's end is %v, and not a minute after %s", until, x.ends)
		}
		for time.Until(x.ends.Add(time.Minute)) > 0 {
			time.Sleep(time.Until(x.ends.Add(time.Minute)))
		}
		anna.opens("spiel.example")
		anna.rests()
		anna.asBefore(desk, before)
		x.admin().want(http.StatusOK, "POST", "/api/v1/exams/"+x.id+"/end", nil, nil)
		spare.opens("spiel.example")
		spare.rests()
	})
	step(t, "what the laptops sealed", func() { x.proves(anna, ben, cem, dana, spare) })
	step(t, "nothing is left", func() {
		c.stop(os.Interrupt)
		c.house.open()
		if overdue := made(c.house.app.Board.OverdueAnywhere(t.Context()))(t); len(overdue) > 0 {
			t.Errorf("leases that outlived their end: %+v", overdue)
		}
		c.house.close()
	})
}

// sitting is the examination of the test.
type sitting struct {
	*town
	t            *testing.T
	seats        map[string]*seat
	page         examPage
	id           string
	starts, ends time.Time
}

// seat is a pupil's machine.
type seat struct {
	*machine
	name   string
	device org.ID
	look   *lookout
	on2    time.Time // switched on for the second time
}

// lasts is how long everybody writes.
const lasts = 24 * time.Second

func (x *sitting) admin() *program { return x.as(schoolAdm) }

// sit gives a pupil a machine that enrols by the link.
func (x *sitting) sit(name, agent, link string) {
	x.t.Helper()
	known := x.devices()
	s := &seat{machine: newMachine(x.t, x.World, x.Pupils[len(x.seats)], agent), name: name}
	s.nodes()
	x.enrolBy(s.machine, link)
	await(x.t, "the server to know "+name, func() bool {
		for _, id := range x.devices() {
			if !slices.Contains(known, id) {
				s.device = id
			}
		}
		return s.device != ""
	})
	x.seats[name] = s
}

// nodes starts what looks after the nodes of devices, cameras among them.
func (s *seat) nodes() { s.sh("/lib/systemd/systemd-udevd --daemon") }

func (x *sitting) devices() (ids []org.ID) {
	var list api.List[api.Device]
	x.admin().want(http.StatusOK, "GET", "/api/v1/devices", nil, &list)
	for _, device := range list.Items {
		if device.Enrolled {
			ids = append(ids, device.ID)
		}
	}
	return ids
}

// plan prepares the examination and waits until every laptop keeps it.
func (x *sitting) plan(more map[*seat]int) {
	x.t.Helper()
	x.starts = time.Now().Add(18 * time.Second).UTC().Truncate(time.Second)
	x.ends = x.starts.Add(lasts)
	var extra []order
	for s, minutes := range more {
		extra = append(extra, order{"device": s.device, "minutes": minutes})
	}
	var exam api.Exam
	x.admin().want(http.StatusCreated, "POST", "/api/v1/exams", order{
		"name": "Mathematik 7b", "target": in(x.house.class), "starts_at": x.starts, "ends_at": x.ends, "rules": order{"page": "https://lernen.example/pruefung"}, "extra_time": extra,
	}, &exam)
	x.id = exam.ID.String()
	await(x.t, "four laptops to be armed", func() bool {
		x.admin().want(http.StatusOK, "GET", "/api/v1/exams/"+x.id, nil, &exam)
		armed := 0
		for _, device := range exam.Devices {
			if device.State == "armed" {
				armed++
			}
		}
		return armed == 4
	}, func() any { return exam.Devices })
}

// swap does what the invigilator does in the console.
func (x *sitting) swap(from, to *seat) {
	x.t.Helper()
	phone := &http.Client{Transport: x.client.Transport, Jar: made(cookiejar.New(nil))(x.t), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	post := func(path string, form url.Values) {
		response := made(phone.PostForm(x.config.PublicURL+path, form))(x.t)
		response.Body.Close()
		if response.StatusCode != http.StatusSeeOther {
			x.t.Fatalf("%s is answered %s", path, response.Status)
		}
	}
	post(web.PathLogin, url.Values{"email": {schoolAdm}, "password": {password}})
	post(web.To(web.PathExamSeat, x.id, from.device.String()), url.Values{"do": {"swap"}, "other": {to.device.String()}})
}

// holding are the ends of what holds on the laptop, as the running agent says
// that the network and the rest were read back.
func (s *seat) holding() (ends []time.Time) {
	now := s.status()
	for _, l := range now.Leases {
		if now.Running && l.Phase == ddm.LeaseActive {
			ends = append(ends, l.Until)
		}
	}
	return ends
}

// ownPage is the page on which the pupil reads how the examination stands.
func (s *seat) ownPage() string {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) { return s.Dial(ctx, addr, rig.Ask{}) },
	}}
	defer client.CloseIdleConnections()
	response, err := client.Get("http://127.0.83.87/")
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return string(text)
}

func berlin() *time.Location {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return time.FixedZone("CET", 3600)
	}
	return zone
}

// rests waits until nothing holds any more and everything agrees.
func (s *seat) rests() {
	s.t.Helper()
	await(s.t, s.name+" to be free", func() bool { now := s.status(); return now.Running && now.Agrees && len(now.Leases) == 0 }, func() any { return s.status() })
}

// examPage is the page of the examination; it asks again and again while it is
// shown, so that the test sees that it is.
type examPage struct {
	mu    sync.Mutex
	beats []time.Time
}

func (p *examPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/da" {
		p.mu.Lock()
		p.beats = append(p.beats, time.Now())
		p.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, "<!doctype html><title>Mathematik</title><textarea autofocus></textarea><script>setInterval(() => fetch('/da'), 500)</script>")
}

// shown reports whether the page was shown after the instant.
func (p *examPage) shown(after time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.beats, after.Before)
}
