package e2e

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"schulwart.org/server/app"
	"schulwart.org/server/config"
)

// Policies as files, as a job of continuous integration keeps them: through the
// program interface, with a folder, from a difference to none.
func TestPoliciesAreKeptAsFiles(t *testing.T) {
	h := newHouse(t)
	dir := t.TempDir()
	command := &config.SheetsCommand{Dir: dir, Server: h.config.PublicURL, Token: h.as(schoolAdm).token, Authority: h.school.Authority.String(), School: h.school.School.String(), Lang: "en"}
	run := func(do func(context.Context, *config.SheetsCommand, app.Terminal) error) (string, error) {
		var out bytes.Buffer
		err := do(context.Background(), command, app.Terminal{Out: &out})
		return out.String(), err
	}
	write := func(name, content string) {
		t.Helper()
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	const school = "# what our school adds\nplace: {authority: Stadt Musterhausen, school: Goethe-Gymnasium}\npolicies:\n  webfilter:\n    deny: [hass.example]\n"
	write("school.yaml", school)

	out, err := run(app.PlanTree)
	if !errors.Is(err, app.ErrChanges) || !strings.Contains(out, "Goethe-Gymnasium\n  + webfilter.deny: [\"hass.example\"]") {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err = run(app.ApplyTree); err != nil || !strings.Contains(out, "1 changed") {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err = run(app.PlanTree); err != nil || out != "Nothing to change.\n" {
		t.Fatalf("%v\n%s", err, out)
	}

	write("school.yaml", strings.Replace(school, "hass.example", "10.0.0.1", 1))
	if out, err = run(app.ApplyTree); err == nil || !strings.Contains(out, "school.yaml:5: policies.webfilter.deny.1: ") {
		t.Fatalf("%v\n%s", err, out)
	}
	write("school.yaml", "# what our school adds\nplace: {authority: Stadt Musterhausen, school: Goethe-Gymnasium}\n")
	if out, err = run(app.Export); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	kept := made(os.ReadFile(filepath.Join(dir, "school.yaml")))(t)
	if !bytes.Contains(kept, []byte("# what our school adds")) || !bytes.Contains(kept, []byte("hass.example")) {
		t.Errorf("exported over:\n%s", kept)
	}
	if schema := made(os.ReadFile(filepath.Join(dir, "schema.json")))(t); !bytes.Contains(schema, []byte(`"webfilter"`)) {
		t.Errorf("no schema for editors:\n%s", schema)
	}
	// A file of fifty megabytes is named, and stops the rest.
	write("long.yaml", strings.Repeat("# long\n", 7<<20))
	if out, err = run(app.PlanTree); err == nil || !strings.Contains(out, "long.yaml:1: ") {
		t.Errorf("fifty megabytes: %v\n%s", err, out)
	}
	must(t, os.Remove(filepath.Join(dir, "long.yaml")))
	// A second document in a file does not count in silence, nor does a file with a
	// large ending go unread: with --whole that would be a deletion.
	write("Second.YAML", "place: {authority: Stadt Musterhausen}\n---\nplace: {}\n")
	if out, err = run(app.PlanTree); err == nil || !strings.Contains(out, "Second.YAML:2: ") {
		t.Errorf("a second document: %v\n%s", err, out)
	}
	must(t, os.Remove(filepath.Join(dir, "Second.YAML")))
	// Without a place, it is the token's own.
	command.Authority, command.School = "", ""
	if out, err = run(app.PlanTree); err != nil || out != "Nothing to change.\n" {
		t.Errorf("without a place: %v\n%s", err, out)
	}
	command.Token = h.as(oert).token
	if out, err = run(app.PlanTree); err == nil || errors.Is(err, app.ErrChanges) {
		t.Errorf("a teacher plans a school's policies: %v\n%s", err, out)
	}
}
