package web

// HelpPage lists the help articles that the person's roles may need, most
// important first.
type HelpPage struct {
	Frame
	Query    string // GET q
	Sections []HelpSection
}

// HelpSection is a chapter of the help.
type HelpSection struct {
	Title string
	Pages []HelpLink
}

// HelpLink leads to an article.
type HelpLink struct {
	Title   string
	Summary string
	URL     string
	Current bool
}

// HelpArticlePage is one article.
type HelpArticlePage struct {
	Frame
	Title    string
	HTML     string     // rendered from our own Markdown and trusted: it is written as it is
	Contents []HelpLink // of the same chapter
	Next     *HelpLink
}
