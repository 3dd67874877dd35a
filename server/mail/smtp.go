package mail

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"

	"schulwart.org/server/errs"
)

// patience is how long a mail server may take for all of it.
const patience = 20 * time.Second

// Try sends a message with settings that are not kept yet. Faults say which step
// failed: "mail.connect", "mail.no_tls", "mail.certificate", "mail.login",
// "mail.sender_refused", "mail.recipient_refused", "mail.refused".
func (s *Service) Try(ctx context.Context, settings Settings, password, to, subject, body string) error {
	if err := settings.Check(); err != nil {
		return err
	}
	recipient, err := netmail.ParseAddress(to)
	if err != nil {
		return errs.E(errs.Invalid, "mail.bad_recipient").In("to").Because(err)
	}
	sender, err := netmail.ParseAddress(settings.Sender)
	if err != nil {
		return errs.E(errs.Invalid, "mail.bad_sender").In("sender").Because(err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client, err := s.connect(ctx, settings)
	if err != nil {
		return err
	}
	defer client.Close()
	if settings.User != "" {
		if err := client.Auth(smtp.PlainAuth("", settings.User, password, settings.Host)); err != nil {
			return errs.E(errs.Unavailable, "mail.login", "user", settings.User).In("user").Because(err)
		}
	}
	if err := client.Mail(sender.Address); err != nil {
		return errs.E(errs.Unavailable, "mail.sender_refused", "sender", sender.Address).In("sender").Because(err)
	}
	if err := client.Rcpt(recipient.Address); err != nil {
		return errs.E(errs.Unavailable, "mail.recipient_refused", "recipient", recipient.Address).In("to").Because(err)
	}
	if err := hand(client, message(sender, recipient, subject, body, s.Now())); err != nil {
		return errs.E(errs.Unavailable, "mail.refused").Because(err)
	}
	_ = client.Quit() // it has the message; how it says goodbye is its own affair
	return nil
}

func hand(client *smtp.Client, content []byte) error {
	w, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(content); err != nil {
		return err
	}
	return w.Close()
}

// connect reaches the server and brings TLS about: at once on port 465, else by
// STARTTLS. A password is never sent without it; a relay in one's own house that
// asks for none may do without.
func (s *Service) connect(ctx context.Context, settings Settings) (*smtp.Client, error) {
	secure := &tls.Config{ServerName: settings.Host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", settings.address())
	if err != nil {
		return nil, errs.E(errs.Unavailable, "mail.connect", "host", settings.address()).In("host").Because(err)
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if settings.Port == 465 {
		wrapped := tls.Client(conn, secure)
		if err := wrapped.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, handshakeFault(settings, err)
		}
		conn = wrapped
	}
	client, err := smtp.NewClient(conn, settings.Host)
	if err != nil {
		conn.Close()
		return nil, errs.E(errs.Unavailable, "mail.connect", "host", settings.address()).In("host").Because(err)
	}
	if settings.Port == 465 {
		return client, nil
	}
	offered, _ := client.Extension("STARTTLS")
	switch {
	case offered:
		if err := client.StartTLS(secure); err != nil {
			client.Close()
			return nil, handshakeFault(settings, err)
		}
	case settings.User != "":
		client.Close()
		return nil, errs.E(errs.Unavailable, "mail.no_tls", "host", settings.Host).In("host")
	}
	return client, nil
}

func handshakeFault(settings Settings, err error) error {
	var certificate *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var proto *textproto.Error
	key := "mail.connect"
	if errors.As(err, &certificate) || errors.As(err, &authority) || errors.As(err, &name) {
		key = "mail.certificate"
	} else if errors.As(err, &proto) {
		key = "mail.no_tls"
	}
	return errs.E(errs.Unavailable, key, "host", settings.address()).In("host").Because(err)
}

// message writes a plain message (RFC 5322, RFC 2045).
func message(from, to *netmail.Address, subject, body string, at time.Time) []byte {
	var raw [12]byte
	_, _ = rand.Read(raw[:]) // never fails, says its documentation
	_, domain, _ := strings.Cut(from.Address, "@")
	var m bytes.Buffer
	for _, line := range [][2]string{
		{"From", from.String()}, {"To", to.String()}, {"Subject", mime.QEncoding.Encode("utf-8", oneLine(subject))},
		{"Date", at.Format(time.RFC1123Z)}, {"Message-ID", "<" + hex.EncodeToString(raw[:]) + "@" + domain + ">"},
		{"MIME-Version", "1.0"}, {"Content-Type", "text/plain; charset=utf-8"}, {"Content-Transfer-Encoding", "quoted-printable"},
		// So that nobody's absence note answers to it (RFC 3834).
		{"Auto-Submitted", "auto-generated"},
	} {
		fmt.Fprintf(&m, "%s: %s\r\n", line[0], line[1])
	}
	m.WriteString("\r\n")
	w := quotedprintable.NewWriter(&m)
	_, _ = w.Write([]byte(strings.ReplaceAll(strings.ReplaceAll(body, "\r\n", "\n"), "\n", "\r\n")))
	_ = w.Close() // a buffer takes everything
	return m.Bytes()
}

// oneLine keeps a subject from becoming a header of its own.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
