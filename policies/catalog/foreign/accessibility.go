package foreign

import (
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/org"
)

var accessibility = Forms{
	Apple: func(s catalog.Settings, platform org.Platform) []ApplePayload {
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
	Windows: func(s catalog.Settings) WindowsForm {
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
