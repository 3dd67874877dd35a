package display

import (
	"image"
	"image/color"
	"math"
	"strconv"

	"schulwart.org/agent/words"
)

// button is one of the row at the bottom: a language, or reading aloud.
type button struct {
	lang  words.Lang // empty for reading aloud
	key   int        // its function key, from 1
	label string
	area  image.Rectangle // on the screen
}

// buttons lists what can be chosen, in the order of the function keys.
func buttons(s scene) []button {
	var row []button
	for i, lang := range words.LockLanguages {
		row = append(row, button{lang: lang, key: i + 1, label: words.LangName(lang)})
	}
	if s.voice {
		row = append(row, button{key: len(row) + 1, label: words.ReadAloud(s.text.Lang)})
	}
	return row
}

// foot draws the buttons in as many rows as they need, and says where they are.
func (v view) foot(s scene) (picture, []button, error) {
	writer, err := newPen(regular, 17*v.scale)
	if err != nil {
		return picture{}, nil, err
	}
	small, err := newPen(strong, 12.5*v.scale)
	if err != nil {
		return picture{}, nil, err
	}
	const high, gap, rowGap = 46, 10, 10
	row := buttons(s)
	rows := v.place(row, writer, small, high*v.scale, gap*v.scale, rowGap*v.scale)
	height := int(float64(rows)*(high+rowGap)*v.scale + 4)
	img := blank(v.width, height)
	at := image.Pt(0, v.height-height-int(26*v.scale))
	for i := range row {
		v.button(img, writer, small, row[i], row[i].lang == s.text.Lang)
		row[i].area = row[i].area.Add(at)
	}
	return picture{at, img}, row, nil
}

// place gives each button its area, row by row and each row centred, and returns
// the number of rows.
func (v view) place(row []button, writer, small *pen, high, gap, rowGap float64) int {
	most := float64(v.width) - 32*v.scale
	rows, first, width := 1, 0, 0.0
	top := 2.0
	centre := func(last int) {
		x := (float64(v.width) - width + gap) / 2
		for i := first; i < last; i++ {
			wide := float64(row[i].area.Dx())
			row[i].area = image.Rect(int(x), int(top), int(x+wide), int(top+high))
			x += wide + gap
		}
	}
	for i := range row {
		wide := math.Ceil(writer.width(shownLabel(row[i])) + small.width(keyName(row[i])) + 42*v.scale)
		if width > 0 && width+wide > most {
			centre(i)
			rows, first, width, top = rows+1, i, 0, top+high+rowGap
		}
		row[i].area = image.Rect(0, 0, int(wide), int(high))
		width += wide + gap
	}
	centre(len(row))
	return rows
}

func keyName(b button) string { return "F" + strconv.Itoa(b.key) }

func shownLabel(b button) string {
	if isRTL(b.label) {
		return visual(shape(b.label))
	}
	return b.label
}

func (v view) button(img *image.RGBA, writer, small *pen, b button, chosen bool) {
	frame, inside, label, key := color.Color(track), color.Color(ground), color.Color(ink), color.Color(muted)
	if chosen {
		frame, inside, label, key = accent, accent, ground, ground
	}
	radius := 10 * v.scale
	area := b.area
	fill(img, frame, rounded(area, radius))
	fill(img, inside, rounded(area.Inset(max(1, int(1.6*v.scale))), radius-1.6*v.scale))
	middle := float64(area.Min.Y+area.Max.Y) / 2
	x := float64(area.Min.X) + 16*v.scale
	small.write(img, x, middle+small.size*0.36, key, keyName(b))
	writer.write(img, x+small.width(keyName(b))+10*v.scale, middle+writer.size*0.34, label, shownLabel(b))
}

// rounded is a rectangle with round corners.
func rounded(area image.Rectangle, radius float64) [][2]float64 {
	var path [][2]float64
	left, top, right, bottom := float64(area.Min.X)+radius, float64(area.Min.Y)+radius, float64(area.Max.X)-radius, float64(area.Max.Y)-radius
	for i, centre := range [][2]float64{{right, bottom}, {left, bottom}, {left, top}, {right, top}} {
		const steps = 12
		for step := range steps + 1 {
			angle := math.Pi / 2 * (float64(i) + float64(step)/steps)
			path = append(path, [2]float64{centre[0] + radius*math.Cos(angle), centre[1] + radius*math.Sin(angle)})
		}
	}
	return path
}
