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
	Apple: func(s Settings, _ org.Platform) []ApplePayload {
		address := s.Text("https")
		if address == "" {
			return nil
		}
		return []ApplePayload{{"com.apple.dnsSettings.managed", map[string]any{"DNSSettings": map[string]any{"DNSProtocol": "HTTPS", "ServerURL": address}}}}
	},
	Windows: func(s Settings) WindowsForm {
		const client = `SOFTWARE\Policies\Microsoft\Windows NT\DNSClient`
		var form WindowsForm
		if servers := s.List("servers"); len(servers) > 0 {
			form.Registry = append(form.Registry, registry(client, "NameServer", join(servers, " ")))
		}
		if search := s.List("search"); len(search) > 0 {
			form.Registry = append(form.Registry, registry(client, "SearchList", join(bare(search), ",")))
		}
		if address := s.Text("https"); address != "" {
			form.Rules = append(form.Rules, WindowsRule{"dns-over-https", address, map[string]string{"servers": join(s.List("servers"), " ")}})
		}
		return form
	},
}
