package catalog

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

// The forms as patterns, which are easier to read and too heavy for an agent.
var asPattern = map[Form]string{
	Package:   `^[a-z0-9][a-z0-9+.-]+$`,
	Program:   `^[A-Za-z0-9][A-Za-z0-9._-]*$`,
	Extension: `^([a-p]{32}|[A-Za-z0-9._-]+@[A-Za-z0-9._-]+|\{[0-9a-fA-F-]{36}\})$`,
	Zone:      `^(UTC|[A-Za-z]+(/[A-Za-z0-9_+-]+){1,2})$`,
	Locale:    `^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$`,
	Color:     `^#[0-9a-f]{6}$`,
	Time:      `^([01][0-9]|2[0-3]):[0-5][0-9]$`,
	OSVersion: `^[0-9]+(\.[0-9]+){0,2}$`,
	Login:     `^@?[A-Za-z0-9_][A-Za-z0-9_.\\-]*$`,
	Path:      `^(/[A-Za-z0-9_+ -][A-Za-z0-9._+ -]*)+$`,
	Keyboard:  `^[a-z]{2,4}(\+[a-z0-9_-]+)?$`,
}

func TestFormsAreJudgedAsTheirPatternsSay(t *testing.T) {
	for form, text := range asPattern {
		pattern := regexp.MustCompile(text)
		t.Run(string(form), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				// What fits, and what nearly does.
				sample := rapid.StringMatching(text).Draw(t, "fits")
				if !form.matches(sample) {
					t.Fatalf("%q fits and is refused", sample)
				}
				at := rapid.IntRange(0, len(sample)).Draw(t, "at")
				with := rapid.OneOf(rapid.StringMatching(`[a-zA-Z0-9@{}#:./_+-]?`), rapid.String()).Draw(t, "with")
				for _, other := range []string{sample[:at] + with + sample[min(at+1, len(sample)):], sample[:at] + with + sample[at:], sample[at:], sample[:at], with} {
					if got, want := form.matches(other), pattern.MatchString(other); got != want {
						t.Fatalf("%q: %v, by the pattern %v", other, got, want)
					}
				}
			})
		})
	}
}
