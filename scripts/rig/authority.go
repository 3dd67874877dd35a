package rig

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Authority is the certificate authority of the world.
type Authority struct {
	// File is its certificate as PEM, for programs (SSL_CERT_FILE, certutil).
	File string
	// Pool holds its certificate alone.
	Pool *x509.CertPool

	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	// ech is a list of configurations for an encrypted hello, as the name service
	// gives it out.
	ech    []byte
	echKey []byte
	mu     sync.Mutex
	made   map[string]*tls.Certificate
}

func newAuthority(t testing.TB, dir string) *Authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: "Rig Test Authority"},
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 1, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a := &Authority{File: filepath.Join(dir, "ca.pem"), Pool: x509.NewCertPool(), cert: cert, key: key, made: map[string]*tls.Certificate{}}
	a.Pool.AddCert(cert)
	a.ech, a.echKey = newECH(t)
	if err := os.WriteFile(a.File, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644); err != nil {
		t.Fatal(err)
	}
	return a
}

// Certificate returns one for a host name or address, made on first use.
func (a *Authority) Certificate(host string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if cert := a.made[host]; cert != nil {
		return cert, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: host},
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 0, 20),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	cert := &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key}
	a.made[host] = cert
	return cert, nil
}

// TLS returns a server's settings that show a certificate for whatever name the
// client asks for, or for the address it came to.
func (a *Authority) TLS(protocols ...string) *tls.Config {
	return &tls.Config{
		NextProtos:               protocols,
		EncryptedClientHelloKeys: []tls.EncryptedClientHelloKey{{Config: a.ech[2:], PrivateKey: a.echKey, SendAsRetry: true}},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			name := hello.ServerName
			if name == "" {
				host, _, err := net.SplitHostPort(hello.Conn.LocalAddr().String())
				if err != nil {
					return nil, err
				}
				name = host
			}
			return a.Certificate(name)
		},
	}
}

// EncryptedName is the name that an encrypted hello to a site of this world shows
// openly.
const EncryptedName = "front.example"

// newECH makes a configuration list for encrypted hellos (RFC 9849, section 4)
// and its key: DHKEM X25519, HKDF-SHA256, AES-128-GCM.
func newECH(t testing.TB) (list, key []byte) {
	t.Helper()
	private, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public := private.PublicKey().Bytes()
	content := []byte{1, 0, 0x20, 0, byte(len(public))}
	content = append(content, public...)
	content = append(content, 0, 4, 0, 1, 0, 1, 64, byte(len(EncryptedName)))
	content = append(content, EncryptedName...)
	content = append(content, 0, 0)
	config := append([]byte{0xfe, 0x0d, 0, byte(len(content))}, content...)
	return append([]byte{0, byte(len(config))}, config...), private.Bytes()
}

// EncryptedHello returns the configurations with which a client hides the name
// that it asks for (tls.Config.EncryptedClientHelloConfigList).
func (a *Authority) EncryptedHello() []byte { return a.ech }
