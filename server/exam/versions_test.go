package exam_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/presets"
	"schulwart.org/server/exam"
	"schulwart.org/server/store/storetest"
)

// tells lets a laptop say what it is and has.
func (l *laptop) tells(system string, programs map[string]string) {
	l.h.t.Helper()
	facts, err := json.Marshal(ddm.Facts{OSVersion: system})
	l.h.must(err)
	said := []byte{}
	if programs != nil {
		said, err = json.Marshal(programs)
		l.h.must(err)
	}
	storetest.Exec(l.h.t, l.h.store, `UPDATE device_states SET facts = $1, programs = $2 WHERE device = $3`, string(facts), string(said), l.id)
}

// blockers are what the list of readiness says of a laptop, "!" before what stops it.
func (h *house) blockers(e exam.Exam, l *laptop) (all []string) {
	h.t.Helper()
	_, ready, err := h.Readiness(h.t.Context(), h.oert, e.ID)
	h.must(err)
	for _, one := range ready {
		for _, b := range one.Blockers {
			if one.Device == l.id && b.Key != "no_codes" {
				text := b.Key
				for _, name := range []string{"app", "is", "least", "system"} {
					if value := b.Args[name]; value != "" {
						text += " " + value
					}
				}
				if b.Stops {
					text = "!" + text
				}
				all = append(all, text)
			}
		}
	}
	return all
}

func TestReadinessNamesWhatIsTooOld(t *testing.T) {
	h := build(t, storetest.Open(t), 5)
	plan := h.plan()
	plan.Rules.Apps = presets.Apps([]string{"writer", "geogebra"})
	plan.Rules.Exam.Versions = map[string]string{"LibreOffice Writer": " 7.4 ", "org.geogebra.GeoGebra": "6.0", "Chromium": "120", "gimp": ""}
	e, err := h.Create(t.Context(), h.oert, plan)
	h.must(err)
	if got := e.Rules.Exam.Versions; len(got) != 3 || got["writer"] != "7.4" || got["geogebra"] != "6.0" || got["chromium"] != "120" {
		t.Errorf("kept as %v", got)
	}
	fresh := map[string]string{"libreoffice-writer": "4:7.4.7-1+deb12u8", "org.geogebra.GeoGebra": "6.0.848", "chromium": "141.0.7390.54-1~deb12u1"}
	h.laptops[0].tells("Debian GNU/Linux 12 (bookworm)", fresh)
	h.laptops[1].tells("Debian GNU/Linux 11 (bullseye)", map[string]string{"libreoffice-writer": "1:7.0.4-4+deb11u10", "chromium": "109.0.5414.119-1~deb11u1"})
	h.laptops[2].tells("", nil) // an older agent
	h.laptops[3].tells("Something of its own", map[string]string{"firefox-esr": "140.4.0esr-1", "libreoffice-writer": "1:7.0.4-4", "org.libreoffice.LibreOffice.writer": "24.8.2.1"})
	h.laptops[4].tells("Debian GNU/Linux 12 (bookworm)", map[string]string{})
	h.to(bell.Add(-2 * time.Hour))
	h.to(bell.Add(-time.Hour))
	for i, want := range [][]string{
		nil,
		{"!app_old Chromium 109.0.5414.119 120", "!app_old LibreOffice Writer 7.0.4 7.4", "system_old Debian GNU/Linux 11 (bullseye)"},
		{"app_unknown"},
		nil, // the page is shown by Firefox, and of two packagings the newer one is there
		nil, // what is missing the dry run says
	} {
		if got := h.blockers(e, h.laptops[i]); !slices.Equal(got, want) {
			t.Errorf("laptop %d: %q, want %q", i, got, want)
		}
	}
	again, err := h.Copy(t.Context(), h.oert, e.ID)
	if err != nil || again.Rules.Exam.Versions["writer"] != "7.4" {
		t.Errorf("a copy wants %v, %v", again.Rules.Exam.Versions, err)
	}
}

func TestVersionsThatCannotBeWanted(t *testing.T) {
	h := build(t, storetest.Open(t), 1)
	for key, versions := range map[string]map[string]string{
		"exam.bad_version": {"writer": "neueste"}, "exam.version_unused": {"gimp": "2.10"},
	} {
		plan := h.plan()
		plan.Rules.Apps, plan.Rules.Exam.Versions = presets.Apps([]string{"writer"}), versions
		_, err := h.Create(t.Context(), h.oert, plan)
		h.refused(err, key)
	}
	plan := h.plan()
	plan.Rules.Exam = &lease.Examination{Versions: map[string]string{"firefox": "115"}}
	plan.Rules.Apps = []string{"thonny"}
	_, err := h.Create(t.Context(), h.oert, plan)
	h.refused(err, "exam.version_unused") // without a page there is no browser
}

// Seen on every laptop with Debian: an examination with LibreOffice Writer said that
// Writer is missing, because Flatpak's id of it was not there.
func TestAProgramThatIsThereUnderAnotherNameIsNotMissing(t *testing.T) {
	h := build(t, storetest.Open(t), 1)
	l := h.laptops[0]
	plan := h.plan()
	plan.Rules.Apps = presets.Apps([]string{"writer", "firefox", "geogebra"})
	e, err := h.Create(t.Context(), h.oert, plan)
	h.must(err)
	l.tells("", map[string]string{})
	h.to(bell.Add(-2 * time.Hour))
	missing := func(ids ...string) {
		l.dry = []ddm.Part{{Name: "apps", State: ddm.PartDeviating, Reason: &ddm.Reason{Code: "app-missing", Details: map[string]string{"app": "X", "ids": strings.Join(ids, " ")}}}}
		h.sync()
	}
	missing("org.libreoffice.LibreOffice.writer", "firefox", "org.mozilla.firefox", "org.mozilla.ios.Firefox")
	if got := h.blockers(e, l); len(got) != 0 {
		t.Errorf("Writer is libreoffice-writer, Firefox is firefox-esr: %q", got)
	}
	missing(slices.DeleteFunc(slices.Clone(plan.Rules.Apps), func(id string) bool { return id == "firefox-esr" })...)
	if got := h.blockers(e, l); !slices.Equal(got, []string{"!app_missing GeoGebra, LibreOffice Writer"}) {
		t.Errorf("two are missing: %q", got)
	}
}
