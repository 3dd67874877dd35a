package setup

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"schulwart.org/server/errs"
)

// patience is how long one try may take.
const patience = 8 * time.Second

// tidy checks the form of both addresses.
func (a Address) tidy() (Address, error) {
	for _, one := range []struct {
		field string
		text  *string
	}{{"public_url", &a.PublicURL}, {"device_url", &a.DeviceURL}} {
		*one.text = strings.TrimRight(strings.TrimSpace(*one.text), "/")
		u, err := url.Parse(*one.text)
		switch {
		case err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "":
			return a, errs.E(errs.Invalid, "setup.bad_url").In(one.field)
		case u.Scheme == "http" && one.field == "public_url" && local(u.Hostname()):
		case u.Scheme != "https":
			return a, errs.E(errs.Invalid, "setup.not_https").In(one.field)
		}
	}
	if a.PublicURL == a.DeviceURL {
		return a, errs.E(errs.Invalid, "setup.same_url").In("device_url")
	}
	return a, nil
}

func local(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// checkAddress asks DNS for both names, and whether they lead to this machine.
// Behind a router or a proxy they lead elsewhere, which is fine: then the
// doors themselves say whether they are reached.
func (s *Service) checkAddress(ctx context.Context, a Address) []Check {
	a, err := a.tidy()
	if err != nil {
		fault := errs.Find(err)
		return []Check{failed("address.form", strings.ReplaceAll(fault.Key, ".", "_"), err, "field", fault.Field)}
	}
	checks := s.checkName(ctx, "public", a.PublicURL)
	return append(checks, s.checkName(ctx, "device", a.DeviceURL)...)
}

func (s *Service) checkName(ctx context.Context, which, address string) []Check {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	u, _ := url.Parse(address) // tidy has parsed it
	host := u.Hostname()
	addresses, err := s.resolve(ctx, host)
	if err != nil || len(addresses) == 0 {
		return []Check{failed("address.name", "dns_missing", err, "door", which, "host", host)}
	}
	slices.Sort(addresses)
	checks := []Check{passed("address.name", "door", which, "host", host, "addresses", strings.Join(addresses, ", "))}
	if own := ownAddresses(); slices.ContainsFunc(addresses, func(a string) bool { return slices.Contains(own, a) }) {
		return append(checks, passed("address.here", "door", which, "host", host))
	}
	return append(checks, passed("address.elsewhere", "door", which, "host", host))
}

func ownAddresses() []string {
	var own []string
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, address := range interfaces {
		if prefix, err := netip.ParsePrefix(address.String()); err == nil {
			own = append(own, prefix.Addr().String())
		}
	}
	return own
}

// checkListeners calls both doors under the addresses that people and devices
// use, and asks who answers: it has to be this very process.
func (s *Service) checkListeners(ctx context.Context, a Address, c Certificate) []Check {
	var checks []Check
	answer, err := s.knock(ctx, a.PublicURL, &tls.Config{RootCAs: s.Roots, MinVersion: tls.VersionTLS12})
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) {
		mend := "certificate_untrusted"
		if c.Way == SelfSigned || c.Way == "" {
			mend = "certificate_self_signed"
		}
		checks = append(checks, failed("listeners.trust", mend, err, "url", a.PublicURL))
		// Who answers is worth knowing even so; nothing secret is asked or told.
		answer, err = s.knock(ctx, a.PublicURL, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}) //nolint:gosec // see above
	}
	checks = append(checks, s.met("public", a.PublicURL, answer, err))
	roots := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.DeviceRoots != nil {
		roots.RootCAs = s.DeviceRoots()
	}
	answer, err = s.knock(ctx, a.DeviceURL, roots)
	if errors.As(err, &untrusted) {
		// A proxy that opens the device door's TLS takes the devices' identity away.
		return append(checks, failed("listeners.device_trust", "device_tls_broken", err, "url", a.DeviceURL))
	}
	if err == nil && answer == "" && s.DeviceRoots != nil {
		// The device door speaks to devices only and does not say who it is. Its
		// certificate does: nobody else has one of this installation's authority.
		answer = s.Instance
	}
	return append(checks, s.met("device", a.DeviceURL, answer, err))
}

func (s *Service) met(which, address, answer string, err error) Check {
	switch {
	case err != nil && isRefused(err):
		return failed("listeners.reached", "door_refused", err, "door", which, "url", address)
	case err != nil:
		return failed("listeners.reached", "door_unreachable", err, "door", which, "url", address)
	case answer != s.Instance:
		return failed("listeners.reached", "door_of_another", nil, "door", which, "url", address)
	}
	return passed("listeners.reached", "door", which, "url", address)
}

func isRefused(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" && !op.Timeout()
}

// knock asks an address for its instance.
func (s *Service) knock(ctx context.Context, address string, secure *tls.Config) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	transport := &http.Transport{TLSClientConfig: secure, DisableKeepAlives: true, Proxy: nil}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+InstancePath, nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 200))
	if err != nil || response.StatusCode != http.StatusOK {
		return "", err
	}
	return strings.TrimSpace(string(body)), nil
}
