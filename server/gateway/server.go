package gateway

import (
	"crypto/tls"
	"log/slog"
	"net/http"
	"time"
)

// Server returns the device listener: TLS that asks for a certificate and judges
// it per request, because an expired one may still renew; HTTP/1.1 only, because
// the event stream is taken out of it; idle connections end after ten seconds,
// because ten thousand of them cost memory for nothing.
func Server(handler http.Handler, certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error), log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ConnContext:       ConnContext,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       60 * time.Second,
		IdleTimeout:       10 * time.Second,
		MaxHeaderBytes:    64 << 10, // a signature or a SCEP message can be in it
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		TLSNextProto:      map[string]func(*http.Server, *tls.Conn, http.Handler){},
		TLSConfig: &tls.Config{
			MinVersion:     tls.VersionTLS12,
			ClientAuth:     tls.RequestClientCert,
			GetCertificate: certificate,
			NextProtos:     []string{"http/1.1"},
		},
	}
}
