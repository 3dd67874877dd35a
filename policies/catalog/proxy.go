package catalog

import "schulwart.org/policies/org"

// Proxy is through what programs reach the web.
var Proxy = Family{
	Name: "proxy", Topic: TopicNetwork, Also: []Part{Browser},
	Fields: []Field{
		{Name: "server", Kind: Text, Form: Endpoint, Merge: Nearest},
		{Name: "automatic", Kind: Text, Form: Link, Merge: Nearest},
		{Name: "exceptions", Kind: Names, Form: Host, Most: 100, Merge: Nearest, On: map[org.Platform]Ability{org.MacOS: NotPossible, org.IPadOS: NotPossible}},
	},
	Platforms:  map[org.Platform]Ability{org.Linux: Enforced, org.Windows: Unverified, org.MacOS: Unverified, org.IPadOS: Unverified},
	Supervised: []org.Platform{org.IPadOS},
	Strands: func(s Settings, _ map[string]Settings) []Fault {
		if s.Text("server") != "" && s.Text("automatic") != "" {
			return []Fault{fault("policy.proxy.both", "automatic")}
		}
		return nil
	},
}
