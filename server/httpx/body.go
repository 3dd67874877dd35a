package httpx

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"schulwart.org/server/errs"
)

// Body reads the whole body, at most limit bytes. It is an Invalid fault if there
// is more, or if the body is compressed: a small message must not become a large
// one after its size was checked.
func Body(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if encoding := strings.ToLower(r.Header.Get("Content-Encoding")); encoding != "" && encoding != "identity" {
		return nil, errs.E(errs.Invalid, "body.compressed")
	}
	if r.ContentLength > limit {
		return nil, errs.E(errs.Invalid, "body.too_large", "max", limit)
	}
	data, err := read(http.MaxBytesReader(w, r.Body, limit), r.ContentLength)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, errs.E(errs.Invalid, "body.too_large", "max", limit)
	}
	if err != nil {
		return nil, errs.E(errs.Invalid, "body.broken_off").Because(err)
	}
	return data, nil
}

// read takes a body of known length in one piece: most messages are small.
func read(body io.Reader, length int64) ([]byte, error) {
	if length < 0 || length > 64<<10 {
		return io.ReadAll(body)
	}
	data := make([]byte, length)
	_, err := io.ReadFull(body, data)
	return data, err
}

// Problem is the body of a fault for programs (RFC 9457).
type Problem struct {
	Type   string         `json:"type"` // "about:blank"
	Title  string         `json:"title"`
	Status int            `json:"status"`
	Key    string         `json:"key"` // as in the help pages; stable
	Args   map[string]any `json:"args,omitempty"`
	Field  string         `json:"field,omitempty"`
	// Instance is the request's number in the log.
	Instance string `json:"instance,omitempty"`
}

// ProblemOf describes a fault without its cause.
func ProblemOf(r *http.Request, status int, err error) Problem {
	problem := Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Key: "internal", Instance: RequestID(r.Context())}
	if fault := errs.Find(err); fault != nil {
		problem.Key, problem.Args, problem.Field = fault.Key, fault.Args, fault.Field
	}
	return problem
}
