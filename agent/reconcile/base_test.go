package reconcile_test

import (
	"slices"
	"testing"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/memory"
	"schulwart.org/agent/reconcile"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/catalog/catalogtest"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

// Whatever a mode allows: nothing outside the base allow list is reached, in the
// mode or after it.
func TestModesStayWithinTheBaseAllowList(t *testing.T) {
	base := enforce.Base{"webfilter": catalog.Settings{"only": []string{"=www.schule.example", "lernen.example"}, "deny": []string{"spiel.lernen.example"}}}
	clock := memory.Clock{Now: monday, Exam: monday}
	for _, c := range []struct {
		name  string
		sites []string
		reach enforce.Reach
		allow []string
	}{
		{"below the list", []string{"mathe.lernen.example"}, enforce.Only, []string{"mathe.lernen.example"}},
		{"wider than the list", []string{"schule.example", "lernen.example"}, enforce.Only, []string{"=www.schule.example", "lernen.example"}},
		{"outside the list", []string{"video.example"}, enforce.Never, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			mode := lease.Lease{ID: "a", Kind: lease.Sites, NotBefore: monday, Expires: monday.Add(time.Hour), Rules: lease.Rules{Sites: c.sites}}
			rules, _ := reconcile.Decide(base, []lease.Lease{mode}, clock, reconcile.Speech{})
			slices.Sort(rules.Network.Allow)
			if n := rules.Network; n.Reach != c.reach || !slices.Equal(n.Allow, c.allow) || len(n.Base) != 2 {
				t.Errorf("%+v", n)
			}
		})
	}
	if rules, _ := reconcile.Decide(base, nil, clock, reconcile.Speech{}); rules.Network.Reach != enforce.Open || len(rules.Network.Base) != 2 || rules.Network.Release != 0 {
		t.Errorf("without a mode: %+v", rules.Network)
	}
}

// lacking is the driver of a part that cannot do everything of a family.
type lacking struct{ driver }

func (lacking) Lacks(family string) *ddm.Reason {
	if family == "browsers" {
		return &ddm.Reason{Code: "browser.firefox-lacks"}
	}
	return nil
}

// A family that several parts carry out is active when all of them read it back,
// and none that can do only half of it claims the whole.
func TestAFamilyIsActiveWhenAllItsPartsReadItBack(t *testing.T) {
	d := newDevice(t)
	store, browser := &desk{}, d.desks[catalog.Browser]
	loop := reconcile.New(reconcile.Config{
		Memory: d.memory, Clock: d.host, Version: "test", Inline: true,
		Drivers: []enforce.Driver{driver{"certificates", store}, lacking{driver{catalog.Browser, browser}}},
	})
	d.loop = loop
	root := map[string]any{"roots": []any{map[string]any{"name": "Schule", "certificate": catalogtest.Samples[catalog.Certificate][0]}}}
	take(t, d.give(
		ddm.New(catalog.Certificates.Type(), catalog.Certificates.Identifier(), root),
		ddm.New(catalog.Browsers.Type(), catalog.Browsers.Identifier(), map[string]any{"downloads": "blocked"}),
	))
	state := func(family catalog.Family) ddm.DeclarationState {
		for _, one := range loop.Report().Status.StatusItems.Management.Declarations.Configurations {
			if one.Identifier == family.Identifier() {
				return one
			}
		}
		t.Fatalf("%s is not reported", family.Name)
		return ddm.DeclarationState{}
	}
	if got := state(catalog.Certificates); !got.Active {
		t.Errorf("both parts read it back: %+v", got)
	}
	if got := state(catalog.Browsers); got.Active || len(got.Reasons) != 1 || got.Reasons[0].Code != "browser.firefox-lacks" {
		t.Errorf("half of it is claimed as the whole: %+v", got)
	}
	browser.stuck = true
	d.pass(2 * time.Minute)
	if got := state(catalog.Certificates); got.Active || len(got.Reasons) == 0 {
		t.Errorf("the browser does not have it: %+v", got)
	}
}
