// Package gateway is the door for devices: Apple's protocol, the event stream,
// and the ways in (enrolment links, EST, SCEP). It knows who speaks by the
// certificate alone. Whatever goes wrong, it never answers 401, at which an Apple
// device may leave for good, and never 404 for trouble of its own.
package gateway

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/policies/work"
	"schulwart.org/server/checkin"
	"schulwart.org/server/command"
	"schulwart.org/server/enroll"
)

// Declarations are what devices should have.
type Declarations interface {
	Tokens(ctx context.Context, e checkin.Enrolment) (ddm.Tokens, error)
	Manifest(ctx context.Context, e checkin.Enrolment) (ddm.Manifest, error)
	// Declaration is a NotFound fault for one that the device should not have.
	Declaration(ctx context.Context, e checkin.Enrolment, class ddm.Class, id string) (ddm.Declaration, error)
	// Profile returns the signed profile that an address names; a NotFound fault
	// where the seal is not ours or the profile no longer that.
	Profile(ctx context.Context, school org.Branch, identifier, version, seal string) ([]byte, error)
}

// Stream takes over a request for the event stream.
type Stream interface {
	Serve(w http.ResponseWriter, r *http.Request, enrolment org.ID) error
}

// Work takes what devices hand in of examinations, and gives out what they get. An
// examination and its ticket are as the device's lease names them; a NotFound fault
// says that they do not belong together, or that the examination is gone.
type Work interface {
	HandOut(ctx context.Context, e checkin.Enrolment, exam, ticket, hash string, n int) ([]byte, error)
	// TakePiece and TakeList return after what they took is durable.
	TakePiece(ctx context.Context, e checkin.Enrolment, exam, ticket, hash string, sealed []byte) error
	TakeList(ctx context.Context, e checkin.Enrolment, exam, ticket string, sealed []byte) (work.Receipt, error)
}

// Packages are files that devices download.
type Packages interface {
	// Open is a NotFound fault for a file that the device is not offered.
	Open(ctx context.Context, e checkin.Enrolment, sha256 string) (io.ReadSeeker, error)
	// Way says from whom a device at an address has such a file.
	Way(ctx context.Context, e checkin.Enrolment, sha256 string, from netip.Addr, ask rollout.Ask) (rollout.Way, error)
}

// Counters count what came, by short names such as "tokens" and "refused.clone".
type Counters interface {
	Count(what string)
}

// Proxy is a TLS proxy that the operator named: from its addresses, and from no
// other, the header holds the client's certificate, PEM (percent-encoded or not)
// or DER in base64.
type Proxy struct {
	Header string
	From   []netip.Prefix
}

// Gateway holds the rooms that the door leads to. Its fields are set once;
// Stream, Work, Packages, Counters and Proxy may be missing.
type Gateway struct {
	CheckIn      *checkin.Service
	Commands     *command.Service
	Enroll       *enroll.Service
	Declarations Declarations
	Stream       Stream
	Work         Work
	Packages     Packages
	Counters     Counters
	Proxy        Proxy
	// Console is the public address of the console, where people read what to do
	// with an enrolment link.
	Console string
	Log     *slog.Logger
	Now     func() time.Time
}

// Bounds of what devices send, in bytes.
const (
	largestMessage = 4 << 20 // a list of all apps of a full iPad is about 1 MB
	largestRequest = 64 << 10
	largestPiece   = work.Piece + work.Overhead
	largestList    = 1 << 20
)

// handler is a door that returns its fault.
type handler func(w http.ResponseWriter, r *http.Request) error

// Handler returns the device listener's routes.
func (g *Gateway) Handler() http.Handler {
	mux := http.NewServeMux()
	route := func(pattern string, h handler) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := h(w, r); err != nil {
				g.fail(w, r, err)
			}
		})
	}
	route("PUT /mdm", g.message)
	route("PUT /checkin", g.message)
	route("GET /stream", g.stream)
	route("GET /work/{exam}/{ticket}/given/{hash}/{n}", g.handOut)
	route("PUT /work/{exam}/{ticket}/piece/{hash}", g.takePiece)
	route("PUT /work/{exam}/{ticket}/list", g.takeList)
	route("GET /enroll/{token}", g.invite)
	route("GET /packages/{hash}", g.file)
	route("POST /packages/{hash}/way", g.way)
	route("GET /profile/{authority}/{school}/{identifier}/{version}/{seal}", g.profile)
	route("GET /.well-known/est/cacerts", g.estAuthority)
	route("POST /.well-known/est/simpleenroll", g.estEnroll)
	route("POST /.well-known/est/simplereenroll", g.estRenew)
	route("GET /scep", g.scepRead)
	route("POST /scep", g.scepOperation)
	// A device whose clock is wrong asks here for the Date alone.
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	return mux
}

func (g *Gateway) count(what string) {
	if g.Counters != nil {
		g.Counters.Count(what)
	}
}

func (g *Gateway) stream(w http.ResponseWriter, r *http.Request) error {
	// The certificate must have made this very connection: a signature could be
	// replayed, and a stream is not a message.
	speaker, err := g.connected(r)
	if err != nil {
		return err
	}
	e, err := g.know(r.Context(), speaker)
	if err != nil {
		return err
	}
	if err := enrolled(e); err != nil {
		return err
	}
	if g.Stream == nil {
		return errNoStream
	}
	g.CheckIn.Seen(e)
	g.count("stream")
	return g.Stream.Serve(w, r, e.ID)
}
