package standard

import (
	"context"
	"errors"
	"strings"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/policies/sheet"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Tree is what somebody keeps as files.
type Tree struct {
	Branch org.Branch // what the files are about; places outside are refused
	Files  []sheet.File
	// Whole says that the tree is complete: a place of the branch without a sheet
	// shall say nothing.
	Whole bool
	Title string // of the drafts that it makes
}

// Plan is what a tree would change, or has changed.
type Plan struct {
	Differences []sheet.Difference // without secrets
	// Faults, with file and line: then nothing of the tree was carried out.
	Faults []sheet.Fault
	// Token names what is and what is wanted: who applies what was planned gives
	// it back, and nothing else is carried out.
	Token string
	// Waiting are drafts that a second person has to approve, Asked exceptions of
	// which one has to decide something.
	Waiting []Draft
	Asked   []Exception
}

// errRehearsed takes back what a plan has tried.
var errRehearsed = errors.New("standard: only a rehearsal")

// PlanSheets says what a tree would change, and everything that stands in the
// way: it is carried out and taken back again, so that what is planned is what
// would happen.
func (s *Service) PlanSheets(ctx context.Context, actor may.Actor, tree Tree) (Plan, error) {
	plan, err := s.carryOut(ctx, actor, tree, true)
	if errors.Is(err, errRehearsed) {
		err = nil
	}
	return plan, err
}

// ApplySheets makes the places as the tree wants them, all or nothing. With the
// token of a plan it is a Conflict fault "sheet.moved" if something is other than
// it was then.
func (s *Service) ApplySheets(ctx context.Context, actor may.Actor, tree Tree, token string) (Plan, error) {
	if token != "" {
		plan, err := s.PlanSheets(ctx, actor, tree)
		if err != nil {
			return Plan{}, err
		}
		if plan.Token != token {
			return Plan{}, errs.E(errs.Conflict, "sheet.moved")
		}
	}
	plan, err := s.carryOut(ctx, actor, tree, false)
	s.wake()
	if errors.Is(err, errRehearsed) {
		err = nil // there were faults, and nothing was carried out
	}
	return plan, err
}

func (s *Service) carryOut(ctx context.Context, actor may.Actor, tree Tree, rehearse bool) (Plan, error) {
	if _, err := may.Do(actor, may.PolicyPropose, tree.Branch); err != nil {
		return Plan{}, err
	}
	want, faults := sheet.ReadAll(tree.Files)
	if len(faults) > 0 {
		return Plan{Faults: faults}, nil
	}
	var plan Plan
	err := s.Atomically(ctx, func(ctx context.Context) error {
		// It may run twice.
		work := treeWork{s: s, actor: actor, tree: tree}
		if err := work.run(ctx, want); err != nil {
			return err
		}
		plan = work.plan
		if rehearse || len(plan.Faults) > 0 {
			return errRehearsed
		}
		return nil
	})
	return plan, err
}

// token names differences by their content.
func token(list []sheet.Difference) string {
	parts := make([]string, 0, len(list))
	for _, d := range list {
		parts = append(parts, ddm.New("", d.Place.String()+"\x00"+d.About+"\x00"+string(d.What), []any{d.Before, d.After}).ServerToken)
	}
	return ddm.Hash(parts...)
}

// masked takes secrets out of a difference.
func masked(d sheet.Difference) sheet.Difference {
	if family, field, ok := strings.Cut(d.About, "."); ok {
		d.Before, d.After = MaskedValue(family, field, d.Before), MaskedValue(family, field, d.After)
	}
	return d
}
