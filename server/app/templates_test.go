package app_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"schulwart.org/policies/sheet"
	"schulwart.org/server/app"
	"schulwart.org/server/config"
)

// A key is made once, a sheet is signed with it, and somebody else reads what it
// says; a byte that changed on the way shows.
func TestATemplateIsPackedAndInspected(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(at(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var first, second, out bytes.Buffer
	for _, printed := range []*bytes.Buffer{&first, &second} {
		if err := app.TemplateKey(&config.TemplateKey{File: at("key")}, app.Terminal{Out: printed}); err != nil {
			t.Fatal(err)
		}
	}
	if first.String() != second.String() || !strings.Contains(first.String(), "schulwart-key:") {
		t.Errorf("the key is another the second time:\n%s%s", &first, &second)
	}
	if info, err := os.Stat(at("key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	write("bad.yaml", "policies:\n  usb-storage:\n    access: maybe\n")
	write("good.yaml", "# why\npolicies:\n  usb-storage:\n    access: blocked\n")
	pack := config.TemplatePack{Sheet: at("bad.yaml"), Key: at("key"), Name: "grundschule", Title: "Grundschule", Revision: 2, Publisher: "Medienzentrum", Out: at("package"), Lang: "en"}
	if err := app.TemplatePack(&pack, app.Terminal{Out: &out}); err == nil || !strings.Contains(out.String(), "bad.yaml:3: policies.usb-storage.access:") {
		t.Errorf("%v\n%s", err, &out)
	}
	if _, err := os.Stat(at("package")); err == nil {
		t.Error("a sheet with faults was packed")
	}
	pack.Sheet = at("good.yaml")
	if err := app.TemplatePack(&pack, app.Terminal{Out: &out}); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	if err := app.TemplateInspect(&config.TemplateInspect{File: at("package"), Lang: "en"}, app.Terminal{Out: &out}); err != nil || !strings.Contains(out.String(), "version 2") || !strings.Contains(out.String(), `usb-storage: {"access":"blocked"}`) {
		t.Errorf("%v\n%s", err, &out)
	}
	data, err := os.ReadFile(at("package"))
	if err != nil {
		t.Fatal(err)
	}
	write("tampered", strings.Replace(string(data), `"template": "e`, `"template": "f`, 1))
	if err := app.TemplateInspect(&config.TemplateInspect{File: at("tampered"), Lang: "en"}, app.Terminal{Out: &out}); err == nil || !strings.Contains(err.Error(), sheet.ErrSignature.Error()) {
		t.Errorf("tampered: %v", err)
	}
	write("huge", strings.Repeat("x", 5<<20))
	if err := app.TemplateInspect(&config.TemplateInspect{File: at("huge"), Lang: "en"}, app.Terminal{Out: &out}); err == nil {
		t.Error("five megabytes were read")
	}
}
