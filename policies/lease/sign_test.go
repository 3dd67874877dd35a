package lease_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
)

var bell = time.Date(2026, 11, 23, 8, 50, 0, 0, time.UTC) // a Monday, 09:50 in Berlin

func key(id string) lease.SigningKey {
	seed := sha256.Sum256([]byte(id))
	return lease.SigningKey{ID: id, Private: ed25519.NewKeyFromSeed(seed[:])}
}

func offline() lease.Lease {
	return lease.Lease{
		Issuer: "schulwart.example", Subject: "enrolment-1", ID: "lease-1", Rev: 1,
		NotBefore: bell, Expires: bell.Add(45 * time.Minute), Kind: lease.Offline,
		Rules: lease.Rules{Message: "Bitte Hefte heraus."}, By: "Frau Oert", Reason: "Vokabeltest",
	}
}

func signed(t testing.TB, k lease.SigningKey, l lease.Lease) string {
	t.Helper()
	token, err := k.Sign(l)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestWhatWasSignedIsWhatIsOpened(t *testing.T) {
	k := key("2026-1")
	rapid.Check(t, func(t *rapid.T) {
		want := anyLease().Draw(t, "lease")
		token, err := k.Sign(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := lease.Open(token, []lease.Key{key("other").Public(), k.Public()}, want.Subject, bell)
		if err != nil {
			t.Fatal(err)
		}
		if mustJSON(got) != mustJSON(want) || !got.NotBefore.Equal(want.NotBefore) || !got.Expires.Equal(want.Expires) {
			t.Fatalf("opened %+v\nsigned %+v", got, want)
		}
		again, _ := k.Sign(want)
		if again != token {
			t.Fatal("the same lease and key gave other bytes")
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	k := key("2026-1")
	good := signed(t, k, offline())
	parts := strings.Split(good, ".")
	announced, err := k.Announce("schulwart.example", key("2026-2").Public())
	if err != nil {
		t.Fatal(err)
	}
	old := k.Public()
	old.Until = bell.Add(-time.Second)
	stranger := key("2026-1")
	stranger.Private = key("stranger").Private

	cases := []struct {
		name    string
		token   string
		keys    []lease.Key
		subject org.ID
		want    error
	}{
		{"another device's lease", good, nil, "enrolment-2", lease.ErrSubject},
		{"a key that nobody pinned", good, []lease.Key{key("2026-2").Public()}, "", lease.ErrSignature},
		{"no key pinned at all", good, []lease.Key{}, "", lease.ErrSignature},
		{"the right key id, another key", signed(t, stranger, offline()), nil, "", lease.ErrSignature},
		{"a key whose time is over", good, []lease.Key{old}, "", lease.ErrSignature},
		{"one changed claim", parts[0] + "." + claims(t, parts[1], "exp", 1<<40) + "." + parts[2], nil, "", lease.ErrSignature},
		{"no signature", parts[0] + "." + parts[1] + ".", nil, "", lease.ErrSignature},
		{"alg none", head(t, "none", "2026-1", "lease+jwt") + "." + parts[1] + ".", nil, "", lease.ErrSignature},
		{"HS256 with the public key as secret", hs256(t, k.Public(), parts[1]), nil, "", lease.ErrSignature},
		{"an announcement of a key, not a lease", announced, nil, "", lease.ErrContent},
		{"a token of another type", resign(t, k, head(t, "EdDSA", k.ID, "JWT"), parts[1]), nil, "", lease.ErrContent},
		{"no type", resign(t, k, head(t, "EdDSA", k.ID, ""), parts[1]), nil, "", lease.ErrContent},
		{"no id", signed(t, k, with(func(l *lease.Lease) { l.ID = "" })), nil, "", lease.ErrContent},
		{"revision zero", signed(t, k, with(func(l *lease.Lease) { l.Rev = 0 })), nil, "", lease.ErrContent},
		{"a kind that does not exist", signed(t, k, with(func(l *lease.Lease) { l.Kind = "sleep" })), nil, "", lease.ErrContent},
		{"no end", signed(t, k, with(func(l *lease.Lease) { l.Expires = time.Unix(0, 0) })), nil, "", lease.ErrContent},
		{"nothing", "", nil, "", lease.ErrSignature},
		{"garbage", "a.b.c", nil, "", lease.ErrSignature},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			keys, subject := c.keys, c.subject
			if keys == nil {
				keys = []lease.Key{k.Public()}
			}
			if subject == "" {
				subject = "enrolment-1"
			}
			l, err := lease.Open(c.token, keys, subject, bell)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if l.ID != "" || l.Kind != "" {
				t.Fatalf("a refused token still gave %+v", l)
			}
		})
	}
}

// The device's own clock judges the time: an ended lease opens, so that an early
// end can be read.
func TestOpenDoesNotJudgeTheTime(t *testing.T) {
	k := key("2026-1")
	ended := offline().End(bell.Add(10 * time.Minute))
	for _, at := range []time.Time{bell.Add(-24 * time.Hour), bell, bell.Add(400 * 24 * time.Hour)} {
		l, err := lease.Open(signed(t, k, ended), []lease.Key{k.Public()}, "enrolment-1", at)
		if err != nil || l.Rev != 2 {
			t.Fatalf("at %s: %+v, %v", at, l, err)
		}
	}
}

func TestAKeyAnnouncesItsSuccessor(t *testing.T) {
	first, second, stranger := key("2026-1"), key("2026-2"), key("stranger")
	next := second.Public()
	next.Until = bell.Add(lease.KeyOverlap)
	token, err := first.Announce("schulwart.example", next)
	if err != nil {
		t.Fatal(err)
	}
	learned, err := lease.Learn(token, []lease.Key{first.Public()}, bell)
	if err != nil || learned.ID != second.ID || !learned.Public.Equal(next.Public) || !learned.Until.Equal(next.Until) {
		t.Fatalf("learned %+v, %v", learned, err)
	}
	if _, err := lease.Open(signed(t, second, offline()), []lease.Key{first.Public(), learned}, "enrolment-1", bell); err != nil {
		t.Fatalf("the successor is not believed: %v", err)
	}
	if _, err := lease.Open(signed(t, second, offline()), []lease.Key{first.Public(), learned}, "enrolment-1", next.Until); !errors.Is(err, lease.ErrSignature) {
		t.Fatalf("the successor is believed for longer than said: %v", err)
	}
	if _, err := lease.Learn(token, []lease.Key{stranger.Public()}, bell); !errors.Is(err, lease.ErrSignature) {
		t.Fatalf("a stranger's word counts: %v", err)
	}
	if _, err := lease.Learn(signed(t, first, offline()), []lease.Key{first.Public()}, bell); !errors.Is(err, lease.ErrContent) {
		t.Fatalf("a lease is taken for an announcement: %v", err)
	}
	short, _ := first.Announce("schulwart.example", lease.Key{ID: "short", Public: []byte{1, 2, 3}})
	if _, err := lease.Learn(short, []lease.Key{first.Public()}, bell); !errors.Is(err, lease.ErrContent) {
		t.Fatalf("a key of three bytes is learned: %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	k := key("2026-1")
	good := signed(f, k, offline())
	f.Add(good)
	f.Add(strings.Replace(good, ".", "..", 1))
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, token string) {
		l, err := lease.Open(token, []lease.Key{k.Public()}, "enrolment-1", bell)
		if err == nil && mustJSON(l) != mustJSON(offline()) {
			t.Fatalf("a lease that nobody signed: %+v", l)
		}
		if _, err := lease.Learn(token, []lease.Key{k.Public()}, bell); err == nil {
			t.Fatal("a key that nobody announced")
		}
	})
}

func anyLease() *rapid.Generator[lease.Lease] {
	text := rapid.StringMatching(`[a-zA-Zäöü0-9 .:<>&"-]{0,12}`)
	return rapid.Custom(func(t *rapid.T) lease.Lease {
		starts := bell.Add(time.Duration(rapid.IntRange(-3600, 3600).Draw(t, "starts")) * time.Second)
		return lease.Lease{
			Issuer: text.Draw(t, "issuer"), Subject: org.ID(rapid.StringMatching(`[a-z]{1,8}`).Draw(t, "subject")),
			ID: rapid.StringMatching(`[a-d]`).Draw(t, "id"), Rev: rapid.IntRange(1, 4).Draw(t, "rev"),
			NotBefore: starts, Expires: starts.Add(time.Duration(rapid.IntRange(0, 5400).Draw(t, "length")) * time.Second),
			Kind:  rapid.SampledFrom(lease.Kinds).Draw(t, "kind"),
			Rules: lease.Rules{Sites: rapid.SliceOfN(text, 0, 3).Draw(t, "sites"), Apps: rapid.SliceOfN(text, 0, 3).Draw(t, "apps"), Message: text.Draw(t, "message")},
			By:    text.Draw(t, "by"), Reason: text.Draw(t, "reason"),
		}
	})
}

func with(change func(*lease.Lease)) lease.Lease {
	l := offline()
	change(&l)
	return l
}

func mustJSON(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(data)
}

func encode(v any) string { return base64.RawURLEncoding.EncodeToString([]byte(mustJSON(v))) }

func head(t *testing.T, alg, kid, typ string) string {
	t.Helper()
	header := map[string]any{"alg": alg, "kid": kid}
	if typ != "" {
		header["typ"] = typ
	}
	return encode(header)
}

// claims returns the payload with one claim changed.
func claims(t *testing.T, payload, name string, value any) string {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		t.Fatal(err)
	}
	var content map[string]any
	if err := json.Unmarshal(data, &content); err != nil {
		t.Fatal(err)
	}
	content[name] = value
	return encode(content)
}

func resign(t *testing.T, k lease.SigningKey, header, payload string) string {
	t.Helper()
	signature := ed25519.Sign(k.Private, []byte(header+"."+payload))
	return header + "." + payload + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func hs256(t *testing.T, public lease.Key, payload string) string {
	t.Helper()
	header := head(t, "HS256", public.ID, "lease+jwt")
	mac := hmac.New(sha256.New, public.Public)
	mac.Write([]byte(header + "." + payload))
	return header + "." + payload + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
