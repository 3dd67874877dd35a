package foreign

import (
	"strconv"
	"strings"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/org"
)

var accounts = Forms{
	Apple: func(s catalog.Settings, platform org.Platform) []ApplePayload {
		var payloads []ApplePayload
		guest, asked := s.Bool("guest")
		switch {
		case asked && platform == org.IPadOS:
			payloads = append(payloads, ApplePayload{"com.apple.applicationaccess", map[string]any{"allowSharedDeviceTemporarySession": guest}})
		case asked:
			payloads = append(payloads, ApplePayload{"com.apple.MCX", map[string]any{"DisableGuestAccount": !guest, "EnableGuestAccount": guest}})
		}
		if on, asked := s.Bool("automatic-login"); asked && !on && platform == org.MacOS {
			payloads = append(payloads, ApplePayload{"com.apple.loginwindow", map[string]any{"DisableFDEAutoLogin": true}})
		}
		return payloads
	},
	Native:  passcode,
	Windows: accountsOnWindows,
}

// passcode states the rules natively: unlike the profile's, they say by
// themselves whether the present passcode keeps them.
// https://developer.apple.com/documentation/devicemanagement/passcodesettings
func passcode(s catalog.Settings, _ org.Platform) []AppleDeclaration {
	content := map[string]any{}
	// Apple's devices know no more than sixteen characters.
	if length, set := s.Int("password-length"); set {
		content["MinimumLength"] = min(length, 16)
	}
	if classes, set := s.Int("password-classes"); set && classes > 1 {
		content["RequireAlphanumericPasscode"] = true
		if classes > 2 {
			content["MinimumComplexCharacters"] = 1
		}
	}
	if history, set := s.Int("password-history"); set {
		content["PasscodeReuseLimit"] = history
	}
	if days, set := s.Int("password-days"); set {
		content["MaximumPasscodeAgeInDays"] = days
	}
	if len(content) == 0 {
		return nil
	}
	content["RequirePasscode"] = true
	return []AppleDeclaration{{Type: "com.apple.configuration.passcode.settings", Part: "passcode", Payload: content}}
}

func accountsOnWindows(s catalog.Settings) WindowsForm {
	var form WindowsForm
	if guest, asked := s.Bool("guest"); asked {
		form.Rules = append(form.Rules, WindowsRule{Kind: "account", Name: "Guest", Args: map[string]string{"enabled": strconv.FormatBool(guest)}})
	}
	if on, asked := s.Bool("automatic-login"); asked && !on {
		form.Registry = append(form.Registry, registry(`SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon`, "AutoAdminLogon", "0"))
	}
	if people := s.List("sign-in"); len(people) > 0 {
		// Whoever administers the device is never shut out.
		form.Rules = append(form.Rules, WindowsRule{Kind: "right", Name: "SeInteractiveLogonRight", Args: map[string]string{"who": strings.Join(append([]string{"*S-1-5-32-544"}, people...), ",")}})
	}
	password := map[string]string{}
	for field, name := range map[string]string{"password-length": "MinimumPasswordLength", "password-history": "PasswordHistorySize", "password-days": "MaximumPasswordAge"} {
		if n, set := s.Int(field); set {
			password[name] = strconv.Itoa(n)
		}
	}
	// Windows knows one rule about kinds of characters: three of four.
	if classes, set := s.Int("password-classes"); set {
		password["PasswordComplexity"] = "0"
		if classes > 2 {
			password["PasswordComplexity"] = "1"
		}
	}
	if len(password) > 0 {
		form.Rules = append(form.Rules, WindowsRule{Kind: "security-policy", Name: "System Access", Args: password})
	}
	return form
}
