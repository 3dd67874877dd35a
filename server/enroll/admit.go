package enroll

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
)

// Admission is a key that asks to be let in.
type Admission struct {
	Credential Credential
	KeyHash    string // SHA-256 of the public key
	UDID       string // empty if the device says it later
	Serial     string // of the hardware, empty if the device says it later
}

// Invitation is what our agent needs to know before it asks for a certificate.
type Invitation struct {
	Name      string      `json:"name"`       // of the school
	Group     string      `json:"group"`      // name of the group it will join, may be empty
	DeviceURL string      `json:"device_url"` // where to speak from now on
	Pages     string      `json:"pages"`      // where people read, pupils too
	CA        string      `json:"ca"`         // the authority's certificate, PEM
	Issuer    string      `json:"issuer"`     // of leases
	LeaseKeys []lease.Key `json:"lease_keys"` // under which leases are believed
	Bootstrap string      `json:"bootstrap"`  // one-time password for EST
	Topic     string      `json:"topic"`      // for Authenticate and TokenUpdate
	Zone      string      `json:"zone"`       // of school time, for sentences on the device
}

// Invitation answers an agent that opened a token's link.
func (s *Service) Invitation(ctx context.Context, text string) (Invitation, error) {
	token, err := s.open(ctx, text)
	if err != nil {
		return Invitation{}, err
	}
	bootstrap, err := s.credential(wayEST, token.ID)
	if err != nil {
		return Invitation{}, err
	}
	invitation := Invitation{
		Name: token.Place.School, Group: token.Place.GroupName, DeviceURL: s.options.DeviceURL, Pages: s.options.Pages, CA: s.CAPEM(),
		Issuer: s.options.Issuer, LeaseKeys: []lease.Key{}, Bootstrap: bootstrap, Topic: mdm.AgentTopic, Zone: token.Place.Zone,
	}
	if s.options.LeaseKeys != nil {
		if invitation.LeaseKeys, err = s.options.LeaseKeys(ctx); err != nil {
			return Invitation{}, err
		}
	}
	return invitation, nil
}

// open returns a token that lets somebody in now. A token that is used up still
// opens: a device that lost the answer to its request asks again with its key.
func (s *Service) open(ctx context.Context, text string) (Token, error) {
	token, err := s.Open(ctx, text)
	if err != nil {
		return Token{}, err
	}
	if err := token.Valid(s.options.Now()); err != nil && errs.Find(err).Key != "token.used_up" {
		return Token{}, err
	}
	return token, nil
}

// Enroll certifies the key of an agent (EST simpleenroll). The one-time password
// names the token. The request's common name is the UDID that the device will
// speak under; its serialNumber, if it has one, that of the hardware.
func (s *Service) Enroll(ctx context.Context, bootstrap string, request []byte) ([]byte, error) {
	credential, err := s.openCredential(wayEST, bootstrap)
	if err != nil {
		return nil, err
	}
	token, err := s.store.EnrolToken(ctx, credential.Token)
	if err != nil {
		return nil, err
	}
	csr, err := parseRequest(request)
	if err != nil {
		return nil, err
	}
	udid := csr.Subject.CommonName
	if _, err := (mdm.Enrollment{UDID: udid}).ID(); err != nil {
		return nil, errs.E(errs.Invalid, "enrol.common_name").Because(err)
	}
	serial := csr.Subject.SerialNumber
	if serial != "" && !token.Admits(serial) {
		return nil, errs.E(errs.Denied, "token.serial", "serial", serial)
	}
	admission := Admission{Credential: credential, KeyHash: Fingerprint(csr.RawSubjectPublicKeyInfo), UDID: udid, Serial: serial}
	return s.store.Admit(ctx, admission, func(owner, enrolment org.ID) (Issued, error) {
		return device(s.root.identity, csr.PublicKey, owner, enrolment, udid, s.options.Now())
	})
}

// Renew certifies the next key of an enrolment (EST simplereenroll). The door has
// made sure that the device holds the former one.
func (s *Service) Renew(ctx context.Context, owner, enrolment org.ID, udid string, request []byte) ([]byte, error) {
	csr, err := parseRequest(request)
	if err != nil {
		return nil, err
	}
	issued, err := device(s.root.identity, csr.PublicKey, owner, enrolment, udid, s.options.Now())
	if err != nil {
		return nil, err
	}
	return issued.DER, s.store.Renew(ctx, owner, enrolment, issued)
}

// Renewable reports whether a certificate of that end may still be renewed.
func Renewable(expires, at time.Time) bool { return at.Before(expires.Add(RenewFor)) }

// parseRequest reads a PKCS #10 request whose key is strong enough, and proves
// that it was made by who holds the key.
func parseRequest(der []byte) (*x509.CertificateRequest, error) {
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, errs.E(errs.Invalid, "enrol.request").Because(err)
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, errs.E(errs.Invalid, "enrol.request").Because(err)
	}
	switch key := csr.PublicKey.(type) {
	case *ecdsa.PublicKey:
		if bits := key.Curve.Params().BitSize; bits >= 256 && bits <= 521 {
			return csr, nil
		}
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits >= 2048 && bits <= 4096 {
			return csr, nil
		}
	case ed25519.PublicKey:
		return csr, nil
	}
	return nil, errs.E(errs.Invalid, "enrol.weak_key")
}
