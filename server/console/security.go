package console

import (
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/sheet"
	"schulwart.org/server/errs"
	"schulwart.org/server/exam"
	"schulwart.org/server/packages"
	"schulwart.org/web"
)

// permissions switches off what no page needs.
const permissions = "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()"

// guard sets the headers that every answer carries and refuses what another
// site makes the browser send.
func (h *Handler) guard() gin.HandlerFunc {
	csrf := http.NewCrossOriginProtection()
	return func(c *gin.Context) {
		header := c.Writer.Header()
		header.Set("Content-Security-Policy", web.ContentSecurityPolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Permissions-Policy", permissions)
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		if h.Secure {
			header.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		if err := csrf.Check(c.Request); err != nil {
			h.fail(c, errs.E(errs.Denied, "cross_origin").Because(err))
			c.Abort()
			return
		}
		c.Next()
	}
}

// limitBody bounds what anybody may send; an import may be larger.
func limitBody(c *gin.Context) {
	limit := int64(256 << 10)
	switch c.FullPath() {
	case web.PathImport, web.PathExamImport, web.PathCalendarFile:
		limit = maxImport
	case web.PathAppUpload:
		limit = pieceSent
	case web.PathAppLook:
		limit = packages.LargestPicture + 64<<10 // the form around it
	case web.PathTemplates:
		limit = sheet.MostPackage + 64<<10 // the form around it
	case web.PathExamWork:
		limit = exam.MostGivenBytes + 1<<20
	}
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, limit)
	c.Next()
}

// logged tells the operator of a request that went wrong, once.
func (h *Handler) logged(c *gin.Context, level slog.Level, text string, err error) {
	h.Log.Log(c.Request.Context(), level, text,
		"request", requestID(c), "method", c.Request.Method, "route", c.FullPath(), "person", visitor(c).actor.ID.String(), "error", err)
}
