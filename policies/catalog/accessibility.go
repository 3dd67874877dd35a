package catalog

import "schulwart.org/policies/org"

// Accessibility is which aids a device always offers, and which it begins with.
// None of it takes an aid away from anybody.
var Accessibility = Family{
	Name: "accessibility", Topic: TopicLook,
	Fields: []Field{
		{Name: "offered", Kind: Flag, Merge: Strictest, Stricter: On},
		{Name: "screen-reader", Kind: Flag, Merge: Nearest, On: map[org.Platform]Ability{org.MacOS: NotPossible}},
		{Name: "magnifier", Kind: Flag, Merge: Nearest, On: map[org.Platform]Ability{org.MacOS: NotPossible}},
		{Name: "contrast", Kind: Flag, Merge: Nearest},
		{Name: "sticky-keys", Kind: Flag, Merge: Nearest},
		{Name: "text-size", Kind: Number, Unit: "percent", Min: 100, Max: 225, Merge: Nearest, On: map[org.Platform]Ability{org.MacOS: NotPossible}},
	},
	Platforms: map[org.Platform]Ability{org.Linux: Enforced, org.Windows: Unverified, org.MacOS: Unverified, org.IPadOS: NotPossible},
	Apple: func(s Settings, platform org.Platform) []ApplePayload {
		if platform != org.MacOS {
			return nil
		}
		content := map[string]any{}
		if s.On("offered") {
			content["voiceOverOnOffKey"], content["closeViewHotkeysEnabled"] = true, true
		}
		if on, set := s.Bool("contrast"); set {
			content["contrast"] = map[bool]float64{true: 0.25, false: 0}[on]
		}
		if on, set := s.Bool("sticky-keys"); set {
			content["stickyKey"] = on
		}
		if len(content) == 0 {
			return nil
		}
		return []ApplePayload{{"com.apple.universalaccess", content}}
	},
	Windows: func(s Settings) WindowsForm {
		var form WindowsForm
		own := func(path, name string, data any) {
			value := registry(path, name, data)
			value.Hive = "HKCU"
			form.Registry = append(form.Registry, value)
		}
		// Which aids begin with the session; several are separated by commas.
		begin := ""
		for _, aid := range []struct{ field, name string }{{"screen-reader", "narrator"}, {"magnifier", "magnifierpane"}} {
			if s.On(aid.field) {
				if begin != "" {
					begin += ","
				}
				begin += aid.name
			}
		}
		if begin != "" {
			own(`Software\Microsoft\Windows NT\CurrentVersion\Accessibility`, "Configuration", begin)
		}
		flags := func(field, key, on, off string) {
			if wanted, set := s.Bool(field); set {
				own(`Control Panel\Accessibility\`+key, "Flags", map[bool]string{true: on, false: off}[wanted])
			}
		}
		// The shortcuts stay available either way.
		flags("sticky-keys", "StickyKeys", "511", "510")
		flags("contrast", "HighContrast", "127", "126")
		if percent, set := s.Int("text-size"); set {
			own(`Software\Microsoft\Accessibility`, "TextScaleFactor", percent)
		}
		return form
	},
}
