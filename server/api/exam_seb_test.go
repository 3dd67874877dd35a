package api_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/seb"
	"schulwart.org/server/may"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// The program fetches the sealed file without a login; pupils open it with one
// password, invigilators end it with another.
func TestAnExaminationForSafeExamBrowser(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s)
		admin := h.tokens[may.SchoolAdmin]
		starts := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
		var exam struct{ ID string }
		h.ask(admin, "POST", "/api/v1/exams", object{
			"name": "Mathematik", "target": object{"group": h.class.ID}, "starts_at": starts, "ends_at": starts.Add(time.Hour), "rules": object{"page": "https://moodle.example/mathe"},
		}, &exam)
		path := "/api/v1/exams/" + exam.ID + "/seb"
		fetch := func(token, path string) (int, []byte) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.server.URL+path, nil)
			h.must(err)
			if token != "" {
				request.Header.Set("Authorization", "Bearer "+token)
			}
			response, err := http.DefaultClient.Do(request)
			h.must(err)
			defer response.Body.Close()
			data, err := io.ReadAll(response.Body)
			h.must(err)
			if response.StatusCode == http.StatusOK && response.Header.Get("Content-Type") != "application/seb" {
				t.Errorf("%s is %s", path, response.Header.Get("Content-Type"))
			}
			return response.StatusCode, data
		}
		var keys struct {
			Link         string
			OpenPassword string `json:"open_password"`
			QuitPassword string `json:"quit_password"`
			ConfigKey    string `json:"config_key"`
		}
		h.ask(admin, "GET", path+"-keys", nil, &keys)
		link, err := url.Parse(keys.Link)
		h.must(err)
		if link.Scheme != "sebs" || link.Host != "schulwart.example" || keys.OpenPassword == keys.QuitPassword || len(keys.QuitPassword) != 14 {
			t.Fatalf("%+v", keys)
		}
		for _, one := range []struct{ who, token, path, password string }{
			{"the teacher's file", admin, path, keys.OpenPassword}, {"the plain file", admin, path + "?plain=true", ""}, {"the program", "", link.Path, keys.OpenPassword},
		} {
			status, data := fetch(one.token, one.path)
			settings, err := seb.Read(data, one.password)
			if status != http.StatusOK || err != nil || settings["startURL"] != "https://moodle.example/mathe" || seb.ConfigKey(settings) != keys.ConfigKey {
				t.Errorf("%s: %d %v %v", one.who, status, err, settings["startURL"])
			}
		}
		for who, token := range map[string]string{"nobody": "", "another school": h.foreign} {
			if status, _ := fetch(token, path); status == http.StatusOK {
				t.Errorf("%s reads the file", who)
			}
		}
		if status, _ := fetch("", strings.Replace(link.Path, link.Path[len(link.Path)-8:], "0000.seb", 1)); status != http.StatusNotFound {
			t.Errorf("with another mark: %d", status)
		}
		h.ask(admin, "POST", "/api/v1/exams/"+exam.ID+"/start", nil, nil)
		h.ask(admin, "POST", "/api/v1/exams/"+exam.ID+"/end", nil, nil)
		if status, _ := fetch("", link.Path); status != http.StatusNotFound {
			t.Errorf("after the examination: %d", status)
		}
	})
}
