package command_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
	"schulwart.org/server/command"
	"schulwart.org/server/errs"
	"schulwart.org/server/ids"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// rig is the room with one device that is enrolled.
type rig struct {
	*command.Service
	t         *testing.T
	store     *store.Store
	authority org.ID
	device    org.ID
	enrolment org.ID
	woken     []org.ID
	now       time.Time
	finished  []string
}

func (r *rig) Nudge(enrolments ...org.ID) { r.woken = append(r.woken, enrolments...) }

func (r *rig) Finished(_ context.Context, _, device org.ID, requestType, about string, result mdm.Result) error {
	r.finished = append(r.finished, strings.Join([]string{requestType, about, string(result.Status)}, " "))
	return nil
}

func each(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		school, _ := storetest.School(t, s)
		r := &rig{t: t, store: s, authority: school.Authority, device: ids.New(), enrolment: ids.New(), now: time.Now()}
		storetest.Exec(t, s, `INSERT INTO devices (authority, id, school, name, created) VALUES ($1, $2, $3, 'iPad 7', 1)`, r.authority, r.device, school.School)
		storetest.Exec(t, s, `INSERT INTO enrolments (authority, id, device, school, udid, state, created, changed) VALUES ($1, $2, $3, $4, 'U', 'enrolled', 1, 1)`, r.authority, r.enrolment, r.device, school.School)
		r.Service = &command.Service{Store: s, Nudger: r, Outcomes: []command.Outcomes{r}, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return r.now }}
		test(t, r)
	})
}

func (r *rig) enqueue(c mdm.Command) org.ID {
	r.t.Helper()
	receipt, err := r.Enqueue(context.Background(), command.Order{Authority: r.authority, Device: r.device, Command: c})
	if err != nil {
		r.t.Fatal(err)
	}
	return receipt.ID
}

// says reports a status of a command and returns the id of the next one.
func (r *rig) says(status mdm.Status, id org.ID) org.ID {
	r.t.Helper()
	body, err := r.Report(context.Background(), r.authority, r.enrolment, mdm.Result{Status: status, CommandUUID: id.String()})
	if err != nil {
		r.t.Fatal(err)
	}
	if body == nil {
		return ""
	}
	c, err := mdm.ParseCommand(body)
	if err != nil {
		r.t.Fatal(err)
	}
	return org.ID(c.CommandUUID)
}

func (r *rig) expect(got, want org.ID, what string) {
	r.t.Helper()
	if got != want {
		r.t.Fatalf("%s: got %q, want %q", what, got, want)
	}
}

func (r *rig) left() string {
	r.t.Helper()
	return storetest.Ask(r.t, r.store, `SELECT COUNT(*) FROM commands`)
}

func TestAcknowledgedForAnUnknownCommandIsHarmless(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		r.expect(r.says(mdm.Acknowledged, "3f1b1c1e-0000-7000-8000-000000000000"), "", "unknown command")
		id := r.enqueue(mdm.RemoveProfile("x"))
		r.expect(r.says(mdm.Acknowledged, "someone-elses"), id, "the queue goes on")
	})
}

func TestARepeatedReportChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		id := r.enqueue(mdm.RemoveProfile("x"))
		r.expect(r.says(mdm.Idle, ""), id, "first")
		r.expect(r.says(mdm.Error, id), "", "after the report")
		r.expect(r.says(mdm.Acknowledged, id), "", "after the repeated report")
		if report, err := r.store.CommandReport(context.Background(), r.authority, id); err != nil || report.Status != mdm.Error {
			t.Fatalf("kept %+v, %v", report, err)
		}
		if len(r.finished) != 1 {
			t.Fatalf("told %q", r.finished)
		}
	})
}

func TestNothingIsGivenToADeviceThatLeft(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		storetest.Exec(t, r.store, `UPDATE enrolments SET state = 'left'`)
		_, err := r.Enqueue(context.Background(), command.Order{Authority: r.authority, Device: r.device, Command: mdm.ProfileList()})
		if !errs.Is(err, errs.Conflict) || errs.Find(err).Key != "command.device_left" {
			t.Fatalf("who queued was told: %v", err)
		}
		r.expect(r.says(mdm.Idle, ""), "", "Idle")
	})
}

func TestEnqueueForAnUnknownDeviceIsAnError(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		for name, order := range map[string]command.Order{
			"unknown device":    {Authority: r.authority, Device: ids.New(), Command: mdm.ProfileList()},
			"foreign authority": {Authority: ids.New(), Device: r.device, Command: mdm.ProfileList()},
		} {
			if _, err := r.Enqueue(context.Background(), order); !errs.Is(err, errs.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := r.Enqueue(context.Background(), command.Order{Authority: r.authority, Device: r.device}); !errors.Is(err, mdm.ErrCommand) {
			t.Errorf("no command: %v", err)
		}
		if _, err := r.Enqueue(context.Background(), command.Order{Authority: r.authority, Device: r.device, Command: mdm.ProfileList(), Expires: r.now}); !errs.Is(err, errs.Invalid) {
			t.Errorf("expired: %v", err)
		}
		if left := r.left(); left != "0" {
			t.Fatalf("%s rows were left", left)
		}
	})
}

func TestNotNowIsSkippedForTheSessionAndComesBack(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		c1, c2, c3 := r.enqueue(mdm.RemoveProfile("1")), r.enqueue(mdm.RemoveProfile("2")), r.enqueue(mdm.RemoveProfile("3"))
		r.expect(r.says(mdm.Idle, ""), c1, "Idle")
		r.expect(r.says(mdm.NotNow, c1), c2, "NotNow C1")
		r.expect(r.says(mdm.Acknowledged, c2), c3, "Ack C2 in the same session")
		r.expect(r.says(mdm.Acknowledged, c3), "", "Ack C3: the session is over")
		r.expect(r.says(mdm.Idle, ""), c1, "the next session")
		r.expect(r.says(mdm.Acknowledged, c1), "", "Ack C1")
	})
}

func TestADeviceThatSaidNotNowIsWokenLater(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		id := r.enqueue(mdm.RemoveProfile("1"))
		r.says(mdm.Idle, "")
		r.says(mdm.NotNow, id)
		r.now = r.now.Add(7 * time.Minute)
		r.repush(0, "too early")
		r.now = r.now.Add(2 * time.Minute)
		r.repush(1, "after eight minutes")
		r.repush(0, "only once")
	})
}

func (r *rig) repush(want int, what string) {
	r.t.Helper()
	r.woken = nil
	if err := r.Repush(context.Background()); err != nil {
		r.t.Fatal(err)
	}
	if len(r.woken) != want {
		r.t.Fatalf("%s: woke %d, want %d", what, len(r.woken), want)
	}
}

func TestWakingBacksOff(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		r.enqueue(mdm.RemoveProfile("1"))
		for _, wait := range []time.Duration{30 * time.Second, 2 * time.Minute, 8 * time.Minute, 30 * time.Minute, 30 * time.Minute} {
			r.now = r.now.Add(wait - time.Second)
			r.repush(0, "a second before "+wait.String())
			r.now = r.now.Add(time.Second)
			r.repush(1, wait.String())
		}
	})
}

func TestIdenticalQuestionsMerge(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		first := r.enqueue(mdm.DeviceInformation())
		for range 20 {
			if r.enqueue(mdm.DeviceInformation()) != first {
				t.Fatal("the same question got another id")
			}
		}
		other := r.enqueue(mdm.DeviceInformation("OSVersion"))
		if other == first || r.left() != "2" {
			t.Fatalf("another question was merged; %s rows", r.left())
		}
		r.expect(r.says(mdm.Idle, ""), first, "asked")
		r.expect(r.says(mdm.Acknowledged, first), other, "answered once")
		if again := r.enqueue(mdm.DeviceInformation()); again == first {
			t.Fatal("a question that was answered cannot be merged into")
		}
	})
}

func TestTheSameActTwiceIsDoneTwice(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		a, b := r.enqueue(mdm.NewCommand(mdm.RequestRestartDevice, nil)), r.enqueue(mdm.NewCommand(mdm.RequestRestartDevice, nil))
		if a == b {
			t.Fatal("two restarts became one")
		}
	})
}

func TestALockOvertakesAll(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		slow := r.enqueue(mdm.RemoveProfile("1"))
		lock := r.enqueue(mdm.NewCommand(mdm.RequestDeviceLock, nil))
		r.expect(r.says(mdm.Idle, ""), lock, "first")
		r.expect(r.says(mdm.Acknowledged, lock), slow, "then")
	})
}

func TestALaterOrderReplacesWhatTheDeviceHasNotAnswered(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		order := func(about string, c mdm.Command) org.ID {
			receipt, err := r.Enqueue(context.Background(), command.Order{Authority: r.authority, Device: r.device, Command: c, About: about, Replaces: "lease:1"})
			if err != nil {
				t.Fatal(err)
			}
			return receipt.ID
		}
		other, err := r.Enqueue(context.Background(), command.Order{Authority: r.authority, Device: r.device, Command: mdm.RemoveProfile("b"), About: "lease:11:1"})
		if err != nil {
			t.Fatal(err)
		}
		install := order("lease:1:1", mdm.InstallProfile([]byte("a")))
		longer := order("lease:1:2", mdm.InstallProfile([]byte("b")))
		r.expect(r.says(mdm.Idle, ""), other.ID, "what another lease waits for")
		r.expect(r.says(mdm.Acknowledged, other.ID), longer, "only the latest")
		// It was sent, again and again, and the device never said what became of it.
		for range command.Stubborn {
			r.expect(r.says(mdm.Idle, ""), longer, "sent again")
		}
		remove := order("lease:1:3", mdm.RemoveProfile("a"))
		r.expect(r.says(mdm.Idle, ""), remove, "the end")
		r.expect(r.says(mdm.Acknowledged, longer), remove, "a late word on what is void")
		r.expect(r.says(mdm.Acknowledged, remove), "", "and nothing after the end")
		for _, void := range []org.ID{install, longer} {
			if report, err := r.store.CommandReport(context.Background(), r.authority, void); err != nil || report.Status != command.Superseded {
				t.Fatalf("replaced: %+v, %v", report, err)
			}
		}
		if got := strings.Join(r.finished, ", "); got != "RemoveProfile lease:11:1 Acknowledged, RemoveProfile lease:1:3 Acknowledged" {
			t.Fatalf("told %q", got)
		}
	})
}

func TestCommandsExpireAndFinishedOnesAreForgotten(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		ctx := context.Background()
		receipt, err := r.Enqueue(ctx, command.Order{Authority: r.authority, Device: r.device, Command: mdm.InstallProfile([]byte("a")), Expires: r.now.Add(time.Minute)})
		if err != nil {
			t.Fatal(err)
		}
		storetest.Exec(t, r.store, `UPDATE commands SET expires = 1`)
		r.expect(r.says(mdm.Idle, ""), "", "an expired command")
		if n, err := r.Retire(ctx); err != nil || n != 1 {
			t.Fatalf("retired %d, %v", n, err)
		}
		if report, err := r.store.CommandReport(ctx, r.authority, receipt.ID); err != nil || report.Status != command.Expired {
			t.Fatalf("kept %+v, %v", report, err)
		}
		r.now = r.now.Add(command.KeepReports + time.Hour)
		if n, err := r.Retire(ctx); err != nil || n != 1 {
			t.Fatalf("forgot %d, %v", n, err)
		}
	})
}

func TestACommandWithoutReportBlocksNobodyForEver(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		poison, behind := r.enqueue(mdm.RemoveProfile("1")), r.enqueue(mdm.RemoveProfile("2"))
		for range command.Stubborn {
			r.expect(r.says(mdm.Idle, ""), poison, "delivered again")
		}
		r.expect(r.says(mdm.Idle, ""), behind, "the one behind")
		r.expect(r.says(mdm.Acknowledged, behind), poison, "and then again")
	})
}

func TestAnUnreadableReportFinishesItsCommand(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		first, second := r.enqueue(mdm.ProfileList()), r.enqueue(mdm.RemoveProfile("1"))
		r.expect(r.says(mdm.Idle, ""), first, "asked")
		broken := `<plist version="1.0"><dict><key>Status</key><string>Acknowledged</string><key>CommandUUID</key><string>` + first.String() + `</string><key>ProfileList</key><array>`
		result, err := mdm.ParseResult([]byte(broken))
		if err != nil {
			t.Fatal(err)
		}
		body, err := r.Report(context.Background(), r.authority, r.enrolment, result)
		if err != nil || !strings.Contains(string(body), second.String()) {
			t.Fatalf("next: %s, %v", body, err)
		}
		report, err := r.store.CommandReport(context.Background(), r.authority, first)
		if err != nil || report.Status != mdm.Error || report.Detail == "" {
			t.Fatalf("kept %+v, %v", report, err)
		}
	})
}

func TestAnotherEnrolmentCannotReport(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		id := r.enqueue(mdm.RemoveProfile("1"))
		if _, err := r.Report(context.Background(), r.authority, ids.New(), mdm.Result{Status: mdm.Acknowledged, CommandUUID: id.String()}); err != nil {
			t.Fatal(err)
		}
		r.expect(r.says(mdm.Idle, ""), id, "still waits")
	})
}

// nanomdm on PostgreSQL: +70 % with 200 old commands per device. Here the queue
// holds none of them.
func TestFinishedCommandsLeaveTheQueue(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		for range 50 {
			id := r.enqueue(mdm.RemoveProfile("1"))
			r.expect(r.says(mdm.Idle, ""), id, "next")
			r.says(mdm.Acknowledged, id)
		}
		if left := r.left(); left != "0" {
			t.Fatalf("%s rows were left", left)
		}
	})
}

func TestAQueueIsBounded(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		var err error
		for range 501 {
			if _, err = r.Enqueue(context.Background(), command.Order{Authority: r.authority, Device: r.device, Command: mdm.NewCommand(mdm.RequestRestartDevice, nil)}); err != nil {
				break
			}
		}
		if !errs.Is(err, errs.Unavailable) || r.left() != "500" {
			t.Fatalf("%s rows, %v", r.left(), err)
		}
	})
}

func TestPeopleSeeWhatBecameOfCommands(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		failed := r.enqueue(mdm.RemoveProfile("1"))
		waiting := r.enqueue(mdm.ProfileList())
		r.says(mdm.Idle, "")
		_, err := r.Report(context.Background(), r.authority, r.enrolment, mdm.Result{
			Status: mdm.Error, CommandUUID: failed.String(), ErrorChain: []mdm.ErrorChainItem{{ErrorCode: 89, LocalizedDescription: "Kein solches Profil."}},
		})
		if err != nil {
			t.Fatal(err)
		}
		entries, err := command.List(context.Background(), r.store, r.authority, r.device, 10)
		if err != nil || len(entries) != 2 {
			t.Fatalf("listed %+v, %v", entries, err)
		}
		if e := entries[0]; e.ID != waiting || e.State != "sent" || e.RequestType != mdm.RequestProfileList {
			t.Errorf("first %+v", e)
		}
		if e := entries[1]; e.ID != failed || e.State != string(mdm.Error) || e.Detail != "Kein solches Profil." {
			t.Errorf("then %+v", e)
		}
	})
}
