package foreign_test

import (
	"testing"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/catalog/foreign"
	"schulwart.org/policies/org"
)

// The coverage table promises nothing that is not written here, and nothing is
// written that it does not promise.
func TestWhatTheTablePromisesIsWritten(t *testing.T) {
	for _, family := range catalog.Families {
		forms := foreign.Of(family)
		if promised, written := family.Does(org.Windows), forms.Windows != nil; promised != written {
			t.Errorf("%s on Windows: promised %t, written %t", family.Name, promised, written)
		}
		promised := family.Does(org.MacOS) || family.Does(org.IPadOS)
		if written := forms.Apple != nil || forms.Native != nil; promised != written {
			t.Errorf("%s on Apple's devices: promised %t, written %t", family.Name, promised, written)
		}
	}
}

// Whatever was published all the same: the key that strands is not sent.
func TestAWirelessNetworkThatStrandsIsNotSent(t *testing.T) {
	secret := catalog.Settings{"name": "Schule", "security": "wpa3"}
	wifi := foreign.Of(catalog.WiFi)
	for _, settings := range []catalog.Settings{{"only-these": true}, {"only-these": true, "networks": []catalog.Settings{secret}}} {
		if payloads := wifi.Apple(settings, org.IPadOS); len(payloads) > 0 {
			t.Errorf("%v: %+v", settings, payloads)
		}
	}
}
