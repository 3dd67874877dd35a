package display

// pairTable moves pairs of glyphs together: each first glyph is covered by it,
// and either lists its second glyphs or belongs to a class of them.
// https://learn.microsoft.com/typography/opentype/spec/gpos#lookup-type-2-subtable-pair-adjustment-positioning
type pairTable []byte

// Kinds of adjustment in the table of positions.
const (
	pairAdjustment = 2
	extension      = 9 // points to one of another kind, further away
)

// pairTables returns the tables of pairs that a font's table of positions
// holds. All of them are kerning in the fonts that we carry.
func pairTables(positions []byte) []pairTable {
	var tables []pairTable
	lookups := positions[u16(positions, 8):]
	for i := range u16(lookups, 0) {
		lookup := lookups[u16(lookups, 2+2*i):]
		for j := range u16(lookup, 4) {
			kind, table := u16(lookup, 0), lookup[u16(lookup, 6+2*j):]
			if kind == extension {
				kind, table = u16(table, 2), table[u32(table, 4):]
			}
			if kind == pairAdjustment {
				tables = append(tables, table)
			}
		}
	}
	return tables
}

// kern returns by how much the second glyph moves away from the first, in the
// font's units; mostly it is negative.
func (f *typeface) kern(first, second int) int {
	for _, table := range f.pairs {
		if move, ok := table.kern(first, second); ok {
			return move
		}
	}
	return 0
}

func (t pairTable) kern(first, second int) (move int, ok bool) {
	covered := coverage(t[u16(t, 2):], first)
	if covered < 0 {
		return 0, false
	}
	// Only the first glyph's advance is moved, and nothing else of either.
	const advanceOnly = 4
	if u16(t, 4) != advanceOnly || u16(t, 6) != 0 {
		return 0, false
	}
	if u16(t, 0) == 1 {
		set := t[u16(t, 10+2*covered):]
		for i := range u16(set, 0) {
			if u16(set, 2+4*i) == second {
				return i16(set, 4+4*i), true
			}
		}
		return 0, false
	}
	row, column := class(t[u16(t, 8):], first), class(t[u16(t, 10):], second)
	return i16(t, 16+2*(row*u16(t, 14)+column)), true
}

// coverage returns the place of a glyph in a list of glyphs, -1 if it is not in
// it.
func coverage(list []byte, glyph int) int {
	if u16(list, 0) == 1 {
		for i := range u16(list, 2) {
			if u16(list, 4+2*i) == glyph {
				return i
			}
		}
		return -1
	}
	for i := range u16(list, 2) {
		span := list[4+6*i:]
		if glyph >= u16(span, 0) && glyph <= u16(span, 2) {
			return u16(span, 4) + glyph - u16(span, 0)
		}
	}
	return -1
}

// class returns the class of a glyph; those that are not listed are of class 0.
func class(list []byte, glyph int) int {
	if u16(list, 0) == 1 {
		if first := u16(list, 2); glyph >= first && glyph < first+u16(list, 4) {
			return u16(list, 6+2*(glyph-first))
		}
		return 0
	}
	for i := range u16(list, 2) {
		span := list[4+6*i:]
		if glyph >= u16(span, 0) && glyph <= u16(span, 2) {
			return u16(span, 4)
		}
	}
	return 0
}
