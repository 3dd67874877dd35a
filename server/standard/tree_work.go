package standard

import (
	"context"
	"slices"
	"sort"
	"strings"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/policies/sheet"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// treeWork carries a tree out inside of one transaction.
type treeWork struct {
	s     *Service
	actor may.Actor
	tree  Tree
	plan  Plan
}

func (w *treeWork) run(ctx context.Context, want []sheet.Sheet) error {
	is, err := w.s.sheets(ctx, w.tree.Branch)
	if err != nil {
		return err
	}
	wanted, err := w.find(ctx, want)
	if err != nil || len(w.plan.Faults) > 0 {
		return err
	}
	w.keepSecrets(is, wanted)
	if len(w.plan.Faults) > 0 {
		return nil
	}
	w.plan.Differences = sheet.Compare(plainSheets(is), plainSheets(wanted), w.tree.Whole)
	w.plan.Token = token(w.plan.Differences)
	for i := range w.plan.Differences {
		w.plan.Differences[i] = masked(w.plan.Differences[i])
	}
	for _, step := range stepsOf(is, wanted, w.tree.Whole) {
		if err := w.settle(ctx, step.before, step.after); err != nil {
			return err
		}
	}
	return nil
}

// find looks up the place of each sheet.
func (w *treeWork) find(ctx context.Context, want []sheet.Sheet) ([]placed, error) {
	var list []placed
	for _, one := range want {
		place, err := w.s.Store.NamedPlace(ctx, one.Place)
		key := ""
		switch {
		case errs.Is(err, errs.NotFound):
			key = "sheet.place_unknown"
		case errs.Is(err, errs.Conflict):
			key = "sheet.place_ambiguous"
		case err != nil:
			return nil, err
		case !w.tree.Branch.Holds(place.Branch):
			key = "sheet.place_outside"
		}
		if key != "" {
			w.fault(one, key, "place", map[string]string{"place": one.Place.String()})
			continue
		}
		list = append(list, placed{sheet: one, place: place})
	}
	sort.SliceStable(list, func(i, j int) bool { return depth(list[i].place) < depth(list[j].place) })
	return list, nil
}

// depth orders places so that what is above is settled before what is below.
func depth(p Place) int {
	return slices.Index([]org.Level{org.Operator, org.Authority, org.School, org.Group, org.Device}, p.Level)
}

func (w *treeWork) fault(one sheet.Sheet, key, field string, args map[string]string) {
	w.plan.Faults = append(w.plan.Faults, sheet.Fault{Fault: catalog.Fault{Key: key, Field: field, Args: args}, File: one.File, Line: one.Line(field)})
}

// keepSecrets puts the secrets that stay as they are into what is wanted.
func (w *treeWork) keepSecrets(is, wanted []placed) {
	known := map[desired.Place]placed{}
	for _, one := range is {
		known[one.place.Place] = one
	}
	for _, one := range wanted {
		for name, family := range one.sheet.Families {
			if described, ok := catalog.Find(name); ok && described.HasSecrets() {
				for _, f := range keep(described, family.Settings, known[one.place.Place].sheet.Families[name].Settings) {
					w.fault(one.sheet, f.Key, "policies."+name+"."+f.Field, f.Args)
				}
			}
		}
	}
}

// step is one place, as it is and as it is wanted.
type step struct{ before, after placed }

func stepsOf(is, wanted []placed, whole bool) []step {
	known := map[desired.Place]placed{}
	for _, one := range is {
		known[one.place.Place] = one
	}
	var steps []step
	named := map[desired.Place]bool{}
	for _, one := range wanted {
		named[one.place.Place] = true
		steps = append(steps, step{known[one.place.Place], one})
	}
	if whole {
		for _, one := range is {
			if !named[one.place.Place] {
				steps = append(steps, step{one, placed{place: one.place, sheet: sheet.Sheet{Place: one.sheet.Place}}})
			}
		}
	}
	sort.SliceStable(steps, func(i, j int) bool { return depth(steps[i].after.place) < depth(steps[j].after.place) })
	return steps
}

// settle makes one place as it is wanted: exceptions that end go first, then
// what the place says, then exceptions that begin.
func (w *treeWork) settle(ctx context.Context, before, after placed) error {
	extended := map[int]bool{}
	for i, old := range before.sheet.Exceptions {
		if at := slices.IndexFunc(after.sheet.Exceptions, func(e sheet.Exception) bool {
			return e.Family == old.Family && e.Field == old.Field && e.Reason == old.Reason
		}); at >= 0 && sameException(old, after.sheet.Exceptions[at]) {
			continue
		} else if at >= 0 && longer(old, after.sheet.Exceptions[at]) {
			extended[at] = true
			changed, err := w.s.Extend(ctx, w.actor, before.exceptions[i].ID, after.sheet.Exceptions[at].Until, "")
			w.waits(changed)
			if err := w.refused(after.sheet, after.sheet.Exceptions[at].Path, err); err != nil {
				return err
			}
			continue
		}
		ended, err := w.s.End(ctx, w.actor, before.exceptions[i].ID)
		w.waits(ended)
		if err := w.refused(after.sheet, "exceptions", err); err != nil {
			return err
		}
	}
	if err := w.say(ctx, before, after); err != nil {
		return err
	}
	for i, e := range after.sheet.Exceptions {
		if extended[i] || slices.ContainsFunc(before.sheet.Exceptions, func(old sheet.Exception) bool { return sameException(old, e) }) {
			continue
		}
		if err := w.except(ctx, after, e); err != nil {
			return err
		}
	}
	return nil
}

// longer reports whether all that is wanted is a later end.
func longer(old, wanted sheet.Exception) bool {
	later := wanted.Until.After(old.Until)
	old.Until = wanted.Until
	return later && sameException(old, wanted)
}

func sameException(a, b sheet.Exception) bool {
	return a.Family == b.Family && a.Field == b.Field && catalog.Same(a.Value, b.Value) && strings.EqualFold(a.Owner, b.Owner) && a.Reason == b.Reason && a.Until.Equal(b.Until) && a.Starts.Equal(b.Starts)
}

func (w *treeWork) say(ctx context.Context, before, after placed) error {
	families := map[string]Wish{}
	for _, family := range catalog.Families {
		was, is := before.sheet.Families[family.Name], after.sheet.Families[family.Name]
		if SameSay(Say{was.Settings, was.Holds}, Say{is.Settings, is.Holds}) {
			continue
		}
		families[family.Name] = Wish{Settings: is.Settings, Holds: is.Holds}
	}
	if len(families) == 0 {
		return nil
	}
	title := w.tree.Title
	if title == "" {
		title = "Dateien · Files"
	}
	waiting, err := w.waiting(ctx, after.place, families)
	if waiting != nil || err != nil {
		w.plan.Waiting = append(w.plan.Waiting, waiting...)
		return err
	}
	draft, err := w.s.Put(ctx, w.actor, after.place.Place, NewDraft{Title: title, Families: families, Source: Source{Kind: SourceFile, Name: after.sheet.File}})
	if err != nil {
		return w.refused(after.sheet, "policies", err)
	}
	if draft.State != Published {
		w.plan.Waiting = append(w.plan.Waiting, draft)
	}
	return nil
}

// waiting returns a draft of the place that asks for the same already: applying a
// tree twice asks once.
func (w *treeWork) waiting(ctx context.Context, place Place, wanted map[string]Wish) ([]Draft, error) {
	open, _, err := w.s.Store.ListDrafts(ctx, []org.Branch{{}}, DraftFilter{Place: &place.Place, States: []State{Proposed}, Limit: 200})
	for _, draft := range open {
		if draft.Source.Kind == SourceFile && draft.asksFor(wanted) {
			return []Draft{draft.masked()}, err
		}
	}
	return nil, err
}

// asksFor reports whether a draft changes just what is wanted.
func (d Draft) asksFor(wanted map[string]Wish) bool {
	if len(d.Changes) != len(wanted) {
		return false
	}
	for family, wish := range wanted {
		said, changed := d.Changes[family]
		say, faults := read(family, wish, said)
		if !changed || len(faults) > 0 || !SameSay(said, say) {
			return false
		}
	}
	return true
}

func (w *treeWork) except(ctx context.Context, after placed, e sheet.Exception) error {
	owner, err := w.s.Store.StaffByLogin(ctx, e.Owner)
	if errs.Is(err, errs.NotFound) {
		w.fault(after.sheet, "exception.no_owner", e.Path, map[string]string{"owner": e.Owner})
		return nil
	}
	if err != nil {
		return err
	}
	filed, err := w.s.Except(ctx, w.actor, NewException{
		Place: after.place.Place, Family: e.Family, Field: e.Field, Value: e.Value, Owner: owner, Reason: e.Reason, Starts: e.Starts, Until: e.Until,
	})
	w.waits(filed)
	return w.refused(after.sheet, e.Path, err)
}

// waits notes an exception of which a second person has to decide something.
func (w *treeWork) waits(e Exception) {
	if e.Asked.What != "" {
		w.plan.Asked = append(w.plan.Asked, e)
	}
}

// refused turns what the room would not do into faults with file and line; what
// is not a person's to mend stays an error.
func (w *treeWork) refused(one sheet.Sheet, path string, err error) error {
	if err == nil {
		return nil
	}
	if list := FaultsOf(err); len(list) > 0 {
		for _, f := range list {
			w.fault(one, f.Key, strings.TrimSuffix("policies."+f.Family+"."+f.Field, "."), f.Args)
		}
		return nil
	}
	fault := errs.Find(err)
	if fault == nil {
		return err
	}
	args := map[string]string{}
	for name, value := range fault.Args {
		if text, ok := value.(string); ok {
			args[name] = text
		}
	}
	w.fault(one, fault.Key, path, args)
	return nil
}
