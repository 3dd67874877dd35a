package catalog

import "schulwart.org/policies/org"

// Programs is what is installed, and what may not start.
var Programs = Family{
	Name: "programs", Topic: TopicPrograms,
	Fields: []Field{
		{Name: "install", Kind: Names, Form: Package, Merge: Union, Most: 200, On: map[org.Platform]Ability{org.Windows: NotPossible, org.MacOS: NotPossible, org.IPadOS: NotPossible}},
		{Name: "forbid", Kind: Names, Form: Program, Merge: Union, Most: 200, On: map[org.Platform]Ability{org.MacOS: NotPossible}, Supervised: []org.Platform{org.IPadOS}, Since: map[org.Platform]string{org.IPadOS: "15.0"}},
		{Name: "forbid-packages", Kind: Names, Form: Package, Merge: Union, Most: 200, On: map[org.Platform]Ability{org.Windows: NotPossible, org.MacOS: NotPossible, org.IPadOS: NotPossible}},
	},
	Platforms: map[org.Platform]Ability{org.Linux: Enforced, org.Windows: Unverified, org.MacOS: NotPossible, org.IPadOS: Unverified},
	Strands: func(s Settings, _ map[string]Settings) []Fault {
		var faults []Fault
		for _, name := range s.List("install") {
			for _, other := range s.List("forbid-packages") {
				if name == other {
					faults = append(faults, fault("policy.programs.both", "install", "value", name))
				}
			}
		}
		return faults
	},
}
