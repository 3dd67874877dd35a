package foreign

import (
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/org"
)

var camera = Forms{
	Apple: func(s catalog.Settings, _ org.Platform) []ApplePayload {
		content := map[string]any{}
		if on, set := s.Bool("camera"); set {
			content["allowCamera"] = on
		}
		if on, set := s.Bool("screen-capture"); set {
			content["allowScreenShot"] = on
		}
		if len(content) == 0 {
			return nil
		}
		return []ApplePayload{{"com.apple.applicationaccess", content}}
	},
	Windows: func(s catalog.Settings) WindowsForm {
		const forcedOff = 2
		var form WindowsForm
		if on, set := s.Bool("camera"); set {
			form.Registry = append(form.Registry, registry(`SOFTWARE\Policies\Microsoft\Camera`, "AllowCamera", on))
		}
		if on, set := s.Bool("microphone"); set && !on {
			form.Registry = append(form.Registry, registry(`SOFTWARE\Policies\Microsoft\Windows\AppPrivacy`, "LetAppsAccessMicrophone", forcedOff))
		}
		if on, set := s.Bool("screen-capture"); set {
			form.Registry = append(form.Registry, registry(`SOFTWARE\Policies\Microsoft\TabletPC`, "DisableSnippingTool", !on))
		}
		return form
	},
}
