package words_test

import (
	"strings"
	"testing"
	"time"

	"schulwart.org/agent/words"
	"schulwart.org/policies/lease"
)

var end = time.Date(2026, 3, 16, 9, 35, 0, 0, time.UTC)

func TestNotice(t *testing.T) {
	oert := lease.Lease{By: "Frau Oert", Expires: end}
	with := func(kind lease.Kind, rules lease.Rules) lease.Lease {
		l := oert
		l.Kind, l.Rules = kind, rules
		return l
	}
	for name, c := range map[string]struct {
		lang words.Lang
		l    lease.Lease
		want string
	}{
		"internet off":        {words.German, with(lease.Offline, lease.Rules{}), "Frau Oert hat das Internet bis 10:35 Uhr ausgeschaltet. Danach ist alles wieder wie vorher."},
		"internet off, en":    {words.English, with(lease.Offline, lease.Rules{}), "Frau Oert has switched the internet off until 10:35. After that everything is as before."},
		"programs":            {words.German, with(lease.Focus, lease.Rules{Apps: []string{"org.geogebra.GeoGebra"}}), "Frau Oert hat bis 10:35 Uhr nur diese Programme freigegeben: GeoGebra. Danach ist alles wieder wie vorher."},
		"other languages: de": {words.Turkish, with(lease.Offline, lease.Rules{}), "Frau Oert hat das Internet bis 10:35 Uhr ausgeschaltet. Danach ist alles wieder wie vorher."},
		"six sites":           {words.German, with(lease.Sites, lease.Rules{Sites: []string{"a.de", "=b.de", "*.c.de", "d.de", "e.de", "f.de"}}), "Frau Oert hat bis 10:35 Uhr nur diese Seiten freigegeben: a.de, b.de, c.de, d.de, e.de und weitere. Danach ist alles wieder wie vorher."},
	} {
		t.Run(name, func(t *testing.T) {
			if got := words.Notice(c.lang, c.l, nil); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestEveryKindHasItsOwnSentence(t *testing.T) {
	for _, lang := range []words.Lang{words.German, words.English} {
		seen := map[string]lease.Kind{}
		for _, kind := range append(lease.Kinds, "unknown") {
			text := words.Notice(lang, lease.Lease{Kind: kind, Expires: end}, nil)
			if other, ok := seen[text]; ok {
				t.Errorf("%s: %s and %s say the same: %s", lang, kind, other, text)
			}
			seen[text] = kind
			if !strings.Contains(text, "10:35") {
				t.Errorf("%s %s names no end: %s", lang, kind, text)
			}
		}
	}
}

func TestLockSpeaksSixLanguages(t *testing.T) {
	texts := words.Locks("Frau Oert", end, nil)
	if len(texts) != 6 || texts[0].Lang != words.German {
		t.Fatalf("got %d languages, first %s", len(texts), texts[0].Lang)
	}
	for _, text := range texts {
		if text.Title == "" || text.Safe == "" || !strings.Contains(text.Who, "Frau Oert") || !strings.Contains(text.Until, "10:35") {
			t.Errorf("%s is incomplete: %+v", text.Lang, text)
		}
		if strings.Contains(text.Who+text.Until, "%") {
			t.Errorf("%s has an unfilled place: %+v", text.Lang, text)
		}
	}
	if got := words.Lock("xx", "", end, nil); got.Who != "Deine Schule hat deinen Bildschirm gesperrt." {
		t.Errorf("nobody, unknown language: %q", got.Who)
	}
}

func TestReasonsExistInBothLanguages(t *testing.T) {
	for _, key := range words.Keys() {
		for _, lang := range []words.Lang{words.German, words.English} {
			if words.Text(lang, key, nil) == key {
				t.Errorf("%s has no sentence in %s", key, lang)
			}
		}
	}
}

func TestTheExamThatWaitsSaysSoInSixLanguages(t *testing.T) {
	for _, lang := range words.LockLanguages {
		text := words.ExamWaits(lang, end, nil)
		if text.Lang != lang || text.Title == "" || text.Who == "" || !strings.Contains(text.Until, "8") && lang != words.Arabic || !strings.Contains(text.Safe, "10:35") {
			t.Errorf("%s is incomplete: %+v", lang, text)
		}
	}
}

func TestTheRunningExamSaysSoInSixLanguages(t *testing.T) {
	full := 78
	for _, lang := range words.LockLanguages {
		text := words.ExamWords(lang, words.ExamNow{By: "Frau Oert", Until: end, Left: 23 * time.Minute, Battery: &full}, nil)
		for name, said := range map[string][2]string{
			"title": {text.Title}, "by": {text.By, "Frau Oert"}, "end": {text.End, "10:35"}, "left": {text.Left, "23"}, "battery": {text.Battery, "78"}, "charging": {text.Charging},
			"linked": {text.Linked}, "unlinked": {text.Unlinked}, "raise": {text.Raise}, "raised": {text.Raised}, "unseen": {text.Unseen}, "lower": {text.Lower}, "back": {text.Back}, "keys": {text.Keys, "Tab"},
		} {
			if said[0] == "" || !strings.Contains(said[0], said[1]) || strings.Contains(said[0], "%") {
				t.Errorf("%s, %s: %q", lang, name, said[0])
			}
		}
		for _, kind := range lease.Calculators {
			if words.ExamWords(lang, words.ExamNow{Calculator: kind}, nil).Tool == "" {
				t.Errorf("%s says nothing of the calculator %q", lang, kind)
			}
		}
		if without := words.ExamWords(lang, words.ExamNow{Until: end}, nil); without.Battery != "" || strings.Contains(without.By, "%") {
			t.Errorf("%s without a battery: %+v", lang, without)
		}
	}
	linked := words.ExamBar(words.German, words.ExamNow{Until: end, Left: 23 * time.Minute}, true, true, nil)
	alone := words.ExamBar(words.German, words.ExamNow{Until: end, Left: 23 * time.Minute}, false, true, nil)
	if linked.Button != "Gemeldet" || alone.Button != "Bitte Hand heben" || linked.Until != "bis 10:35 Uhr" || linked.Left != "noch 23 min" {
		t.Errorf("the bar says %+v and %+v", linked, alone)
	}
}
