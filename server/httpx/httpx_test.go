package httpx_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"schulwart.org/server/httpx"
)

// Seen: the log of a fault held the whole enrolment token.
func TestTheLogHoldsNoToken(t *testing.T) {
	var text bytes.Buffer
	log := slog.New(slog.NewTextHandler(&text, nil))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /enroll/{token}", func(_ http.ResponseWriter, r *http.Request) {
		httpx.Log(r.Context(), log, r, http.StatusServiceUnavailable, errors.New("disk full"))
	})
	httpx.Numbered(mux).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/enroll/eyJhbGciOi.geheim.sig", nil))
	if said := text.String(); strings.Contains(said, "geheim") || !strings.Contains(said, "path=/enroll/{token}") || !strings.Contains(said, "disk full") {
		t.Errorf("the log says %s", said)
	}
	unrouted := httptest.NewRequest(http.MethodGet, "/enrol/geheim", nil)
	if got := httpx.Route(unrouted); got != "none" {
		t.Errorf("a request that took no route is named %q", got)
	}
}
