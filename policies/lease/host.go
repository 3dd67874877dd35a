package lease

import "strings"

// MatchHost reports whether a host name is covered by a pattern: the name
// itself or a subdomain of it ("geogebra.org" covers "www.geogebra.org"). A
// leading "*." or "." in the pattern changes nothing; a leading "=" asks for
// the name alone.
func MatchHost(pattern, host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	exact := strings.HasPrefix(pattern, "=")
	pattern = strings.TrimSuffix(strings.ToLower(strings.TrimLeft(pattern, "=*.")), ".")
	if pattern == "" || host == "" {
		return false
	}
	return host == pattern || !exact && strings.HasSuffix(host, "."+pattern)
}

// MatchAny reports whether one of the patterns covers the host.
func MatchAny(patterns []string, host string) bool {
	for _, pattern := range patterns {
		if MatchHost(pattern, host) {
			return true
		}
	}
	return false
}
