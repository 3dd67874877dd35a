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
	Apple: func(s Settings, platform org.Platform) []ApplePayload {
		names := s.List("forbid")
		if platform != org.IPadOS || len(names) == 0 {
			return nil
		}
		return []ApplePayload{{"com.apple.applicationaccess", map[string]any{"blockedAppBundleIDs": anys(names)}}}
	},
	Windows: func(s Settings) WindowsForm {
		var form WindowsForm
		for _, name := range s.List("forbid") {
			form.Rules = append(form.Rules, WindowsRule{Kind: "applocker", Name: name, Args: map[string]string{"action": "deny", "collection": "Exe", "who": "S-1-5-32-545"}})
		}
		return form
	},
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

func anys[T any](items []T) []any {
	list := make([]any, len(items))
	for i, item := range items {
		list[i] = item
	}
	return list
}
