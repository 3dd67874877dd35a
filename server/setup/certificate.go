package setup

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"schulwart.org/server/errs"
)

// soon is how near an end is worth a word.
const soon = 21 * 24 * time.Hour

func (c Certificate) sane() error {
	switch c.Way {
	case SelfSigned:
	case OwnFiles:
		if c.CertFile == "" || c.KeyFile == "" {
			return errs.E(errs.Invalid, "setup.files_missing").In("cert_file")
		}
	case ACME:
		if c.ACMEEmail != "" && !strings.Contains(c.ACMEEmail, "@") {
			return errs.E(errs.Invalid, "staff.bad_login").In("acme_email")
		}
	case Proxy:
		if _, err := netip.ParseAddr(c.Proxy); err != nil {
			if _, err := netip.ParsePrefix(c.Proxy); err != nil {
				return errs.E(errs.Invalid, "setup.bad_proxy").In("proxy")
			}
		}
	default:
		return errs.E(errs.Invalid, "setup.unknown_way").In("way")
	}
	return nil
}

// checkCertificate looks at the way that was chosen.
func (s *Service) checkCertificate(ctx context.Context, c Certificate, a Address) []Check {
	if err := c.sane(); err != nil {
		return []Check{failed("certificate.form", strings.ReplaceAll(errs.Find(err).Key, ".", "_"), err)}
	}
	u, err := url.Parse(a.PublicURL)
	if err != nil || u.Hostname() == "" {
		return []Check{failed("certificate.form", "address_first", err)}
	}
	switch c.Way {
	case OwnFiles:
		return s.checkFiles(c, u.Hostname())
	case ACME:
		return s.checkACME(ctx, u)
	case Proxy:
		return []Check{passed("certificate.proxy", "proxy", c.Proxy)}
	}
	return []Check{passed("certificate.self")}
}

// checkFiles reads certificate and key as a browser would judge them.
func (s *Service) checkFiles(c Certificate, host string) []Check {
	pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		return []Check{failed("certificate.read", "certificate_files", err)}
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return []Check{failed("certificate.read", "certificate_files", err)}
	}
	checks := []Check{passed("certificate.read", "subject", leaf.Subject.String(), "fingerprint", Fingerprint(leaf.Raw))}
	if err := leaf.VerifyHostname(host); err != nil {
		checks = append(checks, failed("certificate.host", "certificate_other_host", err, "host", host))
	} else {
		checks = append(checks, passed("certificate.host", "host", host))
	}
	now := s.Now()
	switch until := leaf.NotAfter; {
	case now.After(until) || now.Before(leaf.NotBefore):
		checks = append(checks, failed("certificate.dates", "certificate_expired", nil, "until", until))
	case until.Sub(now) < soon:
		checks = append(checks, failed("certificate.dates", "certificate_ends_soon", nil, "until", until))
	default:
		checks = append(checks, passed("certificate.dates", "until", until))
	}
	return append(checks, s.checkChain(pair, leaf, now))
}

// checkChain asks whether the file holds all that lies between the certificate
// and an authority that browsers know.
func (s *Service) checkChain(pair tls.Certificate, leaf *x509.Certificate, now time.Time) Check {
	between := x509.NewCertPool()
	for _, raw := range pair.Certificate[1:] {
		if certificate, err := x509.ParseCertificate(raw); err == nil {
			between.AddCert(certificate)
		}
	}
	if now.After(leaf.NotAfter) {
		now = leaf.NotAfter.Add(-time.Second) // told already; the chain is another question
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: s.Roots, Intermediates: between, CurrentTime: now})
	if err != nil {
		return failed("certificate.chain", "certificate_chain", err)
	}
	return passed("certificate.chain")
}

// Fingerprint writes the SHA-256 of a certificate as people compare it.
func Fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	text := strings.ToUpper(hex.EncodeToString(sum[:]))
	var parts []string
	for len(text) > 0 {
		parts, text = append(parts, text[:2]), text[2:]
	}
	return strings.Join(parts, ":")
}

// checkACME looks for what an authority would stumble over: it comes from
// outside, by the name, to port 443.
func (s *Service) checkACME(ctx context.Context, u *url.URL) []Check {
	host := u.Hostname()
	if _, err := netip.ParseAddr(host); err == nil || !strings.Contains(host, ".") || local(host) || private(host) {
		return []Check{failed("certificate.acme_name", "acme_needs_public_name", nil, "host", host)}
	}
	checks := []Check{passed("certificate.acme_name", "host", host)}
	if port := u.Port(); port != "" && port != "443" {
		return append(checks, failed("certificate.acme_port", "acme_needs_443", nil, "port", port))
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	addresses, err := s.resolve(ctx, host)
	if err != nil {
		return append(checks, failed("certificate.acme_dns", "dns_missing", err, "host", host))
	}
	for _, text := range addresses {
		if ip, err := netip.ParseAddr(text); err == nil && !ip.IsPrivate() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() {
			return append(checks, passed("certificate.acme_dns", "host", host, "addresses", strings.Join(addresses, ", ")))
		}
	}
	return append(checks, failed("certificate.acme_dns", "acme_needs_public_address", nil, "host", host, "addresses", strings.Join(addresses, ", ")))
}

// private reports names that no public authority signs (RFC 6762, RFC 8375 and
// what people use inside).
func private(host string) bool {
	for _, end := range []string{".local", ".internal", ".lan", ".home.arpa", ".test", ".example", ".invalid", ".localhost", ".intranet", ".corp"} {
		if strings.HasSuffix(host, end) {
			return true
		}
	}
	return false
}

// checkMail sends the test message.
func (s *Service) checkMail(ctx context.Context, m Mail) []Check {
	err := s.Mailer.Try(ctx, m)
	if err == nil {
		return []Check{passed("mail.sent", "to", m.To)}
	}
	mend := "mail_refused"
	if fault := errs.Find(err); fault != nil {
		mend = strings.ReplaceAll(fault.Key, ".", "_")
	}
	return []Check{failed("mail.sent", mend, err, "to", m.To)}
}

func (b Backup) sane() error {
	if !filepath.IsAbs(b.Directory) {
		return errs.E(errs.Invalid, "setup.directory_not_absolute").In("directory")
	}
	if b.Hour < 0 || b.Hour > 23 {
		return errs.E(errs.Invalid, "setup.bad_hour").In("hour")
	}
	if _, err := age.ParseX25519Recipient(strings.TrimSpace(b.Recipient)); err != nil {
		return errs.E(errs.Invalid, "backup.bad_recipient").In("recipient").Because(err)
	}
	return nil
}

// roomNeeded is how much free space a backup folder should have.
const roomNeeded = 1 << 30

// checkBackup writes to the folder as a backup would.
func (s *Service) checkBackup(b Backup) []Check {
	if err := b.sane(); err != nil {
		return []Check{failed("backup.form", strings.ReplaceAll(errs.Find(err).Key, ".", "_"), err)}
	}
	if err := os.MkdirAll(b.Directory, 0o700); err != nil {
		return []Check{failed("backup.write", "backup_folder", err, "folder", b.Directory)}
	}
	if err := tryWrite(b.Directory); err != nil {
		return []Check{failed("backup.write", "backup_folder", err, "folder", b.Directory)}
	}
	checks := []Check{passed("backup.write", "folder", b.Directory)}
	if free, same, err := disk(b.Directory, s.Data); err == nil {
		if free < roomNeeded {
			checks = append(checks, failed("backup.room", "backup_no_room", nil, "megabytes", free>>20))
		} else {
			checks = append(checks, passed("backup.room", "megabytes", free>>20))
		}
		if same {
			checks = append(checks, Check{State: Skipped, Key: "backup.same_disk", Mend: "backup_same_disk"})
		}
	}
	return checks
}

func tryWrite(folder string) error {
	file, err := os.CreateTemp(folder, ".schulwart-try-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.WriteString("schulwart")
	if err == nil {
		err = file.Sync()
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	return err
}
