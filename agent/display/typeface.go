package display

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// typeface is a TrueType font with what our letters need of it: which glyph
// draws a letter, how wide it is, its outline, and how pairs move together. A
// general reader weighs a fifth of a megabyte more, for fonts that we do not
// carry. The fonts are part of the program, and a test draws every letter of
// each, so that a table is trusted to be as its format says.
// https://learn.microsoft.com/typography/opentype/spec/otff
type typeface struct {
	perEm      int16
	characters []byte // subtable of cmap, format 4
	metrics    []byte // hmtx
	full       int    // how many glyphs have metrics of their own
	places     []byte // loca
	long       bool   // whether places are 32 bits wide
	outlines   []byte // glyf
	pairs      []pairTable
}

func u16(b []byte, at int) int { return int(binary.BigEndian.Uint16(b[at:])) }
func i16(b []byte, at int) int { return int(int16(binary.BigEndian.Uint16(b[at:]))) }
func u32(b []byte, at int) int { return int(binary.BigEndian.Uint32(b[at:])) }

func parseTypeface(data []byte) (*typeface, error) {
	tables := map[string][]byte{}
	for i := range u16(data, 4) {
		entry := data[12+16*i:]
		begin, length := u32(entry, 8), u32(entry, 12)
		tables[string(entry[:4])] = data[begin : begin+length]
	}
	for _, name := range []string{"cmap", "head", "hhea", "hmtx", "loca", "glyf"} {
		if tables[name] == nil {
			return nil, fmt.Errorf("the font has no table %s", name)
		}
	}
	f := &typeface{
		perEm: int16(u16(tables["head"], 18)), long: u16(tables["head"], 50) == 1, full: u16(tables["hhea"], 34),
		metrics: tables["hmtx"], places: tables["loca"], outlines: tables["glyf"],
	}
	for i := range u16(tables["cmap"], 2) {
		if table := tables["cmap"][u32(tables["cmap"], 8+8*i):]; u16(table, 0) == 4 {
			f.characters = table
		}
	}
	if f.characters == nil {
		return nil, errors.New("the font says in no known way which glyphs are letters")
	}
	if positions := tables["GPOS"]; positions != nil {
		f.pairs = pairTables(positions)
	}
	return f, nil
}

// glyph returns the number of the glyph that draws the letter; 0 draws a box,
// for letters that the font lacks.
func (f *typeface) glyph(letter rune) int {
	c, table := int(letter), f.characters
	size := u16(table, 6)
	ends, starts := table[14:], table[16+size:]
	deltas, ranges := table[16+2*size:], table[16+3*size:]
	for at := 0; at < size; at += 2 {
		if c > u16(ends, at) {
			continue
		}
		switch {
		case c < u16(starts, at):
			return 0
		case u16(ranges, at) == 0:
			return (c + u16(deltas, at)) & 0xFFFF
		}
		glyph := u16(ranges, at+u16(ranges, at)+2*(c-u16(starts, at)))
		if glyph == 0 {
			return 0
		}
		return (glyph + u16(deltas, at)) & 0xFFFF
	}
	return 0
}

// advance returns the width of a glyph in the font's units.
func (f *typeface) advance(glyph int) int { return u16(f.metrics, 4*min(glyph, f.full-1)) }

// point is a corner of an outline, or what bends the line between two. Its unit
// is the font's; y grows upwards.
type point struct {
	x, y float32
	on   bool // whether the line goes through it
}

func middle(a, b point) point { return point{(a.x + b.x) / 2, (a.y + b.y) / 2, true} }

// outline returns the closed lines that a glyph consists of.
func (f *typeface) outline(glyph int) [][]point {
	begin, end := f.place(glyph), f.place(glyph+1)
	if begin == end {
		return nil // a blank
	}
	data := f.outlines[begin:end]
	if contours := i16(data, 0); contours >= 0 {
		return simpleOutline(data[10:], contours)
	}
	return f.compositeOutline(data[10:])
}

func (f *typeface) place(glyph int) int {
	if f.long {
		return u32(f.places, 4*glyph)
	}
	return 2 * u16(f.places, 2*glyph)
}

// Flags of a point.
const (
	onCurve = 1 << iota
	shortX
	shortY
	repeated
	sameX // or, of a short one, that it is positive
	sameY
)

func simpleOutline(data []byte, contours int) [][]point {
	ends := data
	points := u16(ends, 2*contours-2) + 1
	data = data[2*contours:]
	data = data[2+u16(data, 0):] // hints for screens of old
	flags := make([]byte, 0, points)
	for len(flags) < points {
		flag, times := data[0], 1
		data = data[1:]
		if flag&repeated != 0 {
			times, data = 1+int(data[0]), data[1:]
		}
		for range times {
			flags = append(flags, flag)
		}
	}
	xs, data := coordinates(data, flags, shortX, sameX)
	ys, _ := coordinates(data, flags, shortY, sameY)
	lines, begin := make([][]point, contours), 0
	for i := range lines {
		for end := u16(ends, 2*i); begin <= end; begin++ {
			lines[i] = append(lines[i], point{xs[begin], ys[begin], flags[begin]&onCurve != 0})
		}
	}
	return lines
}

func coordinates(data, flags []byte, short, same byte) ([]float32, []byte) {
	list, value := make([]float32, len(flags)), 0
	for i, flag := range flags {
		switch {
		case flag&short != 0 && flag&same != 0:
			value, data = value+int(data[0]), data[1:]
		case flag&short != 0:
			value, data = value-int(data[0]), data[1:]
		case flag&same == 0:
			value, data = value+i16(data, 0), data[2:]
		}
		list[i] = float32(value)
	}
	return list, data
}

// Flags of a part of a composite glyph.
const (
	wideOffset  = 0x0001
	oneScale    = 0x0008
	moreParts   = 0x0020
	twoScales   = 0x0040
	wholeMatrix = 0x0080
)

// compositeOutline puts a glyph together from others: a letter and its accent.
func (f *typeface) compositeOutline(data []byte) [][]point {
	var lines [][]point
	for flags := moreParts; flags&moreParts != 0; {
		flags = u16(data, 0)
		part := f.outline(u16(data, 2))
		data = data[4:]
		var dx, dy int
		if flags&wideOffset != 0 {
			dx, dy, data = i16(data, 0), i16(data, 2), data[4:]
		} else {
			dx, dy, data = int(int8(data[0])), int(int8(data[1])), data[2:]
		}
		fraction := func(i int) float32 { return float32(i16(data, 2*i)) / (1 << 14) }
		xx, xy, yx, yy := float32(1), float32(0), float32(0), float32(1)
		switch {
		case flags&oneScale != 0:
			xx, yy, data = fraction(0), fraction(0), data[2:]
		case flags&twoScales != 0:
			xx, yy, data = fraction(0), fraction(1), data[4:]
		case flags&wholeMatrix != 0:
			xx, xy, yx, yy, data = fraction(0), fraction(1), fraction(2), fraction(3), data[8:]
		}
		for _, line := range part {
			for i, p := range line {
				line[i] = point{p.x*xx + p.y*yx + float32(dx), p.x*xy + p.y*yy + float32(dy), p.on}
			}
		}
		lines = append(lines, part...)
	}
	return lines
}
