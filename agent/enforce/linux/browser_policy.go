package linux

import (
	"encoding/json"
	"slices"
	"sort"
	"strings"

	"schulwart.org/agent/enforce"
)

// Where browsers look for policies. Chromium's family reads every file of a
// directory and merges them; Firefox has one file for everybody.
// https://chromeenterprise.google/policies/ · https://mozilla.github.io/policy-templates/
const (
	chromiumFile = "/etc/chromium/policies/managed/schulwart.json"
	firefoxFile  = "/etc/firefox/policies/policies.json"
)

// Ubuntu's Chromium, Chrome, Edge and Brave are written after their
// documentation and were not seen at work here.
var chromiumFiles = []string{
	chromiumFile,
	"/etc/chromium-browser/policies/managed/schulwart.json",
	"/etc/opt/chrome/policies/managed/schulwart.json",
	"/etc/opt/edge/policies/managed/schulwart.json",
	"/etc/brave/policies/managed/schulwart.json",
}

type policy = map[string]any

// chromiumPolicy says in Chromium's words what the network part says; nil if
// there is nothing to say. home are hosts that stay reachable: the school's own
// pages.
func chromiumPolicy(n enforce.Network, home []string) policy {
	p := policy{
		// Names asked of a server inside TLS, and QUIC, pass by our resolver and our
		// look at the name. The network part refuses them; told so, the browser does
		// not try first.
		"DnsOverHttpsMode": "off",
		"QuicAllowed":      false,
		"URLBlocklist":     chromiumPatterns(n.Deny),
	}
	switch n.Reach {
	case enforce.Only:
		p["URLAllowlist"] = append(chromiumPatterns(slices.Concat(n.Allow, home)), chromiumLocal...)
		// The narrower filter wins: a refused part of an allowed site stays refused.
		p["URLBlocklist"] = append([]string{"*"}, chromiumPatterns(n.Deny)...)
	case enforce.Never:
		p["URLAllowlist"] = append(chromiumPatterns(home), chromiumLocal...)
		p["URLBlocklist"] = []string{"*"}
	default:
		if len(n.Base) > 0 {
			p["URLAllowlist"] = append(chromiumPatterns(slices.Concat(n.Base, home)), chromiumLocal...)
			p["URLBlocklist"] = append([]string{"*"}, chromiumPatterns(n.Deny)...)
		} else if len(n.Deny) == 0 {
			return nil
		}
		return p
	}
	p["IncognitoModeAvailability"] = 1 // not available
	return p
}

// chromiumLocal stays open in every mode: what is on the device itself, and the
// browser's own pages (a new tab, printing, downloads).
var chromiumLocal = []string{"file://*", "localhost", "127.0.0.1", "[::1]", "chrome://*", "devtools://*"}

// chromiumPatterns writes host patterns as URL filters: a plain host covers its
// subdomains, a leading dot asks for the host alone.
// https://support.google.com/chrome/a/answer/9942583
func chromiumPatterns(patterns []string) []string {
	filters := []string{}
	for _, pattern := range patterns {
		host, exact := hostOf(pattern)
		if host == "" {
			continue
		}
		if exact {
			host = "." + host
		}
		filters = append(filters, host)
	}
	sort.Strings(filters)
	return filters
}

// firefoxPolicy says the same in Firefox's words.
func firefoxPolicy(n enforce.Network, home []string) policy {
	p := policy{
		"DNSOverHTTPS": policy{"Enabled": false, "Locked": true},
		"Preferences":  policy{"network.http.http3.enable": locked(false), resumePref: locked(-1)},
	}
	switch n.Reach {
	case enforce.Only:
		p["WebsiteFilter"] = policy{"Block": []string{"<all_urls>"}, "Exceptions": append(firefoxPatterns(slices.Concat(n.Allow, home)), firefoxLocal...)}
	case enforce.Never:
		p["WebsiteFilter"] = policy{"Block": []string{"<all_urls>"}, "Exceptions": append(firefoxPatterns(home), firefoxLocal...)}
	default:
		if len(n.Base) > 0 {
			p["WebsiteFilter"] = policy{"Block": []string{"<all_urls>"}, "Exceptions": append(firefoxPatterns(slices.Concat(n.Base, home)), firefoxLocal...)}
			return p
		}
		if len(n.Deny) == 0 {
			return nil
		}
		p["WebsiteFilter"] = policy{"Block": firefoxPatterns(n.Deny)}
		return p
	}
	p["DisablePrivateBrowsing"] = true
	return p
}

// resumePref is how often in a row Firefox brings back what was open after it was
// ended from outside; once by itself, and a mode restarts it at its start and at
// its end. Without a limit (-1) it always does. A locked value holds for as long
// as the policy lies there and leaves nothing in anybody's profile.
const resumePref = "browser.sessionstore.max_resumed_crashes"

func locked(value any) policy { return policy{"Value": value, "Status": "locked"} }

// firefoxResume says nothing but that pages come back after a restart.
func firefoxResume() policy { return policy{"Preferences": policy{resumePref: locked(-1)}} }

var firefoxLocal = []string{"file:///*", "*://localhost/*", "*://127.0.0.1/*", "*://[::1]/*"}

// firefoxPatterns writes host patterns as match patterns; "*." covers the host
// itself too.
// https://developer.mozilla.org/docs/Mozilla/Add-ons/WebExtensions/Match_patterns
func firefoxPatterns(patterns []string) []string {
	matches := []string{}
	for _, pattern := range patterns {
		host, exact := hostOf(pattern)
		if host == "" {
			continue
		}
		if !exact {
			host = "*." + host
		}
		matches = append(matches, "*://"+host+"/*")
	}
	sort.Strings(matches)
	return matches
}

// hostOf splits a pattern of lease.MatchHost into the host and whether it stands
// for itself alone.
func hostOf(pattern string) (host string, exact bool) {
	host = strings.TrimSuffix(strings.ToLower(strings.TrimLeft(pattern, "=*.")), ".")
	return host, strings.HasPrefix(pattern, "=")
}

// mergeFirefox puts our policies over those of a foreign file, which stay where
// we say nothing. A foreign file that Firefox could not read counts as empty.
func mergeFirefox(foreign []byte, ours policy) policy {
	var file struct {
		Policies policy `json:"policies"`
	}
	if json.Unmarshal(foreign, &file) != nil || file.Policies == nil {
		file.Policies = policy{}
	}
	for name, value := range ours {
		file.Policies[name] = mergeValue(name, file.Policies[name], value)
	}
	return policy{"policies": file.Policies}
}

// mergeValue adds where both can hold: preferences side by side, blocked sites
// of both. Everything else is ours while we claim it.
func mergeValue(name string, theirs, ours any) any {
	their, ok := theirs.(policy)
	our, same := ours.(policy)
	if !ok || !same {
		return ours
	}
	switch name {
	case "Preferences":
		merged := policy{}
		for key, value := range their {
			merged[key] = value
		}
		for key, value := range our {
			merged[key] = value
		}
		return merged
	case "WebsiteFilter":
		merged := policy{"Block": union(our["Block"], their["Block"])}
		if our["Exceptions"] != nil {
			merged["Exceptions"] = our["Exceptions"]
		} else if their["Exceptions"] != nil {
			merged["Exceptions"] = their["Exceptions"]
		}
		return merged
	}
	return ours
}

func union(lists ...any) []string {
	seen := map[string]bool{}
	all := []string{}
	add := func(text string) {
		if !seen[text] {
			seen[text] = true
			all = append(all, text)
		}
	}
	for _, list := range lists {
		switch list := list.(type) {
		case []string:
			for _, text := range list {
				add(text)
			}
		case []any:
			for _, text := range list {
				if text, ok := text.(string); ok {
					add(text)
				}
			}
		}
	}
	return all
}

func encodePolicy(p policy) []byte {
	// Maps of strings, lists and booleans always marshal, with sorted keys.
	data, _ := json.MarshalIndent(p, "", "  ")
	return append(data, '\n')
}
