// Package httpx is what the doors share: who asks, under which number, and how a
// fault becomes a status. Each door writes the body of its answers itself.
package httpx

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"schulwart.org/server/errs"
	"schulwart.org/server/ids"
	"schulwart.org/server/may"
)

type (
	actorKey   struct{}
	requestKey struct{}
)

// RequestIDHeader carries the number under which the log knows a request.
const RequestIDHeader = "X-Request-Id"

// WithActor returns a context in which the person or program stands.
func WithActor(ctx context.Context, actor may.Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

// Actor returns who asks; false if nobody signed in.
func Actor(ctx context.Context) (may.Actor, bool) {
	actor, ok := ctx.Value(actorKey{}).(may.Actor)
	return actor, ok
}

// RequestID returns the number of the request, empty outside of one.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// Numbered gives each request a number of our own; one that a client sends is
// not believed.
func Numbered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := ids.New().String()
		w.Header().Set(RequestIDHeader, id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, id)))
	})
}

// Status maps a fault to a status.
func Status(err error) int {
	if errors.Is(err, context.DeadlineExceeded) {
		return http.StatusServiceUnavailable
	}
	switch errs.KindOf(err) {
	case errs.Invalid:
		return http.StatusUnprocessableEntity
	case errs.NotFound:
		return http.StatusNotFound
	case errs.Conflict:
		return http.StatusConflict
	case errs.Denied:
		return http.StatusForbidden
	case errs.TooMany:
		return http.StatusTooManyRequests
	case errs.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// Log writes the cause of a fault once, at the one exit of a door: internal ones
// as errors, what a person can mend for developers only. A client that went away
// is nobody's fault. The path is told as the route names it, because some paths
// hold a secret: /enroll/{token} is the token.
func Log(ctx context.Context, log *slog.Logger, r *http.Request, status int, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	level := slog.LevelDebug
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	log.Log(ctx, level, "request", "request", RequestID(ctx), "method", r.Method, "path", Route(r), "status", status, "error", err)
}

// Route names the route that a request took, without what is in its path: "none"
// if it took none.
func Route(r *http.Request) string {
	_, path, found := strings.Cut(r.Pattern, " ")
	switch {
	case found:
		return path
	case r.Pattern != "":
		return r.Pattern
	}
	return "none"
}

// RemoteAddr returns the address of the peer itself, not what headers say of it.
func RemoteAddr(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	addr, _ := netip.ParseAddr(host)
	return addr.Unmap()
}

// From reports whether the peer is one of the named addresses. The zero Addr is
// in none.
func From(r *http.Request, trusted []netip.Prefix) bool {
	addr := RemoteAddr(r)
	for _, prefix := range trusted {
		if addr.IsValid() && prefix.Contains(addr) {
			return true
		}
	}
	return false
}
