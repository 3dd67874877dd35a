package foreign

import (
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/org"
)

var vpn = Forms{
	Apple: func(s catalog.Settings, platform org.Platform) []ApplePayload {
		if platform == org.MacOS {
			return restrictions(s, map[string]string{"hotspot": "allowInternetSharingModification"})
		}
		return restrictions(s, map[string]string{"setup": "allowVPNCreation", "hotspot": "allowPersonalHotspotModification"})
	},
	Windows: func(s catalog.Settings) WindowsForm {
		var form WindowsForm
		if on, set := s.Bool("setup"); set {
			form.Registry = append(form.Registry, registry(`SOFTWARE\Policies\Microsoft\Windows\Network Connections`, "NC_NewConnectionWizard", on))
		}
		if on, set := s.Bool("hotspot"); set {
			form.Registry = append(form.Registry, registry(`SOFTWARE\Policies\Microsoft\Windows\Network Connections`, "NC_ShowSharedAccessUI", on))
		}
		return form
	},
}
