// Package scepfuzz throws garbage at what devices send before we know them. It is
// a package of its own because fuzzing instruments all that is linked in, and a
// database takes minutes.
package scepfuzz

import (
	"context"
	"testing"

	"schulwart.org/policies/org"
	"schulwart.org/server/enroll"
	"schulwart.org/server/errs"
)

// memory keeps secrets, lets nobody in and knows no token.
type memory struct {
	enroll.Store
	secrets map[string][]byte
}

func (m memory) Secret(_ context.Context, name string) ([]byte, error) { return m.secrets[name], nil }

func (m memory) EnsureSecret(_ context.Context, name string, secret []byte) ([]byte, error) {
	if m.secrets[name] == nil {
		m.secrets[name] = secret
	}
	return m.secrets[name], nil
}

func (m memory) Atomically(ctx context.Context, fn func(context.Context) error) error { return fn(ctx) }

func (m memory) EnrolToken(context.Context, org.ID) (enroll.Token, error) {
	return enroll.Token{}, errs.E(errs.NotFound, "token.not_found")
}

func (m memory) Renew(context.Context, org.ID, org.ID, enroll.Issued) error { return nil }

func service(f *testing.F) *enroll.Service {
	f.Helper()
	s, err := enroll.New(context.Background(), memory{secrets: map[string][]byte{}}, enroll.Options{Name: "M", DeviceURL: "https://mdm.example"})
	if err != nil {
		f.Fatal(err)
	}
	return s
}

func FuzzSCEP(f *testing.F) {
	s := service(f)
	f.Add([]byte("\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if reply, refused, err := s.SCEP(context.Background(), data); err == nil && refused == nil && reply != nil {
			t.Fatal("garbage was certified")
		}
	})
}

func FuzzEnrol(f *testing.F) {
	s := service(f)
	f.Add("AAAA", []byte("\x30\x03\x02\x01\x00"))
	f.Add("eyJhbGciOiJIUzI1NiJ9.e30.", []byte(nil))
	f.Fuzz(func(t *testing.T, text string, request []byte) {
		if _, err := s.Enroll(context.Background(), text, request); err == nil {
			t.Fatal("a made-up password let somebody in")
		}
		if _, err := s.Open(context.Background(), text); err == nil {
			t.Fatal("a made-up token was believed")
		}
		if der, err := s.Renew(context.Background(), "a", "e", "u", request); err == nil && len(der) == 0 {
			t.Fatal("a certificate of nothing")
		}
	})
}
