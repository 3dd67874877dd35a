package standard_test

import (
	"testing"
	"time"

	"schulwart.org/policies/desired"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
)

func TestWhatIsPublishedHoldsAndIsRemembered(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		draft := h.begin(h.city, h.cityPlace(), deny("spiele.example", "*.Hass.example"))
		if held := h.held(at(h.school), "webfilter", "deny"); held != nil {
			t.Errorf("a draft holds: %v", held)
		}
		published, version, err := h.Publish(ctx, h.city, draft.ID, standard.Release{Seen: draft.Changed})
		h.must(err)
		same(t, "held", h.held(of(h.class), "webfilter", "deny"), []string{"hass.example", "spiele.example"})
		same(t, "in the other authority", h.held(at(h.abroad), "webfilter", "deny"), nil)
		same(t, "state", published.State, standard.Published)
		same(t, "by", version.ByName, h.city.Name)
		if h.woken == 0 || h.ask(`SELECT COUNT(*) FROM marks WHERE authority = $1 AND school = ''`, h.school.Authority) != "1" {
			t.Error("devices were not told")
		}
		same(t, "audit rows of the publication", h.ask(`SELECT COUNT(*) FROM audit WHERE authority = $1 AND target_kind = 'policy' AND target = $2 AND actor = $3`, h.school.Authority, version.ID, h.city.ID), 1)
		_, _, err = h.Publish(ctx, h.city, draft.ID, standard.Release{})
		want(t, err, errs.Conflict, "policy.draft_closed")
		list, next, err := h.Versions(ctx, h.admin, standard.VersionFilter{})
		h.must(err)
		if len(list) != 0 || next != "" {
			t.Errorf("a school's history holds the authority's: %v", list)
		}
	})
}

func TestFaultsNameTheirFieldsAndNothingIsKept(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		_, err := h.Begin(ctx, h.admin, at(h.school), standard.NewDraft{Title: "x", Families: map[string]standard.Wish{
			"webfilter":   {Settings: map[string]any{"deny": []any{"gut.example", "nicht gut"}, "denny": true}},
			"usb-storage": {Settings: map[string]any{"access": "blocked"}, Holds: map[string]desired.Hold{"access": "fest"}},
			"zauberei":    {Settings: map[string]any{"an": true}},
		}})
		want(t, err, errs.Invalid, "policy.faults")
		same(t, "faults", faultKeys(err), "policy.unknown_hold access, policy.unknown_field denny, policy.not_host deny.2, policy.unknown_family ")
		same(t, "drafts", h.ask(`SELECT COUNT(*) FROM policy_drafts`), 0)
		draft := h.begin(h.admin, at(h.school), deny("gut.example"))
		_, err = h.Change(ctx, h.admin, draft.ID, standard.DraftChange{Families: deny("!")})
		want(t, err, errs.Invalid, "policy.faults")
		again, err := h.Draft(ctx, h.admin, draft.ID)
		h.must(err)
		same(t, "kept", again.Changes["webfilter"].Settings.List("deny"), []string{"gut.example"})
	})
}

func TestADraftThatSomebodyOvertookIsAConflictAndCanBeRebased(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.publish(h.admin, at(h.school), deny("a.example"))
		mine := h.begin(h.admin, at(h.school), deny("a.example", "b.example"))
		theirs := h.publish(h.city, at(h.school), map[string]standard.Wish{"webfilter": {Settings: map[string]any{"deny": []any{"a.example"}, "only": []any{"gut.example"}}}})
		_, _, err := h.Publish(ctx, h.admin, mine.ID, standard.Release{})
		want(t, err, errs.Conflict, "policy.clash")
		same(t, "named", errs.Find(err).Args["version"], theirs.ID)
		review, err := h.Review(ctx, h.admin, mine.ID)
		h.must(err)
		if len(review.Clashes) != 1 || review.Clashes[0].ByName != h.city.Name || len(review.Clashes[0].Both) != 0 || review.MayPublish {
			t.Errorf("%+v", review)
		}
		_, err = h.Rebase(ctx, h.admin, mine.ID)
		h.must(err)
		_, _, err = h.Publish(ctx, h.admin, mine.ID, standard.Release{})
		h.must(err)
		same(t, "mine", h.held(at(h.school), "webfilter", "deny"), []string{"a.example", "b.example"})
		same(t, "theirs", h.held(at(h.school), "webfilter", "only"), []string{"gut.example"})
	})
}

func TestADeviationIsRefusedWithItsPlaceAndTheWayOut(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.publish(h.operator, everywhere, sticks("read-only", desired.Standard))
		h.publish(h.city, h.cityPlace(), only(desired.Locked, "schule.example"))
		for _, step := range []struct {
			name     string
			families map[string]standard.Wish
			key      string
			place    string
			grants   bool
		}{
			{"looser than the operator", sticks("allowed", ""), "policy.deviates", "", true},
			{"locked by the city", only("", "anders.example"), "policy.locked", "Musterstadt", false},
			{"stricter", sticks("blocked", ""), "", "", false},
		} {
			draft := h.begin(h.admin, at(h.school), step.families)
			_, _, err := h.Publish(ctx, h.admin, draft.ID, standard.Release{})
			if step.key == "" {
				h.must(err)
				continue
			}
			faults := standard.FaultsOf(err)
			if len(faults) != 1 || faults[0].Key != step.key || faults[0].Args["place"] != step.place || !faults[0].Exception || faults[0].Grants != step.grants {
				t.Errorf("%s: %v %+v", step.name, err, faults)
			}
		}
		same(t, "held", h.held(at(h.school), "usb-storage", "access"), "blocked")
	})
}

func TestASecondPersonApproves(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.eyes(true)
		draft := h.begin(h.city, h.cityPlace(), sticks("blocked", ""))
		_, _, err := h.Publish(ctx, h.city, draft.ID, standard.Release{})
		want(t, err, errs.Denied, "policy.needs_second")
		_, _, err = h.Approve(ctx, h.second, draft.ID, standard.Release{})
		want(t, err, errs.Conflict, "policy.not_proposed")
		proposed, err := h.Propose(ctx, h.city, draft.ID)
		h.must(err)
		_, _, err = h.Approve(ctx, h.city, draft.ID, standard.Release{})
		want(t, err, errs.Denied, "policy.own_draft")
		title := "Doch anders"
		_, err = h.Change(ctx, h.city, draft.ID, standard.DraftChange{Title: &title})
		h.must(err)
		_, _, err = h.Approve(ctx, h.second, draft.ID, standard.Release{Seen: proposed.Changed})
		want(t, err, errs.Conflict, "policy.not_proposed")
		again, err := h.Propose(ctx, h.city, draft.ID)
		h.must(err)
		_, _, err = h.Approve(ctx, h.second, draft.ID, standard.Release{Seen: proposed.Changed})
		want(t, err, errs.Conflict, "policy.draft_changed")
		_, version, err := h.Approve(ctx, h.second, draft.ID, standard.Release{Seen: again.Changed})
		h.must(err)
		if version.By != h.city.ID || version.Approver != h.second.ID {
			t.Errorf("%+v", version)
		}
	})
}

// A person with a program's token is one person.
func TestNobodyApprovesTheirOwnDraftThroughAProgram(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.eyes(true)
		people := &staffOf{h}
		program := people.program(h.city)
		draft := h.begin(h.city, h.cityPlace(), sticks("blocked", ""))
		_, err := h.Propose(ctx, h.city, draft.ID)
		h.must(err)
		_, _, err = h.Approve(ctx, program, draft.ID, standard.Release{})
		want(t, err, errs.Denied, "policy.own_draft")
		_, _, err = h.Publish(ctx, program, draft.ID, standard.Release{})
		want(t, err, errs.Denied, "policy.needs_second")
	})
}

func TestTraineesProposeAndNeverPublish(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		draft := h.begin(h.trainee, at(h.school), deny("spiele.example"))
		_, _, err := h.Publish(ctx, h.trainee, draft.ID, standard.Release{})
		want(t, err, errs.Denied, "denied")
		_, err = h.Change(ctx, h.admin, draft.ID, standard.DraftChange{Families: deny()})
		want(t, err, errs.Denied, "policy.not_yours")
		_, err = h.Propose(ctx, h.trainee, draft.ID)
		h.must(err)
		review, err := h.Review(ctx, h.admin, draft.ID)
		h.must(err)
		if !review.MayApprove || review.MayChange || review.MayPublish {
			t.Errorf("%+v", review)
		}
		today, err := h.Today(ctx, h.admin, h.school.Branch())
		h.must(err)
		same(t, "waiting for somebody", today.Proposed, 1)
		_, version, err := h.Approve(ctx, h.admin, draft.ID, standard.Release{})
		h.must(err)
		same(t, "by", version.ByName+" and "+version.ApproverName, h.trainee.Name+" and "+h.admin.Name)
	})
}

func TestForeignersSeeNothing(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		version := h.publish(h.admin, at(h.school), deny("a.example"))
		draft := h.begin(h.admin, at(h.school), deny("b.example"))
		for _, who := range []may.Actor{h.stranger} {
			_, err := h.At(ctx, who, at(h.school))
			want(t, err, errs.NotFound, "not_found")
			_, err = h.Draft(ctx, who, draft.ID)
			want(t, err, errs.NotFound, "not_found")
			_, err = h.Impact(ctx, who, draft.ID)
			want(t, err, errs.NotFound, "not_found")
			_, _, err = h.Undo(ctx, who, version.ID)
			want(t, err, errs.NotFound, "not_found")
			_, err = h.Discard(ctx, who, draft.ID)
			want(t, err, errs.NotFound, "not_found")
			list, _, err := h.Drafts(ctx, who, standard.DraftFilter{})
			h.must(err)
			same(t, "drafts", len(list), 0)
			_, err = h.TakeOver(ctx, who, at(h.school), at(h.abroad), "", []standard.Part{{Family: "webfilter"}})
			want(t, err, errs.NotFound, "not_found")
		}
		_, err := h.At(ctx, h.teacher, at(h.school))
		want(t, err, errs.Denied, "denied")
	})
}

func TestOneClickBackAndNotOverOthers(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		first := h.publish(h.admin, at(h.school), deny("a.example"))
		h.at = h.at.Add(time.Minute)
		second := h.publish(h.admin, at(h.school), deny("a.example", "b.example"))
		_, _, err := h.Undo(ctx, h.admin, first.ID)
		want(t, err, errs.Conflict, "policy.touched_later")
		if later := standard.TouchedLater(err); len(later) != 1 || later[0].ID != second.ID {
			t.Errorf("%+v", later)
		}
		_, back, err := h.Undo(ctx, h.admin, second.ID)
		h.must(err)
		same(t, "held", h.held(at(h.school), "webfilter", "deny"), []string{"a.example"})
		_, _, err = h.Undo(ctx, h.admin, second.ID)
		want(t, err, errs.Conflict, "policy.undone_already")
		undone, err := h.Version(ctx, h.admin, second.ID)
		h.must(err)
		if undone.Undone != back.ID || back.Undoes != second.ID {
			t.Errorf("%+v, %+v", undone, back)
		}
		// What is as the version left it can be taken back, whatever lay in between.
		_, _, err = h.Undo(ctx, h.admin, first.ID)
		h.must(err)
		same(t, "held", h.held(at(h.school), "webfilter", "deny"), nil)
		// Taking back the taking back is doing it again.
		_, _, err = h.Undo(ctx, h.admin, back.ID)
		want(t, err, errs.Conflict, "policy.touched_later")
	})
}

func TestTakingOverFromAnotherSchool(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.publish(h.city, at(h.other), map[string]standard.Wish{"webfilter": {Settings: map[string]any{"deny": []any{"x.example"}, "only": []any{"y.example"}}}, "usb-storage": {Settings: map[string]any{"access": "blocked"}}})
		h.publish(h.city, at(h.school), deny("alt.example"))
		list, err := h.Compare(ctx, h.city, at(h.other), at(h.school))
		h.must(err)
		same(t, "differences", len(list), 3)
		draft, err := h.TakeOver(ctx, h.city, at(h.other), at(h.school), "", []standard.Part{{Family: "webfilter", Field: "deny"}, {Family: "usb-storage"}})
		h.must(err)
		same(t, "source", draft.Source.Name, "Grundschule Nord")
		_, _, err = h.Publish(ctx, h.city, draft.ID, standard.Release{})
		h.must(err)
		same(t, "deny", h.held(at(h.school), "webfilter", "deny"), []string{"x.example"})
		same(t, "only", h.held(at(h.school), "webfilter", "only"), nil)
		same(t, "sticks", h.held(at(h.school), "usb-storage", "access"), "blocked")
		_, err = h.TakeOver(ctx, h.admin, at(h.other), at(h.school), "", []standard.Part{{Family: "webfilter"}})
		want(t, err, errs.NotFound, "not_found")
	})
}

func TestLeewayOfAPlace(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		h.publish(h.operator, everywhere, sticks("read-only", ""))
		h.publish(h.city, h.cityPlace(), only(desired.Free, "schule.example"))
		for _, step := range []struct {
			family, field string
			leeway        standard.Leeway
			change        bool
		}{{"usb-storage", "access", standard.LeewayStricter, true}, {"webfilter", "only", standard.LeewayFree, true}, {"webfilter", "deny", standard.LeewayFree, true}} {
			f := h.field(h.admin, at(h.school), step.family, step.field)
			if f.Leeway != step.leeway || f.Change != step.change {
				t.Errorf("%s.%s: %s, change %v", step.family, step.field, f.Leeway, f.Change)
			}
		}
		h.publish(h.city, h.cityPlace(), only(desired.Locked, "schule.example"))
		f := h.field(h.admin, at(h.school), "webfilter", "only")
		if f.Leeway != standard.LeewayLocked || f.Change || f.Grant || f.Upper.Name != "Musterstadt" {
			t.Errorf("locked: %+v", f)
		}
		h.publish(h.city, h.cityPlace(), only(desired.Standard, "schule.example"))
		if f := h.field(h.admin, at(h.school), "webfilter", "only"); f.Leeway != standard.LeewayNone || f.Change || !f.Grant {
			t.Errorf("standard: %+v", f)
		}
		if f := h.field(h.trainee, at(h.school), "webfilter", "only"); f.Grant {
			t.Error("a trainee files exceptions")
		}
	})
}

func TestAFormPutsAtOnceOrProposes(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		wish := standard.NewDraft{Title: "Gesperrte Seiten", Families: deny("spiele.example")}
		put, err := h.Put(ctx, h.admin, at(h.school), wish)
		h.must(err)
		same(t, "state", put.State, standard.Published)
		put, err = h.Put(ctx, h.admin, at(h.school), wish)
		h.must(err)
		same(t, "the same again makes drafts", h.ask(`SELECT COUNT(*) FROM policy_drafts`), 1)
		h.eyes(true)
		put, err = h.Put(ctx, h.admin, at(h.school), standard.NewDraft{Title: "Gesperrte Seiten", Families: deny("spiele.example", "mehr.example")})
		h.must(err)
		same(t, "state", put.State, standard.Proposed)
		same(t, "held", h.held(at(h.school), "webfilter", "deny"), []string{"spiele.example"})
	})
}

// staffOf makes programs of people.
type staffOf struct{ *house }

func (s staffOf) program(maker may.Actor) may.Actor {
	s.t.Helper()
	program := may.Actor{ID: "program-1", Name: "Skript", Grants: maker.Grants, Via: "api"}
	execProgram(s.t, s.store, program.ID, maker, s.school.Authority)
	return program
}
