package foreign

import (
	"slices"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/org"
)

var programs = Forms{
	Apple: func(s catalog.Settings, platform org.Platform) []ApplePayload {
		names := s.List("forbid")
		if platform != org.IPadOS || len(names) == 0 {
			return nil
		}
		return []ApplePayload{{"com.apple.applicationaccess", map[string]any{"blockedAppBundleIDs": slices.Clone(names)}}}
	},
	Windows: func(s catalog.Settings) WindowsForm {
		var form WindowsForm
		for _, name := range s.List("forbid") {
			form.Rules = append(form.Rules, WindowsRule{Kind: "applocker", Name: name, Args: map[string]string{"action": "deny", "collection": "Exe", "who": "S-1-5-32-545"}})
		}
		return form
	},
}
