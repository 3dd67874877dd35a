package display

import (
	"testing"

	"golang.org/x/text/unicode/bidi"
	"pgregory.net/rapid"
)

// byLibrary is the order of a line that begins with a right-to-left letter, as
// the library of the Go project has it.
func byLibrary(t *rapid.T, line string) string {
	var paragraph bidi.Paragraph
	if _, err := paragraph.SetString(line); err != nil {
		t.Fatal(err)
	}
	ordering, err := paragraph.Order()
	if err != nil {
		t.Fatal(err)
	}
	drawn := ""
	for i := range ordering.NumRuns() {
		run := ordering.Run(i)
		text := run.String()
		if run.Direction() == bidi.RightToLeft {
			text = bidi.ReverseString(text)
		}
		drawn = text + drawn
	}
	return drawn
}

func TestALineRunsAsTheLibrarySays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.SampledFrom([]rune("بאس")).Draw(t, "first")
		rest := rapid.StringOfN(rapid.SampledFrom([]rune("بسאaBéЖ 0157٣:.,%–-!?\u201e\u201c")), 0, 24, -1).Draw(t, "rest")
		line := string(first) + rest
		if got, want := visual(line), byLibrary(t, line); got != want {
			t.Fatalf("%q is drawn %q, want %q", line, got, want)
		}
	})
}

// A line that begins with a name ran as if the whole were Latin, and its end came
// first.
func TestALineThatBeginsWithANameRunsFromTheRight(t *testing.T) {
	for line, want := range map[string]string{
		"Frau Oert, אב":      "בא ,Frau Oert",
		"אב Frau Oert 10:35": "Frau Oert 10:35 בא",
		"אב 10:35":           "10:35 בא",
		"אב (ג)":             "(ג) בא",
		"":                   "",
	} {
		if got := visual(line); got != want {
			t.Errorf("%q is drawn %q, want %q", line, got, want)
		}
	}
}
