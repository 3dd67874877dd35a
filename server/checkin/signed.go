package checkin

import (
	"context"
	"time"
)

// Signed names a message that is known by a signature alone, and not by the
// connection, so that anybody who saw it can send it again. The zero value is a
// message whose sender proved on the connection that it holds the key.
type Signed struct {
	Digest string // of the message and the time of its signature
	// At is when the device says that it signed, to the second; zero if it does
	// not say.
	At time.Time
}

// Hearing is what a message is worth.
type Hearing int

// The hearings.
const (
	// Fresh is a message that was not heard before: it is obeyed.
	Fresh Hearing = iota
	// Again is the very message that was heard a moment ago. A device can sign
	// the same twice in a second, and a proxy sends again what seemed lost, so it
	// is answered as before; it changes nothing.
	Again
	// Stale is a replay: it changes nothing and learns nothing.
	Stale
)

// Bounds of what is remembered of signed messages. A device's clock may be set
// back by SignedSlack while it speaks; what it signed before that is stale
// without being remembered.
const (
	SignedSlack = 15 * time.Minute
	signedAgain = time.Minute
)

// Hear says what a message is worth, and remembers it. Whoever then cannot obey
// calls Unhear.
//
// A message of a device that never says when it signed is told from others by
// its text alone. Such a device hears of its commands all the same.
func (s *Service) Hear(ctx context.Context, e Enrolment, signed Signed) (Hearing, error) {
	if signed.Digest == "" {
		return Fresh, nil
	}
	first, stale, err := s.Store.HearSigned(ctx, e, signed, s.Now())
	switch {
	case err != nil:
		return Stale, err
	case stale:
		s.Log.Warn("replayed message", "device", e.Device, "enrolment", e.ID, "signed", signed.At)
		return Stale, nil
	case first.IsZero():
		return Fresh, nil
	case signed.At.IsZero() || s.Now().Sub(first) < signedAgain:
		return Again, nil
	}
	s.Log.Warn("replayed message", "device", e.Device, "enrolment", e.ID, "signed", signed.At)
	return Stale, nil
}

// Unhear takes back that a message was heard: it could not be obeyed, and the
// device may say it again.
func (s *Service) Unhear(ctx context.Context, e Enrolment, signed Signed) {
	if signed.Digest == "" {
		return
	}
	if err := s.Store.UnhearSigned(context.WithoutCancel(ctx), e, signed); err != nil {
		s.Log.Warn("forgetting a message that was not obeyed", "enrolment", e.ID, "error", err)
	}
}
