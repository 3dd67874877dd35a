package sheet_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/sheet"
)

const written = `# What the city asks of all its schools.
place:
  authority: Stadt Nordfurt

policies:
  usb-storage:
    access: read-only # sticks with homework may be read
    hold:
      access: locked
  webfilter:
    deny:
      - games.example
      # asked for by the parents' council
      - video.example

exceptions:
  # the film club
  - family: webfilter
    field: deny
    value: [video.example]
    owner: oert@nordfurt.example
    reason: Film-AG
    until: 2027-02-01
`

func read(t *testing.T, content string) sheet.Sheet {
	t.Helper()
	got, faults := sheet.Read(sheet.File{Path: "authority.yaml", Content: content})
	if len(faults) > 0 {
		t.Fatalf("%+v", faults)
	}
	return got
}

func TestASheetIsRead(t *testing.T) {
	got := read(t, written)
	if got.Place.Authority != "Stadt Nordfurt" || got.Families["usb-storage"].Holds["access"] != desired.Locked {
		t.Errorf("%+v", got)
	}
	if !catalog.Same(got.Families["webfilter"].Settings.List("deny"), []string{"games.example", "video.example"}) {
		t.Errorf("%+v", got.Families["webfilter"])
	}
	if len(got.Exceptions) != 1 || got.Exceptions[0].Owner != "oert@nordfurt.example" || got.Exceptions[0].Until.Format("2006-01-02") != "2027-02-01" {
		t.Errorf("%+v", got.Exceptions)
	}
}

func TestEveryFaultIsNamedWithItsLine(t *testing.T) {
	cases := []struct {
		name, content, key, field string
		line                      int
	}{
		{"no YAML at all", "place: [", "sheet.syntax", "", 1},
		{"nothing", "", "sheet.empty", "", 1},
		{"an unknown word", "place: {}\ncolour: red\n", "policy.unknown_field", "colour", 2},
		{"an unknown family", "place: {}\npolicies:\n  teleport: {}\n", "sheet.unknown_family", "policies.teleport", 3},
		{"a wrong choice", "place: {}\npolicies:\n  usb-storage:\n    access: maybe\n", "policy.not_choice", "policies.usb-storage.access", 4},
		{"the third host", "place: {}\npolicies:\n  webfilter:\n    deny:\n      - a.example\n      - b.example\n      - 10.0.0.1\n", "policy.not_host", "policies.webfilter.deny.3", 7},
		{"a key twice", "place: {}\npolicies:\n  usb-storage: {}\n  usb-storage: {}\n", "sheet.key_twice", "policies.usb-storage", 4},
		{"a school without its authority", "place:\n  school: Nord\n", "sheet.place_incomplete", "place", 2},
		{"an exception without an end", "place: {}\nexceptions:\n  - {family: webfilter, field: deny, value: [a.example], owner: a@b.example, reason: x}\n", "policy.missing", "exceptions.1.until", 3},
		{"an end that is no date", "place: {}\nexceptions:\n  - {family: webfilter, field: deny, value: [a.example], owner: a@b.example, reason: x, until: soon}\n", "sheet.not_date", "exceptions.1.until", 3},
		{"an anchor that unfolds", "place: {}\npolicies:\n  webfilter:\n    deny: &a [a.example]\n    only: *a\n", "sheet.alias", "a", 5},
		{"a second document", "place: {}\n---\nplace: {authority: X}\n", "sheet.second_document", "", 2},
		{"a second document that cannot be read", "place: {}\n---\nplace: [\n", "sheet.second_document", "", 1},
		{"a reference to nothing", "place: {}\npolicies:\n  webfilter:\n    deny: *a\n", "sheet.syntax", "", 4},
		{"letters of another time", "place: {}\n# Stra\xdfe\n", "sheet.syntax", "", 2},
		{"a hold of nothing", "place: {}\npolicies:\n  usb-storage:\n    hold: {colour: locked}\n", "policy.unknown_field", "policies.usb-storage.hold.colour", 4},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, faults := sheet.Read(sheet.File{Path: "x.yaml", Content: c.content})
			if len(faults) != 1 || faults[0].Key != c.key || faults[0].Field != c.field || faults[0].Line != c.line || faults[0].File != "x.yaml" {
				t.Errorf("%+v, want %s at %s in line %d", faults, c.key, c.field, c.line)
			}
		})
	}
}

// Editors of other systems write a mark of the bytes' order, other ends of lines,
// and the marks of a document's begin and end.
func TestASheetOfAnyEditorIsRead(t *testing.T) {
	for name, content := range map[string]string{
		"marks of a document":       "---\n" + written + "\n...\n",
		"a last mark":               written + "\n---\n",
		"a last mark and a comment": written + "\n---\n# end\n",
		"byte order and returns":    "\ufeff" + strings.ReplaceAll(written, "\n", "\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			if got := read(t, content); got.Place.Authority != "Stadt Nordfurt" || len(got.Exceptions) != 1 {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestHalfATreeIsRefused(t *testing.T) {
	good, bad := sheet.File{Path: "a.yaml", Content: written}, sheet.File{Path: "b.yaml", Content: "place: {authority: X}\npolicies: {usb-storage: {access: 3}}\n"}
	if sheets, faults := sheet.ReadAll([]sheet.File{good, bad}); sheets != nil || len(faults) != 1 || faults[0].File != "b.yaml" {
		t.Errorf("%v, %+v", sheets, faults)
	}
	if sheets, faults := sheet.ReadAll([]sheet.File{good, {Path: "c.yaml", Content: written}}); sheets != nil || len(faults) != 1 || faults[0].Args["file"] != "a.yaml" {
		t.Errorf("one place twice: %v, %+v", sheets, faults)
	}
}

func TestCommentsStayWhereNothingChanged(t *testing.T) {
	got := read(t, written)
	again, err := sheet.Write(got, written)
	if err != nil {
		t.Fatal(err)
	}
	if strings.ReplaceAll(again, "\n\n", "\n") != strings.ReplaceAll(written, "\n\n", "\n") {
		t.Errorf("nothing changed, and the text did:\n%s", again)
	}
	got.Families["webfilter"].Settings["deny"] = []string{"games.example", "new.example", "video.example"}
	delete(got.Families, "usb-storage")
	again, err = sheet.Write(got, written)
	if err != nil {
		t.Fatal(err)
	}
	for _, comment := range []string{"# What the city asks", "# asked for by the parents' council", "# the film club"} {
		if !strings.Contains(again, comment) {
			t.Errorf("lost: %s\n%s", comment, again)
		}
	}
	if strings.Contains(again, "usb-storage") || !strings.Contains(again, "- new.example") {
		t.Errorf("%s", again)
	}
	if _, err := sheet.Write(got, "place: ["); err == nil {
		t.Error("what cannot be read was overwritten")
	}
}

func TestDeletionsArePartOfTheDifference(t *testing.T) {
	is := read(t, written)
	want := read(t, "place: {authority: Stadt Nordfurt}\npolicies: {usb-storage: {access: blocked}}\n")
	got := map[string]sheet.What{}
	for _, d := range sheet.Compare([]sheet.Sheet{is}, []sheet.Sheet{want}, false) {
		got[d.About] = d.What
	}
	expected := map[string]sheet.What{
		"usb-storage.access": sheet.Changed, "usb-storage.hold.access": sheet.Removed, "webfilter.deny": sheet.Removed, "exception.webfilter.deny: Film-AG": sheet.Removed,
	}
	if !catalog.Same(got, expected) {
		t.Errorf("%v", got)
	}
	if none := sheet.Compare([]sheet.Sheet{is}, []sheet.Sheet{is}, true); len(none) != 0 {
		t.Errorf("a tree differs from itself: %+v", none)
	}
	if kept := sheet.Compare([]sheet.Sheet{is}, nil, false); len(kept) != 0 {
		t.Errorf("a place that a part of a tree does not name loses something: %+v", kept)
	}
	if gone := sheet.Compare([]sheet.Sheet{is}, nil, true); len(gone) != 4 {
		t.Errorf("a place that a whole tree does not name keeps something: %+v", gone)
	}
}

// What is written is read again as the same, whatever a place says.
func TestWrittenIsReadAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := sheet.Sheet{Place: sheet.Place{Authority: rapid.SampledFrom([]string{"", "Stadt: Nord", "#1", "yes"}).Draw(t, "name")}, Families: map[string]sheet.Family{}}
		if rapid.Bool().Draw(t, "filter") {
			s.Families["webfilter"] = sheet.Family{Settings: catalog.Settings{"deny": []string{"=no.example", "on.example"}}, Holds: map[string]desired.Hold{"deny": rapid.SampledFrom([]desired.Hold{desired.Locked, desired.Free}).Draw(t, "hold")}}
		}
		if rapid.Bool().Draw(t, "usb") {
			s.Families["usb-storage"] = sheet.Family{Settings: catalog.Settings{"access": rapid.SampledFrom([]string{"allowed", "blocked"}).Draw(t, "access")}, Holds: map[string]desired.Hold{}}
		}
		text, err := sheet.Write(s, "")
		if err != nil {
			t.Fatal(err)
		}
		again, faults := sheet.Read(sheet.File{Path: "x.yaml", Content: text})
		if len(faults) > 0 || len(sheet.Compare([]sheet.Sheet{s}, []sheet.Sheet{again}, true)) > 0 {
			t.Fatalf("%+v\n%s", faults, text)
		}
		if twice, err := sheet.Write(again, text); err != nil || twice != text {
			t.Fatalf("written twice, two texts (%v):\n%s\n%s", err, text, twice)
		}
	})
}

func TestSchemaNamesEveryFamilyAndField(t *testing.T) {
	data, err := json.Marshal(sheet.Schema(nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range catalog.Families {
		for _, field := range family.Fields {
			if !strings.Contains(string(data), `"`+field.Name+`":`) {
				t.Errorf("%s.%s is missing", family.Name, field.Name)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(written)
	f.Add("place: {}\npolicies:\n  webfilter: !kept\n")
	f.Add("exceptions:\n- - a\n")
	f.Fuzz(func(t *testing.T, content string) {
		got, faults := sheet.Read(sheet.File{Path: "x.yaml", Content: content})
		if len(faults) > 0 {
			return
		}
		text, err := sheet.Write(got, "")
		if err != nil {
			t.Fatal(err)
		}
		if again, faults := sheet.Read(sheet.File{Path: "x.yaml", Content: text}); len(faults) > 0 || len(sheet.Compare([]sheet.Sheet{got}, []sheet.Sheet{again}, true)) > 0 {
			t.Fatalf("%+v\nread %q\nwritten %q", faults, content, text)
		}
	})
}
