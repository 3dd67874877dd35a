package api_test

import (
	"bytes"
	"crypto/rand"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"schulwart.org/server/may"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// A program gives files out, reads them, takes one back; nobody else reads the
// questions before the pupils do.
func TestFilesOfAnExaminationByProgram(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s)
		admin := h.tokens[may.SchoolAdmin]
		starts := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
		var exam struct {
			ID    string
			Rules object
		}
		h.ask(admin, "POST", "/api/v1/exams", object{
			"name": "Mathematik", "target": object{"group": h.class.ID}, "starts_at": starts, "ends_at": starts.Add(time.Hour), "rules": object{"page": "https://moodle.example/mathe", "collect": true, "collect_every": 3},
		}, &exam)
		if exam.Rules["collect"] != true || exam.Rules["collect_every"] != 3.0 {
			t.Errorf("the rules: %v", exam.Rules)
		}
		path := "/api/v1/exams/" + exam.ID
		send := func(token, method, path string, content io.Reader) (*http.Response, []byte) {
			request, err := http.NewRequestWithContext(t.Context(), method, h.server.URL+path, content)
			h.must(err)
			request.Header.Set("Authorization", "Bearer "+token)
			request.Header.Set("Content-Type", "application/octet-stream")
			response, err := http.DefaultClient.Do(request)
			h.must(err)
			defer response.Body.Close()
			data, err := io.ReadAll(response.Body)
			h.must(err)
			return response, data
		}
		sheet := make([]byte, 3<<20) // more than other requests may have
		_, _ = rand.Read(sheet)
		for _, role := range []may.Role{may.Teacher, may.HelpDesk, may.ReadOnly, may.AuthorityAdmin} {
			if r, _ := send(h.tokens[role], "POST", path+"/files?name=x.pdf", bytes.NewReader(sheet)); r.StatusCode != 403 {
				t.Errorf("%s gives a file out: %d", role, r.StatusCode)
			}
		}
		if r, _ := send(h.foreign, "POST", path+"/files?name=x.pdf", bytes.NewReader(sheet)); r.StatusCode != 404 {
			t.Errorf("somebody of another authority gives a file out: %d", r.StatusCode)
		}
		if r, data := send(admin, "POST", path+"/files?name="+url.QueryEscape("Blätter/Blatt 1.pdf"), bytes.NewReader(sheet)); r.StatusCode != 201 || !strings.Contains(string(data), `"name":"Blatt 1.pdf"`) {
			t.Fatalf("%d %s", r.StatusCode, data)
		}
		if r, data := send(admin, "POST", path+"/files?name=leer.txt", http.NoBody); r.StatusCode != 422 || !strings.Contains(string(data), "exam.given_empty") {
			t.Errorf("an empty file: %d %s", r.StatusCode, data)
		}
		var files struct {
			Items []struct{ ID, Name, Hash string }
		}
		h.ask(admin, "GET", path+"/files", nil, &files)
		if len(files.Items) != 1 {
			t.Fatalf("%+v", files)
		}
		one := path + "/files/" + files.Items[0].ID
		if r, data := send(admin, "GET", one, nil); r.StatusCode != 200 || !bytes.Equal(data, sheet) || !strings.Contains(r.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%d, %d bytes, %v", r.StatusCode, len(data), r.Header)
		}
		for token, want := range map[string]int{h.tokens[may.Teacher]: 403, h.tokens[may.HelpDesk]: 403, h.foreign: 404} {
			for _, address := range []string{one, path + "/files", path + "/work", path + "/work.zip"} {
				if r, _ := send(token, "GET", address, nil); r.StatusCode != want {
					t.Errorf("%s: %d, want %d", address, r.StatusCode, want)
				}
			}
		}
		var work struct {
			Items []struct {
				Name    string
				Missing bool
				States  []any
			}
		}
		h.ask(admin, "GET", path+"/work", nil, &work)
		if len(work.Items) != 3 || work.Items[0].Missing || work.Items[0].States == nil {
			t.Errorf("%+v", work)
		}
		if r, data := send(admin, "GET", path+"/work.zip", nil); r.StatusCode != 404 || !strings.Contains(string(data), "exam.no_work_yet") {
			t.Errorf("before anything came: %d %s", r.StatusCode, data)
		}
		if r, _ := send(admin, "DELETE", one, nil); r.StatusCode != 204 {
			t.Errorf("taking back: %d", r.StatusCode)
		}
		if r, _ := send(admin, "GET", one, nil); r.StatusCode != 404 {
			t.Errorf("taken back: %d", r.StatusCode)
		}
	})
}
