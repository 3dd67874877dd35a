package gate

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"schulwart.org/agent/enforce"
	"schulwart.org/policies/lease"
)

func TestAHelloInAnyPieces(t *testing.T) {
	whole := recordedHello(t, "Good.Example")
	for n := range whole {
		if _, err := parseHello(whole[:n]); !errors.Is(err, errMore) {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
	for _, size := range []int{1, 3, 100} {
		pieces := inRecords(whole, size)
		said, err := parseHello(pieces)
		if err != nil || said.name != "good.example" {
			t.Errorf("in records of %d bytes: %q %v", size, said.name, err)
		}
		for n := range pieces {
			if _, err := parseHello(pieces[:n]); !errors.Is(err, errMore) {
				t.Fatalf("in records of %d, after %d bytes: %v", size, n, err)
			}
		}
	}
}

// inRecords spreads the handshake message of one record over many.
func inRecords(record []byte, size int) []byte {
	var spread []byte
	for message := record[5:]; len(message) > 0; {
		n := min(size, len(message))
		spread = append(append(spread, 22, 3, 1, 0, byte(n)), message[:n]...)
		message = message[n:]
	}
	return spread
}

func TestOddHellos(t *testing.T) {
	plain := recordedHello(t, "good.example")
	twice := bytes.Replace(plain, []byte("good.example"), []byte("good\x00example"), 1)
	for name, data := range map[string][]byte{
		"something else":              []byte("GET / HTTP/1.1\r\n"),
		"a zero byte in the name":     twice,
		"an alert":                    {21, 3, 1, 0, 2, 1, 0},
		"a record without content":    {22, 3, 1, 0, 0},
		"a record that is too large":  {22, 3, 1, 0x50, 0},
		"a message that is too large": {22, 3, 1, 0, 4, 1, 1, 0, 0},
		"a server's hello":            {22, 3, 1, 0, 4, 2, 0, 0, 0},
	} {
		if said, err := parseHello(data); err == nil || errors.Is(err, errMore) {
			t.Errorf("%s: %+v %v", name, said, err)
		}
	}
}

func FuzzHello(f *testing.F) {
	hello := recordedHello(f, "good.example")
	f.Add(hello, 7)
	f.Add(inRecords(hello, 9), 2)
	f.Add([]byte{22, 3, 1, 0, 1, 1}, 0)
	f.Fuzz(func(t *testing.T, data []byte, cut int) {
		said, err := parseHello(data)
		if err == nil && said.name != "" {
			if again, _, ok := hostName(said.name); !ok || again != said.name {
				t.Errorf("the name %q is none", said.name)
			}
		}
		// Fewer bytes never say more, and never something else.
		if cut = max(0, min(cut, len(data))); err == nil {
			if part, fault := parseHello(data[:cut]); fault == nil && part != said {
				t.Errorf("%+v after %d bytes, then %+v", part, cut, said)
			} else if errors.Is(fault, errHello) {
				t.Errorf("%d bytes are no hello, more are one", cut)
			}
		}
	})
}

func FuzzHostName(f *testing.F) {
	for _, seed := range []string{"good.example", "Good.Example.:80", "[2001:db8::1]:80", "127.1", "0x7f.1", "good.example:80:90", "a..b", "::1", "good.example\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, literal, ok := hostName(text)
		if !ok && name != "" || literal && name != "" {
			t.Errorf("%q: %q %v %v", text, name, literal, ok)
		}
		if ok && !literal && (name == "" || name != strings.ToLower(name) || strings.ContainsAny(name, " /:@\x00[]") || strings.HasSuffix(name, ".")) {
			t.Errorf("%q became %q", text, name)
		}
	})
}

// FuzzRequest looks whether what passes as a request for an allowed name is one
// for net/http as well.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{"GET / HTTP/1.1\r\nHost: good.example\r\n\r\n", "GET http://bad.example/ HTTP/1.1\r\nHost: good.example\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(data)))
		if err != nil {
			return
		}
		name, _, ok := hostName(request.Host)
		if ok && lease.MatchHost("good.example", name) && !strings.HasSuffix(strings.TrimSuffix(strings.ToLower(strings.Split(request.Host, ":")[0]), "."), "good.example") {
			t.Errorf("%q passes as %q", request.Host, name)
		}
		speaksHTTP(data)
	})
}

// FuzzNames looks whether any message makes the gate ask for a forbidden name.
func FuzzNames(f *testing.F) {
	for _, seed := range []*dns.Msg{
		new(dns.Msg).SetQuestion("good.example.", dns.TypeA),
		new(dns.Msg).SetQuestion("bad.example.", dns.TypeAAAA),
		new(dns.Msg).SetAxfr("good.example."),
		new(dns.Msg).SetUpdate("good.example."),
	} {
		data, err := seed.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	g := &Gate{system: &street{}, elapsed: func() time.Duration { return 0 }}
	g.rules.Store(&Rules{Reach: enforce.Only, Allow: []string{"good.example"}, Ends: time.Hour})
	g.closing, g.close = context.WithCancel(context.Background())
	f.Cleanup(g.close)
	g.names = newNames(g)
	f.Fuzz(func(t *testing.T, data []byte) {
		query := new(dns.Msg)
		unread := query.Unpack(data)
		for _, packet := range []bool{true, false} {
			sent := g.names.reply(data, packet)
			if sent == nil {
				if unread == nil && !query.Response && len(query.Question) == 1 {
					t.Fatalf("no answer to %v", query)
				}
				continue
			}
			answer := new(dns.Msg)
			if err := answer.Unpack(sent); err != nil {
				t.Fatalf("an answer that cannot be read: %v", err)
			}
			if !answer.Response || len(data) > 1 && answer.Id != binary.BigEndian.Uint16(data) || len(answer.Answer) > 1 {
				t.Fatalf("answered %v", answer)
			}
		}
	})
}
