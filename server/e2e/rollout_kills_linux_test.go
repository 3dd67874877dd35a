package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/mdm"
	"schulwart.org/policies/rollout"
	"schulwart.org/scripts/need"
	"schulwart.org/server/api"
)

// mortal is an installation whose server is a process of its own, on loopback, that
// can be killed.
type mortal struct {
	*house
	cmd   *exec.Cmd
	ended chan struct{}
	kills int
	city  *program
}

func newMortal(t *testing.T) *mortal {
	t.Helper()
	if !need.Required() {
		need.Missing(t, "SCHULWART_REQUIRE_ALL=1: minutes with a server that is killed, as make e2e runs them")
	}
	m := &mortal{house: &house{t: t, config: settings(t, t.TempDir(), freePort(t), freePort(t))}}
	m.open()
	m.furnish(m.app)
	m.hireCity()
	return m
}

// live starts the server anew, and signs in.
func (m *mortal) live() {
	m.t.Helper()
	cmd := exec.Command(theServer(m.t), "serve", "--data", m.config.Data, "--listen", m.config.Listen, "--device-listen", m.config.DeviceListen, "--log-level", "error")
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = io.Discard, m.t.Output(), time.Second
	must(m.t, cmd.Start())
	m.cmd, m.ended = cmd, make(chan struct{})
	go func() { _ = cmd.Wait(); close(m.ended) }()
	await(m.t, "the server to be ready", func() bool {
		response, err := http.Get("http://" + m.config.Listen + "/readyz")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	m.city = signIn(m.t, "http://"+m.config.Listen, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, cityAdm)
}

// die kills the server as a power cut does, and starts it on what it left.
func (m *mortal) die() {
	m.t.Helper()
	m.kill()
	m.kills++
	m.live()
}

func (m *mortal) kill() {
	if m.cmd == nil {
		return
	}
	_ = m.cmd.Process.Signal(syscall.SIGKILL)
	<-m.ended
	m.cmd = nil
}

// during does something while the server dies at some moment of it. What came of it
// nobody knows.
func (m *mortal) during(do func()) {
	m.t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); do() }()
	time.Sleep(time.Duration(rand.IntN(6000)) * time.Microsecond)
	m.die()
	<-done
}

// attempt sends a report that may get no answer.
func (m *notebook) attempt(d rollout.Declared, state ddm.PackageState, present, reason string) {
	status := ddm.PackageStatus{Rollout: d.Rollout.String(), Name: d.Name, Try: d.Try, State: state, Present: present, Since: time.Now().UTC().Truncate(time.Hour)}
	if reason != "" {
		status.Reason = &ddm.Reason{Code: reason}
	}
	report, err := json.Marshal(ddm.StatusReport{StatusItems: ddm.StatusItems{Agent: &ddm.AgentItems{Schema: ddm.Schema, Version: "test", Packages: []ddm.PackageStatus{status}}}})
	if err != nil {
		return
	}
	message := mdm.CheckIn{MessageType: mdm.DeclarativeManagement, Endpoint: mdm.EndpointStatus, Data: report}
	message.UDID, message.Topic = m.id.UDID, m.id.Topic
	body, err := mdm.Encode(message)
	if err != nil {
		return
	}
	request, err := http.NewRequest(http.MethodPut, m.id.DeviceURL+"/mdm", bytes.NewReader(body))
	if err != nil {
		return
	}
	request.Header.Set("Content-Type", "application/x-apple-aspen-mdm-checkin")
	if response, err := m.client.Do(request); err == nil {
		response.Body.Close()
	}
}

// The server is killed at every step of a rollout, after what it acknowledged and in
// the midst of what it did not: nothing that it acknowledged is lost, and nothing is
// done twice.
func TestTheServerIsKilledAtEveryStepOfARollout(t *testing.T) {
	m := newMortal(t)
	pupil, other := m.notebook("0000000000a1", m.link(m.class, 1)), m.notebook("0000000000b1", m.link("", 1))
	m.close()
	m.live()
	t.Cleanup(m.kill)
	authority := m.school.Authority
	old, file := debOf("geogebra", "6.1", 64<<10), debOf("geogebra", "6.2", 2<<20)

	var upload api.Upload
	var app api.App
	step(t, "the upload", func() {
		m.city.want(http.StatusCreated, "POST", "/api/v1/packages", map[string]any{"authority": authority, "file": "geogebra.deb", "size": len(file)}, &upload)
		m.die()
		sent := 0
		for sent < len(file) {
			part := file[sent:min(sent+300<<10, len(file))]
			if sent > 0 { // the next piece breaks off at some moment
				lost, city, at := part, m.city, sent
				m.during(func() { city.attempt(upload, at, lost) })
				var state api.Upload
				if status, text := m.city.do("GET", upload.Path, nil, &state); status == http.StatusNotFound {
					break // the last piece came, and it is in the catalogue
				} else if status != http.StatusOK || state.Offset < int64(sent) || state.Offset > int64(sent+len(part)) {
					t.Fatalf("%d bytes were acknowledged, and %d are there: %d %s", sent, state.Offset, status, text)
				}
				if sent = int(state.Offset); sent == len(file) {
					break
				}
				part = file[sent:min(sent+300<<10, len(file))]
			}
			status, state, text := m.city.send(upload, sent, part)
			if status != http.StatusOK || state.Offset != int64(sent+len(part)) {
				t.Fatalf("from %d: %d %s", sent, status, text)
			}
			m.die()
			sent = int(state.Offset)
		}
		var list api.List[api.App]
		if m.city.want(http.StatusOK, "GET", "/api/v1/packages", nil, &list); len(list.Items) != 1 || list.Items[0].Version != "6.2" || list.Items[0].Size != int64(len(file)) {
			t.Fatalf("the catalogue has %+v", list.Items)
		}
		app = list.Items[0]
	})

	target := map[string]any{"level": "authority", "id": authority}
	var before api.Rollout
	step(t, "a version before", func() {
		first := m.city.takeIn(authority, "geogebra_6.1.deb", old)
		m.city.want(http.StatusCreated, "POST", "/api/v1/rollouts", map[string]any{"package": first.ID, "target": target, "rings": []any{map[string]any{"kind": "all"}}, "gates": map[string]any{"verified": 2, "failed_percent": 10}}, &before)
		m.die()
		for _, device := range []*notebook{pupil, other} {
			device.report(device.isTold("of the first version", func(d rollout.Declared) bool { return d.Version == "6.1" }), ddm.PackageVerified, "6.1", "")
		}
		m.die()
	})
	var path string
	state := func() (now api.Rollout) {
		t.Helper()
		m.city.want(http.StatusOK, "GET", path, nil, &now)
		return now
	}
	// comes waits for the job that runs each minute, over a death of the server.
	comes := func(what string, is func(api.Rollout) bool) {
		t.Helper()
		m.die()
		for end := time.Now().Add(2*time.Minute + patience); !is(state()); time.Sleep(200 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("waited in vain for %s: %+v", what, state())
			}
		}
		m.die()
		if !is(state()) {
			t.Fatalf("%s was lost: %+v", what, state())
		}
	}
	step(t, "the plan", func() {
		wanted := map[string]any{"package": app.ID, "target": target, "rings": []any{map[string]any{"kind": "group", "place": m.class}, map[string]any{"kind": "all"}}, "gates": map[string]any{"verified": 1, "failed_percent": 10}}
		var now api.Rollout
		m.city.want(http.StatusCreated, "POST", "/api/v1/rollouts", wanted, &now)
		m.die()
		path = "/api/v1/rollouts/" + now.ID.String()
		if now := state(); len(now.Rings) != 2 || now.Rings[0].Devices != 1 || now.Rings[1].Devices != 1 || now.Former == nil {
			t.Fatalf("%+v", now)
		}
	})
	step(t, "the file, and the first device's word", func() {
		d := pupil.isTold("of the second version", func(d rollout.Declared) bool { return d.Version == "6.2" })
		_, _, half := pupil.load(pupil.client, d.Path, "0-999999")
		m.die()
		status, _, rest := pupil.load(pupil.client, d.Path, "1000000-")
		if got := append(half, rest...); status != http.StatusPartialContent || !bytes.Equal(got, file) {
			t.Fatalf("%d, %d bytes", status, len(got))
		}
		m.during(func() { pupil.attempt(d, ddm.PackageInstalling, "6.1", "") })
		m.during(func() { pupil.attempt(d, ddm.PackageVerified, "6.2", "") })
		pupil.report(d, ddm.PackageVerified, "6.2", "") // whoever got no answer says it again
		m.die()
		if now := state(); now.Rings[0].Verified != 1 || now.Rings[0].Failed != 0 {
			t.Fatalf("the word was lost or counted twice: %+v", now.Rings)
		}
	})
	step(t, "the next ring, and what halts it", func() {
		comes("the second ring", func(now api.Rollout) bool { return now.Rings[1].State == "open" })
		d := other.isTold("of the second version", func(d rollout.Declared) bool { return d.Version == "6.2" })
		m.during(func() { other.attempt(d, ddm.PackageFailed, "6.1", "disk.full") })
		other.report(d, ddm.PackageFailed, "6.1", "disk.full")
		comes("the halt", func(now api.Rollout) bool {
			return now.State == rollout.Halted && now.Reason != nil && now.Reason.Count == 1 && now.Rings[1].Failed == 1 && len(now.Failures) == 1 && now.Failures[0].Devices == 1
		})
	})
	step(t, "once more, and back", func() {
		m.city.want(http.StatusOK, "POST", path+"/retry", nil, nil)
		m.die()
		d := other.isTold("to try again", func(d rollout.Declared) bool { return d.Version == "6.2" && d.Try == 1 && !d.Hold })
		other.report(d, ddm.PackageVerified, "6.2", "")
		m.die()
		if now := state(); now.Rings[1].Verified != 1 || now.Rings[1].Failed != 0 || len(now.Failures) != 0 {
			t.Fatalf("after trying again: %+v, %+v", now.Rings, now.Failures)
		}
		m.city.want(http.StatusOK, "POST", path+"/rollback", nil, nil)
		m.die()
		if status, text := m.city.do("POST", path+"/rollback", nil, nil); status != http.StatusConflict {
			t.Errorf("taken back twice: %d %s", status, text)
		}
		for _, device := range []*notebook{pupil, other} {
			back := device.isTold("to go back", func(d rollout.Declared) bool { return d.Version == "6.1" && d.IfPresent && !d.Hold })
			device.report(back, ddm.PackageVerified, "6.1", "")
			m.die()
		}
		now := state()
		if now.State != rollout.RolledBack || now.Rings[0].Verified+now.Rings[1].Verified != 2 {
			t.Errorf("%+v", now)
		}
		told := map[string]int{}
		for _, event := range now.Events {
			told[event.What]++
		}
		for what, times := range map[string]int{"start": 1, "ring": 1, "halts": 1, "retry": 1, "rollback": 1} {
			if told[what] != times {
				t.Errorf("%q happened %d times: %+v", what, told[what], now.Events)
			}
		}
	})
	t.Logf("the server was killed %d times", m.kills)
}

// attempt sends a piece that may get no answer.
func (p *program) attempt(upload api.Upload, offset int, part []byte) {
	request, err := http.NewRequest(http.MethodPatch, p.base+upload.Path, bytes.NewReader(part))
	if err != nil {
		return
	}
	request.Header.Set("Authorization", "Bearer "+p.token)
	request.Header.Set("Content-Type", "application/offset+octet-stream")
	request.Header.Set("Upload-Offset", itoa(offset))
	if response, err := p.client.Do(request); err == nil {
		response.Body.Close()
	}
}
