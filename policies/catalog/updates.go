package catalog

import "schulwart.org/policies/org"

// Updates is when a device brings itself up to date, and when it must not.
var Updates = Family{
	Name: "updates", Topic: TopicDevice,
	Fields: []Field{
		{Name: "security", Kind: Flag, Merge: Strictest, Stricter: On, Since: map[org.Platform]string{org.IPadOS: "18.0", org.MacOS: "15.0"}},
		{Name: "quiet-from", Kind: Text, Form: Time, Merge: Nearest, On: map[org.Platform]Ability{org.MacOS: NotPossible, org.IPadOS: NotPossible}},
		{Name: "quiet-to", Kind: Text, Form: Time, Merge: Nearest, On: map[org.Platform]Ability{org.MacOS: NotPossible, org.IPadOS: NotPossible}},
		{Name: "restart", Kind: Choice, Choices: []string{"never", "unused", "always"}, Merge: Strictest, Stricter: Later, On: map[org.Platform]Ability{org.MacOS: NotPossible, org.IPadOS: NotPossible}},
		{Name: "deadline", Kind: Number, Unit: "days", Min: 1, Max: 30, Merge: Strictest, Stricter: Less, On: map[org.Platform]Ability{org.Linux: NotPossible, org.MacOS: NotPossible, org.IPadOS: NotPossible}},
		{Name: "apple-version", Kind: Text, Form: OSVersion, Merge: Nearest, On: map[org.Platform]Ability{org.Linux: NotPossible, org.Windows: NotPossible}, Since: map[org.Platform]string{org.IPadOS: "17.0", org.MacOS: "14.0"}},
		{Name: "apple-day", Kind: Text, Form: Day, Merge: Nearest, On: map[org.Platform]Ability{org.Linux: NotPossible, org.Windows: NotPossible}, Since: map[org.Platform]string{org.IPadOS: "17.0", org.MacOS: "14.0"}},
	},
	Platforms:  map[org.Platform]Ability{org.Linux: Enforced, org.Windows: Unverified, org.MacOS: Unverified, org.IPadOS: Unverified},
	Supervised: []org.Platform{org.MacOS},
	Strands: func(s Settings, _ map[string]Settings) []Fault {
		if from := s.Text("quiet-from"); from != "" && from == s.Text("quiet-to") {
			return []Fault{fault("policy.updates.never", "quiet-to")}
		}
		return nil
	},
}
