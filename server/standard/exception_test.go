package standard_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
)

const days = 24 * time.Hour

// wish is an exception of the school: a stick may be written for a while.
func (h *house) wish(length time.Duration) standard.NewException {
	return standard.NewException{Place: at(h.school), Family: "usb-storage", Field: "access", Value: "allowed", Reason: "Messgeräte", Until: h.at.Add(length)}
}

func TestAnExceptionHasReasonOwnerAndEnd(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		_, err := h.Except(ctx, h.admin, h.wish(30*days))
		want(t, err, errs.Invalid, "exception.nothing_above")
		h.publish(h.operator, everywhere, sticks("read-only", ""))
		for _, step := range []struct {
			key    string
			kind   errs.Kind
			actor  may.Actor
			change func(*standard.NewException)
		}{
			{"exception.no_reason", errs.Invalid, h.admin, func(e *standard.NewException) { e.Reason = "  " }},
			{"exception.no_end", errs.Invalid, h.admin, func(e *standard.NewException) { e.Until = time.Time{} }},
			{"exception.no_end", errs.Invalid, h.admin, func(e *standard.NewException) { e.Until = h.at.Add(-time.Hour) }},
			{"exception.too_long", errs.Invalid, h.admin, func(e *standard.NewException) { e.Until = h.at.Add(367 * days) }},
			{"exception.no_owner", errs.Invalid, h.admin, func(e *standard.NewException) { e.Owner = h.stranger.ID }},
			{"exception.no_deviation", errs.Invalid, h.admin, func(e *standard.NewException) { e.Value = "read-only" }},
			{"exception.not_needed", errs.Invalid, h.admin, func(e *standard.NewException) { e.Value = "blocked" }},
			{"policy.faults", errs.Invalid, h.admin, func(e *standard.NewException) { e.Value = "vielleicht" }},
			{"not_found", errs.NotFound, h.stranger, func(*standard.NewException) {}},
			{"denied", errs.Denied, h.teacher, func(*standard.NewException) {}},
			{"not_found", errs.NotFound, h.admin, func(e *standard.NewException) { e.Place = h.cityPlace() }},
		} {
			wanted := h.wish(30 * days)
			step.change(&wanted)
			_, err := h.Except(ctx, step.actor, wanted)
			want(t, err, step.kind, step.key)
		}
		wanted := h.wish(30 * days)
		wanted.Owner = h.teacher.ID
		made, err := h.Except(ctx, h.admin, wanted)
		h.must(err)
		same(t, "owner", made.OwnerName, h.teacher.Name)
		same(t, "held", h.held(of(h.class), "usb-storage", "access"), "allowed")
		_, err = h.Except(ctx, h.admin, h.wish(3*days))
		want(t, err, errs.Conflict, "exception.exists")
	})
}

func TestALockedFieldIsForWhoLockedIt(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.publish(h.city, h.cityPlace(), sticks("blocked", desired.Locked))
		_, err := h.Except(ctx, h.admin, h.wish(30*days))
		want(t, err, errs.Denied, "exception.locked")
		same(t, "who", errs.Find(err).Args["place"], "Musterstadt")
		made, err := h.Except(ctx, h.city, h.wish(30*days))
		h.must(err)
		_, err = h.Extend(ctx, h.admin, made.ID, h.at.Add(60*days), "")
		want(t, err, errs.Denied, "exception.locked")
		entry, err := h.Exception(ctx, h.admin, made.ID)
		h.must(err)
		if !entry.MayEnd || entry.MayExtend || entry.Then == nil || entry.Then.Value != "blocked" || entry.Needless {
			t.Errorf("%+v", entry)
		}
		_, err = h.Extend(ctx, h.city, made.ID, h.at.Add(20*days), "")
		want(t, err, errs.Invalid, "exception.not_later")
		longer, err := h.Extend(ctx, h.city, made.ID, h.at.Add(200*days), "Neues Gerät")
		h.must(err)
		same(t, "reason, reminded", fmt.Sprint(longer.Reason, longer.Reminded), "Neues Gerät0")
		_, err = h.End(ctx, h.admin, made.ID)
		h.must(err)
		same(t, "held", h.held(at(h.school), "usb-storage", "access"), "blocked")
		_, err = h.End(ctx, h.admin, made.ID)
		want(t, err, errs.Conflict, "exception.over")
	})
}

func TestTheRegisterSaysWhatHappensAtTheEnd(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.devices(h.school, org.Linux, 3, true, h.class)
		h.devices(h.school, org.Linux, 1, true)
		h.publish(h.city, h.cityPlace(), deny("videos.example", "tausch.example"))
		h.publish(h.operator, everywhere, sticks("read-only", ""))
		later, err := h.Except(ctx, h.admin, h.wish(100*days))
		h.must(err)
		_, err = h.Except(ctx, h.admin, standard.NewException{Place: of(h.class), Family: "webfilter", Field: "deny", Value: []any{"videos.example"}, Reason: "Filmkurs", Until: h.at.Add(10 * days)})
		h.must(err)
		h.at = h.at.Add(2 * days)
		list, next, err := h.Register(ctx, h.admin, standard.ExceptionFilter{Limit: 1})
		h.must(err)
		if len(list) != 1 || next == "" || list[0].Devices != 3 || fmt.Sprint(list[0].Then.Value) != "[tausch.example videos.example]" || list[0].Age != 2*days || list[0].Place.Name != "7b" {
			t.Errorf("%+v", list)
		}
		list, next, err = h.Register(ctx, h.admin, standard.ExceptionFilter{Limit: 1, Cursor: next})
		h.must(err)
		if len(list) != 1 || next != "" || list[0].ID != later.ID || list[0].Devices != 4 || list[0].Then.Value != "read-only" {
			t.Errorf("%+v", list)
		}
		for name, filter := range map[string]standard.ExceptionFilter{"two": {}, "one": {Within: 20 * days}, "none": {School: h.other.ID}} {
			list, _, err := h.Register(ctx, h.city, filter)
			h.must(err)
			same(t, name, len(list), map[string]int{"two": 2, "one": 1, "none": 0}[name])
		}
		list, _, err = h.Register(ctx, h.stranger, standard.ExceptionFilter{})
		h.must(err)
		same(t, "abroad", len(list), 0)
		// What the upper place says itself by now needs no exception.
		h.publish(h.operator, everywhere, sticks("allowed", ""))
		entry, err := h.Exception(ctx, h.admin, later.ID)
		h.must(err)
		if !entry.Needless {
			t.Errorf("%+v", entry)
		}
	})
}

func TestAnExceptionEndsByItselfAndDevicesAreTold(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.publish(h.operator, everywhere, sticks("read-only", ""))
		made, err := h.Except(ctx, h.admin, h.wish(5*days))
		h.must(err)
		h.at = h.at.Add(5*days - time.Minute)
		marks := h.ask(`SELECT COUNT(*) FROM marks`)
		h.must(h.Expire(ctx))
		same(t, "marks before the end", h.ask(`SELECT COUNT(*) FROM marks`), marks)
		h.at, h.woken = h.at.Add(2*time.Minute), 0
		same(t, "held", h.held(at(h.school), "usb-storage", "access"), "read-only")
		h.must(h.Expire(ctx))
		h.must(h.Expire(ctx))
		same(t, "woken", h.woken, 1)
		same(t, "marks of the school", h.ask(`SELECT COUNT(*) FROM marks WHERE school = $1`, h.school.ID), 2)
		same(t, "audit rows of the system", h.ask(`SELECT COUNT(*) FROM audit WHERE target = $1 AND actor = 'system:exceptions' AND school = $2`, made.ID, h.school.ID), 1)
		_, err = h.Extend(ctx, h.admin, made.ID, h.at.Add(9*days), "")
		want(t, err, errs.Conflict, "exception.over")
		over, _, err := h.Register(ctx, h.admin, standard.ExceptionFilter{Over: true})
		h.must(err)
		if len(over) != 1 || over[0].Age != 5*days {
			t.Errorf("%+v", over)
		}
	})
}

// post keeps reminders, and loses the first if told so.
type post struct {
	sent []string
	lose bool
}

func (p *post) Remind(_ context.Context, _ org.ID, e standard.Exception, days int) error {
	if p.lose {
		return errors.New("no connection")
	}
	p.sent = append(p.sent, fmt.Sprint(e.Field, " ", days))
	return nil
}

func TestOwnersAreRemindedAtNinetyThirtyAndSevenDays(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		mail := &post{}
		h.Mail = mail
		h.publish(h.operator, everywhere, sticks("read-only", ""))
		_, err := h.Except(ctx, h.admin, h.wish(100*days))
		h.must(err)
		begin := h.at
		for _, step := range []struct {
			day  int
			lose bool
			sent int
		}{{5, false, 0}, {11, false, 1}, {12, false, 1}, {71, true, 1}, {72, false, 2}, {94, false, 3}, {99, false, 3}} {
			h.at, mail.lose = begin.Add(time.Duration(step.day)*days), step.lose
			if err := h.Remind(ctx); (err != nil) != step.lose {
				t.Errorf("day %d: %v", step.day, err)
			}
			same(t, fmt.Sprint("day ", step.day), len(mail.sent), step.sent)
		}
		same(t, "sent", mail.sent, []string{"access 90", "access 30", "access 7"})
		today, err := h.Today(ctx, h.admin, h.school.Branch())
		h.must(err)
		same(t, "soon, ending", fmt.Sprint(today.Soon, today.Ending), "1 1")
	})
}

func TestAShortExceptionIsNotRemindedAtOnce(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		mail := &post{}
		h.Mail = mail
		h.publish(h.operator, everywhere, sticks("read-only", ""))
		_, err := h.Except(ctx, h.admin, h.wish(20*days))
		h.must(err)
		h.must(h.Remind(ctx))
		same(t, "sent on the first day", len(mail.sent), 0)
		h.at = h.at.Add(14 * days)
		h.must(h.Remind(ctx))
		same(t, "sent", mail.sent, []string{"access 7"})
	})
}

func TestHowFarASchoolFollows(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		follow, err := h.Follows(ctx, h.admin, h.school.ID)
		h.must(err)
		same(t, "nothing is set", follow.Percent(), 100)
		h.publish(h.operator, everywhere, sticks("read-only", ""))
		h.publish(h.city, h.cityPlace(), deny("a.example", "b.example"))
		h.publish(h.admin, at(h.school), deny("c.example"))
		h.publish(h.admin, of(h.class), sticks("blocked", ""))
		follow, err = h.Follows(ctx, h.admin, h.school.ID)
		h.must(err)
		same(t, "stricter and more", fmt.Sprint(follow.Percent(), follow.Fields), "100 2")
		_, err = h.Except(ctx, h.admin, h.wish(30*days))
		h.must(err)
		follow, err = h.Follows(ctx, h.admin, h.school.ID)
		h.must(err)
		same(t, "one of two", fmt.Sprint(follow.Percent(), len(follow.Deviations)), "50 1")
		today, err := h.Today(ctx, h.admin, h.school.Branch())
		h.must(err)
		same(t, "on the start page", fmt.Sprint(today.Follow.Percent(), today.Follow.Deviations[0].Place.Name), "50Gymnasium am See")
		all, err := h.FollowAll(ctx, h.city, h.school.Authority)
		h.must(err)
		same(t, "all", fmt.Sprint(all[h.school.ID].Percent(), all[h.other.ID].Fields, all[""].Percent()), "50 0 100")
		h.at = h.at.Add(31 * days)
		follow, err = h.Follows(ctx, h.admin, h.school.ID)
		h.must(err)
		same(t, "after the end", follow.Percent(), 100)
	})
}
