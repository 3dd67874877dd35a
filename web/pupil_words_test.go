package web_test

import (
	"strings"
	"testing"

	"schulwart.org/policies/catalog"
	"schulwart.org/web"
)

// Parents read the page in six languages: each has every sentence, and every
// family that the catalogue knows has one.
func TestPupilsPageSpeaksSixLanguages(t *testing.T) {
	german := web.PupilKeys("de")
	for _, lang := range web.PupilLanguages() {
		words := web.PupilKeys(lang)
		for key := range german {
			if strings.TrimSpace(words[key]) == "" {
				t.Errorf("%s: no sentence for %q", lang, key)
			}
		}
		if len(words) != len(german) {
			t.Errorf("%s: %d sentences, German has %d", lang, len(words), len(german))
		}
		for _, family := range catalog.Families {
			if words["family."+family.Name] == "" {
				t.Errorf("%s: nothing is said of %s", lang, family.Name)
			}
		}
	}
}

// Words that the pages make from the catalogue's own names.
func TestTheCatalogueIsSpoken(t *testing.T) {
	for _, lang := range web.Languages() {
		knows := func(key string) {
			if !web.Knows(lang, key) {
				t.Errorf("%s: no words for %q", lang, key)
			}
		}
		for _, topic := range catalog.Topics {
			knows("policy.topic." + string(topic))
		}
		for _, family := range catalog.Families {
			key := "policy." + family.Name
			knows(key)
			for _, field := range family.Fields {
				spokenField(knows, key, field)
			}
		}
	}
}

func spokenField(knows func(string), above string, field catalog.Field) {
	key := above + "." + field.Name
	knows(key)
	knows("policy.merge." + string(field.Merge) + ".hint")
	if field.Unit != "" {
		knows("policy.unit." + field.Unit)
		knows("policy.unit." + field.Unit + ".name")
	}
	for _, choice := range field.Choices {
		knows(key + "." + choice)
	}
	for _, part := range field.Fields {
		part.Merge = field.Merge // entries are merged as a whole
		spokenField(knows, key, part)
	}
}
