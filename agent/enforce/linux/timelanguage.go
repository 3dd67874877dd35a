package linux

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
)

// timeLanguage sets the clock's zone and servers, and the language and keyboard
// that a session begins with.
var timeLanguage = Family{
	Of: catalog.TimeLanguage,
	Possible: func(d *Doors, s catalog.Settings) *ddm.Reason {
		if zone := s.Text("zone"); zone != "" {
			if _, err := d.Tree.Status(zoneDir + zone); err != nil {
				return reason("time.no-zone", "name", zone)
			}
		}
		if language := s.Text("language"); language != "" {
			if _, err := d.Tree.Status("/usr/share/i18n/locales/" + localeOf(language)); err != nil {
				return reason("time.no-language", "name", language)
			}
			return missing(d, "localedef", "locale")
		}
		return nil
	},
	Files: timeLanguageFiles,
	Apply: func(ctx context.Context, d *Doors, s catalog.Settings) error {
		if err := makeLocale(ctx, d, s); err != nil {
			return err
		}
		if err := setClock(ctx, d, s); err != nil {
			return err
		}
		if d.Commands.Has("dconf") {
			return dconfApply(ctx, d)
		}
		return nil
	},
	Look: timeLanguageLook,
}

const (
	zoneDir      = "/usr/share/zoneinfo/"
	timesyncFile = "/etc/systemd/timesyncd.conf.d/zz-schulwart.conf"
	localeFile   = "/etc/default/locale"
	keyboardFile = "/etc/default/keyboard"
)

// localeOf names a language as the C library does: "de_DE"; a language without a
// country gets the one that it is first spoken in.
func localeOf(language string) string {
	name := strings.ReplaceAll(language, "-", "_")
	if strings.Contains(name, "_") {
		return name
	}
	country := map[string]string{"en": "US", "uk": "UA", "ar": "EG", "fa": "IR", "cs": "CZ", "da": "DK", "el": "GR", "sv": "SE", "sq": "AL", "ku": "TR"}[name]
	if country == "" {
		country = strings.ToUpper(name)
	}
	return name + "_" + country
}

func timeLanguageFiles(s catalog.Settings, before Before) (map[string]File, error) {
	files := map[string]File{}
	if zone := s.Text("zone"); zone != "" {
		files["/etc/localtime"] = File{Link: zoneDir + zone}
		files["/etc/timezone"] = File{Data: []byte(zone + "\n")}
	}
	if servers := timeServers(s); servers != "" {
		files[timesyncFile] = File{Data: []byte("[Time]\nNTP=" + servers + "\n")}
	}
	if language := s.Text("language"); language != "" {
		files[localeFile] = File{Data: []byte("LANG=" + localeOf(language) + ".UTF-8\n")}
	}
	if keyboard := s.Text("keyboard"); keyboard != "" {
		old, err := before(keyboardFile)
		if err != nil {
			return nil, err
		}
		layout, variant, _ := strings.Cut(keyboard, "+")
		files[keyboardFile] = File{Data: shellWith(old, map[string]string{"XKBLAYOUT": layout, "XKBVARIANT": variant})}
		for path, file := range dconfFiles("time-language", keyboardKeys(s)) {
			files[path] = file
		}
	}
	return files, nil
}

func timeServers(s catalog.Settings) string {
	servers := slices.Clone(s.List("servers"))
	for i, server := range servers {
		servers[i] = strings.TrimPrefix(server, "=")
	}
	return strings.Join(servers, " ")
}

func keyboardKeys(s catalog.Settings) []dconfKey {
	keyboard := s.Text("keyboard")
	if keyboard == "" {
		return nil
	}
	return []dconfKey{{path: "/org/gnome/desktop/input-sources/sources", value: "[('xkb', " + dconfText(keyboard) + ")]"}}
}

// shellWith returns a file of assignments in which some have a value of ours.
func shellWith(before []byte, values map[string]string) []byte {
	var out []string
	for line := range strings.Lines(string(before)) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), "=")
		if _, ours := values[name]; !ours {
			out = append(out, strings.TrimRight(line, "\n"))
		}
	}
	for _, name := range sorted(values) {
		out = append(out, name+`="`+values[name]+`"`)
	}
	return []byte(strings.Join(out, "\n") + "\n")
}

// kept of this family: what it did to the system that is no file.
type timeLanguageKept struct {
	Locales []string `json:"locales,omitempty"` // that we made
	Clock   bool     `json:"clock,omitempty"`   // that we let the clock set itself
}

const timeLanguageKeptName = "time-language.json"

func changeKept(d *Doors, change func(*timeLanguageKept) error) error {
	var kept timeLanguageKept
	data, err := d.Files.Read(timeLanguageKeptName)
	if err == nil {
		err = json.Unmarshal(data, &kept)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading what was made: %w", err)
	}
	failed := change(&kept)
	if data, err = json.Marshal(kept); err == nil {
		err = d.Files.Write(timeLanguageKeptName, data)
	}
	return errors.Join(failed, err)
}

// makeLocale compiles a language that the system has only as a text, and removes
// those that we made for nobody.
func makeLocale(ctx context.Context, d *Doors, s catalog.Settings) error {
	wanted := ""
	if language := s.Text("language"); language != "" {
		wanted = localeOf(language)
	}
	return changeKept(d, func(kept *timeLanguageKept) error {
		for _, name := range slices.Clone(kept.Locales) {
			if name == wanted {
				continue
			}
			_, _ = d.Commands.Run(ctx, host.Command{Name: "localedef", Args: []string{"--delete-from-archive", name + ".utf8"}})
			kept.Locales = slices.DeleteFunc(kept.Locales, func(other string) bool { return other == name })
		}
		if wanted == "" || hasLocale(ctx, d, wanted) {
			return nil
		}
		if !slices.Contains(kept.Locales, wanted) {
			kept.Locales = append(kept.Locales, wanted)
		}
		_, err := d.Commands.Run(ctx, host.Command{Name: "localedef", Args: []string{"-i", wanted, "-f", "UTF-8", wanted + ".UTF-8"}})
		return err
	})
}

func hasLocale(ctx context.Context, d *Doors, name string) bool {
	out, err := d.Commands.Run(ctx, host.Command{Name: "locale", Args: []string{"-a"}})
	return err == nil && slices.Contains(strings.Fields(string(out)), name+".utf8")
}

// setClock lets the clock set itself; taken back, it is as it was before us.
func setClock(ctx context.Context, d *Doors, s catalog.Settings) error {
	if !booted(d) {
		return nil
	}
	return changeKept(d, func(kept *timeLanguageKept) error {
		on := s.On("automatic-time")
		if by := clockSetsItself(ctx, d); on && !by || !on && kept.Clock {
			if _, err := d.Commands.Run(ctx, host.Command{Name: "timedatectl", Args: []string{"set-ntp", fmt.Sprint(on)}}); err != nil {
				return err
			}
			kept.Clock = on
		}
		if _, err := d.Commands.Run(ctx, host.Command{Name: "systemctl", Args: []string{"try-restart", "systemd-timesyncd.service"}}); err != nil {
			return err
		}
		return nil
	})
}

func clockSetsItself(ctx context.Context, d *Doors) bool {
	out, err := d.Commands.Run(ctx, host.Command{Name: "timedatectl", Args: []string{"show", "--property=NTP", "--value"}})
	return err == nil && strings.TrimSpace(string(out)) == "yes"
}

func timeLanguageLook(ctx context.Context, d *Doors, s catalog.Settings) *enforce.Reading {
	if language := s.Text("language"); language != "" && !hasLocale(ctx, d, localeOf(language)) {
		return differs("family.other-value", "what", "locale", "value", "")
	}
	if s.On("automatic-time") && booted(d) && !clockSetsItself(ctx, d) {
		return differs("time.by-hand")
	}
	if servers := timeServers(s); servers != "" {
		if found := configLook(ctx, d, "systemd/timesyncd.conf", map[string]string{"NTP": servers}); found != nil {
			return found
		}
	}
	if d.Commands.Has("dconf") {
		return dconfLook(ctx, d, keyboardKeys(s))
	}
	return nil
}
