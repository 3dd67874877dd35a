package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/mdm"
	"schulwart.org/server/checkin"
	"schulwart.org/server/errs"
	"schulwart.org/server/httpx"
)

// message answers PUT /mdm and /checkin: what a device says of itself, and its
// reports on commands. Either address takes either, as profiles may name only
// one.
func (g *Gateway) message(w http.ResponseWriter, r *http.Request) error {
	who, err := g.connected(r)
	if err != nil && (checkin.Reason(err) != mdm.RefusedNoCertificate || !g.signs(r)) {
		return err
	}
	body, err := httpx.Body(w, r, largestMessage)
	if err != nil {
		return err
	}
	if who == nil {
		if who, err = g.signed(r, body); err != nil {
			return err
		}
	}
	e, err := g.know(r.Context(), who)
	if err != nil {
		return err
	}
	if isCheckIn(r, body) {
		message, err := mdm.ParseCheckIn(body)
		if err != nil {
			return checkin.Refusal(mdm.RefusedMessage).Because(err)
		}
		return g.hear(w, r, e, who.signed, func(heard checkin.Hearing) error { return g.checkIn(w, r, e, message, heard) })
	}
	result, err := mdm.ParseResult(body)
	if err != nil {
		return checkin.Refusal(mdm.RefusedMessage).Because(err)
	}
	return g.hear(w, r, e, who.signed, func(heard checkin.Hearing) error { return g.result(w, r, e, result, heard) })
}

// hear answers a replay with nothing. What could not be obeyed is forgotten, so
// that the device may say it again.
func (g *Gateway) hear(w http.ResponseWriter, r *http.Request, e checkin.Enrolment, signed checkin.Signed, obey func(checkin.Hearing) error) error {
	heard, err := g.CheckIn.Hear(r.Context(), e, signed)
	if err != nil {
		return err
	}
	if heard == checkin.Stale {
		g.count("replayed")
		return done(w, nil)
	}
	err = obey(heard)
	if err != nil && heard == checkin.Fresh {
		g.CheckIn.Unhear(r.Context(), e, signed)
	}
	return err
}

// isCheckIn tells the two kinds of messages apart. Old clients name no type, so
// the word is looked for; strings of binary property lists are in plain text.
func isCheckIn(r *http.Request, body []byte) bool {
	switch r.Header.Get("Content-Type") {
	case "application/x-apple-aspen-mdm-checkin":
		return true
	case "application/x-apple-aspen-mdm":
		// The agent and mdmb send both kinds under either type.
	}
	return bytes.Contains(body, []byte("MessageType")) && !bytes.Contains(body, []byte("CommandUUID"))
}

func (g *Gateway) checkIn(w http.ResponseWriter, r *http.Request, e checkin.Enrolment, message mdm.CheckIn, heard checkin.Hearing) error {
	ctx := r.Context()
	obey := func(with func(context.Context, checkin.Enrolment, mdm.CheckIn) error) error {
		if heard == checkin.Again {
			return done(w, nil)
		}
		return done(w, with(ctx, e, message))
	}
	switch message.MessageType {
	case mdm.DeclarativeManagement:
		return g.declarative(w, r, e, message, heard)
	case mdm.Authenticate:
		g.count("authenticate")
		return obey(g.CheckIn.Authenticate)
	case mdm.TokenUpdate:
		g.count("token_update")
		return obey(g.CheckIn.TokenUpdate)
	case mdm.CheckOut:
		g.count("check_out")
		return obey(g.CheckIn.CheckOut)
	case mdm.SetBootstrapToken:
		return obey(g.CheckIn.SetBootstrapToken)
	case mdm.GetBootstrapToken:
		token, err := g.CheckIn.GetBootstrapToken(ctx, e, message)
		if err != nil {
			return err
		}
		return plist(w, mdm.GetBootstrapTokenResponse{BootstrapToken: token})
	case mdm.UserAuthenticate:
		return errNoUser
	}
	// GetToken and ReturnToService need services that Apple grants an organisation.
	return errs.E(errs.Invalid, "message.not_offered", "type", string(message.MessageType))
}

func (g *Gateway) result(w http.ResponseWriter, r *http.Request, e checkin.Enrolment, result mdm.Result, heard checkin.Hearing) error {
	g.count("result")
	if !result.Salvaged {
		if err := e.Speaks(result.Enrollment); err != nil {
			return err
		}
	}
	report := g.Commands.Report
	if heard == checkin.Again {
		report = g.Commands.Reported
	} else {
		g.CheckIn.Seen(e)
	}
	if e.State != checkin.Enrolled || result.UserChannel() {
		return done(w, nil) // nothing to do, for a device that left or a user of it
	}
	next, err := report(r.Context(), e.Authority, e.ID, result)
	if err != nil {
		return ours(err)
	}
	if next == nil {
		return done(w, nil)
	}
	w.Header().Set("Content-Type", "application/xml; charset=UTF-8")
	_, err = w.Write(next)
	return err
}

// declarative answers declarative management. Of an idle device it is all that
// comes, and it is answered from memory.
func (g *Gateway) declarative(w http.ResponseWriter, r *http.Request, e checkin.Enrolment, message mdm.CheckIn, heard checkin.Hearing) error {
	if err := e.Speaks(message.Enrollment); err != nil {
		return err
	}
	if message.UserChannel() {
		return checkin.Refusal(mdm.RefusedMessage)
	}
	if err := enrolled(e); err != nil {
		return err
	}
	if heard == checkin.Fresh {
		g.CheckIn.Seen(e)
	}
	ctx := r.Context()
	switch message.Endpoint {
	case mdm.EndpointTokens:
		g.count("tokens")
		tokens, err := g.Declarations.Tokens(ctx, e)
		if err != nil {
			return ours(err)
		}
		return answer(w, ddm.SyncTokens{SyncTokens: tokens})
	case mdm.EndpointItems:
		g.count("items")
		manifest, err := g.Declarations.Manifest(ctx, e)
		if err != nil {
			return ours(err)
		}
		return answer(w, manifest)
	case mdm.EndpointStatus:
		g.count("status")
		if heard == checkin.Again {
			return done(w, nil)
		}
		return g.status(ctx, w, e, message.Data)
	}
	return g.declaration(ctx, w, e, message.Endpoint)
}

func (g *Gateway) declaration(ctx context.Context, w http.ResponseWriter, e checkin.Enrolment, endpoint string) error {
	rest, ok := strings.CutPrefix(endpoint, mdm.EndpointDeclaration)
	class, id, both := strings.Cut(rest, "/")
	if !ok || !both || id == "" {
		return errs.E(errs.Invalid, "message.endpoint")
	}
	switch ddm.Class(class) {
	case ddm.Activation, ddm.Asset, ddm.Configuration, ddm.Management:
	default:
		return errNoDeclaration
	}
	g.count("declaration")
	declaration, err := g.Declarations.Declaration(ctx, e, ddm.Class(class), id)
	if err != nil {
		return err
	}
	return answer(w, declaration)
}

func (g *Gateway) status(ctx context.Context, w http.ResponseWriter, e checkin.Enrolment, data []byte) error {
	report, err := ddm.ParseStatus(data)
	if err != nil {
		return checkin.Refusal(mdm.RefusedMessage).Because(err)
	}
	if err := g.CheckIn.Report(ctx, e, report); err != nil {
		return ours(err)
	}
	g.tellCommands(ctx, w, e)
	return done(w, nil)
}

// tellCommands spares an agent the question for commands when there are none. A
// command that is queued later wakes the agent by itself. If it cannot be known,
// nothing is said, and the agent asks.
func (g *Gateway) tellCommands(ctx context.Context, w http.ResponseWriter, e checkin.Enrolment) {
	if !e.Platform.Agent() {
		return
	}
	if waiting, err := g.Commands.Waiting(ctx, e.Authority, e.ID); err == nil && !waiting {
		w.Header().Set(mdm.CommandsHeader, mdm.NoCommands)
	}
}

// done answers 200 without a body, which means: received, nothing to do.
func done(w http.ResponseWriter, err error) error {
	if err == nil {
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(http.StatusOK)
	}
	return ours(err)
}

func answer(w http.ResponseWriter, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, err = w.Write(data)
	return err
}

func plist(w http.ResponseWriter, value any) error {
	data, err := mdm.Encode(value)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/xml; charset=UTF-8")
	_, err = w.Write(data)
	return err
}
