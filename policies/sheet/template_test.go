package sheet_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
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
	for name, bad := range map[string][]byte{"nothing": nil, "no package": []byte(`{"format":"zip"}`), "cut off": data[:len(data)/2], "another kind": []byte(`{"format":"schulwart-template-0"}`)} {
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

func TestAPackageThatIsTooNewOrTooLongSaysSo(t *testing.T) {
	for want, bad := range map[error][]byte{
		sheet.ErrTooNew:  []byte(`{"format":"schulwart-template-2","key":"AA==","layers":[]}`),
		sheet.ErrTooLong: bytes.Repeat([]byte(" "), 50<<20),
	} {
		if _, _, err := sheet.Unpack(bad); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
}

// The signature says from whom it is, not that it makes sense.
func TestWhatATemplateMayNotSay(t *testing.T) {
	var bomb strings.Builder
	bomb.WriteString("a0: &a0 [x, x]\n")
	for i := 1; i < 30; i++ {
		fmt.Fprintf(&bomb, "a%d: &a%d [*a%d, *a%d]\n", i, i, i-1, i-1)
	}
	bomb.WriteString("policies: {webfilter: {deny: *a29}}\n")
	for key, content := range map[string]string{
		"sheet.template_exceptions 2": "exceptions:\n- {family: usb-storage, field: access, value: allowed, owner: a@b.de, reason: x, until: 2030-01-01}\n",
		"sheet.template_secret 2":     "policies:\n  wifi: {networks: [{name: Schule, security: wpa2, password: geheim123}]}\n",
		"sheet.too_new 2":             "# later\nschema: 2\npolicies: {holograms: {depth: 3}}\n",
		"sheet.unknown_family 1":      "policies: {holograms: {depth: 3}}\n",
		"policy.unknown_field 1":      bomb.String(),
	} {
		one := primary
		one.Sheet = content
		_, faults := one.Read()
		if len(faults) == 0 || fmt.Sprint(faults[0].Key, " ", faults[0].Line) != key {
			t.Errorf("want %s, got %+v", key, faults)
		}
	}
	kept := primary
	kept.Sheet = "policies:\n  wifi:\n    networks:\n    - name: Schule\n      security: wpa2\n      password: !kept\n"
	if _, faults := kept.Read(); len(faults) > 0 {
		t.Errorf("a secret that stays: %+v", faults)
	}
}

func TestPeopleCompareFingerprints(t *testing.T) {
	key, ok := publisher.Public().(ed25519.PublicKey)
	if !ok {
		t.Fatal("no key")
	}
	print := sheet.Fingerprint(key)
	if len(print) != 39 || !sheet.SameFingerprint(key, " "+strings.ToUpper(strings.ReplaceAll(print, " ", ":"))) || sheet.SameFingerprint(key, print[:38]+"x") || sheet.SameFingerprint(key, "") {
		t.Errorf("%q", print)
	}
	if again, err := sheet.ReadKey(sheet.WriteKey(key) + "\n"); err != nil || !again.Equal(key) {
		t.Errorf("%v %v", again, err)
	}
	if _, err := sheet.ReadKey("schulwart-key:AAAA"); err == nil {
		t.Error("a key of three bytes was read")
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
