package display

import "strings"

// joined gives the first of an Arabic letter's presentation forms (Unicode block
// FE70–FEFF) and how many it has: four if it joins on both sides (isolated,
// final, initial, medial), two if only to the letter before it.
var joined = map[rune]struct {
	first rune
	forms int
}{
	'ء': {0xFE80, 1}, 'آ': {0xFE81, 2}, 'أ': {0xFE83, 2}, 'ؤ': {0xFE85, 2}, 'إ': {0xFE87, 2}, 'ئ': {0xFE89, 4}, 'ا': {0xFE8D, 2},
	'ب': {0xFE8F, 4}, 'ة': {0xFE93, 2}, 'ت': {0xFE95, 4}, 'ث': {0xFE99, 4}, 'ج': {0xFE9D, 4}, 'ح': {0xFEA1, 4}, 'خ': {0xFEA5, 4},
	'د': {0xFEA9, 2}, 'ذ': {0xFEAB, 2}, 'ر': {0xFEAD, 2}, 'ز': {0xFEAF, 2}, 'س': {0xFEB1, 4}, 'ش': {0xFEB5, 4}, 'ص': {0xFEB9, 4},
	'ض': {0xFEBD, 4}, 'ط': {0xFEC1, 4}, 'ظ': {0xFEC5, 4}, 'ع': {0xFEC9, 4}, 'غ': {0xFECD, 4}, 'ف': {0xFED1, 4}, 'ق': {0xFED5, 4},
	'ك': {0xFED9, 4}, 'ل': {0xFEDD, 4}, 'م': {0xFEE1, 4}, 'ن': {0xFEE5, 4}, 'ه': {0xFEE9, 4}, 'و': {0xFEED, 2}, 'ى': {0xFEEF, 2}, 'ي': {0xFEF1, 4},
}

// lamAlef is the isolated form of each ligature of lam with an alef; the final
// form follows it.
var lamAlef = map[rune]rune{'آ': 0xFEF5, 'أ': 0xFEF7, 'إ': 0xFEF9, 'ا': 0xFEFB}

const (
	tatweel   = 'ـ' // lengthens a line between two letters
	isolated  = 0
	final     = 1
	initial   = 2
	medial    = 3
	lam       = 'ل'
	marksFrom = 'ً' // vowel marks, which join nothing and part nothing
	marksTo   = 'ْ'
)

// shape replaces Arabic letters by the forms that they take between their
// neighbours. Vowel marks are left out: they would need positions that plain
// forms do not carry, and everyday Arabic is written without.
func shape(text string) string {
	var letters []rune
	for _, r := range text {
		if r < marksFrom || r > marksTo {
			letters = append(letters, r)
		}
	}
	var shaped strings.Builder
	for i := 0; i < len(letters); i++ {
		r := letters[i]
		before := i > 0 && joinsForward(letters[i-1])
		if r == lam && i+1 < len(letters) && lamAlef[letters[i+1]] != 0 {
			ligature := lamAlef[letters[i+1]]
			if before {
				ligature++
			}
			shaped.WriteRune(ligature)
			i++
			continue
		}
		after := i+1 < len(letters) && joinsBackward(letters[i+1])
		shaped.WriteRune(formOf(r, before, after))
	}
	return shaped.String()
}

func formOf(r rune, before, after bool) rune {
	letter, ok := joined[r]
	if !ok {
		return r
	}
	form := isolated
	switch {
	case before && after && letter.forms == 4:
		form = medial
	case after && letter.forms == 4:
		form = initial
	case before && letter.forms >= 2:
		form = final
	}
	return letter.first + rune(form)
}

func joinsForward(r rune) bool  { return r == tatweel || joined[r].forms == 4 }
func joinsBackward(r rune) bool { return r == tatweel || joined[r].forms >= 2 }
