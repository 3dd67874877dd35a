package foreign

import (
	"strings"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/org"
)

var timeLanguage = Forms{
	Apple: func(s catalog.Settings, platform org.Platform) []ApplePayload {
		if platform == org.IPadOS {
			if on, set := s.Bool("automatic-time"); set && on {
				return []ApplePayload{{"com.apple.applicationaccess", map[string]any{"forceAutomaticDateAndTime": true}}}
			}
			return nil
		}
		content := map[string]any{}
		if zone := s.Text("zone"); zone != "" {
			content["timeZone"] = zone
		}
		// A Mac asks one server.
		if servers := s.List("servers"); len(servers) > 0 {
			content["timeServer"] = strings.TrimPrefix(servers[0], "=")
		}
		if len(content) == 0 {
			return nil
		}
		return []ApplePayload{{"com.apple.MCX", content}}
	},
	Windows: func(s catalog.Settings) WindowsForm {
		var form WindowsForm
		if zone := s.Text("zone"); zone != "" {
			// The agent translates the name as Windows' own table (CLDR) does.
			form.Rules = append(form.Rules, WindowsRule{Kind: "timezone", Name: zone})
		}
		if on, set := s.Bool("automatic-time"); set {
			form.Registry = append(form.Registry, registry(`SOFTWARE\Policies\Microsoft\W32Time\TimeProviders\NtpClient`, "Enabled", on))
		}
		if servers := s.List("servers"); len(servers) > 0 {
			named := make([]string, len(servers))
			for i, server := range servers {
				named[i] = strings.TrimPrefix(server, "=") + ",0x8"
			}
			form.Registry = append(form.Registry, registry(`SOFTWARE\Policies\Microsoft\W32Time\Parameters`, "NtpServer", strings.Join(named, " ")), registry(`SOFTWARE\Policies\Microsoft\W32Time\Parameters`, "Type", "NTP"))
		}
		if language := s.Text("language"); language != "" {
			form.Registry = append(form.Registry, registry(`SOFTWARE\Policies\Microsoft\MUI\Settings`, "PreferredUILanguages", language))
		}
		return form
	},
}
