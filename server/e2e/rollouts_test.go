package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"schulwart.org/agent/host"
	"schulwart.org/agent/identity"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/api"
	"schulwart.org/server/may"
	"schulwart.org/server/staff"
)

const cityAdm = "admin@stadt.example"

// debOf is a Debian package of a name and version, with so many bytes in it that
// do not compress.
func debOf(name, version string, bytesInside int) []byte {
	packed := func(file, content string) []byte {
		var out bytes.Buffer
		zip := gzip.NewWriter(&out)
		w := tar.NewWriter(zip)
		_ = w.WriteHeader(&tar.Header{Name: file, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(content))})
		_, _ = w.Write([]byte(content))
		_, _ = w.Close(), zip.Close()
		return out.Bytes()
	}
	noise, sum := make([]byte, 0, bytesInside+sha256.Size), sha256.Sum256([]byte(name+version))
	for len(noise) < bytesInside {
		noise = append(noise, sum[:]...)
		sum = sha256.Sum256(sum[:])
	}
	out := []byte("!<arch>\n")
	for _, member := range []struct {
		name string
		data []byte
	}{
		{"debian-binary", []byte("2.0\n")}, {"control.tar.gz", packed("./control", "Package: "+name+"\nVersion: "+version+"\nArchitecture: amd64\nDescription: for tests\n")},
		{"data.tar.gz", packed("./usr/share/"+name, string(noise))},
	} {
		out = fmt.Appendf(out, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", member.name, 0, 0, 0, "100644", len(member.data))
		out = append(out, member.data...)
		if len(member.data)%2 == 1 {
			out = append(out, '\n')
		}
	}
	return out
}

// notebook is a device that speaks the protocol with an identity of its own, and
// does by hand what the agent will do with packages.
type notebook struct {
	t      testing.TB
	id     *identity.Identity
	client *http.Client
}

func (h *house) notebook(name string, link string) *notebook {
	h.t.Helper()
	fake := host.NewFake(time.Now())
	fake.SetHardware(host.Hardware{Platform: "linux", OSName: "Debian", OSVersion: "12", Model: "Fake", Hostname: name, Serial: name, MachineID: name, ProductUUID: "00000000-0000-0000-0000-" + name})
	ctx := context.Background()
	id := made(identity.Enrol(ctx, fake.Files, fake, made(identity.ParseLink(link))(h.t)))(h.t)
	m := &notebook{t: h.t, id: id, client: &http.Client{Transport: &http.Transport{TLSClientConfig: id.TLS(time.Now)}}}
	h.t.Cleanup(m.client.CloseIdleConnections)
	m.say(mdm.CheckIn{MessageType: mdm.Authenticate, DeviceName: name, Model: "Fake", ProductName: "linux", SerialNumber: name})
	m.say(mdm.CheckIn{MessageType: mdm.TokenUpdate, PushMagic: id.PushMagic, Token: id.PushToken, UnlockToken: id.Secret})
	return m
}

func (m *notebook) say(message mdm.CheckIn) []byte {
	m.t.Helper()
	message.UDID, message.Topic = m.id.UDID, m.id.Topic
	request := made(http.NewRequest(http.MethodPut, m.id.DeviceURL+"/mdm", bytes.NewReader(made(mdm.Encode(message))(m.t))))(m.t)
	request.Header.Set("Content-Type", "application/x-apple-aspen-mdm-checkin")
	response := made(m.client.Do(request))(m.t)
	defer response.Body.Close()
	answer := made(io.ReadAll(response.Body))(m.t)
	if response.StatusCode != http.StatusOK {
		m.t.Fatalf("%s %s: %d %s", message.MessageType, message.Endpoint, response.StatusCode, answer)
	}
	return answer
}

func (m *notebook) ask(endpoint string, into any) {
	m.t.Helper()
	must(m.t, json.Unmarshal(m.say(mdm.CheckIn{MessageType: mdm.DeclarativeManagement, Endpoint: endpoint}), into))
}

// told returns what the device is told of packages now.
func (m *notebook) told() []rollout.Declared {
	m.t.Helper()
	var manifest ddm.Manifest
	m.ask(mdm.EndpointItems, &manifest)
	var told []rollout.Declared
	for _, item := range manifest.Declarations.Configurations {
		var declaration ddm.Declaration
		m.ask(mdm.EndpointDeclaration+string(ddm.Configuration)+"/"+item.Identifier, &declaration)
		if declaration.Type == rollout.Type {
			var said rollout.Declared
			must(m.t, json.Unmarshal(declaration.Payload, &said))
			told = append(told, said)
		}
	}
	return told
}

// isTold waits until the device is told of one package that fits.
func (m *notebook) isTold(what string, fits func(rollout.Declared) bool) rollout.Declared {
	m.t.Helper()
	var last []rollout.Declared
	await(m.t, "a device to be told "+what, func() bool {
		last = m.told()
		return len(last) == 1 && fits(last[0])
	}, func() any { return last })
	return last[0]
}

// report reads back a package.
func (m *notebook) report(d rollout.Declared, state ddm.PackageState, present, reason string) {
	m.t.Helper()
	status := ddm.PackageStatus{Rollout: d.Rollout.String(), Name: d.Name, Try: d.Try, State: state, Present: present, Since: time.Now().UTC()}
	if reason != "" {
		status.Reason = &ddm.Reason{Code: reason}
	}
	report := ddm.StatusReport{StatusItems: ddm.StatusItems{Agent: &ddm.AgentItems{Schema: ddm.Schema, Version: "test", Packages: []ddm.PackageStatus{status}}}}
	m.say(mdm.CheckIn{MessageType: mdm.DeclarativeManagement, Endpoint: mdm.EndpointStatus, Data: made(json.Marshal(report))(m.t)})
}

// load downloads a part of a file.
func (m *notebook) load(client *http.Client, path, span string) (int, http.Header, []byte) {
	m.t.Helper()
	request := made(http.NewRequest(http.MethodGet, m.id.DeviceURL+path, nil))(m.t)
	if span != "" {
		request.Header.Set("Range", "bytes="+span)
	}
	response := made(client.Do(request))(m.t)
	defer response.Body.Close()
	return response.StatusCode, response.Header, made(io.ReadAll(response.Body))(m.t)
}

// send sends a part of a file from an offset on.
func (p *program) send(upload api.Upload, offset int, part []byte) (int, api.Upload, string) {
	p.t.Helper()
	request := made(http.NewRequest(http.MethodPatch, p.base+upload.Path, bytes.NewReader(part)))(p.t)
	request.Header.Set("Authorization", "Bearer "+p.token)
	request.Header.Set("Content-Type", "application/offset+octet-stream")
	request.Header.Set("Upload-Offset", strconv.Itoa(offset))
	response := made(p.client.Do(request))(p.t)
	defer response.Body.Close()
	text := made(io.ReadAll(response.Body))(p.t)
	var state api.Upload
	if response.StatusCode == http.StatusOK {
		must(p.t, json.Unmarshal(text, &state))
	}
	return response.StatusCode, state, string(text)
}

// takeIn uploads a file in one go.
func (p *program) takeIn(authority org.ID, name string, file []byte) api.App {
	p.t.Helper()
	var upload api.Upload
	p.want(http.StatusCreated, "POST", "/api/v1/packages", map[string]any{"authority": authority, "file": name, "size": len(file)}, &upload)
	status, done, text := p.send(upload, 0, file)
	if status != http.StatusOK || !done.Finished {
		p.t.Fatalf("uploading %s: %d %s", name, status, text)
	}
	return *done.App
}

func (h *house) city() *program {
	h.t.Helper()
	h.hireCity()
	return h.as(cityAdm)
}

// hireCity takes in somebody who looks after all schools of the authority.
func (h *house) hireCity() {
	h.t.Helper()
	seed := staff.Seed{Name: "Frau Ruth Keller", Login: cityAdm, Password: password, Grants: []may.Grant{{Role: may.AuthorityAdmin, Branch: org.Branch{Authority: h.school.Authority}}}}
	made(h.app.Staff.Create(context.Background(), may.System("e2e", org.Branch{}), seed))(h.t)
}

func (h *house) tick() {
	h.t.Helper()
	must(h.t, h.app.Rollouts.Tick(context.Background()))
}

// An upload that breaks off goes on after a restart of the server, from the byte
// that was kept; what comes to the wrong place, is renamed, or is another file
// than was promised, is refused.
func TestAnUploadSurvivesARestartAndIsLookedAt(t *testing.T) {
	h := newHouse(t)
	city := h.city()
	file := debOf("geogebra", "6.1", 3<<20)
	sum := sha256.Sum256(file)
	var upload api.Upload
	city.want(http.StatusCreated, "POST", "/api/v1/packages", map[string]any{
		"authority": h.school.Authority, "file": "geogebra.deb", "size": len(file), "sha256": hex.EncodeToString(sum[:]), "licence": "GPL-3.0-or-later", "title": map[string]string{"de": "GeoGebra"},
	}, &upload)
	if status, state, text := city.send(upload, 0, file[:1<<20]); status != http.StatusOK || state.Offset != 1<<20 || state.Finished {
		t.Fatalf("%d %s", status, text)
	}
	h.close()
	h.open()
	city = h.as(cityAdm)
	var state api.Upload
	city.want(http.StatusOK, "GET", upload.Path, nil, &state)
	if state.Offset != 1<<20 {
		t.Fatalf("after the restart %d bytes are there", state.Offset)
	}
	if status, _, text := city.send(upload, 0, file); status != http.StatusConflict {
		t.Fatalf("from the wrong byte: %d %s", status, text)
	}
	status, done, text := city.send(upload, 1<<20, file[1<<20:])
	if status != http.StatusOK || !done.Finished || done.App.Name != "geogebra" || done.App.Version != "6.1" || done.App.Architecture != "amd64" || done.App.SHA256 != hex.EncodeToString(sum[:]) || done.App.Title.DE != "GeoGebra" {
		t.Fatalf("%d %s", status, text)
	}
	for name, c := range map[string]struct {
		wanted map[string]any
		file   []byte
		status int
		key    string
	}{
		"renamed":       {map[string]any{"file": "geogebra.deb"}, []byte("PK\x03\x04 a zip"), http.StatusUnprocessableEntity, "package.renamed"},
		"another hash":  {map[string]any{"file": "x.deb", "sha256": hex.EncodeToString(sum[:])}, debOf("x", "1", 10), http.StatusUnprocessableEntity, "package.hash"},
		"there already": {map[string]any{"file": "x.deb"}, file, http.StatusConflict, "package.exists"},
		"too long":      {map[string]any{"file": "x.deb", "size": 100}, debOf("x", "1", 10), http.StatusUnprocessableEntity, "upload.too_long"},
	} {
		c.wanted["authority"] = h.school.Authority
		if c.wanted["size"] == nil {
			c.wanted["size"] = len(c.file)
		}
		city.want(http.StatusCreated, "POST", "/api/v1/packages", c.wanted, &upload)
		var problem api.Problem
		status, _, text := city.send(upload, 0, c.file)
		must(t, json.Unmarshal([]byte(text), &problem))
		if status != c.status || problem.Key != c.key {
			t.Errorf("%s: %d %s", name, status, text)
		}
		if got, _ := city.do("GET", upload.Path, nil, nil); c.key != "upload.too_long" && got != http.StatusNotFound {
			t.Errorf("%s: what was refused is still there: %d", name, got)
		}
	}
	var list api.List[api.App]
	h.as(schoolAdm).want(http.StatusOK, "GET", "/api/v1/packages", nil, &list)
	if len(list.Items) != 1 {
		t.Errorf("the catalogue has %d packages", len(list.Items))
	}
	if got, text := h.as(schoolAdm).do("POST", "/api/v1/packages", map[string]any{"authority": h.school.Authority, "file": "x.deb", "size": 5}, nil); got != http.StatusForbidden {
		t.Errorf("a school takes packages in for all: %d %s", got, text)
	}
}

// One package on its way: first one class, then everybody; the devices download
// what they are offered and nothing else, and read back what is there. When too
// many fail it halts, and goes back to the version before.
func TestARolloutFromUploadToItsWayBack(t *testing.T) {
	h := newHouse(t)
	city := h.city()
	old, file := debOf("geogebra", "6.1", 64<<10), debOf("geogebra", "6.2", 700<<10)
	first := city.takeIn(h.school.Authority, "geogebra_6.1.deb", old)
	second := city.takeIn(h.school.Authority, "geogebra_6.2.deb", file)
	pupil, other, third := h.notebook("0000000000a1", h.link(h.class, 1)), h.notebook("0000000000b1", h.link("", 1)), h.notebook("0000000000c1", h.link("", 1))
	everybody := []*notebook{pupil, other, third}
	target := map[string]any{"level": "authority", "id": h.school.Authority}

	var before, now api.Rollout
	city.want(http.StatusCreated, "POST", "/api/v1/rollouts", map[string]any{"package": first.ID, "target": target, "rings": []any{map[string]any{"kind": "all"}}, "gates": map[string]any{"verified": 3, "failed_percent": 10}}, &before)
	for _, m := range everybody {
		d := m.isTold("of the first version", func(d rollout.Declared) bool { return d.Version == "6.1" })
		m.report(d, ddm.PackageVerified, "6.1", "")
	}
	h.tick()
	if city.want(http.StatusOK, "GET", "/api/v1/rollouts/"+before.ID.String(), nil, &before); before.State != rollout.Done {
		t.Fatalf("everybody has it, and it is %+v", before)
	}

	wanted := map[string]any{
		"package": second.ID, "target": target, "rings": []any{map[string]any{"kind": "group", "place": h.class}, map[string]any{"kind": "all"}},
		"gates": map[string]any{"verified": 1, "failed_percent": 10}, "window": map[string]any{"open": []any{map[string]any{"days": []string{"fri"}, "from": "14:00", "to": "18:00"}}},
	}
	var preview api.Rollout
	if city.want(http.StatusOK, "POST", "/api/v1/rollouts/preview", wanted, &preview); len(preview.Rings) != 2 || preview.Rings[0].Devices != 1 || preview.Rings[1].Devices != 2 || preview.Former == nil || preview.Former.Version != "6.1" {
		t.Fatalf("%+v", preview)
	}
	city.want(http.StatusCreated, "POST", "/api/v1/rollouts", wanted, &now)
	path := "/api/v1/rollouts/" + now.ID.String()
	d := pupil.isTold("of the second version", func(d rollout.Declared) bool { return d.Version == "6.2" })
	if d.Rollout != now.ID || d.Action != rollout.Install || d.Hold || d.Size != int64(len(file)) || d.SHA256 != second.SHA256 || len(d.Window.Open) != 1 || d.Calendar.Zone != "Europe/Berlin" || d.Site != h.school.School.String() {
		t.Fatalf("%+v", d)
	}
	if still := other.told(); len(still) != 1 || still[0].Version != "6.1" {
		t.Fatalf("a device of a later ring is told %+v", still)
	}

	var got []byte
	for _, span := range []string{"0-99999", "100000-"} {
		status, head, part := pupil.load(pupil.client, d.Path, span)
		if status != http.StatusPartialContent || head.Get("ETag") != `"`+d.SHA256+`"` {
			t.Fatalf("%s: %d %v", span, status, head)
		}
		got = append(got, part...)
	}
	if !bytes.Equal(got, file) {
		t.Fatalf("%d bytes came, and they are not the file", len(got))
	}
	if status, _, _ := other.load(other.client, d.Path, ""); status != http.StatusNotFound {
		t.Errorf("a device that is not offered it: %d", status)
	}
	stranger := &http.Client{Transport: &http.Transport{TLSClientConfig: pupil.id.TLS(time.Now)}}
	stranger.Transport.(*http.Transport).TLSClientConfig.GetClientCertificate = nil
	if status, _, data := pupil.load(stranger, d.Path, ""); status != http.StatusBadRequest || bytes.Contains(data, []byte("<arch>")) {
		t.Errorf("without a certificate: %d", status)
	}
	stranger.CloseIdleConnections()

	pupil.report(d, ddm.PackageVerified, "6.1", "") // says done, and its system says otherwise
	h.tick()
	if len(other.told()) != 1 || other.told()[0].Version != "6.1" {
		t.Fatal("a device's word counted more than its system's")
	}
	pupil.report(d, ddm.PackageVerified, "6.2", "")
	h.tick()
	for i, m := range everybody[1:] {
		next := m.isTold("of the second version", func(d rollout.Declared) bool { return d.Version == "6.2" })
		if i == 0 {
			m.report(next, ddm.PackageFailed, "6.1", "disk.full")
		}
	}
	h.tick()
	if city.want(http.StatusOK, "GET", path, nil, &now); now.State != rollout.Halted || now.Reason == nil || now.Reason.Why != rollout.WhyFailed || now.Reason.Ring != 2 || now.Reason.Count != 1 || now.Reason.Of != 2 ||
		len(now.Failures) != 1 || now.Failures[0].Reason != "disk.full" || now.Rings[0].Verified != 1 || now.Rings[1].Failed != 1 {
		t.Fatalf("%+v", now)
	}
	third.isTold("to begin nothing", func(d rollout.Declared) bool { return d.Version == "6.2" && d.Hold })

	var touched api.Touched
	if city.want(http.StatusOK, "GET", path+"/preview?do=rollback", nil, &touched); touched != (api.Touched{Possible: true, Devices: 3, Have: 1, Begun: 1, Version: "6.1"}) {
		t.Errorf("%+v", touched)
	}
	if status, text := city.do("POST", path+"/pause", nil, nil); status != http.StatusConflict {
		t.Errorf("pausing what is halted: %d %s", status, text)
	}
	city.want(http.StatusOK, "POST", path+"/rollback", nil, &now)
	for _, m := range everybody {
		back := m.isTold("to go back", func(d rollout.Declared) bool { return d.Version == "6.1" && !d.Hold && d.IfPresent })
		m.report(back, ddm.PackageVerified, "6.1", "")
	}
	var devices api.List[api.RolloutDevice]
	city.want(http.StatusOK, "GET", path+"/devices", nil, &devices)
	for _, device := range devices.Items {
		if device.Outcome != rollout.OutcomeVerified || device.Present != "6.1" || device.SaidAt == nil {
			t.Errorf("%+v", device)
		}
	}
	if len(devices.Items) != 3 {
		t.Errorf("%d devices", len(devices.Items))
	}
}

// Where an authority lies and its holidays go to the devices with the rollout.
func TestDevicesKnowTheirHolidays(t *testing.T) {
	h := newHouse(t)
	city := h.city()
	pack := city.takeIn(h.school.Authority, "x.deb", debOf("gimp", "3.0", 100))
	m := h.notebook("0000000000d1", h.link("", 1))
	city.want(http.StatusCreated, "POST", "/api/v1/rollouts", map[string]any{"package": pack.ID, "target": map[string]any{"level": "school", "id": h.school.School}, "rings": []any{map[string]any{"kind": "all"}}}, nil)
	m.isTold("of it", func(d rollout.Declared) bool { return d.Calendar.Land == "" })
	calendar := map[string]any{"land": "MV", "breaks": []any{map[string]any{"name": "Weihnachtsferien", "first": "2026-12-21", "last": "2027-01-02"}}}
	city.want(http.StatusOK, "PUT", "/api/v1/calendars/"+h.school.Authority.String(), calendar, nil)
	d := m.isTold("where it is", func(d rollout.Declared) bool { return d.Calendar.Land == "MV" })
	if len(d.Calendar.Breaks) != 1 || d.Calendar.SchoolDay("2026-12-22") || d.Calendar.SchoolDay("2027-03-08") || !d.Calendar.SchoolDay("2026-12-18") {
		t.Errorf("%+v", d.Calendar)
	}
	calendar["breaks"] = []any{map[string]any{"first": "2026-12-21", "last": "2026-12-20"}}
	if status, text := city.do("PUT", "/api/v1/calendars/"+h.school.Authority.String(), calendar, nil); status != http.StatusUnprocessableEntity {
		t.Errorf("a holiday that ends before it begins: %d %s", status, text)
	}
}
