package app

import (
	"crypto/tls"
	"fmt"
	"net/url"
	"os"
	"sync"
	"time"
)

// ownFiles serves a certificate from files and reads them again when they
// change, so that a renewal needs no restart. A pair that does not fit is told
// at the start; later the former one stays.
func ownFiles(certificate, key string) (*tls.Config, error) {
	files := &pair{certificate: certificate, key: key}
	if _, err := files.get(nil); err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: files.get, NextProtos: []string{"h2", "http/1.1"}}, nil
}

type pair struct {
	certificate, key string

	mu      sync.Mutex
	loaded  *tls.Certificate
	changed time.Time
}

func (p *pair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	info, err := os.Stat(p.certificate)
	if p.loaded != nil && (err != nil || info.ModTime().Equal(p.changed)) {
		return p.loaded, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the certificate: %w", err)
	}
	fresh, err := tls.LoadX509KeyPair(p.certificate, p.key)
	if err != nil {
		if p.loaded != nil {
			return p.loaded, nil
		}
		return nil, fmt.Errorf("reading the certificate: %w", err)
	}
	p.loaded, p.changed = &fresh, info.ModTime()
	return p.loaded, nil
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
