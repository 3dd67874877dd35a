package desired_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/catalog/catalogtest"
	"schulwart.org/policies/catalog/foreign"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
	"schulwart.org/scripts/appleschema"
)

// oldest are the versions from which on our declarations and profiles are taken;
// a field that needs a later one says so.
var oldest = map[org.Platform]struct{ name, version string }{org.IPadOS: {"iOS", "17.0"}, org.MacOS: {"macOS", "14.0"}}

// needed is the version that all fields of the settings know.
func needed(family catalog.Family, settings catalog.Settings, platform org.Platform) string {
	version := oldest[platform].version
	for name := range settings {
		if field, _ := family.Field(name); field.Since[platform] != "" && field.Since[platform] > version {
			version = field.Since[platform]
		}
	}
	return version
}

func TestEveryDeclarationForApplesDevicesKeepsTheirSchema(t *testing.T) {
	schema := appleschema.Load(t)
	for _, family := range catalog.Families {
		for platform, system := range oldest {
			t.Run(family.Name+" on "+string(platform), func(t *testing.T) {
				rapid.Check(t, func(t *rapid.T) {
					settings := catalogtest.Draw(t, family)
					device := desired.Device{ID: "a", Enrolment: "e", Platform: platform, Supervised: rapid.Bool().Draw(t, "supervised"), Schema: 1}
					state := desired.For(school([]desired.Policy{{Place: desired.Place{Level: org.Operator}, Family: family.Name, Settings: settings}}), device, monday)
					at := schema.On(system.name, needed(family, settings, platform))
					for _, d := range state.Declarations {
						for _, fault := range faultsOf(t, at, d) {
							t.Errorf("%s with %v: %s", d.Identifier, settings, fault)
						}
					}
				})
			})
		}
	}
}

func faultsOf(t *rapid.T, schema appleschema.Schema, d ddm.Declaration) []string {
	if strings.HasPrefix(d.Identifier, desired.NativePrefix) {
		var payload map[string]any
		if err := json.Unmarshal(d.Payload, &payload); err != nil {
			t.Fatal(err)
		}
		return schema.Declaration(d.Type, payload)
	}
	if d.Type != ddm.TypeLegacyProfile {
		return nil
	}
	data, err := desired.ProfileOf(d, "Gymnasium Nord")
	if err != nil {
		t.Fatal(err)
	}
	var decoded map[string]any
	if err := mdm.Decode(data, &decoded); err != nil {
		t.Fatal(err)
	}
	return schema.Profile(decoded)
}

// What is about supervised devices only would be refused by others, and with it
// everything else in the profile.
func TestDevicesWithoutSupervisionAreOfferedWhatTheyTake(t *testing.T) {
	policy := []desired.Policy{{Place: desired.Place{Level: org.Operator}, Family: "wallpaper", Settings: catalog.Settings{"message": "Eigentum der Schule", "change": false}}}
	device := tablet
	if state := desired.For(school(policy), device, monday); slices.ContainsFunc(state.Declarations, func(d ddm.Declaration) bool { return d.Type == ddm.TypeLegacyProfile }) {
		t.Error("a device without supervision is offered a profile that it refuses")
	}
	device.Supervised = true
	if state := desired.For(school(policy), device, monday); !slices.ContainsFunc(state.Declarations, func(d ddm.Declaration) bool { return d.Identifier == desired.ProfilePrefix+"wallpaper" }) {
		t.Error("a supervised device is not offered the profile")
	}
}

func TestAPasscodeRuleNeedsNoProfile(t *testing.T) {
	policy := []desired.Policy{
		{Place: desired.Place{Level: org.Operator}, Family: "accounts", Settings: catalog.Settings{"password-length": 20}},
		{Place: desired.Place{Level: org.Operator}, Family: "screen-lock", Settings: catalog.Settings{"minutes": 30, "password": true}},
	}
	found := map[string]string{}
	for _, d := range desired.For(school(policy), tablet, monday).Declarations {
		if d.Type == "com.apple.configuration.passcode.settings" {
			found[d.Identifier] = string(d.Payload)
		}
	}
	want := map[string]string{
		"org.schulwart.native.accounts.passcode": `{"MinimumLength":16,"RequirePasscode":true}`,
		"org.schulwart.native.screen-lock.lock":  `{"MaximumGracePeriodInMinutes":0,"MaximumInactivityInMinutes":15,"RequirePasscode":true}`,
	}
	for identifier, payload := range want {
		if found[identifier] != payload {
			t.Errorf("%s is %s, not %s", identifier, found[identifier], payload)
		}
	}
}

// A certificate is bytes in a profile, whichever way it came there.
func TestBytesStayBytesOnTheirWayIntoAProfile(t *testing.T) {
	content := map[string]any{"PayloadContent": foreign.Data{0, 1, 254}, "Number": 5, "List": []any{map[string]any{"a": 1.5}}}
	declaration := ddm.New(ddm.TypeLegacyProfile, desired.ProfilePrefix+"x", desired.Profile{Family: "x", Payloads: []foreign.ApplePayload{{Type: "com.apple.security.root", Content: content}}})
	data, err := desired.ProfileOf(declaration, "Gymnasium Nord")
	if err != nil {
		t.Fatal(err)
	}
	profile, err := mdm.ParseProfile(data)
	if err != nil {
		t.Fatal(err)
	}
	payload := profile.PayloadContent[0]
	if got, ok := payload["PayloadContent"].([]byte); !ok || string(got) != "\x00\x01\xfe" {
		t.Errorf("bytes became %T %v", payload["PayloadContent"], payload["PayloadContent"])
	}
	if payload["Number"] != uint64(5) {
		t.Errorf("5 became %T %v", payload["Number"], payload["Number"])
	}
}
