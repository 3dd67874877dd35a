package catalog

import "strings"

// Forms are judged letter by letter: a reader of patterns would weigh a fifth of
// a megabyte on every laptop.

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
	alnum  = lower + upper + digits
)

// only reports whether a text is not empty and has no other letters.
func only(text, letters string) bool { return text != "" && strings.Trim(text, letters) == "" }

// matches reports whether a text looks like the form; forms that are judged
// otherwise match anything.
func (f Form) matches(text string) bool {
	switch f {
	case Package: // Debian policy, chapter 5.6.1
		return len(text) > 1 && only(text[:1], lower+digits) && only(text, lower+digits+"+.-")
	case Program:
		return text != "" && only(text[:1], alnum) && only(text, alnum+"._-")
	case Extension:
		return isExtension(text)
	case Zone:
		return isZone(text)
	case Locale:
		return isLocale(text)
	case Color:
		return len(text) == 7 && text[0] == '#' && only(text[1:], digits+"abcdef")
	case Time:
		return isTime(text)
	case OSVersion:
		return isVersion(text)
	case Login:
		name := strings.TrimPrefix(text, "@")
		return name != "" && only(name[:1], alnum+"_") && only(name, alnum+`_.\-`)
	case Path:
		return isPath(text)
	case Keyboard:
		layout, variant, several := strings.Cut(text, "+")
		return len(layout) >= 2 && len(layout) <= 4 && only(layout, lower) && (!several || only(variant, lower+digits+"_-"))
	}
	return true
}

// isPath takes absolute paths without hidden names.
func isPath(text string) bool {
	parts, ok := strings.CutPrefix(text, "/")
	if !ok {
		return false
	}
	for _, part := range strings.Split(parts, "/") {
		if !only(part, alnum+"._+ -") || part[0] == '.' {
			return false
		}
	}
	return true
}

// isExtension knows the ids of Chromium (32 letters), and of Firefox in both of
// its ways ("name@author", a UUID in braces).
func isExtension(text string) bool {
	if name, author, ok := strings.Cut(text, "@"); ok {
		return only(name, alnum+"._-") && only(author, alnum+"._-")
	}
	if inner, ok := strings.CutPrefix(text, "{"); ok {
		inner, ok = strings.CutSuffix(inner, "}")
		return ok && len(inner) == 36 && only(inner, digits+"abcdefABCDEF-")
	}
	return len(text) == 32 && only(text, "abcdefghijklmnop")
}

func isZone(text string) bool {
	area, places, ok := strings.Cut(text, "/")
	if !ok {
		return text == "UTC"
	}
	parts := strings.Split(places, "/")
	for _, part := range parts {
		if !only(part, alnum+"_+-") {
			return false
		}
	}
	return only(area, lower+upper) && len(parts) <= 2
}

// isLocale takes a language, a script and a region: "de", "de-DE", "sr-Latn-RS".
func isLocale(text string) bool {
	parts := strings.Split(text, "-")
	if len(parts[0]) < 2 || len(parts[0]) > 3 || !only(parts[0], lower) {
		return false
	}
	rest := parts[1:]
	if len(rest) > 0 && len(rest[0]) == 4 && only(rest[0][:1], upper) && only(rest[0][1:], lower) {
		rest = rest[1:]
	}
	if len(rest) > 0 && len(rest[0]) == 2 && only(rest[0], upper) {
		rest = rest[1:]
	}
	return len(rest) == 0
}

func isTime(text string) bool {
	hour, minute, ok := strings.Cut(text, ":")
	return ok && len(hour) == 2 && len(minute) == 2 && only(hour+minute, digits) && hour < "24" && minute < "60"
}

func isVersion(text string) bool {
	parts := strings.Split(text, ".")
	for _, part := range parts {
		if !only(part, digits) {
			return false
		}
	}
	return len(parts) <= 3
}
