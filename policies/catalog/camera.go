package catalog

import "schulwart.org/policies/org"

// Camera is whether programs may see and hear, and take pictures of the screen.
var Camera = Family{
	Name: "camera", Topic: TopicDevice,
	Fields: []Field{
		{Name: "camera", Kind: Flag, Merge: Strictest, Stricter: Off},
		{Name: "microphone", Kind: Flag, Merge: Strictest, Stricter: Off, On: map[org.Platform]Ability{org.MacOS: NotPossible, org.IPadOS: NotPossible}},
		{Name: "screen-capture", Kind: Flag, Merge: Strictest, Stricter: Off, On: map[org.Platform]Ability{org.Linux: NotPossible}},
	},
	Platforms: map[org.Platform]Ability{org.Linux: Enforced, org.Windows: Unverified, org.MacOS: Unverified, org.IPadOS: Unverified},
	Apple: func(s Settings, _ org.Platform) []ApplePayload {
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
	Windows: func(s Settings) WindowsForm {
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
