package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"schulwart.org/agent/host"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
)

// Faults of enrolling, for people to read.
var (
	ErrLink        = errors.New("identity: the link is not an enrolment link")
	ErrInsecure    = errors.New("identity: the link is not encrypted and leads to another machine")
	ErrFingerprint = errors.New("identity: the server is not the one that the link was made for")
	ErrToken       = errors.New("identity: the link is used up, expired or revoked")
	ErrEnrolled    = errors.New("identity: this device is enrolled already")
)

// Link is an enrolment link: https://HOST/enroll/TOKEN#fp=SHA256HEX. The
// fragment names the authority's certificate and never reaches a server.
type Link struct {
	URL         string // without fragment
	Fingerprint []byte // SHA-256 of the authority's certificate; nil if the link names none
}

// ParseLink reads an enrolment link.
func ParseLink(text string) (Link, error) {
	parsed, err := url.Parse(strings.TrimSpace(text))
	if err != nil || parsed.Host == "" || !strings.Contains(parsed.Path, "/enroll/") {
		return Link{}, ErrLink
	}
	switch {
	case parsed.Scheme == "https":
	case parsed.Scheme == "http" && loopback(parsed.Hostname()):
	case parsed.Scheme == "http":
		return Link{}, ErrInsecure
	default:
		return Link{}, ErrLink
	}
	link := Link{}
	if values, err := url.ParseQuery(parsed.Fragment); err == nil && values.Get("fp") != "" {
		fingerprint, err := hex.DecodeString(strings.ReplaceAll(values.Get("fp"), ":", ""))
		if err != nil || len(fingerprint) != sha256.Size {
			return Link{}, ErrLink
		}
		link.Fingerprint = fingerprint
	}
	parsed.Fragment, parsed.RawFragment = "", ""
	link.URL = parsed.String()
	return link, nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// invitation is what the link answers to a program.
type invitation struct {
	Name      string      `json:"name"`
	DeviceURL string      `json:"device_url"`
	CA        string      `json:"ca"`
	Pages     string      `json:"pages"`
	Issuer    string      `json:"issuer"`
	LeaseKeys []lease.Key `json:"lease_keys"`
	Bootstrap string      `json:"bootstrap"`
	Group     string      `json:"group"`
	Topic     string      `json:"topic"`
	Zone      string      `json:"zone"`
}

// Enrol follows a link: it fetches the invitation, makes a key, and asks the
// authority for a certificate (EST, RFC 7030). Enrolling again replaces the
// former identity only after the new one was given.
func Enrol(ctx context.Context, files host.Files, machine host.Machine, link Link) (*Identity, error) {
	said, at, err := fetchInvitation(ctx, link)
	if err != nil {
		return nil, err
	}
	key, err := pendingKey(files)
	if err != nil {
		return nil, err
	}
	udid, err := udidOf(key)
	if err != nil {
		return nil, err
	}
	hardware := machine.Hardware()
	i := &Identity{files: files, Enrolment: Enrolment{
		UDID: udid, School: said.Name, DeviceURL: strings.TrimRight(said.DeviceURL, "/"), Pages: said.Pages, CA: said.CA, Issuer: said.Issuer,
		Topic: said.Topic, Group: said.Group, Zone: said.Zone, LeaseKeys: said.LeaseKeys, PushMagic: uuid.NewString(), PushToken: random(32), Secret: random(32),
		Hardware: FingerprintOf(hardware),
	}}
	if i.Topic == "" {
		i.Topic = mdm.AgentTopic
	}
	// The same machine stays the same device, and its colleagues keep the release
	// codes that they see.
	if former, err := Open(files, machine); err == nil {
		i.UDID, i.Secret, i.PushToken = former.UDID, former.Secret, former.PushToken
	}
	i.roots = x509.NewCertPool()
	if !i.roots.AppendCertsFromPEM([]byte(i.CA)) {
		return nil, fmt.Errorf("enrolling: authority's certificate cannot be read")
	}
	now := func() time.Time { return at }
	chain, err := i.simpleEnroll(ctx, key, said.Bootstrap, hardware, now)
	if err != nil {
		return nil, err
	}
	if err := i.save(); err != nil {
		return nil, err
	}
	if err := i.adopt(key, chain); err != nil {
		return nil, err
	}
	return i, nil
}

func fetchInvitation(ctx context.Context, link Link) (invitation, time.Time, error) {
	client := &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{TLSClientConfig: link.tls(), DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment},
		// A token must not travel to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, link.URL, nil)
	if err != nil {
		return invitation{}, time.Time{}, ErrLink
	}
	request.Header.Set("Accept", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return invitation{}, time.Time{}, fmt.Errorf("fetching invitation: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return invitation{}, time.Time{}, fmt.Errorf("fetching invitation: %w", err)
	}
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone, http.StatusForbidden, http.StatusBadRequest, http.StatusConflict:
		return invitation{}, time.Time{}, ErrToken
	default:
		return invitation{}, time.Time{}, fmt.Errorf("fetching invitation: %s", response.Status)
	}
	said, err := parseInvitation(body, link.Fingerprint)
	if err != nil {
		return invitation{}, time.Time{}, err
	}
	at, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		at = time.Now()
	}
	return said, at, nil
}

// parseInvitation reads an invitation and checks that its authority is the one
// that the link names.
func parseInvitation(body []byte, fingerprint []byte) (invitation, error) {
	var said invitation
	if err := json.Unmarshal(body, &said); err != nil {
		return invitation{}, fmt.Errorf("reading invitation: %w", err)
	}
	block, _ := pem.Decode([]byte(said.CA))
	if block == nil {
		return invitation{}, errors.New("reading invitation: it names no authority")
	}
	if sum := sha256.Sum256(block.Bytes); fingerprint != nil && string(sum[:]) != string(fingerprint) {
		return invitation{}, ErrFingerprint
	}
	if len(said.LeaseKeys) == 0 || said.Bootstrap == "" {
		return invitation{}, errors.New("reading invitation: it is incomplete")
	}
	if parsed, err := url.Parse(said.DeviceURL); err != nil || parsed.Scheme != "https" || parsed.Host == "" {
		return invitation{}, errors.New("reading invitation: it names no device address")
	}
	return said, nil
}

// tls trusts a server that the system trusts, or one whose chain leads to the
// authority that the link names.
func (l Link) tls() *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if l.Fingerprint == nil {
		return config
	}
	config.InsecureSkipVerify = true // VerifyConnection judges
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if chainTo(state, l.Fingerprint) == nil {
			return nil
		}
		between := x509.NewCertPool()
		for _, c := range state.PeerCertificates[1:] {
			between.AddCert(c)
		}
		_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{DNSName: state.ServerName, Intermediates: between})
		if err != nil {
			return fmt.Errorf("%w: %w", ErrFingerprint, err)
		}
		return nil
	}
	return config
}

// chainTo verifies the server's chain under the certificate of the fingerprint,
// which the server must send along.
func chainTo(state tls.ConnectionState, fingerprint []byte) error {
	for n, c := range state.PeerCertificates {
		if sum := sha256.Sum256(c.Raw); string(sum[:]) != string(fingerprint) {
			continue
		}
		if n == 0 {
			return c.VerifyHostname(state.ServerName)
		}
		roots := x509.NewCertPool()
		roots.AddCert(c)
		return verifyUndated(state, roots)
	}
	return ErrFingerprint
}

func hostOf(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return parsed.Hostname()
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// enrolmentURN stands before the enrolment's id in a certificate's URI.
const (
	enrolmentURN = "urn:schulwart:enrolment:"
	authorityURN = "urn:schulwart:authority:"
)

// subjectOf reads for which enrolment a certificate was made: the URI that the
// authority wrote into it, else its common name.
func subjectOf(leaf *x509.Certificate) org.ID {
	if id := named(leaf, enrolmentURN); id != "" {
		return org.ID(id)
	}
	return org.ID(leaf.Subject.CommonName)
}

// authorityOf reads whose device a certificate is for, empty if it does not say.
func authorityOf(leaf *x509.Certificate) string { return named(leaf, authorityURN) }

func named(leaf *x509.Certificate, urn string) string {
	for _, uri := range leaf.URIs {
		if id, ok := strings.CutPrefix(uri.String(), urn); ok {
			return id
		}
	}
	return ""
}
