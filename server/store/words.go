package store

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"schulwart.org/policies/org"
)

// Names are found by their beginnings: of the whole, and of each part. The table
// words holds every tail of a name that begins a part, so that a plain range of
// an index answers, on both databases alike.

// beyond is behind every word that begins with what stands before it.
const beyond = "\U0010FFFF"

// longestWord bounds a word; nobody types more.
const longestWord = 60

// fold writes text so that equal-looking words are equal: lower case, no marks.
func fold(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(strings.NewReplacer("ß", "ss", "ẞ", "ss").Replace(text)))
}

// wordsOf returns the words under which a text is found.
func wordsOf(text string) []string {
	var words []string
	for _, word := range strings.Fields(fold(text)) {
		begins := true
		for i, r := range word {
			part := unicode.IsLetter(r) || unicode.IsDigit(r)
			if begins && part {
				words = append(words, shorten(word[i:]))
				if bare := strings.TrimLeft(word[i:], "0"); r == '0' && bare != "" {
					words = append(words, shorten(bare)) // "42" finds 0042
				}
			}
			begins = !part
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

func shorten(word string) string {
	if runes := []rune(word); len(runes) > longestWord {
		return string(runes[:longestWord])
	}
	return word
}

// terms returns what somebody typed, as words to look for. More than five only
// cost time.
func terms(typed string) []string {
	found := strings.Fields(fold(typed))
	for i := range found {
		found[i] = shorten(strings.TrimLeft(found[i], "-_./#\"'"))
	}
	found = slices.DeleteFunc(found, func(term string) bool { return term == "" })
	return found[:min(len(found), 5)]
}

// putWords replaces the words of a thing's old text by those of its new one.
func putWords(ctx context.Context, tx Tx, authority org.ID, kind string, id org.ID, before, after string) error {
	old, words := wordsOf(before), wordsOf(after)
	for _, word := range old {
		if slices.Contains(words, word) {
			continue
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM words WHERE authority = $1 AND kind = $2 AND word = $3 AND id = $4`, authority, kind, word, id); err != nil {
			return err
		}
	}
	for _, word := range words {
		if slices.Contains(old, word) {
			continue
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO words (authority, kind, word, id) VALUES ($1, $2, $3, $4) ON CONFLICT (authority, kind, word, id) DO NOTHING`, authority, kind, word, id); err != nil {
			return err
		}
	}
	return nil
}

// indexAtOnce bounds how many devices one transaction indexes.
const indexAtOnce = 500

// indexDevices brings the words of devices up to date whose name or serial
// number was written elsewhere: by an enrolment, by a first report. There is
// nearly never anything to do, and one look into an index says so.
func (s *Store) indexDevices(ctx context.Context) error {
	type stale struct {
		authority, id org.ID
		before, is    string
	}
	for {
		rows, err := collect(ctx, s.reader(ctx), func(row scanner) (stale, error) {
			var d stale
			return d, row.Scan(&d.authority, &d.id, &d.before, &d.is)
		}, `SELECT authority, id, words_of, name || '/' || serial FROM devices WHERE words_of <> name || '/' || serial ORDER BY id LIMIT $1`, indexAtOnce)
		if err != nil || len(rows) == 0 {
			return err
		}
		err = s.write(ctx, func(ctx context.Context, tx Tx) error {
			for _, d := range rows {
				if err := putWords(ctx, tx, d.authority, "device", d.id, d.before, d.is); err != nil {
					return err
				}
				if _, err := tx.ExecContext(ctx, `UPDATE devices SET words_of = $1 WHERE authority = $2 AND id = $3`, d.is, d.authority, d.id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || len(rows) < indexAtOnce {
			return err
		}
	}
}
