package linux_test

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"testing"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/enforce/linux"
	"schulwart.org/agent/host"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
)

// What the catalogue says a laptop does has a driver, and no driver does what the
// catalogue does not say.
func TestCatalogueAndDriversSayTheSame(t *testing.T) {
	var drivers []string
	for _, driver := range linux.Families(linux.Doors{}) {
		drivers = append(drivers, string(driver.Part()))
	}
	modes := []catalog.Part{catalog.Network, catalog.Browser}
	for _, family := range catalog.Families {
		claimed := family.Does(org.Linux)
		done := slices.Contains(drivers, family.Name) || slices.Contains(modes, family.Part)
		if claimed != done {
			t.Errorf("%s: the catalogue says %v, and there is a driver: %v", family.Name, claimed, done)
		}
		if family.Part != "" && slices.Contains(drivers, family.Name) {
			t.Errorf("%s is done by %s and by a driver of its own", family.Name, family.Part)
		}
	}
	for _, name := range drivers {
		if _, ok := catalog.Find(name); !ok {
			t.Errorf("%s: a driver for no family", name)
		}
	}
}

// schoolbook is a laptop on which a driver of a family is tried.
type schoolbook struct {
	*host.Fake
	tree     *host.FakeTree
	commands *host.FakeCommands
}

func newSchoolbook() *schoolbook {
	d := &schoolbook{host.NewFake(time.Date(2026, 3, 16, 9, 0, 0, 0, time.UTC)), &host.FakeTree{}, &host.FakeCommands{Answer: map[string]func(host.Command) ([]byte, error){}}}
	d.Advance(time.Hour)
	return d
}

func (d *schoolbook) doors() linux.Doors {
	return linux.Doors{Tree: d.tree, Files: d.Files, Commands: d.commands, Programs: &host.FakePrograms{}, Desktops: &host.FakeDesktops{}, Clock: d}
}

func (d *schoolbook) answers(name, text string) {
	d.commands.Answer[name] = func(host.Command) ([]byte, error) { return []byte(text), nil }
}

// settings reads settings of a family as a declaration brings them.
func settings(t *testing.T, family catalog.Family, raw map[string]any) enforce.Rules {
	t.Helper()
	checked, faults := family.Check(raw)
	if len(faults) > 0 {
		t.Fatalf("settings of %s: %+v", family.Name, faults)
	}
	return enforce.Rules{Base: enforce.Base{family.Name: checked}}
}

// one is a family for these tests alone.
var one = catalog.Family{Name: "one", Fields: []catalog.Field{{Name: "text", Kind: catalog.Text, Form: catalog.Line}}}

func oneFamily(tell func() *enforce.Reading) linux.Family {
	return linux.Family{
		Of: one,
		Files: func(s catalog.Settings, before linux.Before) (map[string]linux.File, error) {
			old, err := before("/etc/one")
			return map[string]linux.File{"/etc/one": {Data: []byte(string(old) + s.Text("text"))}, "/etc/one.secret": {Data: []byte(s.Text("text")), Mode: 0o600}}, err
		},
		Apply: func(ctx context.Context, d *linux.Doors, s catalog.Settings) error {
			_, err := d.Commands.Run(ctx, host.Command{Name: "reload", Args: []string{s.Text("text")}})
			return err
		},
		Look: func(context.Context, *linux.Doors, catalog.Settings) *enforce.Reading { return tell() },
	}
}

func fine() *enforce.Reading { return nil }

func TestAFamilyComesAndGoesWithWhatWasThereBefore(t *testing.T) {
	d := newSchoolbook()
	d.answers("reload", "")
	if _, err := d.tree.Put("/etc/one", []byte("theirs "), host.FileStatus{Mode: 0o640, GID: 7}); err != nil {
		t.Fatal(err)
	}
	driver := linux.NewFamily(oneFamily(fine), d.doors())
	set(t, driver, nothing)
	if ran := d.commands.Ran(); len(ran) > 0 {
		t.Errorf("nothing was wanted, and yet: %v", ran)
	}
	rules := settings(t, one, map[string]any{"text": "ours"})
	set(t, driver, rules)
	set(t, driver, rules)
	if ran := d.commands.Ran(); !slices.Equal(ran, []string{"reload ours"}) {
		t.Errorf("ran %v", ran)
	}
	wantFile(t, d.tree, "/etc/one", "theirs ours", 0o644)
	wantFile(t, d.tree, "/etc/one.secret", "ours", 0o600)
	wantState(t, driver, ddm.PartOK, "")
	// Another process of the agent takes everything back.
	set(t, linux.NewFamily(oneFamily(fine), d.doors()), nothing)
	wantFile(t, d.tree, "/etc/one", "theirs ", 0o640)
	if status, _ := d.tree.Status("/etc/one"); status.GID != 7 {
		t.Errorf("the file belongs to %d now", status.GID)
	}
	if _, err := d.tree.Read("/etc/one.secret"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the secret stays: %v", err)
	}
	if ran := d.commands.Ran(); !slices.Equal(ran, []string{"reload "}) {
		t.Errorf("ran %v", ran)
	}
}

func TestAFileThatSomebodyWroteSinceStaysTheirs(t *testing.T) {
	d := newSchoolbook()
	d.answers("reload", "")
	driver := linux.NewFamily(oneFamily(fine), d.doors())
	set(t, driver, settings(t, one, map[string]any{"text": "ours"}))
	if _, err := d.tree.Write("/etc/one", []byte("an administrator's")); err != nil {
		t.Fatal(err)
	}
	wantState(t, driver, ddm.PartDeviating, "family.changed")
	set(t, driver, nothing)
	wantFile(t, d.tree, "/etc/one", "an administrator's", 0o644)
}

func TestAReloadThatFailsIsTriedAgainAndNothingIsClaimedBefore(t *testing.T) {
	d := newSchoolbook()
	broken := errors.New("not running")
	d.commands.Answer["reload"] = func(host.Command) ([]byte, error) { return nil, broken }
	rules := settings(t, one, map[string]any{"text": "ours"})
	driver := linux.NewFamily(oneFamily(fine), d.doors())
	if err := driver.Set(t.Context(), rules); !errors.Is(err, broken) {
		t.Fatalf("set: %v", err)
	}
	wantState(t, driver, ddm.PartDeviating, "family.unfinished")
	d.answers("reload", "")
	// Also after a restart of the agent, which finds the files as wanted.
	driver = linux.NewFamily(oneFamily(fine), d.doors())
	set(t, driver, rules)
	wantState(t, driver, ddm.PartOK, "")
	if ran := d.commands.Ran(); len(ran) != 2 {
		t.Errorf("ran %v", ran)
	}
}

func TestAnEffectThatIsGoneIsBroughtBack(t *testing.T) {
	d := newSchoolbook()
	gone := false
	d.commands.Answer["reload"] = func(host.Command) ([]byte, error) { gone = false; return nil, nil }
	driver := linux.NewFamily(oneFamily(func() *enforce.Reading {
		if gone {
			return &enforce.Reading{State: ddm.PartDeviating, Reason: &ddm.Reason{Code: "one.gone"}}
		}
		return nil
	}), d.doors())
	rules := settings(t, one, map[string]any{"text": "ours"})
	set(t, driver, rules)
	gone = true
	d.Advance(10 * time.Minute)
	wantState(t, driver, ddm.PartDeviating, "one.gone")
	set(t, driver, rules)
	wantState(t, driver, ddm.PartOK, "")
}

func wantFile(t *testing.T, tree host.Disk, path, content string, mode fs.FileMode) {
	t.Helper()
	data, err := tree.Read(path)
	if err != nil || string(data) != content {
		t.Errorf("%s is %q (%v), want %q", path, data, err, content)
	}
	if status, err := tree.Status(path); err != nil || status.Mode != mode {
		t.Errorf("%s has mode %o (%v), want %o", path, status.Mode, err, mode)
	}
}
