package peers

import (
	"testing"

	"schulwart.org/policies/rollout"
)

// FuzzSpan reads what another device asks for (RFC 9110, 14.1.2): never more than a
// chunk, and never a negative place.
func FuzzSpan(f *testing.F) {
	f.Add("bytes=0-1048575")
	f.Add("bytes=9223372036854775807-9223372036854775807")
	f.Add("bytes=-5")
	f.Add("bytes=5-")
	f.Add("0-0,5-9")
	f.Fuzz(func(t *testing.T, header string) {
		from, to, ok := span(header)
		if ok && (from < 0 || to < from || to-from >= rollout.Chunk) {
			t.Errorf("%q is %d to %d", header, from, to)
		}
	})
}
