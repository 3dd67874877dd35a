package reconcile_test

import (
	"encoding/json"
	"testing"

	"schulwart.org/agent/enforce"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

// Whatever a server sends as payload, the loop goes on, and nothing but a signed
// lease closes a device.
func FuzzDeclarations(f *testing.F) {
	f.Add(lease.DeclarationType, []byte(`{"jws":"a.b.c"}`))
	f.Add(lease.DeclarationType, []byte(`{"jws":"eyJhbGciOiJub25lIiwidHlwIjoibGVhc2Urand0In0.e30."}`))
	f.Add(lease.KeyDeclarationType, []byte(`{"jws":"a.b.c"}`))
	f.Add(catalog.WebFilterType, []byte(`{"deny":["", "=", "*.", "bad.example"]}`))
	f.Add(ddm.TypeActivation, []byte(`{"StandardConfigurations":["x"],"Predicate":"TRUEPREDICATE"}`))
	f.Add("", []byte("null"))
	f.Fuzz(func(t *testing.T, kind string, payload []byte) {
		if !json.Valid(payload) {
			return // the wire is JSON as a whole
		}
		d := newDevice(t)
		strange := ddm.Declaration{Type: kind, Identifier: "x", ServerToken: "1", Payload: payload}
		if err := d.give(strange); err != nil {
			t.Fatalf("a set with a strange declaration was not taken: %v", err)
		}
		if got := d.network().Reach; got != enforce.Open {
			t.Errorf("closed by something unsigned: %q", got)
		}
		if err := d.give(strange, d.declare(d.lease("a", 1, lease.Offline, 0, 1e9*60))); err != nil {
			t.Fatal(err)
		}
		if got := d.network().Reach; got != enforce.Never {
			t.Errorf("a strange declaration kept a lease from holding: %q", got)
		}
	})
}
