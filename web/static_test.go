package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func get(t *testing.T, path string, header ...string) *http.Response {
	t.Helper()
	request := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	recorder := httptest.NewRecorder()
	Static().ServeHTTP(recorder, request)
	return recorder.Result()
}

func TestStatic(t *testing.T) {
	answer := get(t, Asset("schulwart.css"))
	if answer.StatusCode != http.StatusOK || !strings.Contains(answer.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("stylesheet: %d, %s", answer.StatusCode, answer.Header.Get("Cache-Control"))
	}
	if kind := answer.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/css") {
		t.Errorf("stylesheet is %q", kind)
	}
	if old := get(t, "/static/0123/schulwart.css"); old.StatusCode != http.StatusOK || strings.Contains(old.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("an address of another edition: %d, %s", old.StatusCode, old.Header.Get("Cache-Control"))
	}
	for _, path := range []string{"/static/", "/static/x", "/static/x/none.css", Asset("../static.go"), Asset("board.css")} {
		if answer := get(t, path); answer.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, answer.StatusCode)
		}
	}
}

func TestStaticIsSmallOnTheWire(t *testing.T) {
	answer := get(t, Asset("kern.min.css"), "Accept-Encoding", "gzip")
	if answer.Header.Get("Content-Encoding") != "gzip" {
		t.Fatal("not compressed")
	}
	plain, err := gzip.NewReader(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(plain)
	if err != nil || !strings.Contains(string(data), "--kern-color") {
		t.Errorf("unpacked: %d bytes, %v", len(data), err)
	}
}

func TestEveryStylesheetIsJoined(t *testing.T) {
	joined := string(assets["schulwart.css"].plain)
	for _, name := range stylesheets {
		data, err := files.ReadFile("static/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(joined, string(data)) {
			t.Errorf("%s is missing", name)
		}
	}
	for name := range assets {
		if strings.HasSuffix(name, ".css") && name != "schulwart.css" && name != "kern.min.css" {
			t.Errorf("%s is joined nowhere", name)
		}
	}
}

// What a stylesheet or script points at must be there, and on this server.
func TestStaticPointsAtNothingForeign(t *testing.T) {
	pointer := regexp.MustCompile(`(?:url\(|from |import )"([^"]+)"`)
	for name, a := range assets {
		if name == "kern.min.css" || name == "htmx.min.js" {
			continue
		}
		for _, match := range pointer.FindAllSubmatch(a.plain, -1) {
			target := strings.TrimPrefix(string(match[1]), "./")
			if _, ok := assets[target]; !ok {
				t.Errorf("%s points at %q", name, target)
			}
		}
	}
	for _, path := range []string{PathManifest, PathWorker} {
		data, err := io.ReadAll(get(t, path).Body)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), "{{") || strings.Contains(string(data), "http") {
			t.Errorf("%s: %s", path, data)
		}
		for _, asset := range regexp.MustCompile(`/static/[^"]+`).FindAllString(string(data), -1) {
			if asset == "/static/" { // the prefix that the worker looks for
				continue
			}
			if answer := get(t, asset); answer.StatusCode != http.StatusOK {
				t.Errorf("%s names %s: %d", path, asset, answer.StatusCode)
			}
		}
	}
}
