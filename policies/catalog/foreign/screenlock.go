package foreign

import (
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/org"
)

var screenLock = Forms{
	Apple: func(s catalog.Settings, platform org.Platform) []ApplePayload {
		if platform != org.MacOS {
			return nil
		}
		content := map[string]any{}
		sleep := func(field, name string) {
			if minutes, set := s.Int(field); set {
				content[name] = map[string]any{"System Sleep Timer": minutes, "Display Sleep Timer": minutes}
			}
		}
		sleep("sleep-mains", "com.apple.EnergySaver.portable.ACPower")
		sleep("sleep-mains", "com.apple.EnergySaver.desktop.ACPower")
		sleep("sleep-battery", "com.apple.EnergySaver.portable.BatteryPower")
		if len(content) == 0 {
			return nil
		}
		return []ApplePayload{{"com.apple.MCX", content}}
	},
	Native: func(s catalog.Settings, _ org.Platform) []AppleDeclaration {
		content := map[string]any{}
		// Apple's devices know no more than fifteen minutes.
		if minutes, set := s.Int("minutes"); set {
			content["MaximumInactivityInMinutes"] = min(minutes, 15)
		}
		if s.On("password") {
			content["RequirePasscode"], content["MaximumGracePeriodInMinutes"] = true, 0
		}
		if len(content) == 0 {
			return nil
		}
		return []AppleDeclaration{{Type: "com.apple.configuration.passcode.settings", Part: "lock", Payload: content}}
	},
	Windows: screenLockOnWindows,
}

func screenLockOnWindows(s catalog.Settings) WindowsForm {
	const power = `SOFTWARE\Policies\Microsoft\Power\PowerSettings\`
	var form WindowsForm
	add := func(path, name string, data any) { form.Registry = append(form.Registry, registry(path, name, data)) }
	if minutes, set := s.Int("minutes"); set {
		add(`SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System`, "InactivityTimeoutSecs", minutes*60)
	}
	if on, set := s.Bool("password"); set {
		secure := registry(`Software\Policies\Microsoft\Windows\Control Panel\Desktop`, "ScreenSaverIsSecure", map[bool]string{true: "1", false: "0"}[on])
		secure.Hive = "HKCU"
		form.Registry = append(form.Registry, secure)
	}
	// The numbers of what lid and button do, and the names of the settings, are
	// those of powercfg: on battery, on mains.
	action := map[string]int{"nothing": 0, "lock": 0, "suspend": 1, "power-off": 3}
	button := func(field, setting string) {
		if what := s.Text(field); what != "" {
			add(power+setting, "ACSettingIndex", action[what])
			add(power+setting, "DCSettingIndex", action[what])
		}
	}
	button("lid", "5CA83367-6E45-459F-A27B-476B1D01C936")
	button("power-button", "7648EFA3-DD9C-4E3E-B566-50F929386280")
	const sleepAfter = "29F6C1DB-86DA-48C5-9FDB-F2B67B1F44DA"
	if minutes, set := s.Int("sleep-battery"); set {
		add(power+sleepAfter, "DCSettingIndex", minutes*60)
	}
	if minutes, set := s.Int("sleep-mains"); set {
		add(power+sleepAfter, "ACSettingIndex", minutes*60)
	}
	if s.Text("lid") == "lock" {
		form.Rules = append(form.Rules, WindowsRule{Kind: "lock", Name: "lid", Args: map[string]string{"when": "closed"}})
	}
	return form
}
