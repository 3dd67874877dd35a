package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"schulwart.org/agent/host"
	"schulwart.org/policies/mdm"
)

// RenewBefore is how long before its end a certificate is renewed.
const RenewBefore = 30 * 24 * time.Hour

// Refused is the server's word that a request makes no sense, with its reason
// from mdm.RefusalHeader where it gave one.
type Refused struct {
	Status int
	Reason string
}

func (r Refused) Error() string {
	return fmt.Sprintf("identity: refused by the server (%d %s)", r.Status, r.Reason)
}

// simpleEnroll asks for the first certificate (RFC 7030, section 4.2.1).
func (i *Identity) simpleEnroll(ctx context.Context, key *ecdsa.PrivateKey, bootstrap string, hardware host.Hardware, now func() time.Time) ([][]byte, error) {
	config := i.TLS(now)
	config.GetClientCertificate = nil
	return i.est(ctx, est{
		path: "/.well-known/est/simpleenroll", key: key, serial: hardware.Serial, bootstrap: bootstrap,
		client: &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}},
	})
}

// Renew asks for the next certificate by the present one (RFC 7030, section
// 4.2.2), with a new key, and puts both in force. It is tried with an expired
// certificate too: the server renews those for a year.
func (i *Identity) Renew(ctx context.Context, hardware host.Hardware, now func() time.Time) error {
	key, err := pendingKey(i.files)
	if err != nil {
		return err
	}
	chain, err := i.est(ctx, est{
		path: "/.well-known/est/simplereenroll", key: key, serial: hardware.Serial,
		client: &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{TLSClientConfig: i.TLS(now), DisableKeepAlives: true}},
	})
	if err != nil {
		return err
	}
	return i.adopt(key, chain)
}

// DueAt is when the certificate is to be renewed: thirty days ahead, or in the
// middle of a life that is shorter than sixty.
func (i *Identity) DueAt() time.Time {
	leaf := i.Certificate()
	life := leaf.NotAfter.Sub(leaf.NotBefore)
	return leaf.NotAfter.Add(-min(RenewBefore, life/2))
}

type est struct {
	path, serial, bootstrap string
	key                     *ecdsa.PrivateKey
	client                  *http.Client
}

func (i *Identity) est(ctx context.Context, ask est) ([][]byte, error) {
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject:            pkix.Name{CommonName: i.UDID, SerialNumber: ask.serial},
		SignatureAlgorithm: x509.ECDSAWithSHA256,
	}, ask.key)
	if err != nil {
		return nil, fmt.Errorf("asking for a certificate: %w", err)
	}
	body := base64.StdEncoding.EncodeToString(request)
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, i.DeviceURL+ask.path, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("asking for a certificate: %w", err)
	}
	post.Header.Set("Content-Type", "application/pkcs10")
	post.Header.Set("Content-Transfer-Encoding", "base64")
	if ask.bootstrap != "" {
		post.SetBasicAuth("token", ask.bootstrap)
	}
	response, err := ask.client.Do(post)
	if err != nil {
		return nil, fmt.Errorf("asking for a certificate: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("asking for a certificate: %w", err)
	}
	if response.StatusCode >= 400 && response.StatusCode < 500 {
		return nil, Refused{response.StatusCode, response.Header.Get(mdm.RefusalHeader)}
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("asking for a certificate: %s", response.Status)
	}
	return i.parseChain(answer, &ask.key.PublicKey)
}
