package console

import (
	"github.com/gin-gonic/gin"

	"schulwart.org/web"
)

// GET /pruefungen/:exam/safe-exam-browser
//
// Each showing leaves its audit row: the page shows passwords.
func (h *Handler) showExamBrowser(c *gin.Context) error {
	v := visitor(c)
	b, err := h.Exams.SafeBrowser(c.Request.Context(), v.actor, param(c, "exam"))
	if err != nil {
		return err
	}
	const kind, name = "application/seb", "pruefung.seb"
	switch c.Query("file") {
	case "sealed":
		return download(c, kind, name, b.Sealed)
	case "plain":
		return download(c, kind, name, b.Plain)
	}
	row, err := h.examRowOf(c.Request.Context(), v.actor, b.Exam)
	if err != nil {
		return err
	}
	return page(c, web.ExamBrowser(web.ExamBrowserPage{
		Frame: v.frame, Exam: row, Link: b.Link, QR: code(b.Link), Open: b.Open, Quit: b.Quit, Key: b.ConfigKey,
	}))
}
