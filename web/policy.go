package web

import (
	"strconv"
	"strings"
)

// word is the key of the field's words.
func (d PolicyField) word() string {
	if d.In != "" {
		return "policy." + d.Family + "." + d.In + "." + d.Name
	}
	return "policy." + d.Family + "." + d.Name
}

// policyName is a field's name for people.
func (f Frame) policyName(d PolicyField) string { return f.known(d.word(), d.Name) }

// policyHint explains the field, "" where its name says all.
func (f Frame) policyHint(d PolicyField) string { return f.known(d.word()+".hint", "") }

// familyName is a family's name for people. A family newer than the words keeps
// its own name: a page that cannot be read would be worse.
func (f Frame) familyName(family string) string { return f.known("policy."+family, family) }

func (f Frame) familyHint(family string) string { return f.known("policy."+family+".hint", "") }

func (f Frame) known(key, otherwise string) string {
	if Knows(f.Lang, key) {
		return f.T(key)
	}
	return otherwise
}

// choiceWord is what a choice means.
func (f Frame) choiceWord(d PolicyField, choice string) string {
	return f.known(d.word()+"."+choice, choice)
}

// flagWord is what a flag means: words of its own, else on and off.
func (f Frame) flagWord(d PolicyField, on bool) string {
	if on {
		return f.known(d.word()+".on", f.T("policy.on"))
	}
	return f.known(d.word()+".off", f.T("policy.off"))
}

// shortList is how many names a sentence holds before it counts them.
const shortList = 3

// policyText tells a value in a sentence; long lists are counted.
func (f Frame) policyText(d PolicyField, v PolicyValue) string {
	switch {
	case v.Hidden:
		return f.T("policy.value.hidden")
	case !v.Set:
		return f.T("policy.value.nothing")
	}
	switch d.Kind {
	case KindFlag:
		return f.flagWord(d, v.On)
	case KindNumber:
		return f.measure(d, v.Number)
	case KindChoice:
		return f.choiceWord(d, v.Text)
	case KindNames:
		return f.listText(v.Names)
	case KindEntries:
		return f.listText(f.entryNames(d, v.Entries))
	}
	return f.plainText(d, v.Text)
}

// measure is a number with its unit, "15 Minuten".
func (f Frame) measure(d PolicyField, n int) string {
	if d.Unit == "" {
		return f.Number(int64(n))
	}
	if key := "policy.unit." + d.Unit; Knows(f.Lang, key) {
		return f.T(key, "count", n)
	}
	return f.Number(int64(n)) + " " + d.Unit
}

// plainText is a text as it reads in a sentence: a certificate by what it is, of
// several lines the first.
func (f Frame) plainText(d PolicyField, text string) string {
	if d.Form == "certificate" {
		return f.T("policy.value.certificate")
	}
	first, _, more := strings.Cut(text, "\n")
	if runes := []rune(first); len(runes) > 80 {
		first, more = string(runes[:80]), true
	}
	if more {
		return first + " …"
	}
	return first
}

func (f Frame) listText(names []string) string {
	if len(names) <= shortList {
		return f.List(names)
	}
	return f.T("policy.value.more", "names", strings.Join(names[:shortList-1], ", "), "count", len(names)-shortList+1)
}

// entryNames are entries by the field that tells them apart.
func (f Frame) entryNames(d PolicyField, entries []PolicyEntry) []string {
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = f.entryName(d, entry)
	}
	return names
}

func (f Frame) entryName(d PolicyField, entry PolicyEntry) string {
	for _, field := range d.Fields {
		if field.Name == d.Key {
			return f.policyText(field, entry[d.Key])
		}
	}
	return ""
}

// placeName names a place: "Goethe-Gymnasium (Schule)".
func (f Frame) placeName(p PolicyPlace) string {
	level := f.T("policy.level." + p.Level)
	if p.Name == "" {
		return level
	}
	return f.T("policy.place", "name", p.Name, "level", level)
}

// from tells where a value comes from: "Schulträger Musterstadt".
func (f Frame) from(p PolicyPlace) string {
	if p.Name == "" {
		return f.T("policy.from." + p.Level)
	}
	return f.T("policy.from."+p.Level+".named", "name", p.Name)
}

// decider is the place whose word counts last, the zero value where nobody says
// anything.
func decider(sources []PolicySource) PolicyPlace {
	var last PolicyPlace
	for _, source := range sources {
		switch source.Effect {
		case "decides", "adds", "tightens", "excepts":
			last = source.Place
		}
	}
	return last
}

// platforms lists the systems in the order of the coverage table.
var platforms = []string{PlatformLinux, PlatformWindows, PlatformMacOS, PlatformIPadOS}

// abilityState is the shape that stands beside an ability's word.
func abilityState(ability string) State {
	switch ability {
	case Enforced:
		return StateActive
	case Reported:
		return StateReady
	case Unverified:
		return StateDelivered
	}
	return StateAbsent
}

// platformReason says why a platform does not do it, "" where nothing is said.
func (f Frame) platformReason(d PolicyField, a PolicyAbility) string {
	if d.Family == "" || a.Ability != NotPossible {
		return ""
	}
	if d.Name == "" {
		return f.known("policy."+d.Family+".on."+a.Platform, "")
	}
	return f.known(d.word()+".on."+a.Platform, "")
}

// same reports whether a field does what its family does on every platform, so
// that the table need not say it again.
func (c CoverageField) same(family CoverageFamily) bool {
	for i, ability := range c.Platforms {
		if ability != family.Platforms[i] {
			return false
		}
	}
	return true
}

// limits tells what a number or a text may be.
func (f Frame) limits(d PolicyField) string {
	switch {
	case d.Kind == KindNumber && d.Max > 0:
		return f.T("policy.limits", "min", strconv.Itoa(d.Min), "max", f.measure(d, d.Max))
	case d.Kind == KindNumber && d.Min > 0:
		return f.T("policy.limits.min", "min", f.measure(d, d.Min))
	case d.Form == "" || d.Form == "line" || d.Form == "prose":
		return ""
	}
	return f.known("policy.form."+d.Form, "")
}
