package foreign

import (
	"strconv"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/org"
)

var browsers = Forms{
	Apple: func(s catalog.Settings, platform org.Platform) []ApplePayload {
		if platform == org.IPadOS {
			if on, set := s.Bool("password-manager"); set {
				return []ApplePayload{{"com.apple.applicationaccess", map[string]any{"safariAllowAutoFill": on, "allowPasswordAutoFill": on}}}
			}
			return nil
		}
		domains := map[string]any{}
		if chromium := catalog.ChromiumPolicy(s); len(chromium) > 0 {
			domains["com.google.Chrome"] = forced(chromium)
		}
		if firefox := catalog.FirefoxPolicy(s); len(firefox) > 0 {
			firefox["EnterprisePoliciesEnabled"] = true
			domains["org.mozilla.firefox"] = forced(firefox)
		}
		if len(domains) == 0 {
			return nil
		}
		return []ApplePayload{{"com.apple.ManagedClient.preferences", map[string]any{"PayloadContent": domains}}}
	},
	Windows: func(s catalog.Settings) WindowsForm {
		var form WindowsForm
		chromium := catalog.ChromiumPolicy(s)
		for _, path := range []string{`SOFTWARE\Policies\Google\Chrome`, `SOFTWARE\Policies\Microsoft\Edge`} {
			form.Registry = append(form.Registry, registryOf(path, chromium)...)
		}
		form.Registry = append(form.Registry, registryOf(`SOFTWARE\Policies\Mozilla\Firefox`, catalog.FirefoxPolicy(s))...)
		return form
	},
}

// forced is a domain of managed preferences that nobody can change.
func forced(settings map[string]any) map[string]any {
	return map[string]any{"Forced": []any{map[string]any{"mcx_preference_settings": settings}}}
}

// registryOf writes policies as both browsers read them from the registry:
// numbers and texts as values, lists and objects as keys below.
func registryOf(path string, policy map[string]any) []RegistryValue {
	var values []RegistryValue
	for _, name := range sortedKeys(policy) {
		switch value := policy[name].(type) {
		case []any:
			for i, item := range value {
				values = append(values, registry(path+`\`+name, strconv.Itoa(i+1), item))
			}
		case map[string]any:
			values = append(values, registryOf(path+`\`+name, value)...)
		default:
			values = append(values, registry(path, name, value))
		}
	}
	return values
}
