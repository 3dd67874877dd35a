package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
)

//go:embed locale/pupil/*.json
var pupilLocale embed.FS

// PupilLanguages lists the languages of "Was sieht die Schule?". It is the page
// that parents read, so it speaks more than the console does.
func PupilLanguages() []string { return []string{"de", "en", "uk", "ar", "tr", "ru"} }

// pupilWords holds the page's sentences by language. It is filled before main
// and never changes.
var pupilWords = func() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, lang := range PupilLanguages() {
		data, err := pupilLocale.ReadFile("locale/pupil/" + lang + ".json")
		if err != nil {
			panic(err) // an embedded file can always be read
		}
		words := map[string]string{}
		if err := json.Unmarshal(data, &words); err != nil {
			panic(fmt.Sprintf("locale/pupil/%s.json: %v", lang, err))
		}
		all[lang] = words
	}
	return all
}()

// PupilLanguage returns lang if the page speaks it, else the otherwise.
func PupilLanguage(lang, otherwise string) string {
	if slices.Contains(PupilLanguages(), lang) {
		return lang
	}
	return otherwise
}

// PupilKeys lists the sentences of a language by key.
func PupilKeys(lang string) map[string]string { return pupilWords[lang] }

func (p PupilSeesPage) say(key string) string { return pupilWords[PupilLanguage(p.Tongue, "de")][key] }

// family tells what a family means for whoever uses the device.
func (p PupilSeesPage) family(name string) string {
	if said := p.say("family." + name); said != "" {
		return said
	}
	return p.say("family.unknown")
}

// direction is how the language is written.
func direction(lang string) string {
	if lang == "ar" {
		return "rtl"
	}
	return "ltr"
}

// valuesIn is the language in which exact values are told: that of the page if
// the catalogue's words speak it, else German.
func (p PupilSeesPage) valuesIn() Frame {
	f := p.Frame
	f.Lang = Language(p.Tongue)
	return f
}
