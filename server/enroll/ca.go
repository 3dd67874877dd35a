package enroll

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"time"

	"schulwart.org/policies/org"
)

// Lifetimes of certificates.
const (
	authorityFor = 20 * 365 * 24 * time.Hour
	DeviceFor    = 365 * 24 * time.Hour
	serverFor    = 90 * 24 * time.Hour
	// RenewFor is how long after its end an unrevoked certificate may renew, and
	// nothing else: a laptop that was dark all summer comes back by itself.
	RenewFor = 365 * 24 * time.Hour
	// backdate bears with clocks that are slow.
	backdate = 24 * time.Hour
)

// identity is a certificate with its key.
type identity struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// authority is the installation's own certificate authority. Its key never
// leaves the store, where it is sealed.
type authority struct{ identity }

// secrets keeps sealed values of the installation.
type secrets interface {
	Secret(ctx context.Context, name string) ([]byte, error)
	// EnsureSecret keeps a secret unless there is one, and returns what is kept.
	EnsureSecret(ctx context.Context, name string, secret []byte) ([]byte, error)
}

// keep returns the secret of the name, made once if there is none.
func keep(ctx context.Context, store secrets, name string, fresh func() ([]byte, error)) ([]byte, error) {
	known, err := store.Secret(ctx, name)
	if err != nil || known != nil {
		return known, err
	}
	value, err := fresh()
	if err != nil {
		return nil, err
	}
	if value, err = store.EnsureSecret(ctx, name, value); err != nil {
		return nil, fmt.Errorf("keeping %s: %w", name, err)
	}
	return value, nil
}

func openIdentity(ctx context.Context, store secrets, name string, fresh func() (identity, error)) (identity, error) {
	data, err := keep(ctx, store, name, func() ([]byte, error) {
		made, err := fresh()
		if err != nil {
			return nil, err
		}
		return made.pem()
	})
	if err != nil {
		return identity{}, fmt.Errorf("opening %s: %w", name, err)
	}
	return parseIdentity(data)
}

func (i identity) pem() ([]byte, error) {
	key, err := x509.MarshalPKCS8PrivateKey(i.key)
	if err != nil {
		return nil, err
	}
	data := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.cert.Raw})
	return append(data, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...), nil
}

func parseIdentity(data []byte) (identity, error) {
	var i identity
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		var err error
		if block.Type == "CERTIFICATE" {
			i.cert, err = x509.ParseCertificate(block.Bytes)
		} else {
			var key any
			if key, err = x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
				i.key, _ = key.(crypto.Signer)
			}
		}
		if err != nil {
			return i, fmt.Errorf("reading a kept certificate: %w", err)
		}
	}
	if i.cert == nil || i.key == nil {
		return i, errors.New("reading a kept certificate: it is not complete")
	}
	return i, nil
}

// newAuthority makes the root: P-256, because agents check it on small machines.
func newAuthority(name string, now time.Time) (identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return identity{}, err
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: strings.TrimSpace("Schulwart " + strings.TrimPrefix(name, "Schulwart")), Organization: []string{organization(name)}}, NotBefore: now.Add(-backdate), NotAfter: now.Add(authorityFor),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
	}
	return certify(template, identity{template, key}, key)
}

// newSCEP makes the authority below the root that old clients can speak to: SCEP
// encrypts for the one who signs, and only RSA can do both.
func (a authority) newSCEP(now time.Time) (identity, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return identity{}, err
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: a.cert.Subject.CommonName + " SCEP", Organization: a.cert.Subject.Organization}, NotBefore: now.Add(-backdate), NotAfter: now.Add(authorityFor),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
	}
	return certify(template, a.identity, key)
}

// newSigner makes the certificate that profiles are signed with.
func (a authority) newSigner(now time.Time) (identity, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return identity{}, err
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: a.cert.Subject.CommonName + " Profile", Organization: a.cert.Subject.Organization}, NotBefore: now.Add(-backdate), NotAfter: now.Add(authorityFor),
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	return certify(template, a.identity, key)
}

// certify signs the template for the key. A template that is its own parent
// becomes a root.
func certify(template *x509.Certificate, parent identity, key crypto.Signer) (identity, error) {
	der, err := sign(template, parent, key.Public())
	if err != nil {
		return identity{}, err
	}
	cert, err := x509.ParseCertificate(der)
	return identity{cert, key}, err
}

func sign(template *x509.Certificate, parent identity, public crypto.PublicKey) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial.Add(serial, big.NewInt(1))
	template.NotBefore, template.NotAfter = template.NotBefore.UTC().Truncate(time.Second), template.NotAfter.UTC().Truncate(time.Second)
	if parent.cert != template && template.NotAfter.After(parent.cert.NotAfter) {
		template.NotAfter = parent.cert.NotAfter
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent.cert, public, parent.key)
	if err != nil {
		return nil, fmt.Errorf("signing certificate: %w", err)
	}
	return der, nil
}

// These names tie a certificate to its enrolment: the device reads from it for
// whom its leases are made, and a restored backup knows certificates that were
// renewed after it.
const (
	enrolmentURN = "schulwart:enrolment:"
	authorityURN = "schulwart:authority:"
)

// Issued is a certificate as it is noted in the directory.
type Issued struct {
	DER     []byte
	Hash    string // SHA-256, hexadecimal
	Serial  string // hexadecimal
	Expires time.Time
}

// device certifies a device's key. name is the UDID, or the enrolment where the
// device has not said its UDID yet.
func device(parent identity, public crypto.PublicKey, owner, enrolment org.ID, name string, now time.Time) (Issued, error) {
	usage := x509.KeyUsageDigitalSignature
	if _, ok := public.(*rsa.PublicKey); ok {
		usage |= x509.KeyUsageKeyEncipherment
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name, Organization: parent.cert.Subject.Organization}, NotBefore: now.Add(-backdate), NotAfter: now.Add(DeviceFor),
		BasicConstraintsValid: true, KeyUsage: usage, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		URIs: []*url.URL{{Scheme: "urn", Opaque: enrolmentURN + enrolment.String()}, {Scheme: "urn", Opaque: authorityURN + owner.String()}},
	}
	der, err := sign(template, parent, public)
	if err != nil {
		return Issued{}, err
	}
	return Issued{DER: der, Hash: Fingerprint(der), Serial: template.SerialNumber.Text(16), Expires: template.NotAfter}, nil
}

// Owner returns the authority and the enrolment that a certificate names, empty
// if it is none of ours. It does not check who signed it; see Verify.
func Owner(cert *x509.Certificate) (owner, enrolment org.ID) {
	for _, uri := range cert.URIs {
		if uri.Scheme != "urn" {
			continue
		}
		if id, ok := strings.CutPrefix(uri.Opaque, enrolmentURN); ok {
			enrolment = org.ID(id)
		}
		if id, ok := strings.CutPrefix(uri.Opaque, authorityURN); ok {
			owner = org.ID(id)
		}
	}
	return owner, enrolment
}

// Fingerprint returns the SHA-256 of a certificate, hexadecimal.
func Fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}
