// Package enroll is how devices come in: the installation's certificate
// authority, enrolment tokens, and the two ways to a certificate, EST (RFC 7030)
// for our agent and SCEP (RFC 8894) for Apple devices. What happens to a device
// afterwards is checkin's.
package enroll

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/url"
	"sync"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// Store is what the room remembers. Each method is one transaction.
type Store interface {
	Secret(ctx context.Context, name string) ([]byte, error)
	// EnsureSecret keeps a secret unless there is one, and returns what is kept.
	EnsureSecret(ctx context.Context, name string, secret []byte) ([]byte, error)

	// EnrolPlace returns a school, or a group with its school; the other id is
	// empty. It is a NotFound fault if there is none.
	EnrolPlace(ctx context.Context, school, group org.ID) (Place, error)
	CreateEnrolToken(ctx context.Context, permit may.Permit, token Token) error
	// EnrolToken is a NotFound fault for a token that was never made.
	EnrolToken(ctx context.Context, id org.ID) (Token, error)
	// EnrolTokens lists tokens in the branches, newest first, at most n, after
	// the id; the branches hold at least one.
	EnrolTokens(ctx context.Context, branches []org.Branch, filter TokenFilter) ([]Token, error)
	RevokeEnrolToken(ctx context.Context, permit may.Permit, token Token, at time.Time) error
	EnrolTokenUses(ctx context.Context, token Token) ([]Use, error)

	// Admit lets a key in by a token: it counts the use, spends the credential
	// and notes the certificate, all or nothing. A key that was let in before is
	// no further use. certify may be called twice.
	Admit(ctx context.Context, admission Admission, certify func(authority, enrolment org.ID) (Issued, error)) ([]byte, error)
	// Renew notes a further certificate of an enrolment.
	Renew(ctx context.Context, authority, enrolment org.ID, issued Issued) error
}

// Options are what the installation is called and where devices find it.
type Options struct {
	Name      string // of the installation, in its authority's certificate
	DeviceURL string // public address of the device listener, without a final slash
	Pages     string // public address of the console, empty if unknown
	Issuer    string // of leases
	// LeaseKeys returns the keys that devices shall believe.
	LeaseKeys func(ctx context.Context) ([]lease.Key, error)
	// PushTopic is the topic of the certificate for Apple's push service.
	PushTopic string
	Now       func() time.Time
}

// Service is the room. Make it with New.
type Service struct {
	store   Store
	options Options
	root    authority
	secret  []byte // signs tokens and credentials

	mu     sync.Mutex
	scep   *identity
	signer *identity
	server *tls.Certificate
}

// PendingTopic stands for the push certificate that Apple has not issued yet.
// Devices enrol with it, but cannot be woken.
const PendingTopic = "com.apple.mgmt.External.00000000-0000-0000-0000-000000000000"

// New opens the authority, or makes it when there is none yet.
func New(ctx context.Context, store Store, options Options) (*Service, error) {
	if options.PushTopic == "" {
		options.PushTopic = PendingTopic
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	s := &Service{store: store, options: options}
	root, err := openIdentity(ctx, store, "authority", func() (identity, error) { return newAuthority(options.Name, options.Now()) })
	if err != nil {
		return nil, err
	}
	s.root = authority{root}
	s.secret, err = keep(ctx, store, "enrolment", func() ([]byte, error) {
		secret := make([]byte, 32)
		_, err := rand.Read(secret)
		return secret, err
	})
	return s, err
}

// CA returns the authority's certificate, DER.
func (s *Service) CA() []byte { return s.root.cert.Raw }

// CAPEM returns the authority's certificate, PEM.
func (s *Service) CAPEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.root.cert.Raw}))
}

// Fingerprint returns the SHA-256 of the authority's certificate, hexadecimal.
func (s *Service) Fingerprint() string { return Fingerprint(s.root.cert.Raw) }

// Verify returns an error unless our authority signed the certificate for a
// device. It does not judge the dates: an expired one may still renew.
func (s *Service) Verify(ctx context.Context, cert *x509.Certificate) error {
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(s.root.cert)
	if !s.signedByRoot(cert) {
		scep, err := s.scepIdentity(ctx)
		if err != nil {
			return err
		}
		between.AddCert(scep.cert)
	}
	_, err := cert.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: cert.NotBefore.Add(time.Second), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return err
}

func (s *Service) signedByRoot(cert *x509.Certificate) bool {
	return string(cert.RawIssuer) == string(s.root.cert.RawSubject)
}

// ServerCertificate returns the certificate of the device listener, made anew
// when a third of its life is left. It fits tls.Config.GetCertificate.
func (s *Service) ServerCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	if s.server != nil && now.Before(s.server.Leaf.NotAfter.Add(-serverFor/3)) {
		return s.server, nil
	}
	made, err := s.root.newServer(s.options.DeviceURL, now)
	if err != nil {
		return nil, err
	}
	s.server = &tls.Certificate{Certificate: [][]byte{made.cert.Raw, s.root.cert.Raw}, PrivateKey: made.key, Leaf: made.cert}
	return s.server, nil
}

func (s *Service) scepIdentity(ctx context.Context) (identity, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lazy(ctx, &s.scep, "scep", s.root.newSCEP)
}

func (s *Service) signerIdentity(ctx context.Context) (identity, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lazy(ctx, &s.signer, "profile-signer", s.root.newSigner)
}

// lazy opens an identity that only installations with Apple devices need. The
// caller holds the lock.
func (s *Service) lazy(ctx context.Context, place **identity, name string, fresh func(time.Time) (identity, error)) (identity, error) {
	if *place == nil {
		opened, err := openIdentity(ctx, s.store, name, func() (identity, error) { return fresh(s.options.Now()) })
		if err != nil {
			return identity{}, err
		}
		*place = &opened
	}
	return **place, nil
}

// Host returns the name under which devices reach their listener.
func (s *Service) Host() (string, error) {
	u, err := url.Parse(s.options.DeviceURL)
	if err != nil || u.Hostname() == "" {
		return "", fmt.Errorf("reading the devices' address %q: it needs a host", s.options.DeviceURL)
	}
	return u.Hostname(), nil
}
