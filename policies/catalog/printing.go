package catalog

import (
	"slices"

	"schulwart.org/policies/org"
)

// Printing is whether a device prints, and where.
var Printing = Family{
	Name: "printing", Topic: TopicDevice,
	Fields: []Field{
		{Name: "allowed", Kind: Flag, Merge: Strictest, Stricter: Off, Supervised: []org.Platform{org.IPadOS}, On: map[org.Platform]Ability{org.MacOS: NotPossible}},
		{Name: "printers", Kind: Entries, Key: "name", Most: 50, Merge: Union, Fields: []Field{
			{Name: "name", Kind: Text, Form: Line, Max: 60, Required: true, Merge: Nearest},
			{Name: "address", Kind: Text, Form: Printer, Required: true, Merge: Nearest},
			{Name: "place", Kind: Text, Form: Line, Max: 60, Merge: Nearest},
		}},
		{Name: "default", Kind: Text, Form: Line, Max: 60, Merge: Nearest, On: map[org.Platform]Ability{org.IPadOS: NotPossible}},
	},
	Platforms: map[org.Platform]Ability{org.Linux: Enforced, org.Windows: Unverified, org.MacOS: Unverified, org.IPadOS: Unverified},
	Strands: func(s Settings, _ map[string]Settings) []Fault {
		named := func(printer Settings) bool { return printer.Text("name") == s.Text("default") }
		if s.Text("default") != "" && !slices.ContainsFunc(s.Items("printers"), named) {
			return []Fault{fault("policy.printing.no-default", "default", "value", s.Text("default"))}
		}
		return nil
	},
}
