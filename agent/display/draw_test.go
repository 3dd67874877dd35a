package display

import (
	"flag"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"schulwart.org/agent/words"
)

var keep = flag.String("pictures", "", "directory in which the drawn screens are kept, to look at")

// paint puts all parts on one picture, as a screen shows them.
func paint(t *testing.T, v view, s scene) *image.RGBA {
	t.Helper()
	screen := blank(v.width, v.height)
	put := func(p picture, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		draw.Draw(screen, p.image.Bounds().Add(p.at), p.image, image.Point{}, draw.Src)
	}
	put(v.body(s))
	put(v.ring(s))
	foot, _, err := v.foot(s)
	put(foot, err)
	return screen
}

func TestEveryLanguageOnEveryScreen(t *testing.T) {
	until := time.Date(2026, 3, 16, 9, 5, 0, 0, time.UTC)
	for _, size := range [][2]int{{1280, 800}, {1366, 768}, {1920, 1080}, {3840, 2160}, {800, 1280}, {640, 480}} {
		for _, text := range words.Locks("Frau Oert", until, nil) {
			v := newView(size[0], size[1])
			s := scene{text: text, message: "Wir besprechen jetzt Aufgabe 3 gemeinsam an der Tafel.", left: 112 * time.Second, total: 5 * time.Minute, voice: true}
			screen := paint(t, v, s)
			name := strconv.Itoa(size[0]) + "-" + string(text.Lang)
			if *keep != "" {
				file, err := os.Create(filepath.Join(*keep, name+".png"))
				if err != nil {
					t.Fatal(err)
				}
				if err := png.Encode(file, screen); err != nil {
					t.Fatal(err)
				}
				file.Close()
			}
			_, row, err := v.foot(s)
			if err != nil {
				t.Fatal(err)
			}
			for i, b := range row {
				if !b.area.In(screen.Bounds()) {
					t.Errorf("%s: button %q is off the screen: %v", name, b.label, b.area)
				}
				for _, other := range row[:i] {
					if b.area.Overlaps(other.area) {
						t.Errorf("%s: buttons %q and %q overlap", name, b.label, other.label)
					}
				}
			}
		}
	}
}

// Every letter of every sentence must have a picture: an empty box on a screen
// that somebody cannot leave would be poor.
func TestEveryLetterCanBeDrawn(t *testing.T) {
	p, err := newPen(regular, 20)
	if err != nil {
		t.Fatal(err)
	}
	texts := words.Locks("Frau Öztürk-Łukašević Ґалаґан", time.Now(), nil)
	all := "„“–…0123456789: "
	for _, text := range texts {
		for _, sentence := range []string{text.Title, text.Who, text.Until, text.Safe, words.LangName(text.Lang), words.ReadAloud(text.Lang), words.Remaining(text.Lang, time.Second), words.Remaining(text.Lang, time.Hour)} {
			if text.RTL {
				sentence = visual(shape(sentence))
			}
			all += sentence
		}
	}
	for _, r := range all {
		if p.faceOf(r).glyph(r) == 0 {
			t.Errorf("no glyph for %q (%U)", r, r)
		}
	}
}

func TestArabicLettersJoin(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"start, middle, end":       {"محم", "\uFEE3\uFEA4\uFEE2"},
		"alef joins only backward": {"باب", "\uFE91\uFE8E\uFE8F"},
		"lam and alef are one":     {"سلام", "\uFEB3\uFEFC\uFEE1"},
		"marks are left out":       {"مَن", "\uFEE3\uFEE6"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := shape(c.text); got != c.want {
				t.Errorf("got %U, want %U", []rune(got), []rune(c.want))
			}
		})
	}
}
