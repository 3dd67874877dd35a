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
	Apple: func(s Settings, platform org.Platform) []ApplePayload {
		if platform != org.IPadOS {
			return nil
		}
		content := map[string]any{"FilterType": "BuiltIn"}
		if deny := s.List("deny"); len(deny) > 0 {
			content["DenyListURLs"] = addresses(deny)
		}
		if only := s.List("only"); len(only) > 0 {
			bookmarks := make([]any, len(only))
			for i, address := range addresses(only) {
				bookmarks[i] = map[string]any{"URL": address, "Title": only[i]}
			}
			content["AllowListBookmarks"] = bookmarks
		}
		if len(content) == 1 {
			return nil
		}
		return []ApplePayload{{Type: "com.apple.webcontent-filter", Content: content}}
	},
}

// addresses turns host patterns into addresses, as Apple's filter reads them.
func addresses(hosts []string) []any {
	list := make([]any, len(hosts))
	for i, host := range hosts {
		if host[0] == '=' {
			host = host[1:]
		}
		list[i] = "https://" + host
	}
	return list
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
