package help_test

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"schulwart.org/web/help"
)

var roles = []string{"operator", "help_desk", "technician", "authority_admin", "school_admin", "trainee", "teacher", "read_only"}

// article is a file as the console reads it.
type article struct {
	head    map[string]string
	title   string
	summary string
	text    string
}

func articles(t *testing.T, lang string) map[string]article {
	t.Helper()
	names, err := fs.Glob(help.Files, lang+"/*.md")
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: %d articles, %v", lang, len(names), err)
	}
	all := map[string]article{}
	for _, name := range names {
		data, err := fs.ReadFile(help.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		head, text, found := strings.Cut(strings.TrimPrefix(string(data), "---\n"), "\n---\n")
		if !found {
			t.Fatalf("%s does not begin with its section, order and roles", name)
		}
		a := article{head: map[string]string{}}
		for line := range strings.Lines(head) {
			key, value, _ := strings.Cut(line, ":")
			a.head[key] = strings.TrimSpace(value)
		}
		heading, rest, _ := strings.Cut(strings.TrimSpace(text), "\n")
		a.title, a.text = strings.TrimPrefix(heading, "# "), strings.TrimSpace(rest)
		a.summary, _, _ = strings.Cut(a.text, "\n\n")
		if !strings.HasPrefix(heading, "# ") {
			t.Errorf("%s: the first line is no heading", name)
		}
		all[strings.TrimSuffix(path.Base(name), ".md")] = a
	}
	return all
}

func TestBothLanguagesHaveTheSameArticles(t *testing.T) {
	german, english := articles(t, "de"), articles(t, "en")
	sections := map[string]string{}
	for name, de := range german {
		en, ok := english[name]
		if !ok {
			t.Errorf("%s is missing in English", name)
			continue
		}
		if de.head["order"] != en.head["order"] || de.head["roles"] != en.head["roles"] {
			t.Errorf("%s: order or roles differ between the languages", name)
		}
		if known := sections[de.head["section"]]; known != "" && known != en.head["section"] {
			t.Errorf("%s: section %q is %q here and %q elsewhere", name, de.head["section"], en.head["section"], known)
		}
		sections[de.head["section"]] = en.head["section"]
		if de.title == en.title || de.summary == en.summary {
			t.Errorf("%s is not translated", name)
		}
		if a, b := shape(de.text), shape(en.text); a != b {
			t.Errorf("%s is built differently: %s in German, %s in English", name, a, b)
		}
	}
	for name := range english {
		if _, ok := german[name]; !ok {
			t.Errorf("%s is missing in German", name)
		}
	}
}

// shape counts headings, table rows, list items and code blocks: a sentence
// that one language lacks usually shows there.
func shape(text string) string {
	var headings, rows, items, code int
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "## "):
			headings++
		case strings.HasPrefix(line, "|"):
			rows++
		case strings.HasPrefix(line, "- "), regexp.MustCompile(`^\d+\. `).MatchString(line):
			items++
		case strings.HasPrefix(line, "```"):
			code++
		}
	}
	return strconv.Itoa(headings) + " headings, " + strconv.Itoa(rows) + " rows, " + strconv.Itoa(items) + " items, " + strconv.Itoa(code/2) + " blocks"
}

func TestEveryArticleIsComplete(t *testing.T) {
	for _, lang := range []string{"de", "en"} {
		orders := map[string]string{}
		for name, a := range articles(t, lang) {
			where := lang + "/" + name
			if a.head["section"] == "" || a.title == "" {
				t.Errorf("%s: no section or title", where)
			}
			if n, err := strconv.Atoi(a.head["order"]); err != nil || n <= 0 {
				t.Errorf("%s: order %q", where, a.head["order"])
			}
			if other := orders[a.head["order"]]; other != "" {
				t.Errorf("%s and %s have the same order", where, other)
			}
			orders[a.head["order"]] = where
			for _, role := range strings.FieldsFunc(a.head["roles"], func(r rune) bool { return r == ',' || r == ' ' }) {
				if !slices.Contains(roles, role) {
					t.Errorf("%s: role %q does not exist", where, role)
				}
			}
			if a.summary == "" || strings.ContainsAny(a.summary[:1], "#|-`") || strings.Contains(a.summary, "*") || len(a.summary) > 300 {
				t.Errorf("%s: the first paragraph is no summary: %q", where, a.summary)
			}
			if strings.Contains(a.text, "<") && !strings.Contains(a.text, "`") {
				t.Errorf("%s: raw HTML is left out by the console", where)
			}
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)]+)\)`)

func TestLinksLeadSomewhere(t *testing.T) {
	for _, lang := range []string{"de", "en"} {
		all := articles(t, lang)
		for name, a := range all {
			for _, found := range link.FindAllStringSubmatch(a.text, -1) {
				target, internal := strings.CutPrefix(found[1], "/hilfe/")
				if _, known := all[target]; !internal || !known {
					t.Errorf("%s/%s links to %s", lang, name, found[1])
				}
			}
		}
	}
}
