package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"time"
)

//go:embed locale/de.json locale/en.json
var locale embed.FS

// catalogue holds the words of each language. It is filled before main and
// never changes.
var catalogue = map[string]map[string]word{"de": load("de"), "en": load("en")}

// word is a sentence with {names} in it. Where it counts something, it has a
// form for one and one for all other numbers, and may have one for none.
type word struct{ Zero, One, Other string }

// UnmarshalJSON reads either a plain string or an object of forms.
func (w *word) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &w.Other)
	}
	var forms struct{ Zero, One, Other string }
	if err := json.Unmarshal(data, &forms); err != nil {
		return fmt.Errorf("reading forms: %w", err)
	}
	*w = word(forms)
	return nil
}

// form picks the form for the argument "count". German and English both ask
// only whether it is one.
func (w word) form(args map[string]any) string {
	count, counts := number(args["count"])
	switch {
	case counts && count == 0 && w.Zero != "":
		return w.Zero
	case counts && count == 1 && w.One != "":
		return w.One
	}
	return w.Other
}

func load(lang string) map[string]word {
	data, err := locale.ReadFile("locale/" + lang + ".json")
	if err != nil {
		panic(err)
	}
	words := map[string]word{}
	if err := json.Unmarshal(data, &words); err != nil {
		panic(fmt.Sprintf("locale/%s.json: %v", lang, err))
	}
	return words
}

// Languages lists the languages of the console, the first one being the one
// that is used where nothing is known.
func Languages() []string { return []string{"de", "en"} }

// Language returns lang if the console speaks it, else the first language.
func Language(lang string) string {
	if _, ok := catalogue[lang]; ok {
		return lang
	}
	return Languages()[0]
}

// Knows says whether there are words for key.
func Knows(lang, key string) bool {
	_, ok := catalogue[Language(lang)][key]
	return ok
}

// Keys lists every key of a language, sorted.
func Keys(lang string) []string {
	keys := make([]string, 0, len(catalogue[Language(lang)]))
	for key := range catalogue[Language(lang)] {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

// T translates key. The arguments are pairs of a name and a value; the value of
// "count" chooses between singular and plural. A key without words comes back
// in ⟦brackets⟧, which no page may show: a test looks for them.
func T(lang, key string, pairs ...any) string {
	return translate(Frame{Lang: lang}, key, pairsToMap(pairs))
}

// Fault tells a person's fault, which the errs package names by key. A key that
// the words do not know yet becomes the general sentence.
func Fault(lang, key string, args map[string]any) string {
	return Frame{Lang: lang}.Fault(&Problem{Key: key, Args: args})
}

// T translates key for the reader of the page; instants among the arguments are
// told in school time.
func (f Frame) T(key string, pairs ...any) string {
	return translate(f, key, pairsToMap(pairs))
}

// Fault tells a problem as a sentence, and nothing for none.
func (f Frame) Fault(problem *Problem) string {
	if problem == nil {
		return ""
	}
	return f.Say("error", Sentence{Key: problem.Key, Args: problem.Args})
}

// Say tells a sentence from another room, whose words stand below prefix. A
// server newer than the words is no reason to show a bare key: then
// <prefix>.unknown is said.
func (f Frame) Say(prefix string, s Sentence) string {
	if key := prefix + "." + s.Key; Knows(f.Lang, key) {
		return translate(f, key, s.Args)
	}
	return translate(f, prefix+".unknown", s.Args)
}

func translate(f Frame, key string, args map[string]any) string {
	w, ok := catalogue[Language(f.Lang)][key]
	if !ok {
		return "⟦" + key + "⟧"
	}
	text := w.form(args)
	if len(args) == 0 || !strings.Contains(text, "{") {
		return text
	}
	replacements := make([]string, 0, 2*len(args))
	for name, value := range args {
		replacements = append(replacements, "{"+name+"}", f.argument(name, value))
	}
	text = strings.NewReplacer(replacements...).Replace(text)
	if Language(f.Lang) == "de" {
		text = declined.Replace(text)
	}
	return text
}

// declined bends the one salutation that German bends: Herr Adler did it, it was
// done by Herrn Adler.
var declined = strings.NewReplacer("von Herr ", "von Herrn ", "„von Herr ", "„von Herrn ", "an Herr ", "an Herrn ", "für Herr ", "für Herrn ")

// spoken are arguments that rooms and devices hand over by key: where their
// words stand.
var spoken = map[string][2]string{
	"kind":  {"mode.", ".name"},
	"part":  {"part.name.", ""},
	"field": {"import.field.", ""},
	"door":  {"setup.door.", ""},
}

// argument writes one argument. Rooms and devices hand over what they store: the
// kind of a mode by its key, an instant as RFC 3339, a day without the time.
func (f Frame) argument(name string, value any) string {
	text, ok := value.(string)
	if !ok {
		return f.show(value)
	}
	if around, ok := spoken[name]; ok && Knows(f.Lang, around[0]+text+around[1]) {
		return f.T(around[0] + text + around[1])
	}
	if len(text) >= len("2006-01-02T15:04:05Z") && text[4] == '-' {
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			return f.When(at)
		}
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return f.Day(day.Add(12 * time.Hour)) // the same day everywhere
	}
	return text
}

// show writes an argument as the reader's language does.
func (f Frame) show(value any) string {
	switch v := value.(type) {
	case time.Time:
		return f.When(v)
	case time.Duration:
		return f.Length(v)
	case []string:
		return f.List(v)
	case Sentence:
		return f.Say("word", v)
	}
	if n, ok := number(value); ok {
		return f.Number(n)
	}
	return fmt.Sprint(value)
}

func number(value any) (int64, bool) {
	switch n := value.(type) {
	case int:
		return int64(n), true
	case int32:
		return int64(n), true
	case int64:
		return n, true
	case uint64:
		return int64(n), true
	case float64: // what JSON makes of whole numbers
		return int64(n), n == float64(int64(n))
	}
	return 0, false
}

func pairsToMap(pairs []any) map[string]any {
	if len(pairs) == 0 {
		return nil
	}
	args := make(map[string]any, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		args[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return args
}
