package mail_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"schulwart.org/server/errs"
	"schulwart.org/server/mail"
	"schulwart.org/server/store/storetest"
)

// server is a small mail server with the habits that a test asks for.
type server struct {
	t         *testing.T
	listener  net.Listener
	secure    *tls.Config
	noTLS     bool
	refuse    string // a command that is refused
	mu        *sync.Mutex
	messages  []string
	passwords []string
}

func serve(t *testing.T, habits server) (*server, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail"}, DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	leaf, err := x509.ParseCertificate(der)
	must(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	s := &habits
	s.mu = &sync.Mutex{}
	s.t, s.secure = t, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	s.listener, err = net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { s.listener.Close() })
	go func() {
		for {
			conn, err := s.listener.Accept()
			if err != nil {
				return
			}
			go s.talk(conn)
		}
	}()
	return s, roots
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *server) settings() mail.Settings {
	return mail.Settings{Host: "localhost", Port: s.listener.Addr().(*net.TCPAddr).Port, Sender: "Schulwart <schulwart@schule.example>"}
}

func (s *server) talk(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	say := func(text string) { fmt.Fprintf(conn, "%s\r\n", text) }
	say("220 localhost")
	encrypted := false
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		word, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(line)), " ")
		switch {
		case s.refuse == word:
			say("550 no")
		case word == "EHLO" && !encrypted && !s.noTLS:
			say("250-localhost\r\n250 STARTTLS")
		case word == "EHLO":
			say("250-localhost\r\n250 AUTH PLAIN")
		case word == "STARTTLS":
			say("220 go")
			wrapped := tls.Server(conn, s.secure)
			if wrapped.Handshake() != nil {
				return
			}
			conn, in, encrypted = wrapped, bufio.NewReader(wrapped), true
		case word == "AUTH":
			secret, _ := base64.StdEncoding.DecodeString(strings.Fields(line)[2])
			s.mu.Lock()
			s.passwords = append(s.passwords, strings.ReplaceAll(string(secret), "\x00", ":"))
			s.mu.Unlock()
			say("235 welcome")
		case word == "DATA":
			say("354 go on")
			var message strings.Builder
			for {
				line, err := in.ReadString('\n')
				if err != nil || line == ".\r\n" {
					break
				}
				message.WriteString(line)
			}
			s.mu.Lock()
			s.messages = append(s.messages, message.String())
			s.mu.Unlock()
			say("250 taken")
		case word == "QUIT":
			say("221 bye")
			return
		default:
			say("250 fine")
		}
	}
}

func TestAMessageArrives(t *testing.T) {
	s, roots := serve(t, server{})
	service := &mail.Service{Store: storetest.Open(t), Now: time.Now, Roots: roots}
	ctx := t.Context()
	if service.Ready(ctx) {
		t.Error("ready before it was set up")
	}
	if err := service.Send(ctx, "oert@schule.example", "x", "y"); !errs.Is(err, errs.Unavailable) {
		t.Errorf("sending without a server: %v", err)
	}
	settings := s.settings()
	settings.User = "schulwart"
	must(t, service.Save(ctx, settings, "geheim"))
	must(t, service.Save(ctx, settings, "")) // an empty password keeps the old one
	body := "Grüß Gott, Frau Oert,\n\nhier ist der Code: ABCD\n.\nEnde — äöü " + strings.Repeat("lang ", 40)
	must(t, service.Send(ctx, "Maria Oert <oert@schule.example>", "Ihre Einladung\r\nBcc: alle@schule.example äöü", body))
	if len(s.messages) != 1 || len(s.passwords) != 1 || s.passwords[0] != ":schulwart:geheim" {
		t.Fatalf("%d messages, passwords %q", len(s.messages), s.passwords)
	}
	message, err := netmail.ReadMessage(strings.NewReader(strings.ReplaceAll(s.messages[0], "\r\n..", "\r\n.")))
	must(t, err)
	if message.Header.Get("Bcc") != "" {
		t.Error("a subject became a header")
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
	must(t, err)
	if subject != "Ihre Einladung Bcc: alle@schule.example äöü" {
		t.Errorf("subject %q", subject)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(message.Body))
	must(t, err)
	if got := strings.TrimRight(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n"); got != strings.TrimRight(body, "\n") {
		t.Errorf("body %q", got)
	}
	state, err := service.State(ctx)
	must(t, err)
	if state.Host != "localhost" || state.Last.IsZero() || state.Problem != "" {
		t.Errorf("state %+v", state)
	}
}

func TestEachFailingStepHasItsName(t *testing.T) {
	for name, c := range map[string]struct {
		habits server
		user   string
		roots  bool
		key    string
	}{
		"unknown certificate":           {server{}, "", false, "mail.certificate"},
		"a password without TLS":        {server{noTLS: true}, "schulwart", true, "mail.no_tls"},
		"a relay in the house":          {server{noTLS: true}, "", true, ""},
		"the password is wrong":         {server{refuse: "AUTH"}, "schulwart", true, "mail.login"},
		"the sender is refused":         {server{refuse: "MAIL"}, "", true, "mail.sender_refused"},
		"the recipient is refused":      {server{refuse: "RCPT"}, "", true, "mail.recipient_refused"},
		"the message is refused":        {server{refuse: "DATA"}, "", true, "mail.refused"},
		"TLS is promised and not there": {server{refuse: "STARTTLS"}, "", true, "mail.no_tls"},
	} {
		t.Run(name, func(t *testing.T) {
			s, roots := serve(t, c.habits)
			service := &mail.Service{Store: storetest.Open(t), Now: time.Now, Roots: x509.NewCertPool()}
			if c.roots {
				service.Roots = roots
			}
			settings := s.settings()
			settings.User = c.user
			err := service.Try(t.Context(), settings, "geheim", "oert@schule.example", "x", "y")
			key := ""
			if fault := errs.Find(err); fault != nil {
				key = fault.Key
			} else if err != nil {
				t.Fatal(err)
			}
			if key != c.key {
				t.Errorf("fault %q, want %q (%v)", key, c.key, err)
			}
			if c.key == "mail.no_tls" && len(s.passwords) > 0 {
				t.Error("the password was sent in the clear")
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	service := &mail.Service{Store: storetest.Open(t), Now: time.Now}
	err = service.Try(context.Background(), mail.Settings{Host: "127.0.0.1", Port: port, Sender: "a@b.example"}, "", "c@d.example", "", "")
	if fault := errs.Find(err); fault == nil || fault.Key != "mail.connect" {
		t.Errorf("fault %v", err)
	}
	for field, settings := range map[string]mail.Settings{"host": {Port: 25, Sender: "a@b.example"}, "port": {Host: "x", Sender: "a@b.example"}, "sender": {Host: "x", Port: 25, Sender: "niemand"}} {
		if fault := errs.Find(settings.Check()); fault == nil || fault.Field != field {
			t.Errorf("%s: %v", field, fault)
		}
	}
}
