// Package help holds the help articles, in German and English: <lang>/<name>.md,
// the same names in every language. A file begins with section, order and roles
// (who needs it; nobody named means everybody), then comes a heading, then one
// paragraph that says what the article is about. It renders nothing; the console
// does.
package help

import "embed"

// Files are the articles.
//
//go:embed de/*.md en/*.md
var Files embed.FS
