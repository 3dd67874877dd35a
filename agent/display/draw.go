package display

import (
	"image"
	"image/color"
	"math"
	"time"

	"golang.org/x/image/vector"

	"schulwart.org/agent/words"
)

// The colours, after the dark theme of the console. Text reaches 7:1, the empty
// ring and the frames of buttons 3:1 against the ground.
var (
	ground = color.RGBA{0x0B, 0x10, 0x20, 0xFF}
	ink    = color.RGBA{0xF4, 0xF6, 0xFB, 0xFF}
	muted  = color.RGBA{0xB9, 0xC1, 0xD6, 0xFF}
	accent = color.RGBA{0x9A, 0xB2, 0xEA, 0xFF}
	track  = color.RGBA{0x5C, 0x68, 0x88, 0xFF}
)

// scene is what one screen shows.
type scene struct {
	text        words.LockText
	message     string // the teacher's own words
	left, total time.Duration
	voice       bool   // something can read aloud
	code        *entry // where a code is asked for
}

// view places a scene on a screen of a size in pixels; all lengths scale with it.
type view struct {
	width, height int
	scale         float64
}

func newView(width, height int) view {
	scale := math.Min(float64(height)/800, float64(width)/1000)
	return view{width, height, math.Min(math.Max(scale, 0.55), 4)}
}

// picture is a part of the screen and where it belongs.
type picture struct {
	at    image.Point
	image *image.RGBA
}

func blank(width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	block(img, img.Bounds(), ground)
	return img
}

// block fills a rectangle. What image/draw can do beyond that would be most of a
// program that must stay small.
func block(img *image.RGBA, area image.Rectangle, with color.RGBA) {
	area = area.Intersect(img.Bounds())
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for at := img.PixOffset(area.Min.X, y); at < img.PixOffset(area.Max.X, y); at += 4 {
			img.Pix[at], img.Pix[at+1], img.Pix[at+2], img.Pix[at+3] = with.R, with.G, with.B, with.A
		}
	}
}

// ringTop is how far the ring's upper edge is from the top: the whole stands a
// little above the middle, where the eye looks for it.
func (v view) ringTop() float64 { return float64(v.height)*0.5 - 270*v.scale }

func (v view) ringSize() float64 { return 172 * v.scale }

// ring draws the time that runs out.
func (v view) ring(s scene) (picture, error) {
	size := int(math.Ceil(v.ringSize()))
	img := blank(size, size)
	middle, radius, thick := float64(size)/2, float64(size)/2-8*v.scale, 12*v.scale
	part := 0.0
	if s.total > 0 {
		part = math.Min(1, math.Max(0, float64(s.left)/float64(s.total)))
	}
	arc(img, middle, radius, thick, 1, track)
	if part > 0 {
		arc(img, middle, radius, thick, part, accent)
	}
	writer, err := newPen(strong, 38*v.scale)
	if err != nil {
		return picture{}, err
	}
	label := words.Remaining(s.text.Lang, s.left)
	if s.text.RTL {
		label = visual(shape(label))
	}
	writer.centre(img, middle, middle+writer.size*0.35, ink, label)
	return picture{image.Pt((v.width-size)/2, int(v.ringTop())), img}, nil
}

// body draws the sentences.
func (v view) body(s scene) (picture, error) {
	width := int(math.Min(float64(v.width)-48*v.scale, 860*v.scale))
	top := v.ringTop() + v.ringSize() + 30*v.scale
	height := int(math.Max(float64(v.height)-top-130*v.scale, 120*v.scale))
	img := blank(width, height)
	middle := float64(width) / 2
	title, err := newPen(strong, 46*v.scale)
	if err != nil {
		return picture{}, err
	}
	plain, err := newPen(regular, 23*v.scale)
	if err != nil {
		return picture{}, err
	}
	y := title.size
	for _, line := range title.lines(s.text.Title, float64(width), s.text.RTL) {
		title.centre(img, middle, y, ink, line)
		y += title.size * 1.2
	}
	y += 14 * v.scale
	for _, sentence := range []string{s.text.Who, s.text.Until, s.text.Safe} {
		for _, line := range plain.lines(sentence, float64(width)*0.9, s.text.RTL) {
			plain.centre(img, middle, y, muted, line)
			y += plain.size * 1.5
		}
	}
	if s.code != nil {
		y = v.field(img, title, plain, middle, y, s)
	}
	if s.message != "" {
		y += 24 * v.scale
		v.quote(img, plain, middle, y, s.message)
	}
	return picture{image.Pt((v.width-width)/2, int(top)), img}, nil
}

// quote draws the teacher's own words with a bar of the accent beside them.
func (v view) quote(img *image.RGBA, writer *pen, middle, y float64, message string) {
	rtl := isRTL(message)
	lines := writer.lines(message, 560*v.scale, rtl)
	const most = 4
	if len(lines) > most {
		lines = append(lines[:most-1], lines[most-1]+" …")
	}
	widest := 0.0
	for _, line := range lines {
		widest = math.Max(widest, writer.width(line))
	}
	bar := image.Rect(int(middle-widest/2-20*v.scale), int(y-writer.size), int(middle-widest/2-16*v.scale), int(y+writer.size*(1.5*float64(len(lines)-1)+0.35)))
	block(img, bar, accent)
	for _, line := range lines {
		x := middle - widest/2
		if rtl {
			x = middle + widest/2 - writer.width(line)
		}
		writer.write(img, x, y, ink, line)
		y += writer.size * 1.5
	}
}

func isRTL(text string) bool {
	for _, r := range text {
		if r >= 0x0590 && r <= 0x08FF {
			return true
		}
	}
	return false
}

// arc draws a part of a circle, clockwise from the top, with round ends.
func arc(img *image.RGBA, middle, radius, thick, part float64, colour color.Color) {
	outer, inner := radius+thick/2-4, radius-thick/2-4
	if part >= 1 {
		fill(img, colour, circle(middle, middle, outer, false), circle(middle, middle, inner, true))
		return
	}
	steps := max(8, int(part*180))
	var path [][2]float64
	for i := range steps + 1 {
		path = append(path, onCircle(middle, outer, part*float64(i)/float64(steps)))
	}
	for i := steps; i >= 0; i-- {
		path = append(path, onCircle(middle, inner, part*float64(i)/float64(steps)))
	}
	fill(img, colour, path)
	for _, end := range []float64{0, part} {
		at := onCircle(middle, (outer+inner)/2, end)
		fill(img, colour, circle(at[0], at[1], (outer-inner)/2, false))
	}
}

func onCircle(middle, radius, part float64) [2]float64 {
	angle := 2*math.Pi*part - math.Pi/2
	return [2]float64{middle + radius*math.Cos(angle), middle + radius*math.Sin(angle)}
}

func circle(x, y, radius float64, backwards bool) [][2]float64 {
	const steps = 180
	path := make([][2]float64, steps)
	for i := range path {
		angle := 2 * math.Pi * float64(i) / steps
		if backwards {
			angle = -angle
		}
		path[i] = [2]float64{x + radius*math.Cos(angle), y + radius*math.Sin(angle)}
	}
	return path
}

// fill paints the inside of the paths; one that runs backwards cuts a hole.
func fill(img *image.RGBA, colour color.Color, paths ...[][2]float64) {
	bounds := img.Bounds()
	raster := vector.NewRasterizer(bounds.Dx(), bounds.Dy())
	for _, path := range paths {
		for i, point := range path {
			if i == 0 {
				raster.MoveTo(float32(point[0]), float32(point[1]))
				continue
			}
			raster.LineTo(float32(point[0]), float32(point[1]))
		}
		raster.ClosePath()
	}
	raster.Draw(img, bounds, image.NewUniform(colour), image.Point{})
}
