package catalog

import "schulwart.org/policies/org"

// Certificates are authorities that a device believes, beside those that it
// brings along.
var Certificates = Family{
	Name: "certificates", Topic: TopicNetwork, Also: []Part{Browser},
	Fields: []Field{
		{Name: "roots", Kind: Entries, Key: "name", Most: 20, Merge: Union, Fields: []Field{
			{Name: "name", Kind: Text, Form: Line, Max: 60, Required: true, Merge: Nearest},
			{Name: "certificate", Kind: Text, Form: Certificate, Required: true, Merge: Nearest},
		}},
	},
	Platforms: map[org.Platform]Ability{org.Linux: Enforced, org.Windows: Unverified, org.MacOS: Unverified, org.IPadOS: Unverified},
}
