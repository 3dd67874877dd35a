package packages_test

import (
	"bytes"
	pixels "image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"schulwart.org/policies/rollout"
	"schulwart.org/server/errs"
	"schulwart.org/server/packages"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

func picture(t *testing.T, width, height int) []byte {
	t.Helper()
	drawn := pixels.NewGray(pixels.Rect(0, 0, width, height))
	for i := range drawn.Pix {
		drawn.Pix[i] = 200
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, drawn, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAnAppIsDressedForPeople(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s)
		ctx := t.Context()
		first, err := h.WebApp(ctx, h.keller, h.city, rollout.Package{Name: "moodle", Version: "1", URL: "https://moodle.example", Title: rollout.Text{DE: "Moodle"}})
		if err != nil {
			t.Fatal(err)
		}
		second, err := h.WebApp(ctx, h.keller, h.city, rollout.Package{Name: "moodle", Version: "2", URL: "https://moodle.example", Title: rollout.Text{DE: "Moodle"}})
		if err != nil {
			t.Fatal(err)
		}
		texts := packages.Look{Title: rollout.Text{DE: "Lernraum", EN: "Classroom"}, Description: rollout.Text{DE: "Aufgaben und Material"}}
		texts.Picture = picture(t, 200, 100)
		dressed, err := h.SetLook(ctx, h.keller, first.ID, texts)
		if err != nil {
			t.Fatal(err)
		}
		for _, version := range []packages.Package{first, second} {
			found, err := h.Find(ctx, h.keller, version.ID)
			if err != nil || found.Icon != dressed.Icon {
				t.Errorf("version %s has the picture %q: %v", version.Version, found.Icon, err)
			}
		}
		kept, err := h.Icon(ctx, dressed.Icon)
		if err != nil {
			t.Fatal(err)
		}
		drawn, err := png.Decode(bytes.NewReader(kept))
		if err != nil || drawn.Bounds() != pixels.Rect(0, 0, 128, 128) {
			t.Fatalf("%v: %v", drawn.Bounds(), err)
		}
		if _, _, _, alpha := drawn.At(64, 5).RGBA(); alpha != 0 {
			t.Error("a wide picture fills the square")
		}
		if shade := color.GrayModel.Convert(drawn.At(64, 64)).(color.Gray).Y; shade < 190 || shade > 210 {
			t.Errorf("the middle is %d", shade)
		}
		found, _ := h.Find(ctx, h.keller, first.ID)
		if found.Title.EN != "Classroom" || found.Description.DE != "Aufgaben und Material" || found.URL != first.URL {
			t.Errorf("%+v", found.Package)
		}
		// Texts alone leave the picture; an empty one takes it away from all versions.
		texts.Picture = nil
		if kept, err := h.SetLook(ctx, h.keller, second.ID, texts); err != nil || kept.Icon != dressed.Icon {
			t.Errorf("texts took the picture: %q, %v", kept.Icon, err)
		}
		if _, err := h.SetLook(ctx, h.winter, first.ID, texts); !errs.Is(err, errs.NotFound) {
			t.Errorf("a school dressed its authority's app: %v", err)
		}
		texts.Picture = []byte{}
		if bare, err := h.SetLook(ctx, h.keller, second.ID, texts); err != nil || bare.Icon != "" {
			t.Errorf("%q: %v", bare.Icon, err)
		}
		if _, err := h.Icon(ctx, dressed.Icon); !errs.Is(err, errs.NotFound) {
			t.Errorf("the picture is still there: %v", err)
		}
	})
}

func TestWhatIsNoPictureIsRefused(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s)
		app, err := h.WebApp(t.Context(), h.keller, h.city, rollout.Package{URL: "https://moodle.example", Title: rollout.Text{DE: "Moodle"}})
		if err != nil {
			t.Fatal(err)
		}
		whole := picture(t, 40, 40)
		for what, data := range map[string][]byte{
			"a script": []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), "half a picture": whole[:len(whole)/2],
			"a wall": picture(t, 5000, 2), "too many bytes": bytes.Repeat([]byte{0x89}, 3<<20),
		} {
			if _, err := h.SetLook(t.Context(), h.keller, app.ID, packages.Look{Title: app.Title, Picture: data}); !errs.Is(err, errs.Invalid) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}
