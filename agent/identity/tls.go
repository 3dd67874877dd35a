package identity

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"time"

	"schulwart.org/policies/org"
)

// TLS returns how the device connects to its server: it shows its certificate
// and trusts its own authority alone. now is the time at which the server's
// certificate is judged.
func (i *Identity) TLS(now func() time.Time) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		RootCAs:    i.roots,
		Time:       now,
		NextProtos: []string{"http/1.1"},
		// Not Certificates: a renewed one is shown from the next connection on, and
		// it is shown whichever authorities the server lists.
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			c := i.certificate()
			return &c, nil
		},
		ClientSessionCache: tls.NewLRUClientSessionCache(1),
	}
}

// ForPeers returns how the device receives others of its authority: they show a
// valid certificate of the same root and the same authority, and this device shows
// its own. now is the time at which certificates are judged.
func (i *Identity) ForPeers(now func() time.Time) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: i.roots, Time: now, NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			c := i.certificate()
			return &c, nil
		},
		VerifyConnection: func(state tls.ConnectionState) error { return i.kin(state, "") },
	}
}

// ToPeer returns how the device goes to another one of its authority, of which its
// server said the enrolment.
func (i *Identity) ToPeer(now func() time.Time, enrolment org.ID) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Time: now, NextProtos: []string{"http/1.1"},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			c := i.certificate()
			return &c, nil
		},
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection judges: a device's certificate names no host
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 {
				return errStranger
			}
			between := x509.NewCertPool()
			for _, c := range state.PeerCertificates[1:] {
				between.AddCert(c)
			}
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{
				Roots: i.roots, Intermediates: between, CurrentTime: now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
			})
			if err != nil {
				return err
			}
			return i.kin(state, enrolment)
		},
	}
}

var errStranger = errors.New("identity: the other device is not one of this authority, or not the one that was named")

// kin refuses who is of another authority, or not the enrolment that is meant.
func (i *Identity) kin(state tls.ConnectionState, enrolment org.ID) error {
	if len(state.PeerCertificates) == 0 {
		return errStranger
	}
	other := state.PeerCertificates[0]
	if own := authorityOf(i.Certificate()); own == "" || authorityOf(other) != own || enrolment != "" && subjectOf(other) != enrolment {
		return errStranger
	}
	return nil
}

// Built is the earliest time that it can be now. Whatever a clock says, it is
// not before this program was written.
var Built = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// ServerTime asks the server for the time alone, for a device whose clock is so
// wrong that certificates seem not yet or no longer valid: the server's
// certificate must be from the device's authority, dates are ignored. Nothing
// else is sent or believed on this connection.
func (i *Identity) ServerTime(ctx context.Context) (time.Time, error) {
	config := &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: hostOf(i.DeviceURL), NextProtos: []string{"http/1.1"},
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection judges all but the dates
		VerifyConnection: func(state tls.ConnectionState) error {
			return verifyUndated(state, i.roots)
		},
	}
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, i.DeviceURL+"/healthz", nil)
	if err != nil {
		return time.Time{}, fmt.Errorf("asking for the time: %w", err)
	}
	response, err := client.Do(request)
	if err != nil {
		return time.Time{}, fmt.Errorf("asking for the time: %w", err)
	}
	defer response.Body.Close()
	at, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return time.Time{}, fmt.Errorf("asking for the time: %w", err)
	}
	return at, nil
}

// verifyUndated verifies a chain at a time at which its leaf is valid.
func verifyUndated(state tls.ConnectionState, roots *x509.CertPool) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("identity: server shows no certificate")
	}
	leaf := state.PeerCertificates[0]
	between := x509.NewCertPool()
	for _, c := range state.PeerCertificates[1:] {
		between.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		DNSName: state.ServerName, Roots: roots, Intermediates: between,
		CurrentTime: leaf.NotBefore.Add(leaf.NotAfter.Sub(leaf.NotBefore) / 2),
	})
	return err
}

// Dated reports whether an error says that a certificate's dates do not fit the
// clock.
func Dated(err error) bool {
	var invalid x509.CertificateInvalidError
	return errors.As(err, &invalid) && invalid.Reason == x509.Expired
}
