package checkin

import (
	"context"
	"log/slog"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
)

// Store is what the room remembers. Each method is one transaction.
type Store interface {
	// EnrolmentByCertificate is a NotFound fault for a certificate that was never
	// issued here.
	EnrolmentByCertificate(ctx context.Context, hash string) (Enrolment, error)
	// AdoptCertificate notes a certificate that our authority signed for an
	// enrolment that exists, and returns it: a restored backup does not know the
	// certificates that were renewed after it.
	AdoptCertificate(ctx context.Context, certificate Certificate) (Enrolment, error)
	// Authenticated binds the enrolment to hardware: to the device of the same
	// serial number (else the same UDID) in its authority, else to a new one, in
	// the school and group of its token. It empties the queue and leaves a mark.
	Authenticated(ctx context.Context, e Enrolment, hardware Hardware) (Enrolment, error)
	// TokenUpdated makes the enrolment the only one of its device. A nil secret
	// keeps the former one.
	TokenUpdated(ctx context.Context, e Enrolment, push Push, unlock []byte) (Enrolment, error)
	CheckedOut(ctx context.Context, e Enrolment) error
	PutBootstrapToken(ctx context.Context, e Enrolment, token []byte) error
	BootstrapToken(ctx context.Context, e Enrolment) ([]byte, error)
	// DeviceFacts returns what the device last said of itself.
	DeviceFacts(ctx context.Context, e Enrolment) (ddm.Facts, error)
	SaveReport(ctx context.Context, e Enrolment, report Report) error
	SaveEvents(ctx context.Context, e Enrolment, events []ddm.Event) error
	// HearSigned remembers a signed message. It returns when the very same was
	// first heard, zero if it was not, and stale, remembering nothing, for one that
	// was signed more than SignedSlack before the latest. UnhearSigned forgets it.
	HearSigned(ctx context.Context, e Enrolment, signed Signed, now time.Time) (first time.Time, stale bool, err error)
	UnhearSigned(ctx context.Context, e Enrolment, signed Signed) error
	SetSupervised(ctx context.Context, e Enrolment, supervised bool) error
	Atomically(ctx context.Context, fn func(ctx context.Context) error) error
}

// Reports hears what a device read back. It is called inside the transaction
// that keeps the report, perhaps twice, so it must only write to the store.
type Reports interface {
	Reported(ctx context.Context, e Enrolment, report ddm.StatusReport) error
}

// Synchronizer tells an Apple device, which has no stream, to fetch its
// declarations. It is called inside the transaction that enrols the device.
type Synchronizer interface {
	Synchronize(ctx context.Context, e Enrolment) error
}

// Board is told which devices show something new, after the commit.
type Board interface {
	Publish(branch org.Branch, devices ...org.ID)
}

// Service is the room. Its fields are set once; Reports, Synchronizer, Board and
// Wake may be nil.
type Service struct {
	Store        Store
	Presence     *Presence
	Reports      Reports
	Synchronizer Synchronizer
	Board        Board
	// Wake says that a mark waits: an enrolment changes what a device should have.
	Wake func()
	Log  *slog.Logger
	Now  func() time.Time

	contacts contacts
}

// Authenticate begins an enrolment, or begins it anew. It binds the certificate
// to the device, empties its queue and has its declarations sent again. It
// refuses a certificate that is bound to other hardware.
func (s *Service) Authenticate(ctx context.Context, e Enrolment, message mdm.CheckIn) error {
	if message.UserChannel() {
		return Refusal(mdm.RefusedMessage)
	}
	hardware := hardwareOf(message)
	if e.UDID != "" && e.UDID != hardware.UDID {
		return s.clone(ctx, e, hardware)
	}
	if otherMachine(e, hardware.Serial) {
		return s.clone(ctx, e, hardware)
	}
	bound, err := s.Store.Authenticated(ctx, e, hardware)
	if err != nil {
		return err
	}
	s.contacts.forgetDevice(bound.Authority, bound.Device)
	s.Log.Info("device authenticated", "device", bound.Device, "enrolment", bound.ID, "platform", bound.Platform)
	s.changed(bound)
	return nil
}

// TokenUpdate makes an enrolment valid, and is repeated whenever the way to wake
// the device changes.
func (s *Service) TokenUpdate(ctx context.Context, e Enrolment, message mdm.CheckIn) error {
	if err := e.Speaks(message.Enrollment); err != nil {
		return err
	}
	if message.UserChannel() {
		return nil // a user of the device: nothing is kept of it
	}
	if e.Device == "" {
		return Refusal(mdm.RefusedAnew)
	}
	fresh := e.State != Enrolled
	err := s.Store.Atomically(ctx, func(ctx context.Context) error {
		now, err := s.Store.TokenUpdated(ctx, e, Push{Topic: message.Topic, Magic: message.PushMagic, Token: message.Token}, message.UnlockToken)
		if err != nil || !fresh || s.Synchronizer == nil {
			return err
		}
		return s.Synchronizer.Synchronize(ctx, now)
	})
	if err != nil {
		return err
	}
	s.contacts.forgetDevice(e.Authority, e.Device)
	if fresh {
		s.Log.Info("device enrolled", "device", e.Device, "enrolment", e.ID)
		s.changed(e)
	}
	return nil
}

// CheckOut ends an enrolment on the device's own word.
func (s *Service) CheckOut(ctx context.Context, e Enrolment, message mdm.CheckIn) error {
	if err := e.Speaks(message.Enrollment); err != nil {
		return err
	}
	if message.UserChannel() || e.State == Left {
		return nil
	}
	if err := s.Store.CheckedOut(ctx, e); err != nil {
		return err
	}
	s.contacts.forgetDevice(e.Authority, e.Device)
	s.Log.Info("device checked out", "device", e.Device, "enrolment", e.ID)
	s.changed(e)
	return nil
}

// SetBootstrapToken keeps what a Mac or Shared iPad escrows, sealed.
func (s *Service) SetBootstrapToken(ctx context.Context, e Enrolment, message mdm.CheckIn) error {
	if err := e.Speaks(message.Enrollment); err != nil {
		return err
	}
	return s.Store.PutBootstrapToken(ctx, e, message.BootstrapToken)
}

// GetBootstrapToken returns it, nil if there is none.
func (s *Service) GetBootstrapToken(ctx context.Context, e Enrolment, message mdm.CheckIn) ([]byte, error) {
	if err := e.Speaks(message.Enrollment); err != nil {
		return nil, err
	}
	return s.Store.BootstrapToken(ctx, e)
}

// clone refuses a machine that shows the certificate of another one, and leaves
// a note at the device that the certificate was made for.
func (s *Service) clone(ctx context.Context, e Enrolment, seen Hardware) error {
	s.Log.Warn("certificate on other hardware", "device", e.Device, "enrolment", e.ID)
	if e.Device != "" {
		event := ddm.Event{ID: "clone:" + e.ID.String() + ":" + seen.UDID + ":" + seen.Serial, At: s.Now(), Key: "clone", Args: map[string]string{"serial": seen.Serial}}
		if err := s.Store.SaveEvents(ctx, e, []ddm.Event{event}); err != nil {
			return err
		}
	}
	return Refusal(mdm.RefusedClone)
}

func (s *Service) changed(e Enrolment) {
	if s.Wake != nil {
		s.Wake()
	}
	if s.Board != nil && e.Device != "" {
		s.Board.Publish(e.Branch(), e.Device)
	}
}

// Know returns the enrolment that a certificate stands for. The first contact
// reads the store, later ones do not. A certificate that cannot speak is refused
// with its reason; one of ours that the store does not know is adopted if verify
// says that our authority signed it.
func (s *Service) Know(ctx context.Context, certificate Certificate, verify func() error) (Enrolment, error) {
	now := s.Now()
	e, age, ok := s.contacts.find(certificate.Hash, now)
	if !ok {
		var err error
		if e, err = s.Store.EnrolmentByCertificate(ctx, certificate.Hash); errs.Is(err, errs.NotFound) {
			e, err = s.adopt(ctx, certificate, verify)
		}
		if err != nil {
			return Enrolment{}, err
		}
		s.contacts.keep(certificate.Hash, e, age, now)
	}
	return e, nil
}

func (s *Service) adopt(ctx context.Context, certificate Certificate, verify func() error) (Enrolment, error) {
	if certificate.Enrolment == "" {
		return Enrolment{}, Refusal(mdm.RefusedUnknown)
	}
	if err := verify(); err != nil {
		return Enrolment{}, Refusal(mdm.RefusedUnknown).Because(err)
	}
	e, err := s.Store.AdoptCertificate(ctx, certificate)
	if errs.Is(err, errs.NotFound) {
		return Enrolment{}, Refusal(mdm.RefusedUnknown).Because(err)
	}
	return e, err
}

// Forget drops what is remembered of a device, so that its next message reads
// the store. Whoever revokes, moves or retires a device calls it.
func (s *Service) Forget(authority, device org.ID) { s.contacts.forgetDevice(authority, device) }

// Seen notes a message of the device.
func (s *Service) Seen(e Enrolment) {
	if s.Presence != nil && e.Device != "" {
		s.Presence.Seen(e)
	}
}
