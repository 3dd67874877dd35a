package reconcile_test

import (
	"slices"
	"testing"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/memory"
	"schulwart.org/agent/reconcile"
	"schulwart.org/policies/catalog"
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
