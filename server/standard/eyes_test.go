package standard_test

import (
	"fmt"
	"testing"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/standard"
)

func TestDoingWithoutASecondPersonTakesTwo(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx, city := t.Context(), h.school.Authority
		_, err := h.SetFourEyes(ctx, h.admin, city, true)
		want(t, err, errs.NotFound, "not_found")
		_, err = h.SetFourEyes(ctx, h.trainee, city, true)
		want(t, err, errs.Denied, "denied")
		eyes, err := h.SetFourEyes(ctx, h.city, city, true)
		h.must(err)
		same(t, "on", fmt.Sprint(eyes.On, eyes.MayChange, eyes.MayConfirm), "true true false")
		eyes, err = h.SetFourEyes(ctx, h.city, city, false)
		h.must(err)
		same(t, "asked", fmt.Sprint(eyes.On, eyes.Asked.ByName), "true"+h.city.Name)
		_, err = h.SetFourEyes(ctx, (&staffOf{h}).program(h.city), city, false)
		want(t, err, errs.Denied, "eyes.own")
		eyes, err = h.FourEyes(ctx, h.second, city)
		h.must(err)
		same(t, "the other confirms", eyes.MayConfirm, true)
		eyes, err = h.SetFourEyes(ctx, h.second, city, true)
		h.must(err)
		same(t, "taken back", fmt.Sprint(eyes.On, eyes.Asked.By), "true")
		h.eyes(false)
		eyes, err = h.FourEyes(ctx, h.second, city)
		h.must(err)
		same(t, "off", fmt.Sprint(eyes.On, eyes.Asked.By), "false")
		_, err = h.SetFourEyes(ctx, h.operator, "", true)
		h.must(err)
		eyes, err = h.FourEyes(ctx, h.operator, "")
		h.must(err)
		same(t, "the operator's own", eyes.On, true)
		same(t, "audit rows", h.ask(`SELECT COUNT(*) FROM audit WHERE target_kind = 'authority' AND after LIKE '%four_eyes%'`), 6)
	})
}

func TestAnExceptionWaitsForASecondPerson(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.publish(h.operator, everywhere, sticks("read-only", ""))
		h.eyes(true)
		held := func() any { return h.held(at(h.school), "usb-storage", "access") }
		waits, err := h.Except(ctx, h.admin, h.wish(30*days))
		h.must(err)
		same(t, "asked, held", fmt.Sprint(waits.Asked.What, " ", held()), "begin read-only")
		follow, err := h.Follows(ctx, h.admin, h.school.ID)
		h.must(err)
		same(t, "the school follows still", follow.Percent(), 100)
		_, err = h.Except(ctx, h.city, h.wish(3*days))
		want(t, err, errs.Conflict, "exception.exists")
		_, err = h.Extend(ctx, h.admin, waits.ID, h.at.Add(40*days), "")
		want(t, err, errs.Conflict, "exception.waits")
		_, err = h.Grant(ctx, h.admin, waits.ID)
		want(t, err, errs.Denied, "exception.own")
		_, err = h.Grant(ctx, h.trainee, waits.ID)
		want(t, err, errs.Denied, "denied")
		_, err = h.Grant(ctx, h.stranger, waits.ID)
		want(t, err, errs.NotFound, "not_found")
		today, err := h.Today(ctx, h.city, h.school.Branch())
		h.must(err)
		same(t, "to decide", today.Asked, 1)
		granted, err := h.Grant(ctx, h.city, waits.ID)
		h.must(err)
		same(t, "granted, held", fmt.Sprint(granted.ApproverName, " ", held()), h.city.Name+" allowed")
		_, err = h.Grant(ctx, h.city, waits.ID)
		want(t, err, errs.Conflict, "exception.not_asked")

		later, err := h.Extend(ctx, h.admin, waits.ID, h.at.Add(60*days), "Noch ein Jahrgang")
		h.must(err)
		same(t, "the end stays", later.Until.Equal(waits.Until), true)
		later, err = h.Grant(ctx, h.city, waits.ID)
		h.must(err)
		same(t, "extended", fmt.Sprint(later.Until.Equal(h.at.Add(60*days)), later.Reason), "trueNoch ein Jahrgang")

		_, err = h.End(ctx, h.admin, waits.ID)
		h.must(err)
		same(t, "holds until somebody agrees", held(), "allowed")
		_, err = h.Refuse(ctx, h.admin, waits.ID)
		h.must(err)
		_, err = h.End(ctx, h.admin, waits.ID)
		h.must(err)
		_, err = h.Grant(ctx, h.city, waits.ID)
		h.must(err)
		same(t, "ended", held(), "read-only")
	})
}

func TestTraineesAskForExceptionsAlways(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.publish(h.operator, everywhere, sticks("read-only", ""))
		asked, err := h.Except(ctx, h.trainee, h.wish(30*days))
		h.must(err)
		same(t, "held", h.held(at(h.school), "usb-storage", "access"), "read-only")
		refused, err := h.Refuse(ctx, h.admin, asked.ID)
		h.must(err)
		same(t, "over", refused.Over(h.at), true)
		_, err = h.Grant(ctx, h.city, asked.ID)
		want(t, err, errs.Conflict, "exception.not_asked")
		_, err = h.Except(ctx, h.trainee, h.wish(30*days))
		h.must(err)
	})
}

// Somebody who may not write where a field is locked cannot approve an exception
// from it either.
func TestALockedFieldNeedsASecondPersonWhoCould(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.publish(h.city, h.cityPlace(), sticks("blocked", desired.Locked))
		h.eyes(true)
		asked, err := h.Except(ctx, h.trainee, h.wish(30*days))
		h.must(err)
		_, err = h.Grant(ctx, h.admin, asked.ID)
		want(t, err, errs.Denied, "exception.locked")
		_, err = h.Grant(ctx, h.second, asked.ID)
		h.must(err)
		same(t, "held", h.held(at(h.school), "usb-storage", "access"), "allowed")
	})
}

func TestTakingBackWaitsForASecondPerson(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		version := h.publish(h.city, h.cityPlace(), sticks("blocked", ""))
		h.eyes(true)
		draft, none, err := h.Undo(ctx, h.city, version.ID)
		h.must(err)
		same(t, "state, version, source", fmt.Sprint(draft.State, none.ID, draft.Source.Kind), "proposedundo")
		same(t, "held", h.held(at(h.school), "usb-storage", "access"), "blocked")
		_, _, err = h.Undo(ctx, h.second, version.ID)
		want(t, err, errs.Conflict, "policy.undo_waits")
		_, _, err = h.Approve(ctx, h.city, draft.ID, standard.Release{})
		want(t, err, errs.Denied, "policy.own_draft")
		_, back, err := h.Approve(ctx, h.second, draft.ID, standard.Release{})
		h.must(err)
		same(t, "held", h.held(at(h.school), "usb-storage", "access"), "<nil>")
		undone, err := h.Version(ctx, h.city, version.ID)
		h.must(err)
		same(t, "the two know each other", fmt.Sprint(undone.Undone, back.Undoes), fmt.Sprint(back.ID, version.ID))
		_, _, err = h.Undo(ctx, h.city, version.ID)
		want(t, err, errs.Conflict, "policy.undone_already")
		h.eyes(false)
		mine := h.publish(h.city, h.cityPlace(), sticks("blocked", ""))
		draft, _, err = h.Undo(ctx, h.trainee, mine.ID)
		h.must(err)
		same(t, "a trainee proposes", draft.State, standard.Proposed)
	})
}

func TestAgentsThatAreTooOldAreNamed(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.devices(h.school, org.Linux, 3, true, h.class) // understand schema 1
		h.devices(h.other, org.Linux, 2, true)
		draft := h.begin(h.city, h.cityPlace(), sticks("blocked", ""))
		found, err := h.Impact(ctx, h.city, draft.ID)
		h.must(err)
		same(t, "today", fmt.Sprint(found.Changed, found.Unable), "5 0")
		h.Schema = 2
		found, err = h.Impact(ctx, h.city, draft.ID)
		h.must(err)
		same(t, "with newer declarations", fmt.Sprint(found.Changed, found.Unable, len(found.Cannot), found.Cannot[0]), "0 5 1 {agent-too-old usb-storage access linux 5}")
		list, err := h.ImpactDevices(ctx, h.city, draft.ID, h.school.ID, "", 1)
		h.must(err)
		same(t, "one device", fmt.Sprint(len(list.Devices), list.Total, list.Devices[0].Cannot[0].Why), "1 3agent-too-old")
	})
}

// Files and a second person: what is asked for is asked once, however often the
// files are applied.
func TestFilesAskASecondPersonOnce(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.publish(h.operator, everywhere, sticks("read-only", ""))
		h.eyes(true)
		wanted := func(until string) standard.Tree {
			return h.tree(fmt.Sprintf("place: {authority: Musterstadt, school: Gymnasium am See}\npolicies: {webfilter: {deny: [hass.example]}}\nexceptions:\n- {family: usb-storage, field: access, value: allowed, owner: %s, reason: Messung, until: %s}\n", h.admin.Login, until))
		}
		first, second := h.at.Add(30*days).Format("2006-01-02"), h.at.Add(60*days).Format("2006-01-02")
		plan, err := h.ApplySheets(ctx, h.city, wanted(first), "")
		h.must(err)
		same(t, "waiting", fmt.Sprint(len(plan.Faults), len(plan.Waiting), len(plan.Asked)), "0 1 1")
		plan, err = h.ApplySheets(ctx, h.city, wanted(first), "")
		h.must(err)
		same(t, "again", fmt.Sprint(len(plan.Faults), len(plan.Waiting), len(plan.Asked)), "0 1 0")
		same(t, "drafts", h.ask(`SELECT COUNT(*) FROM policy_drafts WHERE state = 'proposed'`), 1)
		_, err = h.Grant(ctx, h.second, h.exceptionID())
		h.must(err)
		for range 2 {
			plan, err = h.ApplySheets(ctx, h.city, wanted(second), "")
			h.must(err)
			same(t, "faults", faultLines(plan), "")
		}
		same(t, "a later end is asked once", h.ask(`SELECT COUNT(*) FROM exceptions WHERE asked LIKE '%extend%'`), 1)
	})
}

func (h *house) exceptionID() org.ID {
	return org.ID(h.ask(`SELECT id FROM exceptions`))
}
