package display

import (
	"slices"
	"unicode"
)

// direction is what a letter says of the way in which a line runs: the classes of
// the Unicode Bidirectional Algorithm that occur in what we show
// (https://www.unicode.org/reports/tr9/). A general library weighs 50 kB more, for
// embeddings and isolates that no sentence of ours has; a test holds this against
// it.
type direction byte

const (
	neutral      direction = iota
	leftToRight            // L: Latin, Cyrillic
	rightToLeft            // R and AL: Hebrew, Arabic
	number                 // EN: 0 to 9
	arabicNumber           // AN, and 0 to 9 after Arabic letters
	separator              // CS: within a number it belongs to it
	sign                   // ES: within a number of Latin digits it belongs to it
	unit                   // ET: beside a number it belongs to it
)

func directionOf(r rune) direction {
	switch {
	case r >= '0' && r <= '9':
		return number
	case r >= '٠' && r <= '٩':
		return arabicNumber
	case r == ':' || r == ',' || r == '.' || r == '/':
		return separator
	case r == '+' || r == '-':
		return sign
	case r == '%' || r == '°' || r == '€':
		return unit
	case unicode.In(r, unicode.Arabic, unicode.Hebrew) && unicode.IsLetter(r):
		return rightToLeft
	case unicode.IsLetter(r):
		return leftToRight
	}
	return neutral
}

// mirrored are signs that open and close: what opens a line that runs to the left
// looks like what closes one that runs to the right.
var mirrored = map[rune]rune{'(': ')', ')': '(', '[': ']', ']': '[', '«': '»', '»': '«', '<': '>', '>': '<'}

// visual puts one line of right-to-left text into the order in which it is drawn
// from left to right; names and times in it keep their own direction.
func visual(line string) string {
	letters := []rune(line)
	runs := directions(letters)
	slices.Reverse(letters)
	slices.Reverse(runs)
	for begin := 0; begin < len(letters); {
		end := begin + 1
		for end < len(letters) && (runs[end] == rightToLeft) == (runs[begin] == rightToLeft) {
			end++
		}
		if runs[begin] != rightToLeft {
			slices.Reverse(letters[begin:end])
		} else {
			for i := begin; i < end; i++ {
				if other, ok := mirrored[letters[i]]; ok {
					letters[i] = other
				}
			}
		}
		begin = end
	}
	return string(letters)
}

// directions resolves the direction of every letter of a line that runs from the
// right: rightToLeft, or another for what keeps its own.
func directions(letters []rune) []direction {
	found := make([]direction, len(letters))
	strong, arabic := rightToLeft, false
	for i, r := range letters {
		found[i] = directionOf(r)
		switch {
		case found[i] == leftToRight || found[i] == rightToLeft:
			strong, arabic = found[i], unicode.Is(unicode.Arabic, r)
		case found[i] == number && arabic && strong == rightToLeft: // W2
			found[i] = arabicNumber
		case unicode.Is(unicode.Mn, r) && i > 0: // W1
			found[i] = found[i-1]
		}
	}
	numbers(found)
	// W7: a number after Latin letters runs with them.
	strong = rightToLeft
	for i, d := range found {
		switch {
		case d == leftToRight || d == rightToLeft:
			strong = d
		case d == number && strong == leftToRight:
			found[i] = leftToRight
		}
	}
	// N1 and N2: what stands between two that run alike runs with them, else with
	// the line. Numbers count as right-to-left here.
	before := rightToLeft
	for begin := 0; begin < len(found); begin++ {
		if found[begin] != neutral {
			before = side(found[begin])
			continue
		}
		end := begin
		for end < len(found) && found[end] == neutral {
			end++
		}
		after := rightToLeft
		if end < len(found) {
			after = side(found[end])
		}
		for i := begin; i < end; i++ {
			found[i] = rightToLeft
			if before == leftToRight && after == leftToRight {
				found[i] = leftToRight
			}
		}
		begin = end - 1
	}
	return found
}

// numbers draws separators and units into the numbers that they belong to; the
// others are neutral (W4 to W6).
func numbers(found []direction) {
	for i, d := range found {
		if i == 0 || i+1 == len(found) || found[i-1] != found[i+1] {
			continue
		}
		if (d == separator || d == sign) && found[i-1] == number || d == separator && found[i-1] == arabicNumber {
			found[i] = found[i-1]
		}
	}
	for i, d := range found {
		if d == unit && i > 0 && found[i-1] == number {
			found[i] = number
		}
	}
	for i := len(found) - 1; i >= 0; i-- {
		if found[i] == unit && i+1 < len(found) && found[i+1] == number {
			found[i] = number
		}
	}
	for i, d := range found {
		if d == separator || d == sign || d == unit {
			found[i] = neutral
		}
	}
}

func side(d direction) direction {
	if d == leftToRight {
		return leftToRight
	}
	return rightToLeft
}
