package console

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/a-h/templ"
	"github.com/gin-gonic/gin"
)

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// worthwhile is the size in bytes from which a page is compressed; below it a
// page fits into one packet anyway.
const worthwhile = 1400

// show answers with a page or fragment. It is drawn completely before the first
// byte leaves, so that a fault while drawing still becomes an error page.
func show(c *gin.Context, status int, component templ.Component) error {
	buffer := buffers.Get().(*bytes.Buffer)
	defer func() { buffer.Reset(); buffers.Put(buffer) }()
	if err := component.Render(c.Request.Context(), buffer); err != nil {
		return fmt.Errorf("drawing page: %w", err)
	}
	return write(c, status, "text/html; charset=utf-8", buffer.Bytes())
}

// page answers 200 with a page or fragment.
func page(c *gin.Context, component templ.Component) error {
	return show(c, http.StatusOK, component)
}

// write sends a finished text. What a person sees is never kept by a browser or
// a proxy on the way: the next person at a shared computer must not find it.
func write(c *gin.Context, status int, kind string, body []byte) error {
	header := c.Writer.Header()
	header.Set("Content-Type", kind)
	header.Set("Cache-Control", "no-store")
	header.Add("Vary", "Accept-Encoding")
	header.Add("Vary", "HX-Request")
	if len(body) > worthwhile && strings.Contains(c.GetHeader("Accept-Encoding"), "gzip") {
		header.Set("Content-Encoding", "gzip")
		c.Status(status)
		compressed := gzip.NewWriter(c.Writer)
		_, _ = compressed.Write(body) // a reader that went away is nobody's fault
		_ = compressed.Close()
		return nil
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	c.Status(status)
	_, _ = c.Writer.Write(body)
	return nil
}

// download sends a file to keep.
func download(c *gin.Context, kind, name string, body []byte) error {
	c.Header("Content-Disposition", `attachment; filename="`+name+`"`)
	return write(c, http.StatusOK, kind, body)
}

// seeOther ends a post: the browser, or htmx in its place, fetches the page that
// shows the effect, and a reload repeats nothing.
func seeOther(c *gin.Context, to string) error {
	c.Redirect(http.StatusSeeOther, to)
	return nil
}

// byScript reports whether htmx asks and will put the answer into a page that is
// already there.
func byScript(c *gin.Context) bool { return c.GetHeader("HX-Request") == "true" }
