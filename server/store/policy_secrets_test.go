package store_test

import (
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/ids"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// family is one with a secret inside of entries.
const family = "wifi"

func network(name, password string) map[string]any {
	return map[string]any{"name": name, "security": "wpa2", "password": password}
}

func TestSecretsOfPoliciesAreSealedAtRestAndNeverShown(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		service := &standard.Service{Store: s, NewID: ids.New, Now: time.Now}
		operator := may.Actor{ID: "op", Name: "Betrieb", Grants: []may.Grant{{Role: may.Operator}}, Via: "test"}
		place := desired.Place{Level: org.Operator}
		put := func(networks ...any) standard.Draft {
			t.Helper()
			draft, err := service.Put(ctx, operator, place, standard.NewDraft{Title: "Netz", Families: map[string]standard.Wish{family: {Settings: map[string]any{"networks": networks}}}})
			if err != nil {
				t.Fatal(err, standard.FaultsOf(err))
			}
			return draft
		}
		draft := put(network("Schule", "ganz-geheim-1"))
		if got := draft.Changes[family].Settings.Items("networks")[0].Text("password"); got != standard.Kept {
			t.Errorf("shown: %q", got)
		}
		for _, query := range []string{`SELECT value FROM base_policies`, `SELECT changes FROM policy_drafts`, `SELECT after FROM policy_versions`, `SELECT MAX(after) FROM audit`} {
			at := storetest.Ask(t, s, query)
			if strings.Contains(at, "ganz-geheim") || !strings.Contains(at, "Schule") && !strings.Contains(at, "Netz") {
				t.Errorf("%s: %s", query, at)
			}
		}
		// Kept stays what it was, while something else changes.
		put(network("Schule", standard.Kept), network("Gast", "noch-geheimer-2"))
		ground, err := s.GroundAt(ctx, org.Branch{})
		if err != nil {
			t.Fatal(err)
		}
		items := ground.Policies[0].Settings.Items("networks")
		if len(items) != 2 || items[0].Text("password") != "noch-geheimer-2" || items[1].Text("password") != "ganz-geheim-1" {
			t.Errorf("served: %v", items)
		}
		// One that was never set cannot be kept.
		_, err = service.Put(ctx, operator, place, standard.NewDraft{Title: "Netz", Families: map[string]standard.Wish{family: {Settings: map[string]any{"networks": []any{network("Neu", standard.Kept)}}}}})
		if faults := standard.FaultsOf(err); len(faults) != 1 || faults[0].Key != "policy.secret_lost" || faults[0].Args["value"] != "Neu" {
			t.Errorf("a secret that nobody set was kept: %v", err)
		}
	})
}
