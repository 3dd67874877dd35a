package catalog

import (
	"strings"

	"schulwart.org/policies/org"
)

// TimeLanguage is the device's clock and the language it speaks.
var TimeLanguage = Family{
	Name: "time-language", Topic: TopicLook,
	Fields: []Field{
		{Name: "zone", Kind: Text, Form: Zone, Merge: Nearest, On: map[org.Platform]Ability{org.IPadOS: NotPossible}},
		{Name: "automatic-time", Kind: Flag, Merge: Strictest, Stricter: On, On: map[org.Platform]Ability{org.MacOS: NotPossible}, Supervised: []org.Platform{org.IPadOS}},
		{Name: "servers", Kind: Names, Form: Host, Most: 4, Merge: Nearest, On: map[org.Platform]Ability{org.IPadOS: NotPossible}},
		{Name: "language", Kind: Text, Form: Locale, Merge: Nearest, On: map[org.Platform]Ability{org.MacOS: NotPossible, org.IPadOS: NotPossible}},
		{Name: "keyboard", Kind: Text, Form: Keyboard, Merge: Nearest, On: map[org.Platform]Ability{org.Windows: NotPossible, org.MacOS: NotPossible, org.IPadOS: NotPossible}},
	},
	Platforms: map[org.Platform]Ability{org.Linux: Enforced, org.Windows: Unverified, org.MacOS: Unverified, org.IPadOS: Unverified},
	Apple: func(s Settings, platform org.Platform) []ApplePayload {
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
	Windows: func(s Settings) WindowsForm {
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
