package console_test

import (
	"context"
	"net/http/httptest"
	"testing"

	"schulwart.org/policies/org"
	"schulwart.org/server/console"
	"schulwart.org/server/may"
	"schulwart.org/server/setup"
	"schulwart.org/server/store/storetest"
	"schulwart.org/web"
)

// Who was given a role above the schools found nothing but the help pages.
func TestWhoLooksAfterSchoolsBeginsWithThem(t *testing.T) {
	h := newHouse(t)
	authority := org.Branch{Authority: h.school.Authority}
	h.second()
	for login, role := range map[string]may.Role{
		"leitung@example.org": may.ReadOnly, "azubi@example.org": may.Trainee, "traeger@example.org": may.AuthorityAdmin,
	} {
		h.person("Frau "+login, login, []may.Grant{{Role: role, Branch: authority}})
		begin := h.as(login).get(web.PathHome)
		if begin.path != web.PathSchools {
			t.Errorf("%s begins at %s", role, begin.path)
		}
		begin.has(t, "Goethe-Gymnasium")
	}
	operator := h.as("betrieb@example.org").get(web.PathHome)
	if operator.path != web.PathSchools {
		t.Errorf("the operator begins at %s", operator.path)
	}
	caller := h.as("hotline@example.org").get(web.PathHome)
	if caller.path != web.PathHelpdesk {
		t.Errorf("the help desk begins at %s", caller.path)
	}
	caller.has(t, web.PathSchools)
	h.as("oert@gym.example").get(web.PathHome).lacks(t, `href="`+web.PathSchools+`"`)
}

// After set-up "take the first device" led to the list of schools, which said
// nothing of devices.
func TestTheOnlySchoolNeedsNoChoice(t *testing.T) {
	h := newHouse(t)
	operator := h.as("betrieb@example.org")
	if at := operator.get(web.PathTokenNew); at.path != web.PathTokenNew {
		t.Fatalf("with one school the operator came to %s", at.path)
	}
	h.second()
	if at := operator.get(web.PathTokens); at.path != web.PathSchools {
		t.Fatalf("with two schools the operator came to %s", at.path)
	}
}

// second plants another school.
func (h *house) second() {
	boss := may.Actor{ID: "system:test", Name: "Test", Grants: []may.Grant{{Role: may.Operator}}, Via: "cli"}
	_, err := h.roster.CreateSchool(context.Background(), boss, h.school.Authority, "Grundschule am Park", "GSP")
	must(h.t, err)
}

// The page promises that the colleague sees it.
func TestTheClassTeacherSeesWhoStandsIn(t *testing.T) {
	h := newHouse(t)
	h.as("blum@gym.example").post(web.PathSubstitute, "group", h.class.String())
	teacher := h.as("oert@gym.example")
	for _, path := range []string{web.PathDay, web.To(web.PathBoard, h.class.String())} {
		teacher.get(path).has(t, "Herr Blum vertritt hier bis 10:35")
	}
	h.as("blum@gym.example").get(web.PathDay).lacks(t, "vertritt hier")
}

// Taking one's own class as a substitute for oneself was offered.
func TestNobodyStandsInForThemselves(t *testing.T) {
	h := newHouse(t)
	class := `name="group" value="` + h.class.String() + `"`
	h.as("oert@gym.example").get(web.PathSubstitute).lacks(t, class)
	h.as("blum@gym.example").get(web.PathSubstitute).has(t, class)
}

// Somebody who opened the address of a new server read that a link they never
// had no longer works.
func TestANewServerSaysWhereItsLinkIs(t *testing.T) {
	h := newHouse(t)
	h.deps.Setup = &setup.Service{}
	server := httptest.NewServer(console.New(h.deps))
	t.Cleanup(server.Close)
	visitor := h.browser()
	visitor.base = server.URL
	visitor.get(web.To(web.PathSetup, string(web.SetupAddress))).has(t, "Dieser Link gilt nicht mehr")
	storetest.Exec(t, h.store, `DELETE FROM staff`)
	visitor.get(web.PathHome).has(t, "noch nicht eingerichtet", "journalctl -u schulwart")
}

// Whoever is invited as "Frau Neu" was greeted as "Neu".
func TestASurnameAloneKeepsItsSalutation(t *testing.T) {
	h := newHouse(t)
	made := h.as("admin@gym.example").post(web.PathPersonInvite, "name", "Frau Neu", "email", "neu@gym.example", "role", "teacher", "how", "paper")
	made.has(t, "<h1>Frau Neu</h1>", "sieben Tage")
	made.lacks(t, "24 Stunden")
}

// The log told a German school "devices: 6, what: end", and called the end of a
// mode and a code that was shown by one name.
func TestTheLogSpeaksTheReadersLanguage(t *testing.T) {
	h := newHouse(t)
	teacher := h.as("oert@gym.example")
	teacher.post(web.To(web.PathModeStart, h.class.String()), "kind", "offline")
	teacher.post(web.To(web.PathModeExtend, h.class.String(), h.runningMode()), "minutes", "10")
	teacher.post(web.To(web.PathModeEnd, h.class.String(), h.runningMode()))
	h.as("blum@gym.example").post(web.PathSubstitute, "group", h.class.String())
	log := h.as("admin@gym.example").get(web.PathAudit)
	log.has(t, "Modus beendet <", "Modus verlängert <", "Geräte: 6", "Art: Internet aus", "als: Vertretung")
	log.lacks(t, "devices:", "what:", "kind:", "ends:", "how:")
}
