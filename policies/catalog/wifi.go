package catalog

import (
	"strconv"

	"schulwart.org/policies/org"
)

// WiFi are the wireless networks that a device knows.
var WiFi = Family{
	Name: "wifi", Topic: TopicNetwork,
	Fields: []Field{
		{Name: "networks", Kind: Entries, Key: "name", Most: 20, Merge: Union, Fields: []Field{
			{Name: "name", Kind: Text, Form: Line, Max: 32, Required: true, Merge: Nearest},
			{Name: "security", Kind: Choice, Choices: []string{"open", "wpa2", "wpa3"}, Required: true, Merge: Nearest},
			{Name: "password", Kind: Text, Form: Password, Min: 8, Max: 63, Secret: true, Merge: Nearest},
			{Name: "hidden", Kind: Flag, Merge: Nearest},
			{Name: "auto-join", Kind: Flag, Merge: Nearest},
		}},
		{Name: "only-these", Kind: Flag, Merge: Strictest, Stricter: On, Supervised: []org.Platform{org.IPadOS},
			On: map[org.Platform]Ability{org.Linux: NotPossible, org.MacOS: NotPossible}},
	},
	Platforms: map[org.Platform]Ability{org.Linux: Enforced, org.Windows: Unverified, org.MacOS: Unverified, org.IPadOS: Unverified},
	Strands: func(s Settings, _ map[string]Settings) []Fault {
		var faults []Fault
		usable := 0
		for i, network := range s.Items("networks") {
			if network.Text("security") != "open" && network.Text("password") == "" {
				faults = append(faults, fault("policy.wifi.no-password", "networks."+strconv.Itoa(i+1)+".password", "value", network.Text("name")))
				continue
			}
			usable++
		}
		if s.On("only-these") && usable == 0 {
			faults = append(faults, fault("policy.wifi.strands", "only-these"))
		}
		return faults
	},
}
