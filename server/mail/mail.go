// Package mail sends short messages to staff: invitations, resets, a test. It
// is no queue and no room: what cannot be sent is said at once, and everything
// works without it.
package mail

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"
	"time"

	"schulwart.org/server/errs"
)

// Settings say how mail leaves the house.
type Settings struct {
	Host   string `json:"host"`
	Port   int    `json:"port"`
	User   string `json:"user,omitempty"` // empty: without signing in
	Sender string `json:"sender"`         // address, or "Name <address>"
}

// State is how mail stands.
type State struct {
	Host    string    `json:"host,omitempty"` // empty: not set up
	Last    time.Time `json:"last,omitzero"`  // last message that was taken
	Problem string    `json:"problem,omitempty"`
}

// Store keeps settings; the password is sealed.
type Store interface {
	Setting(ctx context.Context, name string) (string, error)
	PutSetting(ctx context.Context, name, value string) error
	Secret(ctx context.Context, name string) ([]byte, error)
	PutSecret(ctx context.Context, name string, secret []byte) error
}

// Names under which settings are kept.
const (
	settingsName = "mail"
	stateName    = "mail.state"
	passwordName = "mail-password"
)

// Service sends mail.
type Service struct {
	Store Store
	Now   func() time.Time
	// Roots are trusted instead of the system's, for tests.
	Roots *x509.CertPool
}

// Settings returns how mail is set up; the zero value if it is not.
func (s *Service) Settings(ctx context.Context) (Settings, error) {
	var settings Settings
	text, err := s.Store.Setting(ctx, settingsName)
	if err != nil || text == "" {
		return settings, err
	}
	if err := json.Unmarshal([]byte(text), &settings); err != nil {
		return settings, fmt.Errorf("reading how mail is set up: %w", err)
	}
	return settings, nil
}

// Save keeps how mail is set up. An empty password keeps the one there is, as
// long as the user is the same.
func (s *Service) Save(ctx context.Context, settings Settings, password string) error {
	if err := settings.Check(); err != nil {
		return err
	}
	before, err := s.Settings(ctx)
	if err != nil {
		return err
	}
	if password != "" || before.User != settings.User {
		if err := s.Store.PutSecret(ctx, passwordName, []byte(password)); err != nil {
			return fmt.Errorf("keeping the mail password: %w", err)
		}
	}
	text, err := json.Marshal(settings)
	if err != nil {
		return err
	}
	return s.Store.PutSetting(ctx, settingsName, string(text))
}

// Check looks at the settings alone.
func (s Settings) Check() error {
	if s.Host == "" || strings.ContainsAny(s.Host, " \t\r\n/") {
		return errs.E(errs.Invalid, "mail.bad_host").In("host")
	}
	if s.Port < 1 || s.Port > 65535 {
		return errs.E(errs.Invalid, "mail.bad_port").In("port")
	}
	if _, err := netmail.ParseAddress(s.Sender); err != nil {
		return errs.E(errs.Invalid, "mail.bad_sender").In("sender").Because(err)
	}
	return nil
}

// address returns host and port as net wants them.
func (s Settings) address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// Ready reports whether mail is set up.
func (s *Service) Ready(ctx context.Context) bool {
	settings, err := s.Settings(ctx)
	return err == nil && settings.Host != ""
}

// State says how mail stands, for the operations page.
func (s *Service) State(ctx context.Context) (State, error) {
	var state State
	settings, err := s.Settings(ctx)
	if err != nil {
		return state, err
	}
	text, err := s.Store.Setting(ctx, stateName)
	if err != nil {
		return state, err
	}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &state); err != nil {
			return state, fmt.Errorf("reading how mail stands: %w", err)
		}
	}
	state.Host = settings.Host
	return state, nil
}

// Send sends a plain message. Where mail is not set up that is an Unavailable
// fault "mail.not_set_up". The server has taken the message when Send returns.
func (s *Service) Send(ctx context.Context, to, subject, body string) error {
	settings, err := s.Settings(ctx)
	if err != nil {
		return err
	}
	if settings.Host == "" {
		return errs.E(errs.Unavailable, "mail.not_set_up")
	}
	password, err := s.Store.Secret(ctx, passwordName)
	if err != nil {
		return err
	}
	return s.note(ctx, s.Try(ctx, settings, string(password), to, subject, body))
}

// note keeps how the last message fared, and passes the fault on.
func (s *Service) note(ctx context.Context, fault error) error {
	state, err := s.State(ctx)
	if err != nil {
		return err
	}
	state.Problem = ""
	if fault != nil {
		state.Problem = fault.Error()
	} else {
		state.Last = s.Now().UTC()
	}
	text, err := json.Marshal(state)
	if err != nil {
		return err
	}
	if err := s.Store.PutSetting(ctx, stateName, string(text)); err != nil && fault == nil {
		return err
	}
	return fault
}
