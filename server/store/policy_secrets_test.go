package store_test

import (
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/ids"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// secretive is a family with a secret in it.
func secretive(t *testing.T) (family, list, key, secret string) {
	t.Helper()
	for _, f := range catalog.Families {
		for _, field := range f.Fields {
			for _, inner := range field.Fields {
				if inner.Secret {
					return f.Name, field.Name, field.Key, inner.Name
				}
			}
		}
	}
	t.Skip("no family of this build has a secret inside of entries")
	return
}

func TestSecretsOfPoliciesAreSealedAtRestAndNeverShown(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		family, list, key, secret := secretive(t)
		service := &standard.Service{Store: s, NewID: ids.New, Now: time.Now}
		operator := may.Actor{ID: "op", Name: "Betrieb", Grants: []may.Grant{{Role: may.Operator}}, Via: "test"}
		place := desired.Place{Level: org.Operator}
		wish := func(value string) map[string]standard.Wish {
			return map[string]standard.Wish{family: {Settings: map[string]any{list: []any{map[string]any{key: "Schule", secret: value}}}}}
		}
		draft, err := service.Put(ctx, operator, place, standard.NewDraft{Title: "Netz", Families: wish("ganz-geheim-1")})
		if err != nil {
			t.Fatal(err, standard.FaultsOf(err))
		}
		if draft.Changes[family].Settings.Items(list)[0].Text(secret) != standard.Kept {
			t.Errorf("shown: %v", draft.Changes)
		}
		for _, query := range []string{`SELECT value FROM base_policies`, `SELECT changes FROM policy_drafts`, `SELECT after FROM policy_versions`, `SELECT MAX(after) FROM audit`} {
			if at := storetest.Ask(t, s, query); strings.Contains(at, "ganz-geheim") {
				t.Errorf("%s: %s", query, at)
			}
		}
		// Kept stays what it was, while something else changes.
		kept := wish(standard.Kept)
		kept[family].Settings[list] = append(kept[family].Settings[list].([]any), map[string]any{key: "Gast", secret: "noch-geheimer-2"})
		if _, err := service.Put(ctx, operator, place, standard.NewDraft{Title: "Netz", Families: kept}); err != nil {
			t.Fatal(err, standard.FaultsOf(err))
		}
		ground, err := s.GroundAt(ctx, org.Branch{})
		if err != nil {
			t.Fatal(err)
		}
		items := ground.Policies[0].Settings.Items(list)
		if len(items) != 2 || items[1].Text(secret) != "ganz-geheim-1" {
			t.Errorf("served: %v", items)
		}
	})
}
