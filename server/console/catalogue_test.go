package console_test

import (
	"testing"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/org"
	"schulwart.org/web"
)

// Every family, field and choice is explained in every language, and what a
// platform cannot do is given a reason. usb-storage and webfilter came before the
// rule about reasons.
func TestEveryThingThatAPolicyCanSayHasWords(t *testing.T) {
	for _, lang := range web.Languages() {
		for _, family := range catalog.Families {
			if !wordy[family.Name] {
				continue
			}
			key := "policy." + family.Name
			spoken(t, lang, key, key+".hint")
			for _, field := range family.Fields {
				spoken(t, lang, key+"."+field.Name, key+"."+field.Name+".hint")
				for _, choice := range field.Choices {
					spoken(t, lang, key+"."+field.Name+"."+choice)
				}
				for _, platform := range catalog.Platforms {
					reason := ".on." + string(platform)
					if family.Platforms[org.Linux] == catalog.NotPossible && platform == org.Linux {
						continue // its driver is still to come
					}
					if family.Ability(field.Name, platform) == catalog.NotPossible && !web.Knows(lang, key+reason) {
						spoken(t, lang, key+"."+field.Name+reason)
					}
				}
			}
		}
	}
}

// wordy are the families whose words are complete.
var wordy = map[string]bool{
	"accessibility": true, "accounts": true, "browsers": true, "camera": true, "certificates": true, "dns": true, "printing": true, "programs": true, "proxy": true, "screen-lock": true, "sharing": true, "time-language": true, "updates": true, "usb-storage": true,
	"vpn": true, "wallpaper": true, "webfilter": true, "wifi": true,
}

func spoken(t *testing.T, lang string, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if !web.Knows(lang, key) {
			t.Errorf("%s: no words for %s", lang, key)
		}
	}
}
