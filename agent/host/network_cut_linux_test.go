package host

import "testing"

// FuzzSocket reads what the kernel says of a connection (sock_diag(7)).
func FuzzSocket(f *testing.F) {
	f.Add(make([]byte, diagMessageSize))
	f.Add(append(make([]byte, diagMessageSize), 8, 0, diagAttrMark, 0, 1, 0, 0, 0))
	f.Add(append(make([]byte, diagMessageSize), 200, 0, diagAttrMark, 0, 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, ok := parseSocket(data)
		if ok != (len(data) >= diagMessageSize) {
			t.Errorf("%d bytes: %t", len(data), ok)
		}
		if ok && s.local.Addr().Is4In6() {
			t.Errorf("%s is IPv4 and does not look like it", s.local)
		}
	})
}
