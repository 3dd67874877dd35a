package console

import (
	"context"

	"schulwart.org/server/mail"
	"schulwart.org/server/staff"
	"schulwart.org/web"
)

// Mail sends messages to people, where it is set up.
type Mail interface {
	Ready(ctx context.Context) bool
	Send(ctx context.Context, to, subject, text string) error
	State(ctx context.Context) (mail.State, error)
}

// madeCode draws what was made for somebody, nil where there is nothing.
func (h *Handler) madeCode(kept *staff.Handover) *web.MadeCode {
	if kept == nil {
		return nil
	}
	shown := web.MadeCode{
		Invite: kept.Invite, Name: kept.Name, Email: kept.Login, Code: kept.Code, ValidUntil: kept.Until, Mailed: kept.Mailed,
		URL: h.PublicURL + web.To(web.PathInvite, staff.ReadCode(kept.Code)),
	}
	if !shown.Invite {
		shown.URL = h.PublicURL + web.With(web.PathReset, "email", kept.Login, "code", kept.Code)
	}
	shown.QR = code(shown.URL)
	return &shown
}
