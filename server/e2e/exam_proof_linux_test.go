package e2e

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/server/api"
)

// sealed are the lines that a laptop sealed, as the evidence has them.
func sealedOf(records []api.ExamRecordLine, s *seat) map[ddm.Deed][]api.ExamRecordLine {
	lines := map[ddm.Deed][]api.ExamRecordLine{}
	for _, r := range records {
		if deed, is := strings.CutPrefix(r.Key, "deed_"); is && r.Device == s.device {
			lines[ddm.Deed(deed)] = append(lines[ddm.Deed(deed)], r)
		}
	}
	return lines
}

// within fails unless the first line of a deed is not before the instant and at
// most so much after it, in the device's time.
func within(t testing.TB, lines map[ddm.Deed][]api.ExamRecordLine, s *seat, deed ddm.Deed, from time.Time, most time.Duration) {
	t.Helper()
	if len(lines[deed]) == 0 {
		t.Errorf("%s sealed no line %q", s.name, deed)
		return
	}
	late := lines[deed][0].Said.Sub(from)
	t.Logf("%s: %s %v after it was due", s.name, deed, late)
	if late < 0 || late > most {
		t.Errorf("%s: %s %v after it was due", s.name, deed, late)
	}
}

// proves reads the evidence, when every laptop has told all.
func (x *sitting) proves(anna, ben, cem, dana, spare *seat) {
	t := x.t
	var evidence api.ExamEvidence
	of := func(s *seat) map[ddm.Deed][]api.ExamRecordLine { return sealedOf(evidence.Records, s) }
	await(t, "every laptop to have told its end", func() bool {
		x.admin().want(http.StatusOK, "GET", "/api/v1/exams/"+x.id+"/evidence", nil, &evidence)
		for _, s := range []*seat{anna, ben, cem, dana, spare} {
			if len(of(s)[ddm.DeedEnded]) == 0 {
				return false
			}
		}
		return true
	}, func() any { return evidence.Records })
	if !evidence.Whole {
		t.Error("the evidence is broken")
	}
	const startsWithin, endsWithin = time.Second, 2 * time.Second
	for _, s := range []*seat{anna, ben, dana} {
		within(t, of(s), s, ddm.DeedStarted, x.starts, startsWithin)
	}
	// Whoever comes later is in it as soon as the laptop runs.
	if at := of(cem)[ddm.DeedStarted]; len(at) != 1 || at[0].Said.Before(x.starts) || at[0].Said.After(x.ends) {
		t.Errorf("who came late began %+v", at)
	}
	within(t, of(anna), anna, ddm.DeedEnded, x.ends.Add(time.Minute), endsWithin)
	for _, s := range []*seat{cem, dana} {
		within(t, of(s), s, ddm.DeedEnded, x.ends, endsWithin)
	}
	for s, how := range map[*seat]string{anna: "time", ben: "revision", cem: "time", dana: "time", spare: "revision"} {
		if got := of(s)[ddm.DeedEnded]; len(got) != 1 || got[0].Args["how"] != how {
			t.Errorf("the end of %s: %+v", s.name, got)
		}
	}
	if lines := of(anna); len(lines[ddm.DeedRestarted]) != 3 || len(lines[ddm.DeedClock]) == 0 || len(lines[ddm.DeedRefused]) == 0 || len(lines[ddm.DeedBrowser]) == 0 || len(lines[ddm.DeedTries]) == 0 {
		t.Errorf("anna's log does not tell what happened: %v", told(lines))
	}
	if !slices.ContainsFunc(evidence.Records, func(r api.ExamRecordLine) bool {
		return r.Device == anna.device && r.Key == "event" && r.Args["event"] == ddm.EventExamHand
	}) {
		t.Error("nobody heard that anna asked for help")
	}
	if lines := of(dana); len(lines[ddm.DeedOffline]) == 0 || len(lines[ddm.DeedOnline]) == 0 {
		t.Errorf("dana's log does not tell of the server: %v", told(lines))
	}
	// What the kernel let through tells the same.
	tries, opened := anna.look.end()
	for _, at := range opened {
		if at.After(x.starts.Add(startsWithin+500*time.Millisecond)) && at.Before(x.ends.Add(time.Minute-2*time.Second)) {
			t.Errorf("anna got through %v after the start", at.Sub(x.starts))
		}
	}
	if len(opened) == 0 || len(opened) == tries {
		t.Errorf("of %d tries %d got through", tries, len(opened))
	}
	ben.look.end()
}

func told(lines map[ddm.Deed][]api.ExamRecordLine) (list []string) {
	for deed, of := range lines {
		list = append(list, fmt.Sprintf("%s×%d", deed, len(of)))
	}
	return list
}

// picture is every file of the system's settings and of the pupil's home, by its
// content. What programs of the desktop keep for themselves is left out.
func (m *machine) picture() map[string]string {
	m.t.Helper()
	files := map[string]string{}
	for _, dir := range []string{"/etc", "/home/pupil", "/usr/share/applications"} {
		_ = filepath.Walk(m.disk(dir), func(path string, info os.FileInfo, err error) error {
			if err != nil || !info.Mode().IsRegular() {
				return nil
			}
			content, err := os.ReadFile(path)
			if err == nil {
				files[strings.TrimPrefix(path, m.disk("/"))] = fmt.Sprintf("%x", sha256.Sum256(content))
			}
			return nil
		})
	}
	return files
}

// asBefore waits until the machine is what it was before the examination.
func (s *seat) asBefore(desk *examDesk, before map[string]string) {
	s.t.Helper()
	var differs []string
	await(s.t, "every file to be as before", func() bool {
		differs = nil
		now := s.picture()
		for path, sum := range now {
			if before[path] != sum && !strings.Contains(path, "/home/pupil/.") && !strings.Contains(path, "/home/pupil/tried") {
				differs = append(differs, path)
			}
		}
		for path := range before {
			if now[path] == "" {
				differs = append(differs, "without "+path)
			}
		}
		return len(differs) == 0
	}, func() any { return differs })
	// Open programs that were not allowed were asked to close after a minute.
	desk.terminal()
	await(s.t, "the pupil's own program in front", func() bool { return strings.Contains(desk.front(), "erm") }, func() any { return desk.front() })
	desk.types("after")
	await(s.t, "typing to arrive", func() bool { return strings.Contains(desk.typed(), "after") })
	if out := s.sh("ls -A /var/lib/schulwart-exam /run/schulwart/profiles 2>/dev/null || true"); strings.Contains(out, "schulwart-exam-") {
		s.t.Errorf("profiles are left: %s", out)
	}
}
