package lease_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"schulwart.org/policies/lease"
)

var secret = []byte("made by the device, known to root")

func TestReleaseCode(t *testing.T) {
	code := lease.ReleaseCode(secret, "lease-1", bell)
	if len(code) != 8 || lease.Digits(code) != code {
		t.Fatalf("%q is not eight digits", code)
	}
	if shown := lease.ShowCode(code); len(shown) != 9 || lease.Digits(shown) != code {
		t.Errorf("shown as %q", shown)
	}
	if lease.ShowCode("123") != "123" {
		t.Error("what is no code is shown otherwise")
	}
	cases := []struct {
		name   string
		secret []byte
		lease  string
		digits string
		at     time.Time
		want   bool
	}{
		{"as shown", secret, "lease-1", lease.ShowCode(code), bell, true},
		{"typed with hyphens", secret, "lease-1", code[:4] + "-" + code[4:], bell, true},
		{"read aloud for five minutes", secret, "lease-1", code, bell.Add(lease.ReleaseStep), true},
		{"a device's clock five minutes slow", secret, "lease-1", code, bell.Add(-lease.ReleaseStep), true},
		{"a quarter of an hour late", secret, "lease-1", code, bell.Add(3 * lease.ReleaseStep), false},
		{"for another mode of the device", secret, "lease-2", code, bell, false},
		{"for another device", []byte("another secret"), "lease-1", code, bell, false},
		{"seven digits", secret, "lease-1", code[:7], bell, false},
		{"nothing", secret, "lease-1", "", bell, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := lease.ReleaseMatches(c.secret, c.lease, c.digits, c.at); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// Two implementations must agree on a value that is written down, or a server
// and an agent of different versions read different codes.
func TestReleaseCodeStaysTheSameBetweenVersions(t *testing.T) {
	if got := lease.ReleaseCode(secret, "lease-1", bell); got != "37049139" {
		t.Errorf("code %s, was 37049139", got)
	}
	got, err := lease.ChallengeCode(secret, "lease-1", "123456")
	if err != nil || got != "41373615" {
		t.Errorf("challenge code %s (%v), was 41373615", got, err)
	}
}

func TestChallengeCode(t *testing.T) {
	a, err := lease.ChallengeCode(secret, "lease-1", "12 34 56")
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := lease.ChallengeCode(secret, "lease-1", "123456"); a != b {
		t.Error("spaces change the code")
	}
	if b, _ := lease.ChallengeCode(secret, "lease-1", "123457"); a == b {
		t.Error("another challenge has the same code")
	}
	for _, bad := range []string{"", "abc", "99999999999999999999", "4294967296", "12345", "1234567"} {
		if code, err := lease.ChallengeCode(secret, "lease-1", bad); err == nil {
			t.Errorf("challenge %q gave %s", bad, code)
		}
	}
}

// A code for a challenge must never open at some time: whoever hears one could
// wait for that time.
func TestAChallengeIsNeverATime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		step := rapid.Int64Range(0, 1<<31-1).Draw(t, "step")
		at := time.Unix(step*300, 0)
		challenge := rapid.StringMatching(`[0-9]{6}`).Draw(t, "challenge")
		code, err := lease.ChallengeCode(secret, "lease-1", challenge)
		if err != nil {
			t.Fatal(err)
		}
		// 3 in 10^8 by chance; a hundred draws never meet it.
		if lease.ReleaseMatches(secret, "lease-1", code, at) {
			t.Fatalf("challenge %s opens at %s", challenge, at)
		}
	})
}
