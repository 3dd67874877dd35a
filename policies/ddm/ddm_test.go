package ddm_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"schulwart.org/policies/ddm"
)

func TestClassOf(t *testing.T) {
	cases := map[string]ddm.Class{
		"com.apple.activation.simple":                             ddm.Activation,
		"com.apple.asset.credential.scep":                         ddm.Asset,
		"com.apple.asset.data":                                    ddm.Asset,
		"com.apple.configuration.management.status-subscriptions": ddm.Configuration,
		"com.apple.configuration.management.test":                 ddm.Configuration,
		"com.apple.configuration.passcode.settings":               ddm.Configuration,
		"com.apple.management.organization-info":                  ddm.Management,
		"com.apple.management.server-capabilities":                ddm.Management,
		"org.schulwart.configuration.lease":                       ddm.Configuration,
		"org.schulwart.configuration.webfilter":                   ddm.Configuration,
		"org.schulwart.management.lease-key":                      ddm.Management,
		"com.example.something":                                   ddm.Configuration,
		"com.example.activationlike.assets":                       ddm.Configuration,
		"":                                                        ddm.Configuration,
	}
	for declarationType, want := range cases {
		if got := ddm.ClassOf(declarationType); got != want {
			t.Errorf("%s is of class %s, not %s", declarationType, want, got)
		}
	}
}

type payload struct {
	Words []string
	On    bool
}

func anyDeclarations(t *rapid.T) []ddm.Declaration {
	types := []string{ddm.TypeActivation, ddm.TypeOrganization, ddm.TypeSubscriptions, "com.apple.asset.data", "org.schulwart.configuration.lease"}
	names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-f.]{1,6}`), 0, 8, rapid.ID[string]).Draw(t, "names")
	set := make([]ddm.Declaration, len(names))
	for i, name := range names {
		set[i] = ddm.New(rapid.SampledFrom(types).Draw(t, "type"), name, payload{rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "words"), rapid.Bool().Draw(t, "on")})
	}
	return set
}

func TestManifestIsTheSameInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := anyDeclarations(t)
		mixed := rapid.Permutation(set).Draw(t, "mixed")
		a, b := text(ddm.ManifestOf(set)), text(ddm.ManifestOf(mixed))
		if a != b {
			t.Fatalf("%s\n%s", a, b)
		}
	})
}

func TestManifestNamesEveryDeclarationOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := anyDeclarations(t)
		seen := map[string]string{}
		for class, items := range ddm.ManifestOf(set).Items() {
			if items == nil {
				t.Fatalf("class %s is null: Apple's devices want an empty list", class)
			}
			for _, item := range items {
				if _, twice := seen[item.Identifier]; twice {
					t.Fatalf("%s stands twice", item.Identifier)
				}
				seen[item.Identifier] = item.ServerToken
			}
		}
		for _, d := range set {
			if seen[d.Identifier] != d.ServerToken {
				t.Fatalf("%s has token %s in the manifest, %s itself", d.Identifier, seen[d.Identifier], d.ServerToken)
			}
		}
		if len(seen) != len(set) {
			t.Fatalf("%d items for %d declarations", len(seen), len(set))
		}
	})
}

func TestTokensFollowContent(t *testing.T) {
	base := ddm.New("org.schulwart.configuration.lease", "a", payload{On: true})
	if again := ddm.New("org.schulwart.configuration.lease", "a", payload{On: true}); again.ServerToken != base.ServerToken {
		t.Error("equal content, other token: devices would be woken for nothing")
	}
	others := map[string]ddm.Declaration{
		"payload":    ddm.New("org.schulwart.configuration.lease", "a", payload{On: false}),
		"identifier": ddm.New("org.schulwart.configuration.lease", "b", payload{On: true}),
		"type":       ddm.New("org.schulwart.configuration.webfilter", "a", payload{On: true}),
	}
	for what, other := range others {
		if other.ServerToken == base.ServerToken {
			t.Errorf("another %s, the same token: devices would miss it", what)
		}
		if ddm.ManifestOf([]ddm.Declaration{other}).DeclarationsToken == ddm.ManifestOf([]ddm.Declaration{base}).DeclarationsToken {
			t.Errorf("another %s, the same token of the set", what)
		}
	}
	if one, none := ddm.ManifestOf([]ddm.Declaration{base}), ddm.ManifestOf(nil); one.DeclarationsToken == none.DeclarationsToken || none.DeclarationsToken == "" {
		t.Error("an empty set has no token of its own")
	}
	if ddm.Hash("ab", "c") == ddm.Hash("a", "bc") {
		t.Error("the border between parts does not count")
	}
}

func TestActivationListsConfigurationsInOrder(t *testing.T) {
	given := []string{"c", "a", "b"}
	first, second := ddm.Activate("act", given), ddm.Activate("act", []string{"b", "c", "a"})
	if text(first) != text(second) {
		t.Errorf("%s\n%s", text(first), text(second))
	}
	if strings.Join(given, "") != "cab" {
		t.Error("the caller's list was put in another order")
	}
	if empty := string(ddm.Activate("act", nil).Payload); empty != `{"StandardConfigurations":[]}` {
		t.Errorf("without configurations: %s", empty)
	}
}

func text(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(data)
}
