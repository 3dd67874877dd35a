package console_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"

	"schulwart.org/server/console"
	"schulwart.org/server/enroll"
	"schulwart.org/server/exam"
	"schulwart.org/server/may"
	"schulwart.org/web"
)

// addresses fills the patterns of all routes with things that exist.
func (h *house) addresses() map[string]string {
	ctx, admin := context.Background(), h.actor("admin@gym.example")
	token, err := h.deps.Enroll.CreateToken(ctx, admin, enroll.NewToken{School: h.school.School, Uses: 3})
	must(h.t, err)
	list, err := h.roster.SaveSites(ctx, h.actor("oert@gym.example"), "", h.school.School, "Mathe", []string{"geogebra.org"}, true)
	must(h.t, err)
	imp, err := h.roster.BeginImport(ctx, admin, h.school.School, "devices", "geraete.csv", "", []byte("Inventarnummer;Seriennummer\nGYM-0001;SN1\n"))
	must(h.t, err)
	plan, err := h.deps.Exams.BeginImport(ctx, admin, exam.ImportFile{School: h.school.School, Name: "plan.csv", Data: []byte("Datum;Beginn;Dauer;Klasse;Fach\n24.11.2030;8:00;90;7b;Mathe\n")})
	must(h.t, err)
	person, err := h.store.FindLogin(ctx, "blum@gym.example")
	must(h.t, err)
	written := path.Base(h.plannedExam(h.as("oert@gym.example")))
	h.as("oert@gym.example").post(web.To(web.PathModeStart, h.class.String()), "kind", "offline")
	h.readBack(h.devices[:5]...)
	draft, revision, exception := h.standards(admin)
	return map[string]string{
		":exam": written, ":group": h.class.String(), ":device": h.devices[0].String(), ":token": token.ID.String(), ":link": token.Token, ":list": list.ID.String(), ":import": imp.ID.String(), ":plan": plan.ID.String(),
		":person": person.ID.String(), ":mode": h.runningMode(), ":kind": "sites", ":step": "address", ":page": "none", ":program": "none", ":key": "none",
		":level": "school", ":place": h.school.School.String(), ":draft": draft, ":family": "webfilter", ":school": h.school.School.String(), ":revision": revision, ":exception": exception,
	}
}

func fill(pattern string, values map[string]string) string {
	parts := strings.Split(pattern, "/")
	for i, part := range parts {
		if value, ok := values[part]; ok {
			parts[i] = value
		}
	}
	return strings.Join(parts, "/")
}

var missing = regexp.MustCompile(`⟦[^⟧]*⟧`)

// Every page is opened by everybody in both languages: nothing breaks inside,
// and no word is missing.
func TestEveryPageForEverybody(t *testing.T) {
	h := newHouse(t)
	values := h.addresses()
	untranslated := map[string]string{}
	for _, login := range []string{"oert@gym.example", "admin@gym.example", "hotline@example.org", "betrieb@example.org"} {
		b := h.as(login)
		if login == "hotline@example.org" || login == "betrieb@example.org" {
			b.get(web.With(web.PathSchool, "ort", h.school.School.String()))
		}
		for _, lang := range web.Languages() {
			b.post(web.PathPreferences, "lang", lang, "back", web.PathHelp)
			for _, route := range console.Routes() {
				if route.Method != http.MethodGet || strings.HasSuffix(route.Pattern, "/live") {
					continue
				}
				path := fill(route.Pattern, values)
				a := b.get(path)
				if a.status >= 500 {
					t.Errorf("%s %s (%s): %d", login, path, lang, a.status)
				}
				if a.status == http.StatusForbidden && may.Anywhere(h.actor(login), route.Needs) && !route.Public {
					t.Logf("%s may not open %s", login, path)
				}
				for _, word := range missing.FindAllString(a.body, -1) {
					untranslated[word] = path + " " + lang
				}
			}
		}
	}
	for word, where := range untranslated {
		t.Errorf("no words for %s on %s", word, where)
	}
}

// A person of one school asks for everything of another authority: nothing is
// there, as if it did not exist.
func TestNothingOfAForeignAuthorityIsThere(t *testing.T) {
	h := newHouse(t)
	values := h.addresses()
	boss := may.Actor{ID: "system:test", Name: "Test", Grants: []may.Grant{{Role: may.Operator}}}
	authority, err := h.roster.CreateAuthority(context.Background(), boss, "Anderer Kreis", "")
	must(t, err)
	school, err := h.roster.CreateSchool(context.Background(), boss, authority.ID, "Andere Schule", "")
	must(t, err)
	h.person("Frau Fremd", "fremd@other.example", []may.Grant{{Role: may.SchoolAdmin, Branch: school.Branch()}, {Role: may.Teacher, Branch: school.Branch()}})
	stranger := h.as("fremd@other.example")
	for _, route := range console.Routes() {
		if route.Public || !strings.ContainsAny(route.Pattern, ":") {
			continue
		}
		path := fill(route.Pattern, values)
		var a answer
		if route.Method == http.MethodGet {
			a = stranger.get(path)
		} else {
			a = stranger.post(path, "name", "x", "device", values[":device"], "mode", values[":mode"], "token", values[":mode"], "kind", "offline", "minutes", "10", "sites", "a.example", "absent", "1", "action", "add", "role", "teacher", "person", values[":person"])
		}
		if a.status != http.StatusNotFound && a.status != http.StatusForbidden {
			t.Errorf("%s %s: %d at %s", route.Method, path, a.status, a.path)
		}
		a.lacks(t, "GYM-0001", "Koffer B", "oert@gym.example")
	}
}

// Who opens an enrolment link on a laptop has no login, and saw one asked for.
func TestAnEnrolmentLinkInABrowserSaysWhatToDo(t *testing.T) {
	h := newHouse(t)
	token, err := h.deps.Enroll.CreateToken(t.Context(), h.actor("admin@gym.example"), enroll.NewToken{School: h.school.School})
	must(t, err)
	stranger, path := h.browser(), web.To(web.PathTokenLink, token.Token)
	stranger.get(path).has(t, "schulwart-agent enroll", token.Token, web.To(web.PathToken, token.ID.String()))
	must(t, h.deps.Enroll.Revoke(t.Context(), h.actor("admin@gym.example"), token.ID))
	for says, path := range map[string]string{"Dieser Aufnahmelink ist widerrufen.": path, "Diesen Aufnahmelink gibt es nicht.": web.To(web.PathTokenLink, "x.y.z")} {
		a := stranger.get(path)
		a.has(t, says)
		a.lacks(t, "schulwart-agent enroll")
		if a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}

func TestWithoutSignInThereIsOnlyTheDoor(t *testing.T) {
	h := newHouse(t)
	values := h.addresses()
	nobody := h.browser()
	for _, route := range console.Routes() {
		if route.Public {
			continue
		}
		path := fill(route.Pattern, values)
		var a answer
		if route.Method == http.MethodGet {
			a = nobody.get(path)
		} else {
			a = nobody.post(path)
		}
		if !strings.HasPrefix(a.path, web.PathLogin) {
			t.Errorf("%s %s leads to %s (%d)", route.Method, path, a.path, a.status)
		}
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{web.PathLogin, "/nichts", web.Asset("schulwart.css"), web.PathManifest} {
		a := h.browser().get(path)
		policy := a.header.Get("Content-Security-Policy")
		if strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") || !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("%s: policy %q", path, policy)
		}
		for _, name := range []string{"Referrer-Policy", "Permissions-Policy", "X-Content-Type-Options", "X-Request-Id"} {
			if a.header.Get(name) == "" {
				t.Errorf("%s has no %s", path, name)
			}
		}
	}
	secure := h.deps
	secure.Secure = true
	recorder := httptest.NewRecorder()
	console.New(secure).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, web.PathLogin, nil))
	if recorder.Header().Get("Strict-Transport-Security") == "" {
		t.Error("people who come by TLS are not told to stay with it")
	}
}

func TestAnotherSiteCannotPress(t *testing.T) {
	h := newHouse(t)
	teacher := h.as("oert@gym.example")
	request, err := http.NewRequest(http.MethodPost, h.server.URL+web.To(web.PathModeStart, h.class.String()), strings.NewReader("kind=offline"))
	must(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "cross-site")
	if a := teacher.do(request); a.status != http.StatusForbidden {
		t.Errorf("a foreign page started a mode: %d", a.status)
	}
	if n := storeCount(t, h, "SELECT COUNT(*) FROM modes"); n != "0" {
		t.Errorf("%s modes", n)
	}
}
