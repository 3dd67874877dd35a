package catalog

import (
	"sort"
	"strings"

	"schulwart.org/policies/org"
)

// WebFilterType is the DDM type of the base web filter, for our agent.
const WebFilterType = "org.schulwart.configuration.webfilter"

// WebFilterFamily is the base filter: it holds always, and no mode replaces it.
var WebFilterFamily = Family{
	Name: "webfilter", Type: WebFilterType, Merge: Union,
	Platforms: map[org.Platform]Ability{org.Linux: Enforced, org.Windows: NotPossible, org.MacOS: NotPossible, org.IPadOS: Unverified},
}

// WebFilter names hosts that are refused. Denials of all levels add up.
type WebFilter struct {
	// Deny are host names; a name covers its subdomains (lease.MatchHost).
	Deny []string `json:"deny,omitempty"`
}

// MergeWebFilters returns the union, sorted and without doubles.
func MergeWebFilters(filters ...WebFilter) WebFilter {
	seen := map[string]bool{}
	var merged WebFilter
	for _, filter := range filters {
		for _, host := range filter.Deny {
			host = strings.ToLower(strings.TrimSpace(host))
			if host != "" && !seen[host] {
				seen[host] = true
				merged.Deny = append(merged.Deny, host)
			}
		}
	}
	sort.Strings(merged.Deny)
	return merged
}

// Zero reports whether the filter says nothing.
func (f WebFilter) Zero() bool { return len(f.Deny) == 0 }
