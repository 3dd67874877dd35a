package sheet_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"testing"

	"schulwart.org/policies/sheet"
)

var (
	publisher = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	primary   = sheet.Template{Name: "grundschule", Title: "Grundschule", Version: 3, Publisher: "Medienzentrum Nordfurt", Sheet: "# why\npolicies: {usb-storage: {access: blocked}}\n"}
)

func TestATemplateArrivesAsItWasSigned(t *testing.T) {
	data, err := sheet.Pack(primary, publisher)
	if err != nil {
		t.Fatal(err)
	}
	got, key, err := sheet.Unpack(data)
	if err != nil || got != primary || !key.Equal(publisher.Public()) {
		t.Fatalf("%+v, %v", got, err)
	}
	if s, faults := got.Read(); len(faults) > 0 || s.Families["usb-storage"].Settings.Text("access") != "blocked" {
		t.Errorf("%+v, %+v", s, faults)
	}
}

func TestAPackageThatSomebodyTouchedIsRefused(t *testing.T) {
	data, err := sheet.Pack(primary, publisher)
	if err != nil {
		t.Fatal(err)
	}
	other, err := sheet.Pack(sheet.Template{Name: "grundschule", Title: "X", Version: 9, Publisher: "X", Sheet: "policies: {}"}, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	line := func(from []byte, field string) []byte {
		for one := range bytes.SplitSeq(from, []byte("\n")) {
			if bytes.Contains(one, []byte(`"`+field+`"`)) {
				return one
			}
		}
		return nil
	}
	forged := bytes.Replace(data, line(data, "template"), line(other, "template"), 1)
	if _, _, err := sheet.Unpack(forged); !errors.Is(err, sheet.ErrSignature) {
		t.Errorf("another content under the old signature: %v", err)
	}
	for name, bad := range map[string][]byte{"nothing": nil, "no package": []byte(`{"format":"zip"}`), "cut off": data[:len(data)/2], "huge": bytes.Repeat([]byte(" "), 5<<20)} {
		if _, _, err := sheet.Unpack(bad); !errors.Is(err, sheet.ErrPackage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestATemplateNamesNoPlace(t *testing.T) {
	bound := primary
	bound.Sheet = "place: {authority: Stadt}\n"
	if _, faults := bound.Read(); len(faults) != 1 || faults[0].Key != "sheet.template_place" {
		t.Errorf("%+v", faults)
	}
	if _, err := sheet.Pack(sheet.Template{Name: "../etc", Title: "x", Version: 1, Publisher: "x"}, publisher); err == nil {
		t.Error("a name that is a path was packed")
	}
}

func FuzzUnpack(f *testing.F) {
	data, _ := sheet.Pack(primary, publisher)
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, key, err := sheet.Unpack(data); err == nil && key.Equal(publisher.Public()) && got != primary {
			t.Fatalf("a template that nobody signed: %+v", got)
		}
	})
}
