package lesson_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/lesson"
	"schulwart.org/server/may"
)

func request(kind lease.Kind) lesson.Request {
	r := lesson.Request{Group: class.Group, Kind: kind}
	switch kind {
	case lease.Sites:
		r.Sites = []string{"https://www.geogebra.org/classic?lang=de"}
	case lease.Focus:
		r.Apps = []string{"org.geogebra.GeoGebra"}
	}
	return r
}

func TestStart(t *testing.T) {
	s := lessons(t)
	r := request(lease.Sites)
	r.Minutes, r.Message, r.Reason = 30, "  Nur GeoGebra.  ", "Mathematik"
	mode, err := s.Start(ctx, oert, r)
	if err != nil {
		t.Fatal(err)
	}
	if mode.Kind != lease.Sites || !mode.Starts.Equal(bell) || !mode.Ends.Equal(bell.Add(30*time.Minute)) || mode.Branch != class || mode.ByName != "Frau Oert" || mode.Staff != "oert" {
		t.Errorf("%+v", mode)
	}
	if !slices.Equal(mode.Rules.Sites, []string{"www.geogebra.org"}) || mode.Rules.Message != "Nur GeoGebra." {
		t.Errorf("rules: %+v", mode.Rules)
	}
	if len(s.leases) != 3 {
		t.Fatalf("%d leases for three devices", len(s.leases))
	}
	l := s.of(t, "laptop-2")
	if l.Rev != 1 || l.Enrolment != "e-laptop-2" || l.Mode != mode.ID || l.ID == mode.ID || !l.Ends.Equal(mode.Ends) || !l.KeepUntil.After(l.Ends) || l.Branch != north {
		t.Errorf("lease: %+v", l)
	}
	content := l.Signed("schulwart.example")
	if content.Subject != "e-laptop-2" || content.ID != l.ID.String() || content.By != "Frau Oert" || !content.Holds(bell) || content.Holds(mode.Ends) {
		t.Errorf("what is signed: %+v", content)
	}
	if s.woken != 1 || len(s.told) != 3 || !slices.Equal(s.audit, []string{"oert start 3"}) {
		t.Errorf("woken %d, told %v, audit %v", s.woken, s.told, s.audit)
	}
}

func TestStartFaults(t *testing.T) {
	long := request(lease.Offline)
	long.Minutes = 91
	longScreen := request(lease.Screen)
	longScreen.Minutes = 16
	endless := request(lease.Focus)
	endless.Minutes = int(^uint(0) >> 1)
	backwards := request(lease.Offline)
	backwards.Until = bell.Add(-time.Minute)
	negative := request(lease.Offline)
	negative.Minutes = -5
	longLater := request(lease.Offline)
	longLater.Starts, longLater.Until = bell.Add(time.Hour), bell.Add(3*time.Hour)
	many := request(lease.Sites)
	many.Sites = nil
	for i := range 201 {
		many.Sites = append(many.Sites, fmt.Sprint("host", i, ".example"))
	}
	stranger := request(lease.Offline)
	stranger.Devices = []org.ID{"laptop-1", "laptop-9"}

	cases := []struct {
		name    string
		actor   may.Actor
		request lesson.Request
		kind    errs.Kind
		key     string
		minutes int // the longest length that the fault names
	}{
		{"too long", oert, long, errs.Invalid, "mode.too_long", 90},
		{"a covered screen for too long", oert, longScreen, errs.Invalid, "mode.too_long", 15},
		{"so long that numbers overflow", oert, endless, errs.Invalid, "mode.too_long", 90},
		{"too long, by an end", oert, longLater, errs.Invalid, "mode.too_long", 90},
		{"ends before it starts", oert, backwards, errs.Invalid, "mode.ends_before_start", 0},
		{"a negative length", oert, negative, errs.Invalid, "mode.ends_before_start", 0},
		{"an exam is not a mode", oert, request(lease.Exam), errs.Invalid, "mode.unknown_kind", 0},
		{"no kind", oert, lesson.Request{Group: class.Group}, errs.Invalid, "mode.unknown_kind", 0},
		{"only these sites, and none named", oert, lesson.Request{Group: class.Group, Kind: lease.Sites, Sites: []string{" "}}, errs.Invalid, "mode.no_sites", 0},
		{"a site that is none", oert, lesson.Request{Group: class.Group, Kind: lease.Sites, Sites: []string{"geogebra.org, not"}}, errs.Invalid, "mode.bad_site", 0},
		{"only these programs, and none named", oert, lesson.Request{Group: class.Group, Kind: lease.Focus, Apps: []string{" "}}, errs.Invalid, "mode.no_apps", 0},
		{"too many sites", oert, many, errs.Invalid, "mode.too_many_names", 0},
		{"nobody is meant", oert, lesson.Request{Kind: lease.Offline}, errs.Invalid, "mode.no_target", 0},
		{"a class that does not exist", oert, lesson.Request{Group: "9z", Kind: lease.Offline}, errs.NotFound, "group.not_found", 0},
		{"a device that is not in the class", oert, stranger, errs.NotFound, "mode.device_not_in_group", 0},
		{"a colleague's class", adler, request(lease.Offline), errs.Denied, "lesson.not_yours", 0},
		{"a teacher of another authority", far, request(lease.Offline), errs.NotFound, "not_found", 0},
		{"the help desk ends, but never starts", desk, request(lease.Offline), errs.Denied, "denied", 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := lessons(t)
			_, err := s.Start(ctx, c.actor, c.request)
			fault := errs.Find(err)
			if fault == nil || fault.Kind != c.kind || fault.Key != c.key {
				t.Fatalf("%v, want %s %s", err, c.kind, c.key)
			}
			if c.minutes != 0 && fault.Args["minutes"] != c.minutes {
				t.Errorf("names %v as the longest, not %d", fault.Args["minutes"], c.minutes)
			}
			if len(s.modes)+len(s.leases)+s.woken+len(s.audit) != 0 {
				t.Error("something was kept or told all the same")
			}
		})
	}
}

func TestHowLongAModeLasts(t *testing.T) {
	cases := []struct {
		name    string
		change  func(*lesson.Request)
		kind    lease.Kind
		bellEnd time.Time
		want    time.Duration
	}{
		{"nobody says, no timetable", func(*lesson.Request) {}, lease.Offline, time.Time{}, 45 * time.Minute},
		{"nobody says, a lesson runs", func(*lesson.Request) {}, lease.Offline, bell.Add(20 * time.Minute), 20 * time.Minute},
		{"eyes front is a matter of minutes", func(*lesson.Request) {}, lease.Screen, bell.Add(20 * time.Minute), 5 * time.Minute},
		{"minutes are named", func(r *lesson.Request) { r.Minutes = 12 }, lease.Offline, bell.Add(20 * time.Minute), 12 * time.Minute},
		{"an end is named", func(r *lesson.Request) { r.Until = bell.Add(33 * time.Minute) }, lease.Focus, bell.Add(20 * time.Minute), 33 * time.Minute},
		{"the longest", func(r *lesson.Request) { r.Minutes = 90 }, lease.Sites, time.Time{}, 90 * time.Minute},
		{"a lesson that ends too far away does not count", func(*lesson.Request) {}, lease.Offline, bell.Add(8 * time.Hour), 45 * time.Minute},
		{"a start in the past is now", func(r *lesson.Request) { r.Starts, r.Minutes = bell.Add(-time.Hour), 10 }, lease.Offline, time.Time{}, 10 * time.Minute},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := lessons(t)
			s.bellEnd = c.bellEnd
			r := request(c.kind)
			c.change(&r)
			mode, err := s.Start(ctx, oert, r)
			if err != nil || mode.Ends.Sub(mode.Starts) != c.want || mode.Starts.Before(bell) {
				t.Errorf("from %s for %s (%v), want %s", mode.Starts, mode.Ends.Sub(mode.Starts), err, c.want)
			}
		})
	}
}

func TestStartLeavesOut(t *testing.T) {
	s := lessons(t)
	s.members[0].Absent = true
	s.members[1].Enrolment = ""
	mode, err := s.Start(ctx, oert, request(lease.Offline))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.leases) != 1 || s.of(t, "laptop-3").Mode != mode.ID {
		t.Errorf("absent pupils or devices that are not enrolled got it: %v", s.leases)
	}
	s.members[2].Absent = true
	if _, err := s.Start(ctx, oert, request(lease.Offline)); err != nil {
		t.Errorf("a class of absent pupils: %v", err)
	}
}

func TestTickedDevicesAreNotTheClass(t *testing.T) {
	s := lessons(t)
	r := request(lease.Offline)
	r.Devices = []org.ID{"laptop-2", "laptop-1", "laptop-2"}
	mode, err := s.Start(ctx, oert, r)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.leases) != 2 || mode.Branch != north {
		t.Errorf("%d leases, branch %+v", len(s.leases), mode.Branch)
	}
	s.joined = []lesson.Member{member("laptop-4")}
	if err := s.Settle(ctx, north); err != nil || len(s.leases) != 2 {
		t.Errorf("who joins the class later got a mode of ticked devices: %v", err)
	}
}

func TestAPlannedModeWaitsForItsStart(t *testing.T) {
	s := lessons(t)
	r := request(lease.Offline)
	r.Starts = bell.Add(2 * time.Hour)
	mode, err := s.Start(ctx, oert, r)
	if err != nil || mode.Running(s.now) || mode.Over(s.now) || !mode.Running(bell.Add(2*time.Hour)) {
		t.Fatalf("%+v, %v", mode, err)
	}
	_, lines, err := s.Find(ctx, oert, mode.ID)
	if err != nil || lesson.Count(lines)[lesson.Planned] != 3 || lines[0].Reason.Key != "starts_later" {
		t.Errorf("%+v, %v", lines, err)
	}
}

func TestNothingIsToldBeforeTheCommit(t *testing.T) {
	s := lessons(t)
	s.broken = errors.New("disk full")
	if _, err := s.Start(ctx, oert, request(lease.Offline)); !errors.Is(err, s.broken) {
		t.Fatalf("%v", err)
	}
	if s.woken != 0 || len(s.told) != 0 || len(s.tablets) != 0 {
		t.Error("devices were woken for a mode that was not kept")
	}
}

func TestTabletsAreOrderedTo(t *testing.T) {
	s := lessons(t)
	s.members[0].Platform = org.IPadOS
	mode, err := s.Start(ctx, oert, request(lease.Offline))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Extend(ctx, oert, mode.ID, 10); err != nil {
		t.Fatal(err)
	}
	if _, err := s.End(ctx, oert, mode.ID); err != nil {
		t.Fatal(err)
	}
	if want := []string{"install laptop-1", "install laptop-1", "remove laptop-1"}; !slices.Equal(s.tablets, want) {
		t.Errorf("%v, want %v", s.tablets, want)
	}
}

func TestLikeLastLesson(t *testing.T) {
	s := lessons(t)
	if _, err := s.Repeat(ctx, oert, class.Group); !errs.Is(err, errs.NotFound) {
		t.Fatalf("repeating nothing: %v", err)
	}
	r := request(lease.Sites)
	r.Minutes, r.Message = 25, "Nur GeoGebra."
	first, err := s.Start(ctx, oert, r)
	if err != nil {
		t.Fatal(err)
	}
	s.after(24 * time.Hour)
	again, err := s.Repeat(ctx, oert, class.Group)
	if err != nil {
		t.Fatal(err)
	}
	if again.ID == first.ID || again.Kind != first.Kind || again.Ends.Sub(again.Starts) != 25*time.Minute || !again.Starts.Equal(s.now) ||
		!slices.Equal(again.Rules.Sites, first.Rules.Sites) || again.Rules.Message != first.Rules.Message {
		t.Errorf("%+v\nis not like\n%+v", again, first)
	}
}

func TestLikeLastLessonAfterTenMinutesMore(t *testing.T) {
	s := lessons(t)
	r := request(lease.Offline)
	r.Minutes = 90
	mode, err := s.Start(ctx, oert, r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.End(ctx, oert, mode.ID); err != nil {
		t.Fatal(err)
	}
	s.after(time.Hour)
	if again, err := s.Repeat(ctx, oert, class.Group); err != nil || again.Ends.Sub(again.Starts) != 90*time.Minute {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestHosts(t *testing.T) {
	cases := []struct{ typed, want string }{
		{"geogebra.org", "geogebra.org"},
		{"https://www.GeoGebra.org/classic?lang=de#x", "www.geogebra.org"},
		{"geogebra.org, wikipedia.org\nleo.org;dict.cc", "dict.cc geogebra.org leo.org wikipedia.org"},
		{"geogebra.org geogebra.org", "geogebra.org"},
		{"*.wikipedia.org .leo.org", "leo.org wikipedia.org"},
		{"https://somebody:secret@moodle.example:8443/login", "moodle.example"},
		{"Müller.example", "xn--mller-kva.example"},
		{"geogebra.org#tools", "geogebra.org"},
		{"a..example", ""},
		{"localhost", ""},
		{"just some words", ""},
		{"<script>.example", ""},
		{"", ""},
		{"...", ""},
		{"geogebra.org?x=1", "geogebra.org"},
	}
	for _, c := range cases {
		if got := strings.Join(lesson.Hosts([]string{c.typed}), " "); got != c.want {
			t.Errorf("%q gives %q, want %q", c.typed, got, c.want)
		}
	}
}

func FuzzHosts(f *testing.F) {
	for _, seed := range []string{"geogebra.org", "https://a:b@c.de:1/x?y#z", "*.x.y, z.w", "http://[::1]:80/", "a..b", "-.-"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		hosts := lesson.Hosts([]string{typed})
		if !slices.IsSorted(hosts) || len(slices.Compact(slices.Clone(hosts))) != len(hosts) {
			t.Fatalf("not in order, or doubled: %q", hosts)
		}
		for _, host := range hosts {
			if strings.ContainsAny(host, " \t\n,;/:@?#*<>\"'\\") || host != strings.ToLower(host) || !strings.Contains(host, ".") || !lease.MatchHost(host, host) {
				t.Fatalf("%q is no host name", host)
			}
		}
		if again := lesson.Hosts(hosts); !slices.Equal(again, hosts) {
			t.Fatalf("%q read again is %q", hosts, again)
		}
	})
}

func TestTickedDevicesOfAColleagueAreNotAnybodys(t *testing.T) {
	s := lessons(t)
	request := lesson.Request{Devices: []org.ID{"laptop-1"}, Kind: lease.Offline, Minutes: 10}
	if _, err := s.Start(t.Context(), adler, request); !errs.Is(err, errs.Denied) {
		t.Errorf("a stranger switches off the internet: %v", err)
	}
	s.teaches[adler.ID] = true
	if _, err := s.Start(t.Context(), adler, request); err != nil {
		t.Errorf("who teaches them: %v", err)
	}
}
