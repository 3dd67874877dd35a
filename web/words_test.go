package web

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"schulwart.org/scripts/need"
)

// sources returns the text of every component and every hand-written file.
func sources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, pattern := range []string{"*.templ", "*.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_templ.go") || strings.HasSuffix(name, "_test.go") {
				continue
			}
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(data)
		}
	}
	return all.String()
}

// families are the prefixes below which other rooms, or a value of ours, choose
// the key. Whether such a key is used cannot be read off the source.
var families = []string{
	"audit", "cause", "certificate", "check", "command", "error", "event", "fact", "flash", "look", "mend", "reason", "rule", "say",
	"sees", "sees_not", "step", "todo", "undo", "value", "why", "word", "demo.story", "demo.do", "propose.why", "number", "pupil",
	"state", "part", "nav", "role", "mode", "group.kind", "board.all", "platform", "import", "setup", "tokens.state", "tokens.hours",
	"modeform.start", "devices.state", "devices.group", "devices.school", "devices.seen", "tokens.target", "groups.person", "people.place",
	"schools.authority", "language", "made", "rule.state",
	// The console says these by itself: in messages, and for places and things that exist nowhere else.
	"mail", "place", "preset", "rehearsal",
	// What rooms, devices and rules say of examinations.
	"exam.state", "exam.standing", "exam.reason", "exam.record", "exam.blocker", "exam.remedy", "exam.now", "exam.explain", "exam.open", "exam.aid", "exam.calculator.kind", "exam.preset", "exam.import.field", "exam.lost.cause", "exam.import.kind", "exam.work", "exam.left",
	// The catalogue names families, fields and choices; server/console checks that each has words.
	// Made from the catalogue's names, and from what the room of the standard says.
	"policy", "policies.sub", "policies.headline", "setting.state", "draft.state", "draft.step", "exceptions.within", "exceptions.show", "exceptions.owner", "exceptions.asked", "draft.from", "take.from",
	// What a rollout and its form can be; the values come from the room and the console.
	"app.kind", "rollout.state", "rollout.now", "rollout.text", "rollout.outcome", "rollout.filter", "rollout.do", "rollout.rings", "rollout.sharing", "rollout.window", "rollout.ring.state", "rollout.first", "rollout.target", "rollout.step",
	// What days and entries of a calendar can be; Länder and holidays come from policies/rollout.
	"calendar.sub", "calendar.kind", "calendar.fault", "calendar.name.hint", "holiday", "land",
	// How far a pick is, for whom an app is, what the school said: values of the room.
	"shelf.state", "shelf.for", "shelf.answer", "shelf.group", "shelf.ask",
}

func inFamily(key string) bool {
	return slices.ContainsFunc(families, func(family string) bool { return strings.HasPrefix(key, family+".") })
}

func TestEveryKeyInUseHasWords(t *testing.T) {
	used := regexp.MustCompile(`\bT\((?:lang, )?"([a-z0-9_.]+)"[,)]`).FindAllStringSubmatch(sources(t), -1)
	if len(used) < 300 {
		t.Fatalf("found only %d keys in the sources; has the way of asking changed?", len(used))
	}
	for _, lang := range Languages() {
		for _, match := range used {
			if !Knows(lang, match[1]) {
				t.Errorf("%s: no words for %q", lang, match[1])
			}
		}
	}
}

func TestNoWordsWithoutUse(t *testing.T) {
	text := sources(t)
	for _, key := range Keys("de") {
		if !inFamily(key) && !strings.Contains(text, `"`+key+`"`) {
			t.Errorf("%q is used nowhere", key)
		}
	}
}

func TestBothLanguagesSayTheSame(t *testing.T) {
	if de, en := Keys("de"), Keys("en"); !slices.Equal(de, en) {
		for _, key := range de {
			if !Knows("en", key) {
				t.Errorf("en: no words for %q", key)
			}
		}
		for _, key := range en {
			if !Knows("de", key) {
				t.Errorf("de: no words for %q", key)
			}
		}
	}
	names := regexp.MustCompile(`\{[a-z_]+\}`)
	for _, key := range Keys("de") {
		de, en := catalogue["de"][key], catalogue["en"][key]
		if (de.One == "") != (en.One == "") || (de.Zero == "") != (en.Zero == "") {
			t.Errorf("%s: the languages have different forms", key)
		}
		a, b := names.FindAllString(de.Other, -1), names.FindAllString(en.Other, -1)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(slices.Compact(a), slices.Compact(b)) {
			t.Errorf("%s: arguments differ: %v, %v", key, a, b)
		}
	}
}

func TestPlural(t *testing.T) {
	for _, c := range []struct {
		lang  string
		count int
		want  string
	}{
		{"de", 0, "Keine Geräte"}, {"de", 1, "1 Gerät"}, {"de", 24, "24 Geräte"}, {"de", 12840, "12.840 Geräte"},
		{"en", 0, "No devices"}, {"en", 1, "1 device"}, {"en", 12840, "12,840 devices"},
	} {
		if got := T(c.lang, "board.devices", "count", c.count); got != c.want {
			t.Errorf("%s, %d: %q, want %q", c.lang, c.count, got, c.want)
		}
	}
}

func TestFaultNeverShowsAKey(t *testing.T) {
	if got := Fault("de", "mode.too_long", map[string]any{"minutes": 90}); !strings.Contains(got, "90 Minuten") {
		t.Errorf("known fault: %q", got)
	}
	if got := Fault("en", "no.such.key", nil); got != T("en", "error.unknown") {
		t.Errorf("unknown fault: %q", got)
	}
}

func TestArgumentsAreSpoken(t *testing.T) {
	berlin := need.Zone(t, "Europe/Berlin")
	f := Frame{Lang: "de", Location: berlin, Now: time.Date(2026, 11, 16, 9, 0, 0, 0, time.UTC)}
	got := f.Say("say", Sentence{Key: "mode", Args: map[string]any{"name": "MS-0388", "by": "Frau Oert", "kind": "offline", "until": "2026-11-16T09:35:00Z"}})
	if want := "Auf MS-0388 gilt bis 10:35 „Internet aus“ von Frau Oert. Danach ist von selbst alles wie vorher."; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestASalutationIsBentAsGermanDoes(t *testing.T) {
	for _, c := range []struct{ lang, key, name, want string }{
		{"de", "device.set_by", "Herr Adler", "gestartet von Herrn Adler, 10:00"},
		{"de", "device.set_by", "Frau Oert", "gestartet von Frau Oert, 10:00"},
		{"de", "mode.by", "Herr Adler", "Herr Adler hat das gestartet"},
		{"en", "device.set_by", "Herr Adler", "started by Herr Adler, 10:00"},
	} {
		if got := T(c.lang, c.key, "by", c.name, "at", "10:00"); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// A mode for later was not started yet, whoever planned it.
func TestADeviceTellsWhenAPlannedModeBegins(t *testing.T) {
	f := Frame{Lang: "de", Location: time.UTC, Now: time.Date(2026, 11, 16, 9, 0, 0, 0, time.UTC)}
	mode := DeviceMode{State: StateDelivered, Mode: RunningMode{By: "Herr Adler", Starts: f.Now.Add(time.Hour), Planned: true}}
	if got, want := mode.told(f), "Beginnt von selbst um 10:00 · Herr Adler hat das gestartet"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestInstants(t *testing.T) {
	f := Frame{Lang: "de", Location: time.FixedZone("MEZ", 3600), Now: time.Date(2026, 11, 16, 9, 3, 0, 0, time.UTC)}
	for _, c := range []struct{ got, want string }{
		{f.When(f.Now.Add(-time.Hour)), "09:03"},
		{f.When(f.Now.Add(-24 * time.Hour)), "gestern 10:03"},
		{f.When(f.Now.Add(24 * time.Hour)), "morgen 10:03"},
		{f.When(f.Now.Add(-72 * time.Hour)), "13.11.2026, 10:03"},
		{f.When(time.Time{}), "noch nie"},
		{f.Date(f.Now), "Montag, 16. November"},
		{f.Age(f.Now.Add(-3 * time.Second)), "vor 3 s"},
		{f.Age(f.Now.Add(-22 * time.Minute)), "vor 22 min"},
		{f.Bytes(1_420_000_000), "1,4 GB"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestLocaleFilesAreSorted(t *testing.T) {
	for _, lang := range Languages() {
		data, err := locale.ReadFile("locale/" + lang + ".json")
		if err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(strings.NewReader(string(data)))
		last, depth := "", 0
		for {
			token, err := decoder.Token()
			if err != nil {
				break
			}
			if delim, ok := token.(json.Delim); ok {
				depth += map[json.Delim]int{'{': 1, '}': -1}[delim]
				continue
			}
			key, ok := token.(string)
			if depth != 1 || !ok || !Knows(lang, key) {
				continue
			}
			if key < last {
				t.Fatalf("%s: %q stands after %q", lang, key, last)
			}
			last = key
		}
	}
}
