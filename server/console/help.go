package console

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"

	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/web"
)

// GET /hilfe
func (h *Handler) showHelp(c *gin.Context) error {
	v := visitor(c)
	shown := web.HelpPage{Frame: v.frame, Query: query(c, "q")}
	for _, article := range h.helpFor(v) {
		if !article.matches(shown.Query) {
			continue
		}
		n := len(shown.Sections)
		if n == 0 || shown.Sections[n-1].Title != article.section {
			shown.Sections = append(shown.Sections, web.HelpSection{Title: article.section})
			n++
		}
		shown.Sections[n-1].Pages = append(shown.Sections[n-1].Pages, article.link(false))
	}
	return page(c, web.Help(shown))
}

// GET /hilfe/:page
func (h *Handler) showHelpPage(c *gin.Context) error {
	v := visitor(c)
	articles := h.articles[v.frame.Lang]
	at := slices.IndexFunc(articles, func(a article) bool { return a.name == c.Param("page") })
	if at < 0 {
		return errs.E(errs.NotFound, "not_found")
	}
	shown := web.HelpArticlePage{Frame: v.frame, Title: articles[at].title, HTML: articles[at].html}
	if articles[at].name == systemsArticle {
		var table bytes.Buffer
		if err := web.CoverageTable(coverage(v.frame)).Render(c.Request.Context(), &table); err != nil {
			return fmt.Errorf("drawing the coverage table: %w", err)
		}
		shown.HTML += table.String()
	}
	chapter := slices.DeleteFunc(slices.Clone(h.helpFor(v)), func(a article) bool { return a.section != articles[at].section })
	for i, other := range chapter {
		shown.Contents = append(shown.Contents, other.link(other.name == articles[at].name))
		if other.name == articles[at].name && i+1 < len(chapter) {
			next := chapter[i+1].link(false)
			shown.Next = &next
		}
	}
	return page(c, web.HelpArticle(shown))
}

// systemsArticle is followed by the table that the catalogue makes.
const systemsArticle = "systeme"

// helpFor lists the articles that the person's roles may need: first those that
// are written for them, in their order.
func (h *Handler) helpFor(v *visit) []article {
	return slices.DeleteFunc(slices.Clone(h.articles[v.frame.Lang]), func(a article) bool {
		return len(a.roles) > 0 && !slices.ContainsFunc(v.actor.Grants, func(g may.Grant) bool {
			return g.Role == may.Operator || slices.Contains(a.roles, string(g.Role))
		})
	})
}

// article is one page of the help.
type article struct {
	name    string // file name without its ending, the same in every language
	title   string
	summary string
	section string
	order   int
	roles   []string // empty: for everybody
	html    string
	text    string // lower-case, for searching
}

func (a article) link(current bool) web.HelpLink {
	return web.HelpLink{Title: a.title, Summary: a.summary, URL: web.To(web.PathHelpPage, a.name), Current: current}
}

func (a article) matches(query string) bool {
	for _, word := range strings.Fields(strings.ToLower(query)) {
		if !strings.Contains(a.text, word) {
			return false
		}
	}
	return true
}

// readHelp renders the articles of each language: <lang>/<name>.md. A file may
// begin with lines of the form "key: value" between two lines "---"; the keys
// are section, order and roles (with commas). Its first heading is the title,
// the first paragraph after it the summary.
func readHelp(files fs.FS) (map[string][]article, error) {
	all := map[string][]article{}
	if files == nil {
		return all, nil
	}
	for _, lang := range web.Languages() {
		names, err := fs.Glob(files, lang+"/*.md")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			data, err := fs.ReadFile(files, name)
			if err != nil {
				return nil, err
			}
			one, err := readArticle(strings.TrimSuffix(path.Base(name), ".md"), string(data))
			if err != nil {
				return nil, fmt.Errorf("rendering %s: %w", name, err)
			}
			all[lang] = append(all[lang], one)
		}
		slices.SortStableFunc(all[lang], func(a, b article) int { return a.order - b.order })
		bySection(all[lang])
	}
	return all, nil
}

// bySection brings the articles of a section together, sections in the order of
// their first article.
func bySection(articles []article) {
	first := map[string]int{}
	for i, a := range articles {
		if _, known := first[a.section]; !known {
			first[a.section] = i
		}
	}
	slices.SortStableFunc(articles, func(a, b article) int { return first[a.section] - first[b.section] })
}

func readArticle(name, text string) (article, error) {
	a := article{name: name, title: name}
	if head, rest, found := strings.Cut(strings.TrimPrefix(text, "---\n"), "\n---\n"); found && strings.HasPrefix(text, "---\n") {
		text = rest
		a.read(head)
	}
	text = strings.TrimSpace(text)
	if heading, rest, _ := strings.Cut(text, "\n"); strings.HasPrefix(heading, "# ") {
		a.title, text = strings.TrimSpace(heading[2:]), strings.TrimSpace(rest)
	}
	a.summary, _, _ = strings.Cut(text, "\n\n")
	a.summary = plain.Replace(strings.Join(strings.Fields(a.summary), " "))
	a.text = strings.ToLower(a.title + " " + text)
	var html bytes.Buffer
	err := markdown.Convert([]byte(text), &html)
	a.html = html.String()
	return a, err
}

func (a *article) read(head string) {
	for line := range strings.Lines(head) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch value = strings.TrimSpace(value); key {
		case "section":
			a.section = value
		case "order":
			a.order, _ = strconv.Atoi(value)
		case "roles":
			for role := range strings.SplitSeq(value, ",") {
				a.roles = append(a.roles, strings.TrimSpace(role))
			}
		}
	}
}

// markdown renders our own articles. Raw HTML in them is left out.
var markdown = goldmark.New(goldmark.WithExtensions(extension.Table), goldmark.WithParserOptions(parser.WithAutoHeadingID()))

// plain takes the marks out of a summary.
var plain = strings.NewReplacer("**", "", "`", "", "_", "", "[", "", "]", "")
