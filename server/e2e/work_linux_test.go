package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"schulwart.org/agent/device"
	"schulwart.org/agent/host"
	"schulwart.org/agent/identity"
	"schulwart.org/agent/words"
	"schulwart.org/policies/org"
	"schulwart.org/scripts/need"
	"schulwart.org/server/api"
	"schulwart.org/server/roster"
)

// satchel is a laptop whose agent runs here, on a disk and with a home of its own:
// everything of it is real but the machine around.
type satchel struct {
	t       *testing.T
	machine *host.Fake
	files   host.Files
	box     host.Box
	home    string
	clock   host.Clock
	id      *identity.Identity
	stop    func()
}

const writerID = 54321

func newSatchel(t *testing.T, link string) *satchel {
	t.Helper()
	need.Root(t)
	dir := t.TempDir()
	must(t, os.Chmod(filepath.Dir(dir), 0o755))
	d := &satchel{t: t, machine: host.NewFake(time.Now()), clock: host.NewClock(""), home: filepath.Join(dir, "home")}
	for _, made := range []string{d.home, filepath.Join(d.home, "Schreibtisch")} {
		must(t, errors.Join(os.Mkdir(made, 0o700), os.Chown(made, writerID, writerID)))
	}
	d.machine.SetHardware(host.Hardware{Platform: "linux", OSName: "Debian", OSVersion: "12", Serial: "WORK-1", MachineID: "work", ProductUUID: "00000000-0000-0000-0000-00000000fa4f"})
	d.files = made(host.OpenDir(filepath.Join(dir, "state")))(t)
	d.box = made(host.OpenBox(filepath.Join(dir, "state", "work")))(t)
	d.id = made(identity.Enrol(t.Context(), d.files, d.machine, made(identity.ParseLink(link))(t)))(t)
	d.start()
	t.Cleanup(d.kill)
	return d
}

// Desktops is the pupil who sits there.
func (d *satchel) Desktops() ([]host.Desktop, error) {
	return []host.Desktop{{UID: writerID, GID: writerID, Display: ":0", Env: []string{"HOME=" + d.home}}}, nil
}

func (d *satchel) start() {
	built := made(device.New(device.Options{
		Files: d.files, Clock: d.clock, Machine: d.machine, Identity: d.id, Lang: words.German, Log: slog.New(slog.DiscardHandler),
		Box: d.box, Folders: host.SystemFolders(), Sessions: d,
	}))(d.t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); built.Run(ctx) }()
	d.stop = func() { cancel(); <-done }
}

func (d *satchel) kill() {
	if d.stop != nil {
		d.stop()
		d.stop = nil
	}
}

func (d *satchel) in(folder, name string) string {
	return filepath.Join(d.home, "Schreibtisch", folder, name)
}

func (d *satchel) writes(folder, name string, content []byte) {
	d.t.Helper()
	must(d.t, os.MkdirAll(filepath.Dir(d.in(folder, name)), 0o700))
	for path := filepath.Dir(d.in(folder, name)); path != d.in(folder, ""); path = filepath.Dir(path) {
		must(d.t, os.Chown(path, writerID, writerID))
	}
	must(d.t, errors.Join(os.WriteFile(d.in(folder, name), content, 0o600), os.Chown(d.in(folder, name), writerID, writerID)))
}

// Files are given out, the pupil writes, the server goes away, the examination ends
// without it, the agent starts anew; when the server is back, the work is there, byte
// for byte and once.
func TestWorkOfAnExaminationIsNotLost(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	name, kind := "10b", org.Class
	class := made(h.app.Roster.CreateGroup(ctx, boss, h.school.School, roster.GroupUpdate{Name: &name, Kind: &kind}))(t).ID
	laptop := newSatchel(t, h.link(class, 1))
	id := h.deviceOf("WORK-1")
	office := h.as(schoolAdm)
	starts := time.Now().Add(12 * time.Second).Truncate(time.Second)
	ends := starts.Add(10 * time.Second)
	var exam api.Exam
	office.want(http.StatusCreated, "POST", "/api/v1/exams", order{"name": "Mathe", "target": in(class), "starts_at": starts, "ends_at": ends, "rules": order{"page": "https://moodle.example"}}, &exam)
	path := "/api/v1/exams/" + exam.ID.String()
	sheet, picture := make([]byte, 700<<10), make([]byte, 1<<20+7)
	_, _ = rand.Read(sheet)
	_, _ = rand.Read(picture)
	upload := made(http.NewRequest("POST", h.config.PublicURL+path+"/files?name=Blatt.pdf", bytes.NewReader(sheet)))(t)
	upload.Header.Set("Authorization", "Bearer "+office.token)
	answer := made(http.DefaultClient.Do(upload))(t)
	if answer.Body.Close(); answer.StatusCode != http.StatusCreated {
		t.Fatalf("giving out: %d", answer.StatusCode)
	}
	await(t, "the file to be on the device", func() bool {
		names := made(laptop.box.Names())(t)
		return len(names) == 2 && strings.HasPrefix(names[0], "given.")
	})
	await(t, "the examination to be armed", func() bool {
		var now api.Exam
		h.as(schoolAdm).want(http.StatusOK, "GET", path, nil, &now)
		return len(now.Devices) == 1 && now.Devices[0].State == "armed"
	})
	if _, err := os.Lstat(laptop.in("Mathe", "")); time.Now().Before(starts) && !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is there before the beginning: %v", err)
	}
	h.close()
	await(t, "the file to lie on the pupil's desktop", func() bool {
		got, err := os.ReadFile(laptop.in("Mathe", "Blatt.pdf"))
		return err == nil && bytes.Equal(got, sheet)
	})
	if time.Now().Before(starts) {
		t.Error("it lay there before the beginning")
	}
	laptop.writes("Mathe", "Aufsatz.txt", []byte("Es war einmal"))
	laptop.writes("Mathe", "Bilder/Skizze.png", picture)
	must(t, os.Symlink("/etc/shadow", laptop.in("Mathe", "geheim")))
	await(t, "the folder to be collected at the end, without the server", func() bool {
		info, err := os.Stat(laptop.in("Mathe", ""))
		return err == nil && info.Sys() != nil && len(lists(t, laptop.box)) == 1
	})
	if time.Now().Before(ends) {
		t.Error("it was collected before the end")
	}
	laptop.kill()
	laptop.start()
	h.open()
	var work api.List[api.ExamWork]
	await(t, "the work to be there", func() bool {
		h.as(schoolAdm).want(http.StatusOK, "GET", path+"/work", nil, &work)
		return len(work.Items) == 1 && len(work.Items[0].States) > 0
	}, func() any { return work })
	await(t, "nothing to wait on the device any more", func() bool { return len(lists(t, laptop.box)) == 0 })
	h.as(schoolAdm).want(http.StatusOK, "GET", path+"/work", nil, &work)
	states := work.Items[0].States
	if len(states) != 1 || !states[0].Final || len(states[0].Files) != 3 || work.Items[0].ID != id || work.Items[0].Missing {
		t.Fatalf("%+v", work)
	}
	if left := states[0].Left; len(left) != 1 || left[0] != (api.WorkLeft{Path: "geheim", Why: "kind"}) {
		t.Errorf("left out: %+v", left)
	}
	if made := states[0].MadeAt; made.Before(ends) || made.After(ends.Add(time.Minute)) || states[0].ReceivedAt.Before(made) {
		t.Errorf("made %s, received %s, the end was %s", made, states[0].ReceivedAt, ends)
	}
	got := unzip(t, h.as(schoolAdm), path+"/work.zip")
	want := map[string][]byte{"Blatt.pdf": sheet, "Aufsatz.txt": []byte("Es war einmal"), "Bilder/Skizze.png": picture}
	for file, content := range want {
		if !bytes.Equal(got[file], content) {
			t.Errorf("%s: %d bytes of %d", file, len(got[file]), len(content))
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d files of %d", len(got), len(want))
	}
	var evidence api.ExamEvidence
	h.as(schoolAdm).want(http.StatusOK, "GET", path+"/evidence", nil, &evidence)
	keys := map[string]int{}
	for _, record := range evidence.Records {
		keys[record.Key]++
	}
	if !evidence.Whole || keys["file_given"] != 1 || keys["work_received"] != 1 || keys["deed_given"] != 1 || keys["deed_collected"] != 1 || keys["work_fetched"] != 1 {
		t.Errorf("the evidence: whole %v, %v", evidence.Whole, keys)
	}
}

// lists names the states that wait on a device.
func lists(t *testing.T, box host.Box) (waiting []string) {
	t.Helper()
	for _, name := range made(box.Names())(t) {
		if strings.HasPrefix(name, "list.") && !strings.HasSuffix(name, ".new") {
			waiting = append(waiting, name)
		}
	}
	return waiting
}

// unzip reads a bundle, without the folders of the seats.
func unzip(t *testing.T, p *program, path string) map[string][]byte {
	t.Helper()
	request := made(http.NewRequest("GET", p.base+path, nil))(t)
	request.Header.Set("Authorization", "Bearer "+p.token)
	response := made(http.DefaultClient.Do(request))(t)
	defer response.Body.Close()
	data := made(io.ReadAll(response.Body))(t)
	if response.StatusCode != http.StatusOK {
		t.Fatal(fmt.Sprint(response.StatusCode, " ", string(data)))
	}
	archive := made(zip.NewReader(bytes.NewReader(data), int64(len(data))))(t)
	got := map[string][]byte{}
	for _, file := range archive.File {
		in := made(file.Open())(t)
		_, name, _ := strings.Cut(file.Name, "/")
		got[name] = made(io.ReadAll(in))(t)
		must(t, in.Close())
	}
	return got
}
