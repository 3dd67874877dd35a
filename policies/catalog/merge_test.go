package catalog_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"schulwart.org/policies/catalog"
)

// anyValue draws a canonical value of a field, nil now and then.
func anyValue(t *rapid.T, field catalog.Field) any {
	if rapid.IntRange(0, 4).Draw(t, "unset") == 0 {
		return nil
	}
	switch field.Kind {
	case catalog.Flag:
		return rapid.Bool().Draw(t, "flag")
	case catalog.Number:
		return rapid.IntRange(field.Min, field.Max).Draw(t, "number")
	case catalog.Choice:
		return rapid.SampledFrom(field.Choices).Draw(t, "choice")
	case catalog.Names:
		names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a.example", "b.example", "c.example"}), 1, 3, rapid.ID[string]).Draw(t, "names")
		slices.Sort(names)
		return names
	}
	return rapid.SampledFrom([]string{"one", "two"}).Draw(t, "text")
}

var mergeFields = []catalog.Field{
	{Name: "on", Kind: catalog.Flag, Merge: catalog.Strictest, Stricter: catalog.On},
	{Name: "off", Kind: catalog.Flag, Merge: catalog.Strictest, Stricter: catalog.Off},
	{Name: "less", Kind: catalog.Number, Merge: catalog.Strictest, Stricter: catalog.Less, Min: 1, Max: 9, Unit: "minutes"},
	{Name: "more", Kind: catalog.Number, Merge: catalog.Strictest, Stricter: catalog.More, Min: 1, Max: 9, Unit: "minutes"},
	{Name: "later", Kind: catalog.Choice, Merge: catalog.Strictest, Stricter: catalog.Later, Choices: []string{"allowed", "read-only", "blocked"}},
	{Name: "all", Kind: catalog.Names, Form: catalog.Host, Merge: catalog.Union},
}

// However many places say something and in whatever order: nothing that one of
// them asks for is lost, and asking twice is asking once.
func TestStrictestAndUnionAreSettledByNobodysTurn(t *testing.T) {
	for _, field := range mergeFields {
		t.Run(field.Name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				a, b, c := anyValue(t, field), anyValue(t, field), anyValue(t, field)
				if !catalog.Same(field.Join(a, b), field.Join(b, a)) {
					t.Fatalf("%v and %v: the order decides", a, b)
				}
				if !catalog.Same(field.Join(field.Join(a, b), c), field.Join(a, field.Join(b, c))) {
					t.Fatalf("%v, %v, %v: the grouping decides", a, b, c)
				}
				if !catalog.Same(field.Join(a, a), a) {
					t.Fatalf("%v twice says something else", a)
				}
				joined := field.Join(a, b)
				if a != nil && !field.Lists() && field.Looser(joined, a) {
					t.Fatalf("%v became looser: %v", a, joined)
				}
				if names, ok := a.([]string); ok {
					for _, name := range names {
						if !slices.Contains(joined.([]string), name) {
							t.Fatalf("%s was lost", name)
						}
					}
				}
				if field.Deviates(a, joined) {
					t.Fatalf("what %v and %v amount to, %v, is called a deviation from the first", a, b, joined)
				}
			})
		})
	}
}

func TestAnExceptionTakesItsItemsOutOfAListAndNoMore(t *testing.T) {
	deny := catalog.Field{Name: "deny", Kind: catalog.Names, Form: catalog.Host, Merge: catalog.Union}
	if got := deny.Except([]string{"a.example", "b.example"}, []string{"a.example", "z.example"}); !catalog.Same(got, []string{"b.example"}) {
		t.Errorf("left %v", got)
	}
	if got := deny.Except([]string{"a.example"}, []string{"a.example"}); got != nil {
		t.Errorf("an empty list is no value, and not %v", got)
	}
	minutes := mergeFields[2]
	if got := minutes.Except(3, 9); got != 9 {
		t.Errorf("an exception holds instead of the value above, not %v", got)
	}
	if !minutes.Deviates(3, 9) || minutes.Deviates(9, 3) {
		t.Error("more minutes than allowed is a deviation, fewer is none")
	}
}

func TestCheckSaysWhatIsWrongAndWhere(t *testing.T) {
	family := catalog.Family{Name: "test", Fields: []catalog.Field{
		{Name: "on", Kind: catalog.Flag}, {Name: "minutes", Kind: catalog.Number, Min: 1, Max: 60, Unit: "minutes"},
		{Name: "hosts", Kind: catalog.Names, Form: catalog.Host, Most: 2},
		{Name: "networks", Kind: catalog.Entries, Key: "name", Fields: []catalog.Field{
			{Name: "name", Kind: catalog.Text, Form: catalog.Line, Max: 32, Required: true}, {Name: "password", Kind: catalog.Text, Form: catalog.Password, Min: 8, Secret: true},
		}},
	}}
	cases := []struct {
		name, content, fault, field string
	}{
		{"an unknown field", `{"colour": 1}`, "policy.unknown_field", "colour"},
		{"a word for a flag", `{"on": "yes"}`, "policy.not_flag", "on"},
		{"a broken number", `{"minutes": 2.5}`, "policy.not_number", "minutes"},
		{"too many minutes", `{"minutes": 61}`, "policy.out_of_range", "minutes"},
		{"an address for a host", `{"hosts": ["10.0.0.1"]}`, "policy.not_host", "hosts.1"},
		{"more hosts than devices take", `{"hosts": ["a.example", "b.example", "c.example"]}`, "policy.too_many", "hosts"},
		{"a network without a name", `{"networks": [{"password": "12345678"}]}`, "policy.missing", "networks.1.name"},
		{"a short password", `{"networks": [{"name": "Schule", "password": "1234"}]}`, "policy.too_short", "networks.1.password"},
		{"one network twice", `{"networks": [{"name": "Schule"}, {"name": "Schule"}]}`, "policy.twice", "networks"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var raw map[string]any
			if err := json.Unmarshal([]byte(c.content), &raw); err != nil {
				t.Fatal(err)
			}
			settings, faults := family.Check(raw)
			if len(faults) != 1 || faults[0].Key != c.fault || faults[0].Field != c.field {
				t.Errorf("faults %+v, want %s at %s", faults, c.fault, c.field)
			}
			if len(settings) != 0 {
				t.Errorf("what is wrong is kept: %v", settings)
			}
		})
	}
}

func TestEqualSettingsHaveEqualBytes(t *testing.T) {
	family := catalog.WebFilterFamily
	one, faults := family.Check(map[string]any{"deny": []any{" B.example ", "*.a.example", "b.example."}})
	if faults != nil {
		t.Fatalf("%+v", faults)
	}
	other, _ := family.Check(map[string]any{"deny": []string{"a.example", "b.example"}, "only": []any{}})
	if fmt.Sprint(one) != fmt.Sprint(other) || !catalog.Same(one, other) {
		t.Errorf("%v and %v", one, other)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("usb-storage", `{"access":"blocked"}`)
	f.Add("webfilter", `{"deny":["a.example"],"only":null}`)
	f.Fuzz(func(t *testing.T, name, content string) {
		family, ok := catalog.Find(name)
		if !ok {
			return
		}
		settings, err := family.Decode([]byte(content))
		if err != nil {
			return
		}
		data, err := json.Marshal(settings)
		if err != nil {
			t.Fatal(err)
		}
		again, err := family.Decode(data)
		if err != nil || !catalog.Same(settings, again) {
			t.Fatalf("%s is read as %v and, written again, as %v (%v)", content, settings, again, err)
		}
	})
}
