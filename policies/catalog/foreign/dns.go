package foreign

import (
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/org"
)

var dns = Forms{
	Apple: func(s catalog.Settings, _ org.Platform) []ApplePayload {
		address := s.Text("https")
		if address == "" {
			return nil
		}
		return []ApplePayload{{"com.apple.dnsSettings.managed", map[string]any{"DNSSettings": map[string]any{"DNSProtocol": "HTTPS", "ServerURL": address}}}}
	},
	Windows: func(s catalog.Settings) WindowsForm {
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
