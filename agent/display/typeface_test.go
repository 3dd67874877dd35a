package display

import (
	"image"
	"image/color"
	"path/filepath"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// Every letter of every font is as a general reader of fonts has it: its glyph,
// its width, how it moves towards each other letter, and what it looks like.
func TestLettersAreAsAGeneralReaderHasThem(t *testing.T) {
	files, err := filepath.Glob("fonts/*.ttf")
	if err != nil || len(files) == 0 {
		t.Fatal("no fonts", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := fontFiles.ReadFile(filepath.ToSlash(file))
			if err != nil {
				t.Fatal(err)
			}
			ours, err := parseTypeface(data)
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := opentype.Parse(data)
			if err != nil {
				t.Fatal(err)
			}
			var buffer sfnt.Buffer
			em := fixed.Int26_6(theirs.UnitsPerEm())
			letters := map[rune]sfnt.GlyphIndex{}
			for r := rune(0); r <= 0xFFFF; r++ {
				want, err := theirs.GlyphIndex(&buffer, r)
				if err != nil {
					t.Fatal(err)
				}
				if got := ours.glyph(r); got != int(want) {
					t.Fatalf("%U is glyph %d, want %d", r, got, want)
				}
				if want == 0 {
					continue
				}
				letters[r] = want
				width, err := theirs.GlyphAdvance(&buffer, want, em, font.HintingNone)
				if err != nil {
					t.Fatal(err)
				}
				if got := ours.advance(int(want)); got != int(width) {
					t.Errorf("%U is %d wide, want %d", r, got, width)
				}
				looksTheSame(t, ours, theirs, r)
			}
			if len(letters) < 100 {
				t.Fatalf("only %d letters", len(letters))
			}
			for first, a := range letters {
				for second, b := range letters {
					want, err := theirs.Kern(&buffer, a, b, em, font.HintingNone)
					if err != nil {
						want = 0 // the font says nothing
					}
					if got := ours.kern(int(a), int(b)); got != int(want) {
						t.Fatalf("%U moves by %d after %U, want %d", second, got, first, want)
					}
				}
			}
		})
	}
}

// looksTheSame draws a letter in both ways. The other way rounds corners to 64ths
// of a pixel, so edges differ by some shades: by a fiftieth of all ink at most.
func looksTheSame(t *testing.T, ours *typeface, theirs *opentype.Font, r rune) {
	t.Helper()
	const size = 40
	face, err := opentype.NewFace(theirs, &opentype.FaceOptions{Size: size, DPI: 72})
	if err != nil {
		t.Fatal(err)
	}
	got, want := image.NewRGBA(image.Rect(0, 0, 3*size, 3*size)), image.NewRGBA(image.Rect(0, 0, 3*size, 3*size))
	(&pen{faces: [2]*typeface{ours, ours}, size: size}).write(got, size, 2*size, color.White, string(r))
	(&font.Drawer{Dst: want, Src: image.White, Face: face, Dot: fixed.P(size, 2*size)}).DrawString(string(r))
	ink, differs := 0, 0
	for i := range got.Pix {
		ink += int(want.Pix[i])
		differs += max(int(got.Pix[i])-int(want.Pix[i]), int(want.Pix[i])-int(got.Pix[i]))
	}
	if differs*50 > ink {
		t.Errorf("%U looks different: %d of %d", r, differs, ink)
	}
}
