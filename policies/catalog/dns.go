package catalog

import "schulwart.org/policies/org"

// DNS is whom a device asks for names.
var DNS = Family{
	Name: "dns", Topic: TopicNetwork,
	Fields: []Field{
		{Name: "servers", Kind: Names, Form: Address, Most: 3, Merge: Nearest, On: map[org.Platform]Ability{org.MacOS: NotPossible, org.IPadOS: NotPossible}},
		{Name: "search", Kind: Names, Form: Host, Most: 6, Merge: Nearest, On: map[org.Platform]Ability{org.MacOS: NotPossible, org.IPadOS: NotPossible}},
		{Name: "https", Kind: Text, Form: URL, Merge: Nearest, On: map[org.Platform]Ability{org.Linux: NotPossible}},
	},
	Platforms: map[org.Platform]Ability{org.Linux: Enforced, org.Windows: Unverified, org.MacOS: Unverified, org.IPadOS: Unverified},
	Strands: func(s Settings, _ map[string]Settings) []Fault {
		if len(s.List("search")) > 0 && len(s.List("servers")) == 0 {
			return []Fault{fault("policy.dns.search-alone", "search")}
		}
		return nil
	},
}
