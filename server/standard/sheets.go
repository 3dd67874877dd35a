package standard

import (
	"context"
	"errors"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/policies/sheet"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// SheetStore finds places as sheets name them.
type SheetStore interface {
	// SayingPlaces lists the places of a branch that say something themselves or
	// have an exception that is not over, the highest first.
	SayingPlaces(ctx context.Context, branch org.Branch, at time.Time) ([]Place, error)
	// NamedPlace finds a place by its names: NotFound if there is none, Conflict
	// if there are several.
	NamedPlace(ctx context.Context, names sheet.Place) (Place, error)
	// StaffLogin and StaffByLogin translate between people and their logins.
	StaffLogin(ctx context.Context, staff org.ID) (string, error)
	StaffByLogin(ctx context.Context, login string) (org.ID, error)
}

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
	// Waiting are drafts that a second person has to approve.
	Waiting []Draft
}

// Sheets returns what every place of a branch says, as far as the actor may read
// it, without secrets.
func (s *Service) Sheets(ctx context.Context, actor may.Actor, branch org.Branch) ([]sheet.Sheet, error) {
	if _, err := may.Do(actor, may.PolicyRead, branch); err != nil {
		return nil, err
	}
	said, err := s.sheets(ctx, branch)
	for _, one := range said {
		for name, family := range one.sheet.Families {
			if known, ok := catalog.Find(name); ok && known.HasSecrets() {
				family.Settings = mask(known, family.Settings)
				one.sheet.Families[name] = family
			}
		}
	}
	return plainSheets(said), err
}

// placed is a sheet with the place that it is about.
type placed struct {
	sheet      sheet.Sheet
	place      Place
	exceptions []Exception // in the order of the sheet's
}

func plainSheets(list []placed) []sheet.Sheet {
	sheets := make([]sheet.Sheet, len(list))
	for i, one := range list {
		sheets[i] = one.sheet
	}
	return sheets
}

// sheets reads what a branch says, secrets included.
func (s *Service) sheets(ctx context.Context, branch org.Branch) ([]placed, error) {
	places, err := s.Store.SayingPlaces(ctx, branch, s.now())
	if err != nil {
		return nil, err
	}
	list := make([]placed, 0, len(places))
	for _, place := range places {
		one := placed{place: place, sheet: sheet.Sheet{Place: place.names(), Families: map[string]sheet.Family{}}}
		said, err := s.Store.SaidAt(ctx, place)
		if err != nil {
			return nil, err
		}
		for name, say := range said {
			if !say.Empty() {
				one.sheet.Families[name] = sheet.Family{Settings: say.Settings, Holds: say.holds()}
			}
		}
		if err := s.addExceptions(ctx, &one); err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, nil
}

func (s *Service) addExceptions(ctx context.Context, one *placed) error {
	exceptions, _, err := s.Store.ListExceptions(ctx, []org.Branch{{}}, ExceptionFilter{Place: &one.place.Place, Limit: 200}, s.Now())
	if err != nil {
		return err
	}
	sort.Slice(exceptions, func(i, j int) bool {
		a, b := exceptions[i], exceptions[j]
		return a.Family+"\x00"+a.Field+"\x00"+a.Reason < b.Family+"\x00"+b.Field+"\x00"+b.Reason
	})
	for _, e := range exceptions {
		login, err := s.Store.StaffLogin(ctx, e.Owner)
		if err != nil {
			return err
		}
		one.exceptions = append(one.exceptions, e)
		// When it began says nothing about what is wanted; only a beginning to come
		// does.
		written := sheet.Exception{Family: e.Family, Field: e.Field, Value: e.Value, Owner: login, Reason: e.Reason, Until: e.Until}
		if e.Starts.After(s.now()) {
			written.Starts = e.Starts
		}
		one.sheet.Exceptions = append(one.sheet.Exceptions, written)
	}
	return nil
}

// names are those by which a sheet calls the place.
func (p Place) names() sheet.Place {
	switch p.Level {
	case org.Authority:
		return sheet.Place{Authority: p.Name}
	case org.School:
		return sheet.Place{Authority: p.Authority, School: p.Name}
	case org.Group:
		return sheet.Place{Authority: p.Authority, School: p.School, Group: p.Name}
	case org.Device:
		return sheet.Place{Authority: p.Authority, School: p.School, Device: p.Name}
	}
	return sheet.Place{}
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
	for i, old := range before.sheet.Exceptions {
		if at := slices.IndexFunc(after.sheet.Exceptions, func(e sheet.Exception) bool {
			return e.Family == old.Family && e.Field == old.Field && e.Reason == old.Reason
		}); at >= 0 && sameException(old, after.sheet.Exceptions[at]) {
			continue
		}
		if _, err := w.s.End(ctx, w.actor, before.exceptions[i].ID); err != nil {
			if err := w.refused(after.sheet, "exceptions", err); err != nil {
				return err
			}
		}
	}
	if err := w.say(ctx, before, after); err != nil {
		return err
	}
	for _, e := range after.sheet.Exceptions {
		if slices.ContainsFunc(before.sheet.Exceptions, func(old sheet.Exception) bool { return sameException(old, e) }) {
			continue
		}
		if err := w.except(ctx, after, e); err != nil {
			return err
		}
	}
	return nil
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
	draft, err := w.s.Put(ctx, w.actor, after.place.Place, NewDraft{Title: title, Families: families, Source: Source{Kind: "file", Name: after.sheet.File}})
	if err != nil {
		return w.refused(after.sheet, "policies", err)
	}
	if draft.State != Published {
		w.plan.Waiting = append(w.plan.Waiting, draft)
	}
	return nil
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
	_, err = w.s.Except(ctx, w.actor, NewException{
		Place: after.place.Place, Family: e.Family, Field: e.Field, Value: e.Value, Owner: owner, Reason: e.Reason, Starts: e.Starts, Until: e.Until,
	})
	if err != nil {
		return w.refused(after.sheet, e.Path, err)
	}
	return nil
}

// refused turns what the room would not do into faults with file and line; what
// is not a person's to mend stays an error.
func (w *treeWork) refused(one sheet.Sheet, path string, err error) error {
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

// Written are sheets as files. Two places whose names make one path get numbers.
func Written(sheets []sheet.Sheet) ([]sheet.File, error) {
	files := make([]sheet.File, 0, len(sheets))
	seen := map[string]int{}
	for _, one := range sheets {
		path := one.Place.Path()
		if seen[path]++; seen[path] > 1 {
			path = strings.TrimSuffix(path, ".yaml") + "-" + strconv.Itoa(seen[one.Place.Path()]) + ".yaml"
		}
		text, err := sheet.Write(one, "")
		if err != nil {
			return nil, err
		}
		files = append(files, sheet.File{Path: path, Content: text})
	}
	return files, nil
}
