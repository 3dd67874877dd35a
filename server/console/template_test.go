package console_test

import (
	"bytes"
	"crypto/ed25519"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"schulwart.org/policies/sheet"
	"schulwart.org/web"
)

// pack is a version of a media centre's template.
func pack(t *testing.T, version int, policies string) (data []byte, key ed25519.PublicKey) {
	t.Helper()
	secret := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	data, err := sheet.Pack(sheet.Template{Name: "grundschule", Title: "Grundschule", Version: version, Publisher: "Medienzentrum", Sheet: policies}, secret)
	must(t, err)
	key, _ = secret.Public().(ed25519.PublicKey)
	return data, key
}

func (b *browser) send(path string, data []byte) answer {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, err := form.CreateFormFile("file", "vorlage.json")
	must(b.t, err)
	_, err = file.Write(data)
	must(b.t, err)
	must(b.t, form.Close())
	request, err := http.NewRequest(http.MethodPost, b.base+path, &body)
	must(b.t, err)
	request.Header.Set("Content-Type", form.FormDataContentType())
	return b.do(request)
}

// The operator takes a template in, the school takes it over, and a newer version
// is proposed to the school, which declines it with a reason.
func TestATemplateComesInAndGoesOn(t *testing.T) {
	h := newHouse(t)
	operator, admin := h.as("betrieb@example.org"), h.as("admin@gym.example")
	first, key := pack(t, 1, "policies: {webfilter: {deny: [spiele.example]}}\n")
	unknown := operator.send(web.PathTemplates, first)
	if unknown.status != http.StatusUnprocessableEntity {
		t.Errorf("a stranger's package: %d", unknown.status)
	}
	unknown.has(t, "Der Herausgeber ist hier nicht bekannt", sheet.Fingerprint(key), "spiele.example", sheet.WriteKey(key))
	operator.post(web.PathPublishers, "name", "Medienzentrum", "key", sheet.WriteKey(key), "fingerprint", "0000").has(t, "Der Fingerabdruck gehört nicht zu diesem Schlüssel")
	operator.post(web.PathPublishers, "name", "Medienzentrum", "key", sheet.WriteKey(key), "fingerprint", sheet.Fingerprint(key)).has(t, "ist jetzt ein bekannter Herausgeber")
	operator.send(web.PathTemplates, bytes.Replace(first, []byte(`"template": "e`), []byte(`"template": "f`), 1)).has(t, "nach dem Signieren verändert")
	operator.send(web.PathTemplates, bytes.Repeat([]byte("x"), 50<<20)).has(t, "größer als jede Vorlage")
	taken := operator.send(web.PathTemplates, first)
	taken.has(t, "Aufgenommen: Grundschule 1")

	where := "school/" + h.school.School.String()
	offer := admin.get(web.With(taken.path, "wo", where))
	offer.has(t, "8 Geräte ändern sich", "spiele.example", "Herausgeber bekannt", "Als Entwurf übernehmen")
	draft := admin.post(taken.path, "do", "take", "wo", where)
	draft.has(t, "Aus dem Vorlagenpaket Grundschule 1")
	admin.post(draft.path+"/veroeffentlichen").has(t, "Veröffentlicht")
	place := web.To(web.PathPlacePolicies, "school", h.school.School.String())
	admin.get(place).has(t, "Vorlagen, die hier gelten", "Grundschule · Version 1")

	second, _ := pack(t, 2, "policies: {webfilter: {deny: [spiele.example, wetten.example]}}\n")
	newer := operator.send(web.PathTemplates, second)
	admin.get(place).has(t, "Grundschule: Version 2 statt 1", "ein Feld ändert sich")
	if silent := admin.post(newer.path, "do", "decline", "wo", where); silent.status != http.StatusUnprocessableEntity {
		t.Errorf("declined without a reason: %d", silent.status)
	}
	admin.post(newer.path, "do", "decline", "wo", where, "reason", "Erst nach den Ferien.").has(t, "Es bleibt bei der bisherigen Version")
	admin.get(place).lacks(t, "Version 2 statt 1")
	admin.get(web.With(newer.path, "wo", where)).has(t, "Erst nach den Ferien.")
	if a := admin.send(web.PathTemplates, second); !strings.Contains(a.body, "nicht") || a.status < 400 {
		t.Errorf("a school takes packages in: %d", a.status)
	}
}

// Four eyes: taking back becomes a draft, an exception waits, and one person alone
// does not switch it off.
func TestFourEyesOnThePages(t *testing.T) {
	h := newHouse(t)
	_, revision, exception := h.standards(h.actor("admin@gym.example"))
	operator, admin := h.as("betrieb@example.org"), h.as("admin@gym.example")
	eyes := web.To(web.PathFourEyes, "authority", h.school.Authority.String())
	operator.get(eyes).has(t, "Änderungen gelten ohne zweite Person")
	operator.post(eyes, "on", "1").has(t, "Eine zweite Person gibt frei")
	operator.post(eyes, "on", "0").has(t, "Beantragt", "möchte seit")
	operator.post(eyes, "on", "0").has(t, "Zustimmen muss jemand anders")
	admin.get(web.To(web.PathRevision, revision)).has(t, "Zurücknehmen vorschlagen")
	draft := admin.post(web.To(web.PathRevision, revision))
	draft.has(t, "Nimmt zurück: Spiele", "liegt zur Freigabe")
	page := web.To(web.PathException, exception)
	admin.get(page).has(t, "Ende beantragen", "Verlängerung beantragen")
	admin.post(web.To(web.PathExceptionEnd, exception)).has(t, "Eine zweite Person entscheidet", "möchte sie jetzt beenden", "Antrag zurückziehen")
	operator.get(page).has(t, "Zustimmen", "Ablehnen")
	operator.post(web.To(web.PathExceptionDecide, exception), "do", "grant").has(t, "Zugestimmt", "vorbei")
	operator.post(draft.path+"/freigeben").has(t, "Veröffentlicht: Spiele")
	admin.get(web.To(web.PathRevision, revision)).has(t, "zurückgenommen")
}
