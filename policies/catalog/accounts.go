package catalog

import (
	"strconv"
	"strings"

	"schulwart.org/policies/org"
)

// Accounts is who signs in to a device, and what a password must be.
var Accounts = Family{
	Name: "accounts", Topic: TopicAccess,
	Fields: []Field{
		{Name: "guest", Kind: Flag, Merge: Strictest, Stricter: Off, Supervised: []org.Platform{org.IPadOS}},
		{Name: "automatic-login", Kind: Flag, Merge: Strictest, Stricter: Off, On: map[org.Platform]Ability{org.IPadOS: NotPossible}},
		{Name: "sign-in", Kind: Names, Form: Login, Most: 100, Merge: Nearest, On: map[org.Platform]Ability{org.MacOS: NotPossible, org.IPadOS: NotPossible}},
		{Name: "password-length", Kind: Number, Unit: "characters", Min: 4, Max: 64, Merge: Strictest, Stricter: More},
		{Name: "password-classes", Kind: Number, Unit: "classes", Min: 1, Max: 4, Merge: Strictest, Stricter: More, Since: map[org.Platform]string{org.IPadOS: "16.2", org.MacOS: "13.1"}},
		{Name: "password-history", Kind: Number, Unit: "passwords", Min: 1, Max: 50, Merge: Strictest, Stricter: More},
		{Name: "password-days", Kind: Number, Unit: "days", Min: 1, Max: 730, Merge: Strictest, Stricter: Less, On: map[org.Platform]Ability{org.Linux: NotPossible}, Since: map[org.Platform]string{org.IPadOS: "16.2", org.MacOS: "13.1"}},
	},
	Platforms:  map[org.Platform]Ability{org.Linux: Enforced, org.Windows: Unverified, org.MacOS: Unverified, org.IPadOS: Unverified},
	Supervised: []org.Platform{org.MacOS},
	Apple: func(s Settings, platform org.Platform) []ApplePayload {
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
func passcode(s Settings, _ org.Platform) []AppleDeclaration {
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

func accountsOnWindows(s Settings) WindowsForm {
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
