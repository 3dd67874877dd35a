package console_test

import (
	"bytes"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"schulwart.org/web"
)

func (b *browser) dress(path string, picture []byte, pairs ...string) answer {
	b.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i+1 < len(pairs); i += 2 {
		must(b.t, form.WriteField(pairs[i], pairs[i+1]))
	}
	file, err := form.CreateFormFile("picture", "symbol.png")
	must(b.t, err)
	_, err = file.Write(picture)
	must(b.t, err)
	must(b.t, form.Close())
	request, err := http.NewRequest(http.MethodPost, b.base+path, &body)
	must(b.t, err)
	request.Header.Set("Content-Type", form.FormDataContentType())
	return b.do(request)
}

// An icon goes from the catalogue to the pupil's own page, and is kept by browsers.
func TestAnAppHasAFaceWhereItIsPicked(t *testing.T) {
	h := newHouse(t)
	app := h.app("geogebra.example", "GeoGebra")
	operator, admin := h.as("betrieb@example.org"), h.as("admin@gym.example")
	at := web.To(web.PathApp, app.String())
	operator.get(at).has(t, "Name, Beschreibung und Symbol", `aria-hidden="true">G</span>`)
	admin.get(at).lacks(t, "Name, Beschreibung und Symbol")

	var picture bytes.Buffer
	must(t, png.Encode(&picture, image.NewNRGBA(image.Rect(0, 0, 300, 200))))
	operator.dress(at+"/aussehen", picture.Bytes(), "title", "GeoGebra", "text", "Zeichnen und rechnen").has(t, "Gespeichert.", "Zeichnen und rechnen", "Symbol entfernen")
	operator.dress(at+"/aussehen", []byte("<svg onload=alert(1)>"), "title", "GeoGebra").has(t, "Das ist kein Bild, das sich lesen lässt")
	operator.dress(at+"/aussehen", bytes.Repeat([]byte{1}, 2<<20+1), "title", "GeoGebra").has(t, "Das Bild ist zu groß")
	if a := admin.dress(at+"/aussehen", nil, "title", "Meins"); a.status != http.StatusForbidden {
		t.Errorf("a school dressed an app of all: %d", a.status)
	}

	admin.post(web.PathShelf, "app", app.String(), "for", "all", "group", "")
	link := regexp.MustCompile(`href="(/g/[^"]+)"`).FindStringSubmatch(admin.get(web.To(web.PathDevice, h.devices[0].String())).body)[1] + "/apps"
	page := h.browser().get(link)
	page.has(t, "Zeichnen und rechnen")
	src := regexp.MustCompile(`src="(/symbole/[0-9a-f]{64})"`).FindStringSubmatch(page.body)
	if src == nil {
		t.Fatal("the pupil sees no icon")
	}
	icon := h.browser().get(src[1])
	if icon.status != http.StatusOK || icon.header.Get("Content-Type") != "image/png" || !strings.Contains(icon.header.Get("Cache-Control"), "immutable") {
		t.Errorf("%d %v", icon.status, icon.header)
	}
	if a := h.browser().get("/symbole/" + strings.Repeat("0", 64)); a.status != http.StatusNotFound {
		t.Errorf("an icon that is not there: %d", a.status)
	}
	operator.dress(at+"/aussehen", nil, "title", "GeoGebra", "drop", "1").lacks(t, src[1])
}
