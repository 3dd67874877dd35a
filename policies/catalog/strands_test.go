package catalog_test

import (
	"testing"

	"schulwart.org/policies/catalog"
)

// What would strand a device, or could only be half of what was meant, is named
// before anybody publishes it.
func TestWhatStrandsADeviceIsNamed(t *testing.T) {
	school := catalog.Settings{"name": "Schule", "security": "wpa2", "password": "12345678"}
	secret := catalog.Settings{"name": "Schule", "security": "wpa3"}
	for _, c := range []struct {
		name, family string
		settings     catalog.Settings
		fault        string
	}{
		{"only networks that there are none of", "wifi", catalog.Settings{"only-these": true}, "policy.wifi.strands"},
		{"only a network that nobody has the password of", "wifi", catalog.Settings{"only-these": true, "networks": []catalog.Settings{secret}}, "policy.wifi.strands"},
		{"a protected network without a password", "wifi", catalog.Settings{"networks": []catalog.Settings{secret}}, "policy.wifi.no-password"},
		{"only the school's network", "wifi", catalog.Settings{"only-these": true, "networks": []catalog.Settings{school}}, ""},
		{"two proxies", "proxy", catalog.Settings{"server": "proxy.example:3128", "automatic": "http://wpad.example/"}, "policy.proxy.both"},
		{"a default printer that does not exist", "printing", catalog.Settings{"default": "Flur"}, "policy.printing.no-default"},
		{"short names that nobody is asked for", "dns", catalog.Settings{"search": []string{"schule.example"}}, "policy.dns.search-alone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			family, _ := catalog.Find(c.family)
			faults := family.Strands(c.settings, nil)
			if c.fault == "" && len(faults) > 0 {
				t.Fatalf("%+v", faults)
			}
			for _, fault := range faults {
				if fault.Key == c.fault {
					return
				}
			}
			if c.fault != "" {
				t.Errorf("faults %+v, want %s", faults, c.fault)
			}
		})
	}
}
