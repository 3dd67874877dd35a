package exam

import (
	"maps"
	"slices"
	"strings"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/presets"
	"schulwart.org/policies/version"
	"schulwart.org/server/errs"
)

// browsers are the programs of which one shows the page of an examination, by their
// keys among presets.Programs.
var browsers = []string{"chromium", "firefox"}

// leastVersions checks which versions rules want, and names the programs by their
// keys. It is an Invalid fault of the field "versions" for what is no version, and
// for a program that the examination does not use.
func leastVersions(apps []string, exam lease.Examination) (map[string]string, error) {
	least := map[string]string{}
	for _, text := range slices.Sorted(maps.Keys(exam.Versions)) {
		key, wanted := presets.Key(strings.TrimSpace(text)), strings.TrimSpace(exam.Versions[text])
		switch {
		case wanted == "":
		case !version.Valid(wanted):
			return exam.Versions, errs.E(errs.Invalid, "exam.bad_version", "version", clip(wanted, 60)).In("versions")
		case !uses(apps, exam, key):
			return exam.Versions, errs.E(errs.Invalid, "exam.version_unused", "program", clip(programName(key), 60)).In("versions")
		default:
			least[key] = wanted
		}
	}
	if len(least) == 0 {
		return nil, nil
	}
	return least, nil
}

// uses reports whether an examination needs a program: it may be started, or is a
// browser that may show the page.
func uses(apps []string, exam lease.Examination, key string) bool {
	return len(idsOf(apps, key)) > 0 || exam.Page != "" && slices.Contains(browsers, key)
}

// idsOf are those of the ids that stand for the program.
func idsOf(apps []string, key string) []string {
	return slices.DeleteFunc(slices.Clone(apps), func(id string) bool { return presets.Key(id) != key })
}

func programName(key string) string {
	return strings.Join(presets.Names(presets.Apps([]string{key})), ", ")
}

// programs looks at the versions of what the examination needs, as the device told
// them. What is missing the dry run on the device says.
func programs(rules lease.Rules, facts Facts, line *Line, add func(bool, string, ...string)) {
	if rules.Exam == nil || len(rules.Exam.Versions) == 0 || line == nil || !line.Armed && !line.Active {
		return
	}
	if facts.Programs == nil {
		add(false, "app_unknown")
		return
	}
	for _, key := range slices.Sorted(maps.Keys(rules.Exam.Versions)) {
		least := rules.Exam.Versions[key]
		if is := newest(facts.Programs, presets.Apps([]string{key})); is != "" && version.Older(is, least) {
			add(true, "app_old", "app", programName(key), "is", version.Plain(is), "least", least)
		}
	}
}

// newest is the latest version that is there under any of the ids; empty if none is.
func newest(there map[string]string, ids []string) (latest string) {
	for _, id := range ids {
		if is := there[id]; is != "" && (latest == "" || version.Older(latest, is)) {
			latest = is
		}
	}
	return latest
}

// system looks at whether faults of the operating system are still mended.
func system(name string, now time.Time, add func(bool, string, ...string)) {
	if until, known := version.SystemUntil(name); known && !now.Before(until) {
		add(false, "system_old", "system", name, "until", until.AddDate(0, 0, -1).UTC().Format(time.DateOnly))
	}
}

// present takes from what a dry run found missing the ids of programs that are there
// under another one: Debian calls libreoffice-writer what Flatpak calls
// org.libreoffice.LibreOffice.writer. The zero Trouble says that nothing is missing.
func present(found Trouble, apps []string) Trouble {
	if found.Key != "app_missing" || found.Args["ids"] == "" {
		return found
	}
	ids := strings.Fields(found.Args["ids"])
	var missing []string
	for _, id := range ids {
		key := presets.Key(id)
		if !slices.ContainsFunc(idsOf(apps, key), func(other string) bool { return !slices.Contains(ids, other) }) {
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		return Trouble{}
	}
	found.Args = map[string]string{"app": strings.Join(presets.Names(missing), ", ")}
	return found
}
