package version

import "strings"

// Valid reports whether text can be a version as somebody would write it: it begins
// with a digit and has no spaces.
func Valid(text string) bool {
	const most = 60
	if text == "" || len(text) > most || text[0] < '0' || text[0] > '9' {
		return false
	}
	return strings.IndexFunc(text, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune(".+~:-", r))
	}) < 0
}

// Older reports whether what a system names comes before the least that is wanted, in
// the order of Debian's packages. Who wants "7.4" means the program and not its
// packaging: epoch and revision count only if the wanted version has one, too.
// https://www.debian.org/doc/debian-policy/ch-controlfields.html#version
func Older(is, least string) bool {
	a, b := split(is), split(least)
	if !strings.Contains(least, ":") {
		a.epoch = b.epoch
	}
	if !strings.Contains(least, "-") {
		a.revision = b.revision
	}
	return a.compare(b) < 0
}

// Plain is the version that the makers gave the program, without what packaging has
// added: "4:7.4.7-1+deb12u5" is "7.4.7".
func Plain(version string) string { return split(version).upstream }

// parts are the three parts of a version.
type parts struct{ epoch, upstream, revision string }

func split(version string) parts {
	p := parts{upstream: version}
	if epoch, rest, ok := strings.Cut(p.upstream, ":"); ok {
		p.epoch, p.upstream = epoch, rest
	}
	if at := strings.LastIndexByte(p.upstream, '-'); at >= 0 {
		p.upstream, p.revision = p.upstream[:at], p.upstream[at+1:]
	}
	return p
}

func (p parts) compare(other parts) int {
	if c := order(p.epoch, other.epoch); c != 0 {
		return c
	}
	if c := order(p.upstream, other.upstream); c != 0 {
		return c
	}
	return order(p.revision, other.revision)
}

// order compares two parts: by turns what is no number, by weight, and what is one,
// by value.
func order(a, b string) int {
	for a != "" || b != "" {
		for a != "" && !digit(a[0]) || b != "" && !digit(b[0]) {
			if c := weight(a) - weight(b); c != 0 {
				return c
			}
			a, b = a[1:], b[1:]
		}
		var left, right string
		left, a = number(a)
		right, b = number(b)
		if c := len(left) - len(right); c != 0 {
			return c
		}
		if c := strings.Compare(left, right); c != 0 {
			return c
		}
	}
	return 0
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// weight is that of the first character: a tilde comes before the end, the end and
// digits before letters, letters before all else.
func weight(text string) int {
	const others = 256
	switch {
	case text == "" || digit(text[0]):
		return 0
	case text[0] == '~':
		return -1
	case text[0] >= 'a' && text[0] <= 'z' || text[0] >= 'A' && text[0] <= 'Z':
		return int(text[0])
	}
	return int(text[0]) + others
}

// number takes the number at the beginning off, without leading zeros.
func number(text string) (value, rest string) {
	end := 0
	for end < len(text) && digit(text[end]) {
		end++
	}
	return strings.TrimLeft(text[:end], "0"), text[end:]
}
