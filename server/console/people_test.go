package console_test

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"schulwart.org/policies/org"
	"schulwart.org/server/console"
	"schulwart.org/server/may"
	"schulwart.org/web"
)

// Every address with every role: where the role may do what the address needs
// nowhere at all, the door says so; where it may, the door lets in.
func TestEveryRouteWithEveryRole(t *testing.T) {
	h := newHouse(t)
	values := h.addresses()
	authority := org.Branch{Authority: h.school.Authority}
	people := map[may.Role]string{may.Teacher: "oert@gym.example", may.SchoolAdmin: "admin@gym.example", may.HelpDesk: "hotline@example.org", may.Operator: "betrieb@example.org"}
	for role, branch := range map[may.Role]org.Branch{may.Technician: authority, may.AuthorityAdmin: authority, may.Trainee: h.school, may.ReadOnly: authority} {
		login := string(role) + "@example.org"
		h.person("Frau "+string(role)+" Muster", login, []may.Grant{{Role: role, Branch: branch}})
		people[role] = login
	}
	for _, role := range may.Roles {
		b := h.as(people[role])
		who := h.actor(people[role])
		for _, route := range console.Routes() {
			// The stream never ends by itself, and a sign-out would end the walk.
			if strings.HasSuffix(route.Pattern, "/live") || route.Public {
				continue
			}
			path := fill(route.Pattern, values)
			var a answer
			if route.Method == http.MethodGet {
				a = b.get(path)
			} else {
				a = b.post(path, "session", "none", "action", "none") // asks for nothing that changes what others need
			}
			allowed := route.Needs == may.AccountOwn || may.Anywhere(who, route.Needs)
			if !allowed && a.status != http.StatusForbidden {
				t.Errorf("%s %s %s: %d, though %s is not theirs", role, route.Method, path, a.status, route.Needs)
			}
			if a.status >= http.StatusInternalServerError && a.status != http.StatusServiceUnavailable {
				t.Errorf("%s %s %s: %d", role, route.Method, path, a.status)
			}
			if strings.HasPrefix(a.path, web.PathLogin) {
				t.Fatalf("%s was signed out by %s %s", role, route.Method, path)
			}
		}
	}
}

func TestAnInvitationOnPaper(t *testing.T) {
	h := newHouse(t)
	admin := h.as("admin@gym.example")
	made := admin.post(web.PathPersonInvite, "name", "Frau Nele Neu", "email", "neu@gym.example", "role", "teacher", "group", h.class.String(), "by", "paper")
	code := regexp.MustCompile(`[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}`).FindString(made.body)
	if code == "" {
		t.Fatalf("no code on %s (%d)", made.path, made.status)
	}
	admin.get(made.path+"/blatt").has(t, code)
	h.clock.move(11 * time.Minute)
	admin.get(made.path).lacks(t, code) // only for the minutes of handing over

	guest := h.browser()
	if a := guest.post(web.PathInviteCode, "code", "0000-0000-0000-0000"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a code that is none: %d", a.status)
	}
	open := guest.post(web.PathInviteCode, "code", strings.ToLower(code))
	open.has(t, "Nele Neu", "Goethe-Gymnasium")
	if a := guest.post(open.path, "password", password, "again", "anders"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("two different passwords: %d", a.status)
	}
	in := guest.post(open.path, "password", password, "again", password)
	if in.path != web.PathDay {
		t.Fatalf("after choosing a password: %s (%d)", in.path, in.status)
	}
	in.has(t, "7b")
	if a := h.browser().get(open.path); a.status != http.StatusUnprocessableEntity {
		t.Errorf("the same invitation again: %d", a.status)
	}
}

func TestAForgottenPassword(t *testing.T) {
	h := newHouse(t)
	person, err := h.store.FindLogin(context.Background(), "oert@gym.example")
	must(t, err)
	reset := h.as("admin@gym.example").post(web.To(web.PathPersonReset, person.ID.String()))
	code := regexp.MustCompile(`[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}`).FindString(reset.body)
	old := h.as("oert@gym.example") // the old password holds until then
	in := h.browser().post(web.PathReset, "email", "oert@gym.example", "code", code, "password", "Sonnenblume-Tisch-7", "again", "Sonnenblume-Tisch-7")
	if in.path != web.PathDay {
		t.Fatalf("after the reset: %s (%d)", in.path, in.status)
	}
	if a := old.get(web.PathDay); !strings.HasPrefix(a.path, web.PathLogin) {
		t.Errorf("the old session goes on: %s", a.path)
	}
}

func TestASecondFactor(t *testing.T) {
	h := newHouse(t)
	b := h.as("admin@gym.example")
	begun := b.post(web.PathAccountCode, "action", "begin")
	factor, err := h.staff.PendingFactor(context.Background(), h.actor("admin@gym.example"))
	must(t, err)
	begun.has(t, "<svg")
	if a := b.post(web.PathAccountCode, "action", "confirm", "code", "000000"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong code: %d", a.status)
	}
	now, err := totp.GenerateCode(factor.Secret, h.clock.now())
	must(t, err)
	if a := b.post(web.PathAccountCode, "action", "confirm", "code", now); a.status != http.StatusOK {
		t.Fatalf("confirming: %d", a.status)
	}
	h.clock.move(time.Minute)
	again := h.browser()
	asked := again.post(web.PathLogin, "email", "admin@gym.example", "password", password, "next", web.PathDevices)
	if !strings.HasPrefix(asked.path, web.PathSecondFactor) {
		t.Fatalf("the password alone leads to %s", asked.path)
	}
	if a := again.get(web.PathDevices); !strings.HasPrefix(a.path, web.PathLogin) {
		t.Errorf("half signed in, and at %s", a.path)
	}
	later, err := totp.GenerateCode(factor.Secret, h.clock.now())
	must(t, err)
	if a := again.post(web.PathSecondFactor, "code", later, "next", web.PathDevices); a.path != web.PathDevices {
		t.Errorf("after the code: %s (%d)", a.path, a.status)
	}
}

func TestWrongPasswordsHaveToWait(t *testing.T) {
	h := newHouse(t)
	b := h.browser()
	var a answer
	for range 6 {
		a = b.post(web.PathLogin, "email", "oert@gym.example", "password", "falsch-falsch", "next", "https://evil.example/")
		if a.status != http.StatusUnprocessableEntity {
			t.Fatalf("a wrong password: %d", a.status)
		}
	}
	a.has(t, "oert@gym.example")
	a.lacks(t, "evil.example")
	if a := b.post(web.PathLogin, "email", "oert@gym.example", "password", password); a.path != web.PathLogin {
		t.Errorf("the right password while waiting leads to %s", a.path)
	}
}

func TestAnImportShowsBeforeItDoes(t *testing.T) {
	h := newHouse(t)
	admin := h.as("admin@gym.example")
	mapping := admin.upload("devices", "Inventarnummer;Seriennummer;Gruppe\nGYM-0001;SN00000;7b\nGYM-0900;SN00900;7b\n")
	mapping.has(t, `name="column-0"`, "Inventarnummer")
	preview := admin.post(mapping.path, "action", "map", "column-0", "name", "column-1", "serial", "column-2", "groups")
	preview.has(t, "GYM-0900", "SN00900 · 7b") // what is new is told with what it brings
	if n := storeCount(t, h, "SELECT COUNT(*) FROM devices WHERE name = 'GYM-0900'"); n != "0" {
		t.Error("the preview has done it already")
	}
	admin.post(mapping.path, "action", "back").has(t, `name="column-0"`)
	done := admin.post(mapping.path, "action", "apply", "sure", "1")
	if n := storeCount(t, h, "SELECT COUNT(*) FROM devices WHERE name = 'GYM-0900'"); n != "1" {
		t.Errorf("after applying there are %s (%d at %s)", n, done.status, done.path)
	}
}

// The page offered "people", which the roster does not know: no list of teachers
// could be imported.
func TestEveryKindOfFileThatIsOfferedCanBeImported(t *testing.T) {
	h := newHouse(t)
	admin := h.as("admin@gym.example")
	files := map[string]string{
		"devices":  "Inventarnummer;Modell\nGYM-0900;Acer\n",
		"groups":   "Name;Art;Raum;Lehrkraft;Vorrang\n8c;Klasse;112;oert@gym.example;1\n",
		"teachers": "Anrede;Vorname;Nachname;E-Mail;Klassen\nFrau;Ida;Neu;neu@gym.example;7b\n",
		"persons":  "ID;Name;Klasse\ns1;Ada B.;7b\n",
	}
	offered := regexp.MustCompile(`name="what" value="([a-z]+)"`).FindAllStringSubmatch(admin.get(web.PathImport).body, -1)
	if len(offered) != len(files) {
		t.Fatalf("%d kinds are offered", len(offered))
	}
	for _, kind := range offered {
		what := kind[1]
		mapping := admin.upload(what, files[what])
		if mapping.status != http.StatusOK {
			t.Errorf("%s: %d", what, mapping.status)
			continue
		}
		mapping.lacks(t, "⟦")
		columns := []string{"action", "map"}
		for _, chosen := range regexp.MustCompile(`(?s)name="(column-[0-9])"(.*?)</select>`).FindAllStringSubmatch(mapping.body, -1) {
			if field := regexp.MustCompile(`value="([a-z]+)" selected`).FindStringSubmatch(chosen[2]); field != nil {
				columns = append(columns, chosen[1], field[1])
			}
		}
		preview := admin.post(mapping.path, columns...)
		preview.lacks(t, "⟦")
		preview.has(t, `value="apply"`)
		done := admin.post(mapping.path, "action", "apply", "sure", "1")
		done.has(t, "Übernommen")
		done.lacks(t, "⟦")
	}
	admin.get(web.PathImport).lacks(t, "⟦")
	admin.get(web.PathPeople).has(t, "Ida Neu")
}

// upload sends a file to be imported.
func (b *browser) upload(what, text string) answer {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	must(b.t, form.WriteField("what", what))
	file, err := form.CreateFormFile("file", what+".csv")
	must(b.t, err)
	_, err = file.Write([]byte(text))
	must(b.t, err)
	must(b.t, form.Close())
	request, err := http.NewRequest(http.MethodPost, b.base+web.PathImport, &body)
	must(b.t, err)
	request.Header.Set("Content-Type", form.FormDataContentType())
	return b.do(request)
}

func TestRetiringEndsWhatHolds(t *testing.T) {
	h := newHouse(t)
	device := h.devices[0].String()
	h.as("oert@gym.example").post(web.To(web.PathModeStart, h.class.String()), "kind", "offline")
	h.readBack(h.devices[:6]...)
	h.clock.move(time.Second)
	admin := h.as("admin@gym.example")
	admin.get(web.To(web.PathDeviceRetire, device)).has(t, "GYM-0001")
	if a := admin.post(web.To(web.PathDeviceRetire, device)); a.path != web.PathDevices {
		t.Fatalf("after retiring: %s (%d)", a.path, a.status)
	}
	admin.get(web.With(web.PathDevices, "q", "GYM-0001")).lacks(t, web.To(web.PathDevice, device))
	lines, err := h.lessons.Leases(context.Background(), h.school, h.devices[0])
	must(t, err)
	for _, line := range lines {
		if h.clock.now().Before(line.Lease.Ends) {
			t.Error("a retired device still has the mode")
		}
	}
}

func TestAPupilsLinkShowsNothingElse(t *testing.T) {
	h := newHouse(t)
	h.as("oert@gym.example").post(web.To(web.PathModeStart, h.class.String()), "kind", "offline")
	h.readBack(h.devices[:6]...)
	link := regexp.MustCompile(`href="(/g/[^"]+)"`).FindStringSubmatch(h.as("admin@gym.example").get(web.To(web.PathDevice, h.devices[0].String())).body)
	if link == nil {
		t.Fatal("the device's page has no link for pupils")
	}
	pupil := h.browser().get(link[1])
	pupil.has(t, "GYM-0001", "Frau Oert", "10:35")
	pupil.lacks(t, "GYM-0002", "SN0000")
	forged := link[1][:len(link[1])-2] + "AA"
	if a := h.browser().get(forged); a.status != http.StatusNotFound {
		t.Errorf("a forged link: %d", a.status)
	}
	sees := h.browser().get(link[1] + "/was-sieht-die-schule")
	sees.has(t, "GYM-0001")
	sees.lacks(t, ">device<") // who reported is nobody who looked
}

func TestTheKeyOfTheModesIsChangedAfterAPreview(t *testing.T) {
	h := newHouse(t)
	boss := h.as("betrieb@example.org")
	boss.get(web.PathOperations).has(t, web.PathKeyRotate)
	before, _ := h.keys.Current()
	boss.get(web.PathKeyRotate).has(t, "30")
	if now, _ := h.keys.Current(); now != before {
		t.Fatal("looking changed it")
	}
	if a := boss.post(web.PathKeyRotate); a.path != web.PathOperations {
		t.Fatalf("after the change: %s (%d)", a.path, a.status)
	}
	if now, _ := h.keys.Current(); now == before {
		t.Error("the key is the former one")
	}
	if n := storeCount(t, h, "SELECT COUNT(*) FROM audit WHERE target_kind = 'keys' AND actor <> ''"); n == "0" {
		t.Error("no audit row")
	}
}
