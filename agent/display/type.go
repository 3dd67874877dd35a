package display

import (
	"embed"
	"fmt"
	"image"
	"image/color"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

//go:embed fonts/*.ttf fonts/OFL.txt
var fontFiles embed.FS

type weight int

const (
	regular weight = iota
	strong
)

// parsed holds each weight in Latin and Cyrillic, and in Arabic.
var parsed = sync.OnceValues(func() (map[weight][2]*opentype.Font, error) {
	fonts := map[weight][2]*opentype.Font{}
	for w, names := range map[weight][2]string{regular: {"FiraSans-Regular", "NotoSansArabic-Regular"}, strong: {"FiraSans-SemiBold", "NotoSansArabic-Bold"}} {
		var pair [2]*opentype.Font
		for i, name := range names {
			data, err := fontFiles.ReadFile("fonts/" + name + ".ttf")
			if err != nil {
				return nil, fmt.Errorf("reading font: %w", err)
			}
			if pair[i], err = opentype.Parse(data); err != nil {
				return nil, fmt.Errorf("parsing font %s: %w", name, err)
			}
		}
		fonts[w] = pair
	}
	return fonts, nil
})

// pen writes text of one weight and size; letters that the first font lacks come
// from the second.
type pen struct {
	faces [2]font.Face
	size  float64
}

func newPen(w weight, size float64) (*pen, error) {
	fonts, err := parsed()
	if err != nil {
		return nil, err
	}
	p := &pen{size: size}
	for i, f := range fonts[w] {
		if p.faces[i], err = opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72}); err != nil {
			return nil, fmt.Errorf("sizing font: %w", err)
		}
	}
	return p, nil
}

func (p *pen) close() {
	for _, face := range p.faces {
		_ = face.Close()
	}
}

func (p *pen) faceOf(r rune) font.Face {
	if r >= 0x0600 && r <= 0x06FF || r >= 0xFE70 && r <= 0xFEFC {
		return p.faces[1]
	}
	return p.faces[0]
}

// width measures a drawn line.
func (p *pen) width(line string) float64 {
	var total fixed.Int26_6
	before := rune(-1)
	for _, r := range line {
		face := p.faceOf(r)
		if before >= 0 && p.faceOf(before) == face {
			total += face.Kern(before, r)
		}
		advance, _ := face.GlyphAdvance(r)
		total += advance
		before = r
	}
	return float64(total) / 64
}

// write draws a line whose left end and baseline are given.
func (p *pen) write(onto *image.RGBA, x, baseline float64, ink color.Color, line string) {
	drawer := font.Drawer{Dst: onto, Src: image.NewUniform(ink), Dot: fixed.Point26_6{X: fixed.Int26_6(x * 64), Y: fixed.Int26_6(baseline * 64)}}
	before := rune(-1)
	for _, r := range line {
		face := p.faceOf(r)
		if before >= 0 && p.faceOf(before) == face {
			drawer.Dot.X += face.Kern(before, r)
		}
		drawer.Face = face
		drawer.DrawString(string(r))
		before = r
	}
}

// centre draws a line around the middle.
func (p *pen) centre(onto *image.RGBA, middle, baseline float64, ink color.Color, line string) {
	p.write(onto, middle-p.width(line)/2, baseline, ink, line)
}

// lines breaks text so that no line is wider than most, as evenly as it goes,
// and returns it as it is drawn.
func (p *pen) lines(text string, most float64, rtl bool) []string {
	if rtl {
		text = shape(text)
	}
	broken := p.fill(text, most)
	if len(broken) > 1 {
		broken = p.even(text, most, len(broken))
	}
	if rtl {
		for i, line := range broken {
			broken[i] = visual(line)
		}
	}
	return broken
}

func (p *pen) fill(text string, most float64) []string {
	var broken []string
	line := ""
	for _, word := range strings.Fields(text) {
		longer := strings.TrimSpace(line + " " + word)
		if line != "" && p.width(longer) > most {
			broken, line = append(broken, line), word
			continue
		}
		line = longer
	}
	if line != "" {
		broken = append(broken, line)
	}
	return broken
}

// even narrows the lines while their number stays the same, so that no single
// word is left over for the last.
func (p *pen) even(text string, most float64, count int) []string {
	low, high := most/2, most
	for range 12 {
		if middle := (low + high) / 2; len(p.fill(text, middle)) <= count && p.fits(text, middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return p.fill(text, high)
}

func (p *pen) fits(text string, most float64) bool {
	for _, line := range p.fill(text, most) {
		if p.width(line) > most {
			return false
		}
	}
	return true
}
