package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A machine that answers under the server's address with a certificate of
// anybody else's is not the server.
func TestACertificateOfAnotherAuthorityProvesNothing(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	addr := strings.TrimPrefix(server.URL, "https://")
	conn, err := secure(context.Background(), &net.Dialer{}, &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}, "tcp", addr)
	if err == nil {
		_ = conn.Close()
		t.Fatal("a stranger passed for the server")
	}
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	conn, err = secure(context.Background(), &net.Dialer{}, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}
