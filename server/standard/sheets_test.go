package standard_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/policies/sheet"
	"schulwart.org/server/errs"
	"schulwart.org/server/standard"
)

// tree is what the city keeps as files.
func (h *house) tree(files ...string) standard.Tree {
	tree := standard.Tree{Branch: org.Branch{Authority: h.school.Authority}}
	for i, content := range files {
		tree.Files = append(tree.Files, sheet.File{Path: fmt.Sprintf("%d.yaml", i+1), Content: content})
	}
	return tree
}

const citySheet = `place: {authority: Musterstadt}
policies:
  usb-storage:
    access: read-only
    hold: {access: locked}
  webfilter:
    deny: [spiele.example]
`

const schoolSheet = `place: {authority: Musterstadt, school: Gymnasium am See}
policies:
  webfilter:
    deny: [hass.example]
`

func abouts(plan standard.Plan) string {
	var list []string
	for _, d := range plan.Differences {
		list = append(list, string(d.What)+" "+d.Place.String()+" "+d.About)
	}
	return strings.Join(list, "; ")
}

func faultLines(plan standard.Plan) string {
	var list []string
	for _, f := range plan.Faults {
		list = append(list, fmt.Sprintf("%s:%d %s %s", f.File, f.Line, f.Key, f.Field))
	}
	return strings.Join(list, "; ")
}

func TestFilesArePlannedAppliedAndThenSayNothingNew(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		tree := h.tree(citySheet, schoolSheet)
		plan, err := h.PlanSheets(ctx, h.city, tree)
		h.must(err)
		same(t, "plan", abouts(plan), "added Musterstadt usb-storage.access; added Musterstadt usb-storage.hold.access; added Musterstadt webfilter.deny; added Musterstadt › Gymnasium am See webfilter.deny")
		same(t, "said after the plan", h.ask(`SELECT COUNT(*) FROM base_policies`), 0)
		same(t, "versions after the plan", h.ask(`SELECT COUNT(*) FROM policy_versions`), 0)
		applied, err := h.ApplySheets(ctx, h.city, tree, plan.Token)
		h.must(err)
		same(t, "faults", faultLines(applied), "")
		same(t, "held in the class", h.held(of(h.class), "webfilter", "deny"), []string{"hass.example", "spiele.example"})
		again, err := h.PlanSheets(ctx, h.city, tree)
		h.must(err)
		same(t, "planned again", abouts(again), "")
		_, err = h.ApplySheets(ctx, h.city, h.tree(citySheet), plan.Token)
		want(t, err, errs.Conflict, "sheet.moved")
	})
}

func TestATreeIsTakenWholeOrNotAtAll(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		loose := "# wants what the city locked\nplace: {authority: Musterstadt, school: Gymnasium am See}\npolicies:\n  webfilter: {deny: [a.example]}\n  usb-storage:\n    access: blocked\n"
		plan, err := h.ApplySheets(ctx, h.city, h.tree(citySheet, loose), "")
		h.must(err)
		same(t, "faults", faultLines(plan), "2.yaml:6 policy.locked policies.usb-storage.access")
		same(t, "said", h.ask(`SELECT COUNT(*) FROM base_policies`), 0)
		same(t, "drafts", h.ask(`SELECT COUNT(*) FROM policy_drafts`), 0)
		plan, err = h.ApplySheets(ctx, h.city, h.tree(citySheet, "place: {authority: Musterstadt, school: Nirgends}\n", "place: {authority: Musterkreis}\n"), "")
		h.must(err)
		same(t, "places", faultLines(plan), "2.yaml:1 sheet.place_unknown place; 3.yaml:1 sheet.place_outside place")
		same(t, "said", h.ask(`SELECT COUNT(*) FROM base_policies`), 0)
	})
}

func TestExceptionsInFilesHaveOwnersAndEnds(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		until := h.at.Add(40 * 24 * time.Hour).UTC().Format(time.DateOnly)
		with := func(owner string) string {
			return "place: {authority: Musterstadt, school: Gymnasium am See}\nexceptions:\n  - family: webfilter\n    field: deny\n    value: [spiele.example]\n    owner: " + owner + "\n    reason: Spiele-AG\n    until: " + until + "\n"
		}
		plan, err := h.ApplySheets(ctx, h.city, h.tree(citySheet, with("niemand@example.org")), "")
		h.must(err)
		same(t, "faults", faultLines(plan), "2.yaml:3 exception.no_owner exceptions.1")
		tree := h.tree(citySheet, with(h.admin.Login))
		plan, err = h.ApplySheets(ctx, h.city, tree, "")
		h.must(err)
		same(t, "faults", faultLines(plan), "")
		same(t, "held", h.held(at(h.school), "webfilter", "deny"), nil)
		again, err := h.PlanSheets(ctx, h.city, tree)
		h.must(err)
		same(t, "planned again", abouts(again), "")
		gone, err := h.ApplySheets(ctx, h.city, h.tree("place: {authority: Musterstadt, school: Gymnasium am See}\n"), "")
		h.must(err)
		same(t, "ended", abouts(gone), "removed Musterstadt › Gymnasium am See exception.webfilter.deny: Spiele-AG")
		same(t, "held again", h.held(at(h.school), "webfilter", "deny"), []string{"spiele.example"})
	})
}

func TestAWholeTreeTakesAwayWhatItDoesNotName(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		_, err := h.ApplySheets(ctx, h.city, h.tree(citySheet, schoolSheet), "")
		h.must(err)
		tree := h.tree(citySheet)
		part, err := h.PlanSheets(ctx, h.city, tree)
		h.must(err)
		same(t, "a part of a tree", abouts(part), "")
		tree.Whole = true
		plan, err := h.ApplySheets(ctx, h.city, tree, "")
		h.must(err)
		same(t, "the whole tree", abouts(plan), "removed Musterstadt › Gymnasium am See webfilter.deny")
		same(t, "held", h.held(at(h.school), "webfilter", "deny"), []string{"spiele.example"})
	})
}

func TestWhatIsWrittenOutIsWhatWouldBeReadIn(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		_, err := h.ApplySheets(ctx, h.city, h.tree(citySheet, schoolSheet), "")
		h.must(err)
		sheets, err := h.Sheets(ctx, h.city, org.Branch{Authority: h.school.Authority})
		h.must(err)
		var files []string
		for _, one := range sheets {
			text, err := sheet.Write(one, "")
			h.must(err)
			files = append(files, text)
		}
		if len(files) != 2 {
			t.Fatalf("%d sheets", len(files))
		}
		tree := h.tree(files...)
		tree.Whole = true
		plan, err := h.PlanSheets(ctx, h.city, tree)
		h.must(err)
		same(t, "plan", abouts(plan)+faultLines(plan), "")
		_, err = h.Sheets(ctx, h.stranger, org.Branch{Authority: h.school.Authority})
		want(t, err, errs.NotFound, "not_found")
		_, err = h.ApplySheets(ctx, h.teacher, h.tree(citySheet), "")
		if err == nil {
			t.Error("a teacher changes the city's policies")
		}
	})
}

// An exception that was filed in the console ends at a fraction of a second, which
// files cannot say. It was ended and filed anew by every apply, unseen; and once it
// had become needless, the tree that was written out could not be read in.
func TestAnExceptionFromTheConsoleStaysTheSameInFiles(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		_, err := h.ApplySheets(ctx, h.city, h.tree(citySheet), "")
		h.must(err)
		filed, err := h.Except(ctx, h.city, standard.NewException{
			Place: at(h.school), Family: "webfilter", Field: "deny", Value: []any{"spiele.example"}, Reason: "Spiele-AG", Until: h.at.Add(40*days + 419*time.Millisecond),
		})
		h.must(err)
		apply := func() {
			t.Helper()
			sheets, err := h.Sheets(ctx, h.city, org.Branch{Authority: h.school.Authority})
			h.must(err)
			var files []string
			for _, one := range sheets {
				text, err := sheet.Write(one, "")
				h.must(err)
				files = append(files, text)
			}
			plan, err := h.ApplySheets(ctx, h.city, h.tree(files...), "")
			h.must(err)
			same(t, "what is written out, read in", abouts(plan)+faultLines(plan), "")
			same(t, "exceptions", h.ask(`SELECT COUNT(*) FROM exceptions WHERE id = '`+filed.ID.String()+`' AND ended = 0`), 1)
			same(t, "and no other", h.ask(`SELECT COUNT(*) FROM exceptions`), 1)
		}
		apply()
		_, err = h.ApplySheets(ctx, h.city, h.tree("place: {authority: Musterstadt}\npolicies:\n  webfilter:\n    deny: [hass.example]\n"), "")
		h.must(err)
		apply()
	})
}

// Where a second person has to approve, files propose and nothing holds yet.
func TestFilesWaitForTheSecondPersonToo(t *testing.T) {
	both(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.eyes(true)
		plan, err := h.ApplySheets(ctx, h.city, h.tree(citySheet), "")
		h.must(err)
		if len(plan.Waiting) != 1 || plan.Waiting[0].State != standard.Proposed {
			t.Fatalf("%+v", plan.Waiting)
		}
		same(t, "held", h.held(at(h.school), "webfilter", "deny"), nil)
		_, _, err = h.Approve(ctx, h.second, plan.Waiting[0].ID, standard.Release{})
		h.must(err)
		same(t, "held", h.held(at(h.school), "webfilter", "deny"), []string{"spiele.example"})
	})
}
