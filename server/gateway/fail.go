package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"schulwart.org/policies/mdm"
	"schulwart.org/server/checkin"
	"schulwart.org/server/errs"
	"schulwart.org/server/httpx"
)

var (
	errNoStream      = errs.E(errs.Unavailable, "stream.none")
	errNoDeclaration = errs.E(errs.NotFound, "declaration.not_found")
	errNoPackages    = errs.E(errs.Unavailable, "package.none")
	errNoWork        = errs.E(errs.NotFound, "exam.not_found")
	errNoUser        = errors.New("gateway: users of a device are declined")
)

// fail is the door's one exit for faults.
func (g *Gateway) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // nobody listens any more
	}
	status := statusOf(err)
	if reason := checkin.Reason(err); reason != "" {
		w.Header().Set(mdm.RefusalHeader, reason)
		g.count("refused." + reason)
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "10")
		g.count("unavailable")
	}
	httpx.Log(r.Context(), g.Log, r, status, err)
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(httpx.ProblemOf(r, status, err))
}

// statusOf maps a fault to what a device understands. Everything that is not the
// device's fault is 503, so that it comes back.
func statusOf(err error) int {
	if errors.Is(err, errNoUser) {
		return http.StatusGone // Apple: declines the user, and only the user
	}
	if checkin.Reason(err) != "" {
		return http.StatusBadRequest
	}
	switch errs.KindOf(err) {
	case errs.Invalid:
		return http.StatusBadRequest
	case errs.Denied:
		return http.StatusForbidden
	case errs.NotFound:
		return http.StatusNotFound
	}
	return http.StatusServiceUnavailable
}

// ours turns a fault that only looks like the device's into what it is: where a
// device asks for what every device has, "not found" is trouble of our own.
func ours(err error) error {
	if errs.Is(err, errs.NotFound) {
		return errs.E(errs.Unavailable, "unavailable").Because(err)
	}
	return err
}
