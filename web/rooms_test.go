package web

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// spokenBy is how rooms and devices name what people read: a call with the key
// as its first text, and the families in which the key needs words.
var spokenBy = []struct {
	call     *regexp.Regexp
	families []string
}{
	{regexp.MustCompile(`errs\.E\([^,"]+,\s*"([^"]+)"`), []string{"error"}},
	{regexp.MustCompile(`"([a-z_]+\.not_found)"`), []string{"error"}}, // what store's one is told to say
	{regexp.MustCompile(`\bflash\([^"]*Flash(?:Done|Notice|Trouble), "([^"]+)"`), []string{"flash"}},
	{regexp.MustCompile(`Reason\{(?:Key|Code): "([^"]+)"[,}]`), []string{"reason"}},
	{regexp.MustCompile(`\b(?:deviating|pending|notPossible|reason)\("([^"]+)"`), []string{"reason"}},
	{regexp.MustCompile(`\bhappened\("([^"]+)"`), []string{"event"}},
	{regexp.MustCompile(`board\.Entry\{Key: "([^"]+)"`), []string{"event"}},
	{regexp.MustCompile(`\bpassed\("([^"]+)"`), []string{"check"}},
	{regexp.MustCompile(`\bfailed\("([^"]+)", "`), []string{"check"}},
	{regexp.MustCompile(`\bfailed\("[^"]+", "([^"]+)"`), []string{"mend"}},
	{regexp.MustCompile(`return say\("([^"]+)"\)`), []string{"cause", "step", "say"}},
	{regexp.MustCompile(`\bTell\("([^"]+)"\)`), []string{"demo.story"}},
	{regexp.MustCompile(`\bsays\("([^"]+)", "`), []string{"fact"}},
	{regexp.MustCompile(`\bsays\("[^"]+", "([^"]+)",`), []string{"value"}},
	{regexp.MustCompile(`CertificateRow\{Name: "([^"]+)"`), []string{"certificate"}},
}

// What the server and the agents say by key must have words in both languages;
// that both languages have the same keys is another test's business.
func TestEverythingSaidByKeyHasWords(t *testing.T) {
	found := 0
	for _, root := range []string{"../server", "../agent", "../policies"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, way := range spokenBy {
				for _, match := range way.call.FindAllSubmatch(data, -1) {
					key := string(match[1])
					if strings.HasSuffix(key, ".") || strings.HasSuffix(key, "_") {
						continue // the rest is put behind it while it runs
					}
					found++
					for _, family := range way.families {
						if !Knows("de", family+"."+key) {
							t.Errorf("%s: no words for %q", path, family+"."+key)
						}
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found < 100 {
		t.Errorf("found only %d keys; has the way of saying things changed?", found)
	}
}
