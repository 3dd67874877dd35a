package linux

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/policies/ddm"
)

// Where dconf looks: a profile names databases, the first one that knows a key
// counts, and a lock in a database of the system stands above everything.
// https://wiki.gnome.org/Projects/dconf/SystemAdministrators
const (
	dconfProfile  = "/etc/dconf/profile/user"
	dconfDatabase = "/etc/dconf/db/schulwart"
	dconfKeys     = dconfDatabase + ".d"
	dconfLocks    = dconfKeys + "/locks"
)

// dconfKey is one key with its value as dconf writes it.
type dconfKey struct {
	path, value string // "/org/gnome/desktop/session/idle-delay", "uint32 600"
	locked      bool   // nobody chooses otherwise
}

func dconfText(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`).Replace(text) + "'"
}

func dconfBool(on bool) string { return strconv.FormatBool(on) }

// dconfFiles are the files of a family in the database.
func dconfFiles(family string, keys []dconfKey) map[string]File {
	if len(keys) == 0 {
		return nil
	}
	groups, locks := map[string][]string{}, []string{}
	for _, key := range keys {
		group := strings.TrimPrefix(path.Dir(key.path), "/")
		groups[group] = append(groups[group], path.Base(key.path)+"="+key.value)
		if key.locked {
			locks = append(locks, key.path)
		}
	}
	var text bytes.Buffer
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		slices.Sort(groups[group])
		fmt.Fprintf(&text, "[%s]\n%s\n\n", group, strings.Join(groups[group], "\n"))
	}
	files := map[string]File{path.Join(dconfKeys, family): {Data: text.Bytes()}}
	if len(locks) > 0 {
		slices.Sort(locks)
		files[path.Join(dconfLocks, family)] = File{Data: []byte(strings.Join(locks, "\n") + "\n")}
	}
	return files
}

// dconfMutex lets families change the database one after the other.
var dconfMutex sync.Mutex

// dconfApply compiles the database, which several families share: it is in the
// profile for as long as one of them says something.
func dconfApply(ctx context.Context, d *Doors) error {
	dconfMutex.Lock()
	defer dconfMutex.Unlock()
	names := slices.DeleteFunc(d.Tree.List(dconfKeys), func(name string) bool { return name == "locks" })
	profile := owned{tree: d.Tree, files: d.Files, name: "dconf.json"}
	if len(names) == 0 {
		if _, err := profile.set(nil); err != nil {
			return err
		}
		// Whoever made these had to leave them to the others.
		_, _ = d.Tree.Remove(dconfLocks), d.Tree.Remove(dconfKeys)
		return d.Tree.Remove(dconfDatabase)
	}
	if err := profile.load(); err != nil {
		return err
	}
	before, err := profile.foreign(dconfProfile)
	if err != nil {
		return err
	}
	if _, err := d.Commands.Run(ctx, host.Command{Name: "dconf", Args: []string{"compile", dconfDatabase, dconfKeys}}); err != nil {
		return err
	}
	_, err = profile.set(map[string]File{dconfProfile: {Data: dconfProfileWith(before)}})
	return err
}

// dconfProfileWith puts our database before those of the system that are named
// already; without a profile, dconf asks the person's own alone.
func dconfProfileWith(before []byte) []byte {
	if len(bytes.TrimSpace(before)) == 0 {
		return []byte("user-db:user\nsystem-db:schulwart\n")
	}
	var lines []string
	placed := false
	for line := range strings.Lines(strings.TrimRight(string(before), "\n") + "\n") {
		if !placed && strings.HasPrefix(line, "system-db:") {
			lines, placed = append(lines, "system-db:schulwart\n"), true
		}
		lines = append(lines, line)
	}
	if !placed {
		lines = append(lines, "system-db:schulwart\n")
	}
	return []byte(strings.Join(lines, ""))
}

// dconfLook asks dconf for each key as somebody who chose nothing.
func dconfLook(ctx context.Context, d *Doors, keys []dconfKey) *enforce.Reading {
	if len(keys) == 0 {
		return nil
	}
	profile, err := d.Tree.Read(dconfProfile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) || !strings.Contains(string(profile), "system-db:schulwart\n") {
		return differs("family.changed", "file", dconfProfile)
	}
	for _, key := range keys {
		out, err := d.Commands.Run(ctx, host.Command{Name: "dconf", Args: []string{"read", key.path}, Env: []string{"HOME=/nonexistent", "XDG_CONFIG_HOME=/nonexistent", "XDG_RUNTIME_DIR=/nonexistent", "DCONF_PROFILE=user"}})
		if err != nil || strings.TrimSpace(string(out)) != key.value {
			return differs("family.other-value", "what", key.path, "value", strings.TrimSpace(string(out)))
		}
	}
	return nil
}

// The desktops whose settings we know.
const (
	gnome = "GNOME"
	kde   = "KDE"
)

// sessionsOf lists the desktops that somebody can sign in to, by name.
func sessionsOf(tree host.Tree) []string {
	var names []string
	for _, dir := range []string{"/usr/share/xsessions", "/usr/share/wayland-sessions"} {
		for _, file := range tree.List(dir) {
			name, ok := strings.CutSuffix(file, ".desktop")
			if !ok {
				continue
			}
			names = append(names, desktopOf(strings.ToLower(name)))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func desktopOf(session string) string {
	switch {
	case strings.HasPrefix(session, "gnome"), strings.HasPrefix(session, "ubuntu"), strings.HasPrefix(session, "budgie"), strings.HasPrefix(session, "pop"):
		return gnome
	case strings.HasPrefix(session, "plasma"), strings.HasPrefix(session, "kde"):
		return kde
	}
	return session
}

// without lists the desktops of the machine that are none of those.
func without(tree host.Tree, known ...string) (left []string, some bool) {
	for _, name := range sessionsOf(tree) {
		if slices.Contains(known, name) {
			some = true
		} else {
			left = append(left, name)
		}
	}
	return left, some
}

// onDesktops says why none of the machine's desktops can do it; nil where one can.
func onDesktops(d *Doors, known ...string) *ddm.Reason {
	left, some := without(d.Tree, known...)
	switch {
	case some:
		return nil
	case len(left) == 0:
		return reason("family.no-desktop")
	}
	return reason("family.desktop", "names", strings.Join(left, ", "))
}

// elsewhere is as wanted, with a word on desktops of the machine on which it has
// no effect.
func elsewhere(d *Doors, known ...string) *enforce.Reading {
	left, _ := without(d.Tree, known...)
	if len(left) == 0 {
		return nil
	}
	r := asWanted()
	r.Reason = reason("family.desktop", "names", strings.Join(left, ", "))
	return &r
}

// booted reports whether systemd runs the machine, so that services can be asked.
func booted(d *Doors) bool {
	_, err := d.Tree.Status("/run/systemd/system")
	return err == nil
}

// says reports whether any of the fields is set.
func says(s map[string]any, fields ...string) bool {
	return slices.ContainsFunc(fields, func(field string) bool { _, ok := s[field]; return ok })
}
