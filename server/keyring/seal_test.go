package keyring

import (
	"context"
	"testing"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// drawer keeps one secret.
type drawer struct{ kept []byte }

func (d *drawer) Secret(context.Context, string) ([]byte, error) { return d.kept, nil }
func (d *drawer) SaveKeys(_ context.Context, _ may.Permit, _ string, secret []byte) error {
	d.kept = secret
	return nil
}

func TestASealHoldsOverRestartAndRotationAndForNothingElse(t *testing.T) {
	kept, ids := &drawer{}, 0
	open := func() *Ring {
		ring, err := Open(context.Background(), kept, "schulwart:test", func() org.ID { ids++; return org.ID(string(rune('a' + ids))) }, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		return ring
	}
	ring := open()
	code := ring.Seal("profile", "city", "north")
	if again := open(); again.Seal("profile", "city", "north") != code || !again.Sealed(code, "profile", "city", "north") {
		t.Error("after a restart the code is another one")
	}
	for name, sealed := range map[string]bool{
		"other parts":         ring.Sealed(code, "profile", "city", "south"),
		"parts cut elsewhere": ring.Sealed(code, "profile", "citynort", "h"),
		"another purpose":     ring.Sealed(code, "lease", "city", "north"),
		"nothing":             ring.Sealed("", "profile", "city", "north"),
		"half of it":          ring.Sealed(code[:20], "profile", "city", "north"),
		"no code":             ring.Sealed("%%%", "profile", "city", "north"),
	} {
		if sealed {
			t.Errorf("%s passes", name)
		}
	}
	if err := ring.add(context.Background(), may.System("test", org.Branch{})); err != nil {
		t.Fatal(err)
	}
	if !ring.Sealed(code, "profile", "city", "north") {
		t.Error("a new key voids what the old one sealed, and devices still hold it")
	}
	if other, err := Open(context.Background(), &drawer{}, "schulwart:test", func() org.ID { return "z" }, time.Now); err != nil || other.Sealed(code, "profile", "city", "north") {
		t.Errorf("another installation's code passes (%v)", err)
	}
}
