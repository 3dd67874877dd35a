package foreign

import (
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/org"
)

var sharing = Forms{
	Apple: func(s catalog.Settings, platform org.Platform) []ApplePayload {
		names := map[string]string{"airdrop": "allowAirDrop", "network-shares": "allowFilesNetworkDriveAccess"}
		if platform == org.MacOS {
			names = map[string]string{"airdrop": "allowAirDrop", "airplay": "allowAirPlayIncomingRequests", "network-shares": "allowFileSharingModification"}
		}
		return restrictions(s, names)
	},
	Windows: func(s catalog.Settings) WindowsForm {
		var form WindowsForm
		if on, set := s.Bool("airdrop"); set {
			form.Registry = append(form.Registry, registry(`SOFTWARE\Policies\Microsoft\Windows\System`, "EnableCdp", on))
		}
		if on, set := s.Bool("bluetooth"); set {
			form.Rules = append(form.Rules, WindowsRule{"service", "bthserv", map[string]string{"start": start(on, "manual")}})
		}
		if on, set := s.Bool("airplay"); set {
			form.Registry = append(form.Registry, registry(`SOFTWARE\Policies\Microsoft\Windows\Connect`, "AllowProjectionToPC", on))
		}
		if on, set := s.Bool("network-shares"); set {
			form.Rules = append(form.Rules, WindowsRule{"service", "LanmanServer", map[string]string{"start": start(on, "automatic")}})
		}
		return form
	},
}

// restrictions is the payload of restrictions for the flags that are set; what is
// allowed anyway is left unsaid.
func restrictions(s catalog.Settings, names map[string]string) []ApplePayload {
	content := map[string]any{}
	for field, name := range names {
		if on, set := s.Bool(field); set {
			content[name] = on
		}
	}
	if len(content) == 0 {
		return nil
	}
	return []ApplePayload{{"com.apple.applicationaccess", content}}
}

func start(on bool, otherwise string) string {
	if on {
		return otherwise
	}
	return "disabled"
}
