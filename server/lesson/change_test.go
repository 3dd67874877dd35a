package lesson_test

import (
	"slices"
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/lesson"
	"schulwart.org/server/may"
)

var networkOK = ddm.Part{Name: "network", State: ddm.PartOK}

// started gives a class 45 minutes offline, read back by two of three laptops;
// the third is out of contact.
func started(t *testing.T) (*school, lesson.Mode) {
	t.Helper()
	s := lessons(t)
	mode, err := s.Start(ctx, oert, request(lease.Offline))
	if err != nil {
		t.Fatal(err)
	}
	s.after(time.Minute)
	s.readBack(t, "laptop-1", ddm.LeaseActive, networkOK)
	s.readBack(t, "laptop-2", ddm.LeaseActive, networkOK)
	s.contact["e-laptop-3"] = lesson.Contact{Seen: bell.Add(-time.Hour)}
	return s, mode
}

func states(t *testing.T, s *school, id org.ID) map[lesson.State]int {
	t.Helper()
	_, lines, err := s.Find(ctx, admin, id)
	if err != nil {
		t.Fatal(err)
	}
	return lesson.Count(lines)
}

func TestEndForAll(t *testing.T) {
	s, mode := started(t)
	ended, err := s.End(ctx, oert, mode.ID)
	if err != nil || ended.Ended.IsZero() || !ended.Over(s.now) {
		t.Fatalf("%+v, %v", ended, err)
	}
	for _, device := range []string{"laptop-1", "laptop-2", "laptop-3"} {
		l := s.of(t, device)
		if l.Rev != 2 || l.Ends.After(s.now) || !l.KeepUntil.After(mode.Ends) {
			t.Errorf("%s: rev %d, ends %s, kept until %s", device, l.Rev, l.Ends, l.KeepUntil)
		}
		if !l.Signed("x").Ended(s.now) {
			t.Errorf("%s: what is signed still holds", device)
		}
	}
	if got := states(t, s, mode.ID); got[lesson.Delivered] != 2 || got[lesson.Ended] != 1 {
		t.Errorf("two have to read back the end, one never had it: %v", got)
	}
}

func TestEndingTwiceIsHarmless(t *testing.T) {
	s, mode := started(t)
	first, err := s.End(ctx, oert, mode.ID)
	if err != nil {
		t.Fatal(err)
	}
	s.after(10 * time.Second)
	audit, woken := len(s.audit), s.woken
	again, err := s.End(ctx, oert, mode.ID)
	if err != nil || !again.Ended.Equal(first.Ended) {
		t.Errorf("%+v, %v", again, err)
	}
	if s.of(t, "laptop-1").Rev != 2 || len(s.audit) != audit || s.woken != woken {
		t.Error("the second end did something")
	}
	s.after(2 * time.Hour)
	if _, err := s.End(ctx, oert, mode.ID); err != nil {
		t.Errorf("ending long after the end: %v", err)
	}
}

func TestEndForThese(t *testing.T) {
	s, mode := started(t)
	still, err := s.End(ctx, oert, mode.ID, "laptop-1")
	if err != nil || !still.Ended.IsZero() {
		t.Fatalf("%+v, %v", still, err)
	}
	if s.of(t, "laptop-1").Rev != 2 || s.of(t, "laptop-2").Rev != 1 {
		t.Error("ended for others, or not for this one")
	}
	if _, err := s.End(ctx, oert, mode.ID, "laptop-1"); err != nil || s.of(t, "laptop-1").Rev != 2 {
		t.Errorf("twice for the same: %v", err)
	}
	if _, err := s.End(ctx, oert, mode.ID); err != nil {
		t.Fatal(err)
	}
	if s.of(t, "laptop-1").Rev != 2 || s.of(t, "laptop-2").Rev != 2 {
		t.Error("the end for all touches who has ended, or not all others")
	}
}

func TestADeviceThatIsNotInTheModeIsNotEnded(t *testing.T) {
	s, mode := started(t)
	if _, err := s.End(ctx, oert, mode.ID, "laptop-9"); err != nil {
		t.Fatal(err)
	}
	if got := states(t, s, mode.ID); got[lesson.Active] != 2 {
		t.Errorf("%v", got)
	}
}

// A device that left a mode with a release code reports a revision of its own;
// the server goes on above it.
func TestRevisionsGoOnAboveWhatADeviceReported(t *testing.T) {
	s, mode := started(t)
	l := s.of(t, "laptop-1")
	l.ReportedRev, l.DeliveredRev = 7, 7 // after a restored backup
	s.leases[l.ID] = l
	if _, err := s.Extend(ctx, oert, mode.ID, 10); err != nil {
		t.Fatal(err)
	}
	if got := s.of(t, "laptop-1").Rev; got != 8 {
		t.Errorf("revision %d would be ignored by a device that knows 7", got)
	}
	if got := s.of(t, "laptop-2").Rev; got != 2 {
		t.Errorf("revision %d", got)
	}
}

func TestUndo(t *testing.T) {
	s, mode := started(t)
	if _, err := s.End(ctx, oert, mode.ID); err != nil {
		t.Fatal(err)
	}
	s.readBack(t, "laptop-1", ddm.LeaseEnded)
	s.after(5 * time.Second)
	again, err := s.Resume(ctx, oert, mode.ID)
	if err != nil || !again.Ended.IsZero() || !again.Running(s.now) || !again.Ends.Equal(mode.Ends) {
		t.Fatalf("%+v, %v", again, err)
	}
	for _, device := range []string{"laptop-1", "laptop-2", "laptop-3"} {
		if l := s.of(t, device); l.Rev != 3 || !l.Ends.Equal(mode.Ends) || !l.Signed("x").Holds(s.now) {
			t.Errorf("%s: rev %d until %s", device, l.Rev, l.Ends)
		}
	}
	if _, err := s.Resume(ctx, oert, mode.ID); err != nil || s.of(t, "laptop-1").Rev != 3 {
		t.Errorf("undoing twice: %v", err)
	}
	s.after(2 * time.Hour)
	if _, err := s.Resume(ctx, oert, mode.ID); !errs.Is(err, errs.Conflict) {
		t.Errorf("undoing after the end: %v", err)
	}
}

// An end is an end when the board no longer offers to take it back: a page that
// lay open, or an old address, must not put a class into a mode again.
func TestUndoAfterAMinute(t *testing.T) {
	for after, allowed := range map[time.Duration]bool{10 * time.Second: true, 2 * time.Minute: true, 2*time.Minute + time.Second: false, 20 * time.Minute: false} {
		t.Run(after.String(), func(t *testing.T) {
			s, mode := started(t)
			if _, err := s.End(ctx, oert, mode.ID); err != nil {
				t.Fatal(err)
			}
			s.after(after)
			_, err := s.Resume(ctx, oert, mode.ID)
			if allowed && err != nil || !allowed && !errs.Is(err, errs.Conflict) {
				t.Fatalf("%v", err)
			}
			if l := s.of(t, "laptop-1"); l.Ends.After(s.now) != allowed {
				t.Fatalf("the laptop holds until %s, it is %s", l.Ends, s.now)
			}
		})
	}
}

func TestUndoForOneLeavesTheOthersEnded(t *testing.T) {
	s, mode := started(t)
	if _, err := s.End(ctx, oert, mode.ID, "laptop-1", "laptop-2"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Resume(ctx, oert, mode.ID, "laptop-2"); err != nil {
		t.Fatal(err)
	}
	if one, two := s.of(t, "laptop-1"), s.of(t, "laptop-2"); one.Rev != 2 || two.Rev != 3 || !two.Ends.Equal(mode.Ends) {
		t.Errorf("rev %d and %d", one.Rev, two.Rev)
	}
}

func TestAnAbsentPupilIsNotResumed(t *testing.T) {
	s, mode := started(t)
	if _, err := s.End(ctx, oert, mode.ID); err != nil {
		t.Fatal(err)
	}
	s.members[0].Absent = true
	if _, err := s.Resume(ctx, oert, mode.ID); err != nil {
		t.Fatal(err)
	}
	if s.of(t, "laptop-1").Rev != 2 || s.of(t, "laptop-2").Rev != 3 {
		t.Error("the absent one is restricted at home, or the present ones are not")
	}
}

func TestExtend(t *testing.T) {
	s, mode := started(t)
	longer, err := s.Extend(ctx, oert, mode.ID, 10)
	if err != nil || !longer.Ends.Equal(mode.Ends.Add(10*time.Minute)) {
		t.Fatalf("%+v, %v", longer, err)
	}
	if l := s.of(t, "laptop-3"); l.Rev != 2 || !l.Ends.Equal(longer.Ends) || !l.KeepUntil.After(longer.Ends) {
		t.Errorf("%+v", l)
	}
}

func TestExtendFaults(t *testing.T) {
	cases := []struct {
		name    string
		minutes int
		actor   may.Actor
		before  func(*school, lesson.Mode)
		kind    errs.Kind
		key     string
	}{
		{"beyond the longest", 46, oert, nil, errs.Invalid, "mode.too_long"},
		{"so far that numbers overflow", int(^uint(0) >> 1), oert, nil, errs.Invalid, "mode.too_long"},
		{"by nothing", 0, oert, nil, errs.Invalid, "mode.extend_nothing"},
		{"backwards", -10, oert, nil, errs.Invalid, "mode.extend_nothing"},
		{"past its end", 10, oert, func(s *school, _ lesson.Mode) { s.after(time.Hour) }, errs.Conflict, "mode.over"},
		{"after somebody ended it", 10, oert, func(s *school, m lesson.Mode) { _, _ = s.End(ctx, oert, m.ID) }, errs.Conflict, "mode.over"},
		{"by a colleague who does not teach here", 10, adler, nil, errs.Denied, "lesson.not_yours"},
		{"by the help desk", 10, desk, nil, errs.Denied, "denied"},
		{"by a foreign authority", 10, far, nil, errs.NotFound, "not_found"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, mode := started(t)
			if c.before != nil {
				c.before(s, mode)
			}
			before := s.of(t, "laptop-1")
			_, err := s.Extend(ctx, c.actor, mode.ID, c.minutes)
			if fault := errs.Find(err); fault == nil || fault.Kind != c.kind || fault.Key != c.key {
				t.Fatalf("%v, want %s %s", err, c.kind, c.key)
			}
			if after := s.of(t, "laptop-1"); after.Rev != before.Rev {
				t.Error("the lease changed all the same")
			}
		})
	}
}

// The release ladder: the teacher, a colleague who teaches this group now, the
// school's admin, the help desk.
func TestWhoMayEnd(t *testing.T) {
	cases := []struct {
		name  string
		actor may.Actor
		takes bool
		want  errs.Kind
	}{
		{"the teacher", oert, false, ""},
		{"a colleague who does not teach here", adler, false, errs.Denied},
		{"a colleague who took the class", adler, true, ""},
		{"the school's admin", admin, false, ""},
		{"the help desk", desk, false, ""},
		{"somebody of a foreign authority", far, false, errs.NotFound},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, mode := started(t)
			s.teaches[c.actor.ID] = s.teaches[c.actor.ID] || c.takes
			_, err := s.End(ctx, c.actor, mode.ID)
			if c.want == "" && err != nil || c.want != "" && !errs.Is(err, c.want) {
				t.Fatalf("%v, want %q", err, c.want)
			}
			if rev := s.of(t, "laptop-1").Rev; (rev == 2) != (c.want == "") {
				t.Errorf("revision %d", rev)
			}
		})
	}
}

// A second role widens only what it allows itself: who teaches and also looks
// after devices does not thereby start modes in colleagues' classes, but may end
// them where that role may.
func TestASecondRoleWidensOnlyWhatItAllowsItself(t *testing.T) {
	for role, may_ := range map[may.Role]struct{ start, end bool }{
		may.HelpDesk: {false, true}, may.Technician: {false, false}, may.Trainee: {false, false}, may.ReadOnly: {false, false}, may.SchoolAdmin: {true, true},
	} {
		t.Run(string(role), func(t *testing.T) {
			s, mode := started(t)
			both := may.Actor{ID: "both", Name: "Frau Doppel", Grants: []may.Grant{{Role: may.Teacher, Branch: north}, {Role: role, Branch: north}}}
			_, err := s.Start(ctx, both, lesson.Request{Group: class.Group, Kind: lease.Offline, Minutes: 20})
			if allowed := err == nil; allowed != may_.start {
				t.Errorf("starting: %v", err)
			}
			_, err = s.Extend(ctx, both, mode.ID, 5)
			if allowed := err == nil; allowed != may_.start {
				t.Errorf("ten minutes more: %v", err)
			}
			_, err = s.End(ctx, both, mode.ID)
			if allowed := err == nil; allowed != may_.end {
				t.Errorf("ending: %v", err)
			}
			s.teaches["both"] = true
			if _, err := s.Start(ctx, both, lesson.Request{Group: class.Group, Kind: lease.Offline, Minutes: 20}); err != nil {
				t.Errorf("in the own class: %v", err)
			}
		})
	}
}

func TestTheTeacherEndsTheOwnModeAfterTheLesson(t *testing.T) {
	s, mode := started(t)
	s.teaches["oert"] = false // a substitute's hour is over
	if _, err := s.End(ctx, oert, mode.ID); err != nil {
		t.Errorf("whoever started it may always end it: %v", err)
	}
}

func TestLateJoinersAndLeavers(t *testing.T) {
	s, mode := started(t)
	s.joined = []lesson.Member{member("laptop-4")}
	s.left = []org.ID{"laptop-2"}
	if err := s.Settle(ctx, north); err != nil {
		t.Fatal(err)
	}
	late := s.of(t, "laptop-4")
	if late.Mode != mode.ID || late.Rev != 1 || !late.Ends.Equal(mode.Ends) || late.Kind != lease.Offline {
		t.Errorf("who came late: %+v", late)
	}
	if gone := s.of(t, "laptop-2"); gone.Rev != 2 || gone.Ends.After(s.now) {
		t.Errorf("who left: %+v", gone)
	}
	if stays := s.of(t, "laptop-1"); stays.Rev != 1 {
		t.Error("who stayed was touched")
	}
	if !s.modes[mode.ID].Ended.IsZero() {
		t.Error("the mode ended for all")
	}
	if last := s.audit[len(s.audit)-1]; last != "system:settle leave 1" {
		t.Errorf("audit: %v", s.audit)
	}
	s.left = nil
	if err := s.Settle(ctx, north); err != nil {
		t.Fatal(err)
	}
	if back := s.of(t, "laptop-2"); back.Rev != 3 || !back.Ends.Equal(mode.Ends) || back.Away {
		t.Errorf("who came back: %+v", back)
	}
	if err := s.Settle(ctx, north); err != nil {
		t.Fatal(err)
	}
	if back := s.of(t, "laptop-2"); back.Rev != 3 {
		t.Errorf("who came back is given it again and again: %+v", back)
	}
}

func TestReleaseCodes(t *testing.T) {
	s, mode := started(t)
	code, err := s.ReleaseCode(ctx, oert, mode.ID, "laptop-1", "")
	if err != nil {
		t.Fatal(err)
	}
	id := s.of(t, "laptop-1").ID.String()
	if !lease.ReleaseMatches([]byte("one"), id, code.Digits, s.now) || !code.Until.After(s.now) || code.Until.Sub(s.now) > lease.ReleaseStep {
		t.Errorf("%+v", code)
	}
	if last := s.audit[len(s.audit)-1]; last != "oert code laptop-1 0" {
		t.Errorf("showing a code leaves no trace: %v", s.audit)
	}
	challenged, err := s.ReleaseCode(ctx, oert, mode.ID, "laptop-1", "12 34 56")
	if want, _ := lease.ChallengeCode([]byte("one"), id, "123456"); err != nil || challenged.Digits != want {
		t.Errorf("%+v, %v", challenged, err)
	}
	faults := []struct {
		name      string
		actor     may.Actor
		device    org.ID
		challenge string
		kind      errs.Kind
		key       string
	}{
		{"a challenge that is none", oert, "laptop-1", "abc", errs.Invalid, "release.bad_challenge"},
		{"a device that made no secret", oert, "laptop-3", "", errs.Invalid, "release.not_possible"},
		{"a device that is not in the mode", oert, "laptop-9", "", errs.NotFound, "mode.device_not_in_mode"},
		{"a colleague who does not teach here", adler, "laptop-1", "", errs.Denied, "lesson.not_yours"},
	}
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			audit := len(s.audit)
			got, err := s.ReleaseCode(ctx, f.actor, mode.ID, f.device, f.challenge)
			if fault := errs.Find(err); fault == nil || fault.Kind != f.kind || fault.Key != f.key || got.Digits != "" {
				t.Errorf("%+v, %v", got, err)
			}
			if len(s.audit) != audit {
				t.Error("an audit row for a code that was not shown")
			}
		})
	}
}

// The codes in an open board work until the mode's end while the server is down.
func TestCodeSheetsReachToTheEnd(t *testing.T) {
	s, mode := started(t)
	sheets, err := s.CodeSheets(ctx, oert, mode.ID)
	if err != nil || len(sheets) != 2 {
		t.Fatalf("%d sheets, %v", len(sheets), err)
	}
	for _, sheet := range sheets {
		l := s.of(t, sheet.Device.String())
		secret := s.secrets[l.Enrolment]
		for at := s.now; at.Before(mode.Ends); at = at.Add(time.Minute) {
			i := slices.IndexFunc(sheet.Codes, func(c lesson.Code) bool { return at.Before(c.Until) })
			if i < 0 || !lease.ReleaseMatches(secret, l.ID.String(), sheet.Codes[i].Digits, at) {
				t.Fatalf("%s: no code at %s", sheet.Name, at)
			}
		}
	}
}

func TestTheBoard(t *testing.T) {
	s, mode := started(t)
	board, err := s.Class(ctx, oert, class.Group)
	if err != nil {
		t.Fatal(err)
	}
	if !board.Mine || len(board.Members) != 3 || len(board.Modes) != 1 || board.Modes[0].ID != mode.ID || board.Last == nil || len(board.Modes[0].Lines) != 3 {
		t.Fatalf("%+v", board)
	}
	other, err := s.Class(ctx, adler, class.Group)
	if err != nil || other.Mine || other.Last != nil || len(other.Modes) != 1 {
		t.Errorf("a colleague's board: %+v, %v", other, err)
	}
	if _, err := s.Class(ctx, far, class.Group); !errs.Is(err, errs.NotFound) {
		t.Errorf("a foreign authority's: %v", err)
	}
	if _, err := s.End(ctx, oert, mode.ID); err != nil {
		t.Fatal(err)
	}
	if board, _ = s.Class(ctx, oert, class.Group); len(board.Modes) != 1 {
		t.Error("an end cannot be seen to arrive")
	}
	s.after(3 * time.Minute)
	if board, _ = s.Class(ctx, oert, class.Group); len(board.Modes) != 0 {
		t.Error("an ended mode stays on the board")
	}
}

func TestWhatADeviceSaysReachesTheBoard(t *testing.T) {
	s, mode := started(t)
	l := s.of(t, "laptop-3")
	s.contact["e-laptop-3"] = lesson.Contact{Connected: true, Seen: s.now}
	s.told = nil
	if err := s.Delivered(ctx, north, "laptop-3", l.ID, 1); err != nil || !slices.Equal(s.told, []org.ID{"laptop-3"}) {
		t.Fatalf("%v, %v", s.told, err)
	}
	if got := states(t, s, mode.ID); got[lesson.Delivered] != 1 {
		t.Errorf("%v", got)
	}
	said := []ddm.LeaseStatus{{ID: l.ID.String(), Rev: 1, Phase: ddm.LeaseActive, Parts: []ddm.Part{networkOK}}}
	if err := s.Reported(ctx, north, "laptop-3", said); err != nil {
		t.Fatal(err)
	}
	if got := states(t, s, mode.ID); got[lesson.Active] != 3 {
		t.Errorf("%v", got)
	}
	leases, err := s.Leases(ctx, north, "laptop-3")
	if err != nil || len(leases) != 1 || leases[0].State != lesson.Active {
		t.Errorf("%+v, %v", leases, err)
	}
}

// Seen in a review: an extension that had read the mode before a colleague ended
// it brought the mode back.
func TestAnExtensionThatWasOnItsWayDoesNotUndoAnEnd(t *testing.T) {
	s := lessons(t)
	mode, err := s.Start(t.Context(), oert, lesson.Request{Group: "7b", Kind: lease.Offline, Minutes: 30})
	if err != nil {
		t.Fatal(err)
	}
	s.meanwhile = func() {
		if _, err := s.End(t.Context(), oert, mode.ID); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Extend(t.Context(), oert, mode.ID, 10); !errs.Is(err, errs.Conflict) {
		t.Errorf("extended what was over: %v", err)
	}
	if got := s.modes[mode.ID]; got.Ended.IsZero() {
		t.Error("the mode runs again")
	}
}
