package gateway

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/smallstep/pkcs7"

	"schulwart.org/policies/mdm"
	"schulwart.org/server/checkin"
	"schulwart.org/server/enroll"
	"schulwart.org/server/httpx"
)

// signatureHeader carries a CMS signature of the body, for devices behind a
// proxy that ends their TLS.
// https://developer.apple.com/documentation/devicemanagement/passing-an-authentication-certificate-through-a-proxy
const signatureHeader = "Mdm-Signature"

// speaker is who holds the key of a certificate.
type speaker struct {
	checkin.Certificate
	x509 *x509.Certificate
	// signed names a message that is known by its signature alone; zero where the
	// connection itself proves who speaks.
	signed checkin.Signed
}

// peerKey finds what is remembered of a connection.
type peerKey struct{}

// peer remembers the certificate of a connection, so that it is hashed once.
type peer struct{ speaker *speaker }

// ConnContext belongs into http.Server.ConnContext: requests of one connection
// then share what was read from its certificate. One connection has one request
// at a time (HTTP/1.1), so nothing is locked.
func ConnContext(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, peerKey{}, &peer{})
}

func speakerOf(cert *x509.Certificate) *speaker {
	owner, enrolment := enroll.Owner(cert)
	return &speaker{x509: cert, Certificate: checkin.Certificate{
		Hash: enroll.Fingerprint(cert.Raw), Authority: owner, Enrolment: enrolment, Serial: cert.SerialNumber.Text(16), Expires: cert.NotAfter,
	}}
}

// connected returns who made the connection, by mutual TLS or by the word of a
// proxy that the operator named.
func (g *Gateway) connected(r *http.Request) (*speaker, error) {
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		known, _ := r.Context().Value(peerKey{}).(*peer)
		if known == nil {
			known = &peer{}
		}
		if known.speaker == nil {
			known.speaker = speakerOf(r.TLS.PeerCertificates[0])
		}
		return known.speaker, nil
	}
	if g.Proxy.Header != "" && httpx.From(r, g.Proxy.From) {
		if value := r.Header.Get(g.Proxy.Header); value != "" {
			cert, err := forwarded(value)
			if err != nil {
				return nil, checkin.Refusal(mdm.RefusedUnknown).Because(err)
			}
			return speakerOf(cert), nil
		}
	}
	return nil, checkin.Refusal(mdm.RefusedNoCertificate)
}

// signs reports whether a request without certificate at least claims to be
// signed; the body of others is not worth reading.
func (g *Gateway) signs(r *http.Request) bool { return r.Header.Get(signatureHeader) != "" }

// signed returns who signed the body. A signature has no nonce and can be
// replayed; see checkin.Hear.
func (g *Gateway) signed(r *http.Request, body []byte) (s *speaker, err error) {
	// The parser below was written for friendly input.
	defer func() {
		if p := recover(); p != nil {
			s, err = nil, checkin.Refusal(mdm.RefusedUnknown).Because(fmt.Errorf("reading signature: %v", p))
		}
	}()
	s, err = verifySignature(r.Header.Get(signatureHeader), body)
	if err != nil {
		return nil, checkin.Refusal(mdm.RefusedUnknown).Because(err)
	}
	return s, nil
}

func verifySignature(header string, body []byte) (*speaker, error) {
	der, err := base64.StdEncoding.DecodeString(strings.TrimSpace(header))
	if err != nil {
		return nil, fmt.Errorf("reading signature: %w", err)
	}
	message, err := pkcs7.Parse(der)
	if err != nil {
		return nil, fmt.Errorf("reading signature: %w", err)
	}
	signer := message.GetOnlySigner()
	if signer == nil {
		return nil, fmt.Errorf("reading signature: it has %d signers", len(message.Signers))
	}
	message.Content = body
	if err := message.Verify(); err != nil {
		return nil, fmt.Errorf("checking signature: %w", err)
	}
	// What was signed, not how it was wrapped: the wrapping can be changed without
	// the key. A device that says the same again signs another time.
	var at time.Time
	_ = message.UnmarshalSignedAttribute(pkcs7.OIDAttributeSigningTime, &at)
	s := speakerOf(signer)
	s.signed = checkin.Signed{Digest: enroll.Fingerprint(append(at.UTC().AppendFormat(nil, time.RFC3339), body...)), At: at}
	return s, nil
}

func forwarded(value string) (*x509.Certificate, error) {
	if strings.Contains(value, "%") {
		plain, err := url.QueryUnescape(strings.ReplaceAll(value, "+", "%2B"))
		if err != nil {
			return nil, fmt.Errorf("reading forwarded certificate: %w", err)
		}
		value = plain
	}
	var der []byte
	if strings.Contains(value, "-----BEGIN") {
		// Proxies that cannot send line breaks send spaces or tabs.
		head, rest, _ := strings.Cut(value, "-----BEGIN CERTIFICATE-----")
		inner, _, _ := strings.Cut(rest, "-----END CERTIFICATE-----")
		text := head + "-----BEGIN CERTIFICATE-----\n" + strings.Join(strings.Fields(inner), "\n") + "\n-----END CERTIFICATE-----\n"
		block, _ := pem.Decode([]byte(text))
		if block == nil {
			return nil, fmt.Errorf("reading forwarded certificate: no PEM")
		}
		der = block.Bytes
	} else {
		var err error
		if der, err = base64.StdEncoding.DecodeString(strings.Trim(strings.Join(strings.Fields(value), ""), ":")); err != nil {
			return nil, fmt.Errorf("reading forwarded certificate: %w", err)
		}
	}
	return x509.ParseCertificate(der)
}

// know returns the enrolment of a certificate that may speak.
func (g *Gateway) know(ctx context.Context, s *speaker) (checkin.Enrolment, error) {
	e, err := g.CheckIn.Know(ctx, s.Certificate, func() error { return g.Enroll.Verify(ctx, s.x509) })
	if err != nil {
		return e, err
	}
	return e, e.Usable(g.Now())
}

// enrolled refuses what a device may only ask after it has enrolled.
func enrolled(e checkin.Enrolment) error {
	switch e.State {
	case checkin.Enrolled:
		return nil
	case checkin.Left:
		return checkin.Refusal(mdm.RefusedLeft)
	}
	return checkin.Refusal(mdm.RefusedAnew)
}
