package display

import (
	"embed"
	"fmt"
	"image"
	"image/color"
	"strings"
	"sync"

	"golang.org/x/image/vector"
)

//go:embed fonts/*.ttf fonts/OFL.txt
var fontFiles embed.FS

type weight int

const (
	regular weight = iota
	strong
)

// parsed holds each weight in Latin and Cyrillic, and in Arabic.
var parsed = sync.OnceValues(func() (map[weight][2]*typeface, error) {
	fonts := map[weight][2]*typeface{}
	for w, names := range map[weight][2]string{regular: {"FiraSans-Regular", "NotoSansArabic-Regular"}, strong: {"FiraSans-SemiBold", "NotoSansArabic-Bold"}} {
		var pair [2]*typeface
		for i, name := range names {
			data, err := fontFiles.ReadFile("fonts/" + name + ".ttf")
			if err != nil {
				return nil, fmt.Errorf("reading font: %w", err)
			}
			if pair[i], err = parseTypeface(data); err != nil {
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
	faces [2]*typeface
	size  float64 // height of an em in pixels
}

func newPen(w weight, size float64) (*pen, error) {
	fonts, err := parsed()
	if err != nil {
		return nil, err
	}
	return &pen{faces: fonts[w], size: size}, nil
}

func (p *pen) faceOf(r rune) *typeface {
	if r >= 0x0600 && r <= 0x06FF || r >= 0xFE70 && r <= 0xFEFC {
		return p.faces[1]
	}
	return p.faces[0]
}

// letter is a glyph at its place on a line, in pixels from the line's beginning.
type letter struct {
	face  *typeface
	glyph int
	x     float64
}

// set places the letters of a drawn line, and measures it.
func (p *pen) set(line string) (letters []letter, width float64) {
	for _, r := range line {
		face := p.faceOf(r)
		next := letter{face: face, glyph: face.glyph(r), x: width}
		scale := p.size / float64(face.perEm)
		if n := len(letters); n > 0 && letters[n-1].face == face {
			next.x += float64(face.kern(letters[n-1].glyph, next.glyph)) * scale
		}
		letters, width = append(letters, next), next.x+float64(face.advance(next.glyph))*scale
	}
	return letters, width
}

// width measures a drawn line.
func (p *pen) width(line string) float64 {
	_, width := p.set(line)
	return width
}

// write draws a line whose left end and baseline are given.
func (p *pen) write(onto *image.RGBA, x, baseline float64, ink color.Color, line string) {
	letters, width := p.set(line)
	// Letters may reach beyond their line a little, an em covers that.
	box := image.Rect(int(x-p.size), int(baseline-1.5*p.size), int(x+width+p.size)+1, int(baseline+p.size)+1).Intersect(onto.Bounds())
	if box.Empty() {
		return
	}
	raster := vector.NewRasterizer(box.Dx(), box.Dy())
	for _, l := range letters {
		scale := float32(p.size / float64(l.face.perEm))
		left, base := float32(x+l.x-float64(box.Min.X)), float32(baseline-float64(box.Min.Y))
		for _, line := range l.face.outline(l.glyph) {
			for i, p := range line {
				line[i].x, line[i].y = left+p.x*scale, base-p.y*scale
			}
			trace(raster, line)
		}
	}
	raster.Draw(onto, box, image.NewUniform(ink), image.Point{})
}

// trace adds a closed line to what is drawn. Between two points that bend it,
// the line goes through their middle.
func trace(raster *vector.Rasterizer, line []point) {
	last := line[len(line)-1]
	begin := last
	switch {
	case line[0].on:
		begin = line[0]
	case !last.on:
		begin = middle(last, line[0])
	}
	raster.MoveTo(begin.x, begin.y)
	for i, p := range line {
		next := line[(i+1)%len(line)]
		switch {
		case p.on:
			raster.LineTo(p.x, p.y)
		case next.on:
			raster.QuadTo(p.x, p.y, next.x, next.y)
		default:
			to := middle(p, next)
			raster.QuadTo(p.x, p.y, to.x, to.y)
		}
	}
	raster.ClosePath()
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
