package catalog

import "schulwart.org/policies/org"

// WebFilterType is the DDM type of the base web filter, for our agent.
const WebFilterType = TypePrefix + "webfilter"

// WebFilterFamily is the base filter: it holds always, and no mode replaces it.
var WebFilterFamily = Family{
	Name: "webfilter", Topic: TopicWeb, Part: Network,
	Fields: []Field{
		{Name: "deny", Kind: Names, Form: Host, Merge: Union},
		{Name: "only", Kind: Names, Form: Host, Merge: Nearest},
	},
	Platforms: map[org.Platform]Ability{org.Linux: Enforced, org.Windows: NotPossible, org.MacOS: NotPossible, org.IPadOS: Unverified},
}

// WebFilter is the base filter as the agent reads it.
type WebFilter struct {
	// Deny are hosts that are refused; a name covers its subdomains
	// (lease.MatchHost).
	Deny []string `json:"deny,omitempty"`
	// Only are the hosts that are not refused, all others are; empty for no such
	// limit. What Deny names is refused all the same.
	Only []string `json:"only,omitempty"`
}

// Zero reports whether the filter says nothing.
func (f WebFilter) Zero() bool { return len(f.Deny) == 0 && len(f.Only) == 0 }
