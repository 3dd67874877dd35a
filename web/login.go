package web

import (
	"strconv"
	"strings"
)

func (f Frame) roleNames(roles []Role) string {
	names := make([]string, len(roles))
	for i, role := range roles {
		names[i] = f.T("role." + string(role))
	}
	return strings.Join(names, ", ")
}

// knownStatus are the statuses with words of their own.
var knownStatus = map[int]bool{403: true, 404: true, 409: true, 422: true, 429: true, 500: true, 503: true}

func (p ErrorPage) status() string {
	if knownStatus[p.Status] {
		return strconv.Itoa(p.Status)
	}
	return "500"
}

func (p ErrorPage) title() string { return p.T("error.page." + p.status() + ".title") }

// text prefers what the room said over what can be said of the status alone.
func (p ErrorPage) text() string {
	if p.Problem != nil && Knows(p.Lang, "error."+p.Problem.Key) {
		return p.Fault(p.Problem)
	}
	return p.T("error.page." + p.status() + ".text")
}

func (p ErrorPage) back() string {
	if p.Back != "" {
		return p.Back
	}
	return PathHome
}

// fours writes a secret in groups of four, for typing.
func fours(secret string) string {
	var groups []string
	for len(secret) > 4 {
		groups, secret = append(groups, secret[:4]), secret[4:]
	}
	return strings.Join(append(groups, secret), " ")
}
