package roster

import (
	"context"
	"slices"
	"strings"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// What an import file is about.
type What string

// The kinds of files.
const (
	ImportDevices  What = "devices"
	ImportGroups   What = "groups"
	ImportPersons  What = "persons"  // pupils
	ImportTeachers What = "teachers" // staff with logins
)

// ImportState says how far an import has come.
type ImportState string

// The states.
const (
	Mapping    ImportState = "mapping" // which column means what?
	Previewing ImportState = "preview"
	Done       ImportState = "done"
	Dropped    ImportState = "dropped"
)

// Import is one file on its way into the roster.
type Import struct {
	Authority org.ID
	ID        org.ID
	School    org.ID
	Staff     org.ID
	StaffName string
	What      What
	File      string // name of the file
	Profile   string // name under which the mapping is kept; one profile owns what it created
	Table     Table  // empty once done or dropped: the file itself is not kept
	Columns   []Field
	State     ImportState
	Created   time.Time
	Counts    Counts
}

// Source marks what the import's profile creates, and so may remove again.
func (i Import) Source() string { return "import:" + string(i.What) + ":" + i.Profile }

// Branch returns the school that the import is for.
func (i Import) Branch() org.Branch { return org.Branch{Authority: i.Authority, School: i.School} }

// Counts is what an import did.
type Counts struct{ Created, Updated, Removed, Same, Skipped int }

// Change is one row of a preview.
type Change struct {
	Line int    // of the file; 0 for what is not in it
	Kind string // "create", "update", "remove"
	Name string
	Old  string
	New  string
}

// Fault is a line that cannot be taken over, with the sentence why.
type Fault struct {
	Line  int
	Fault *errs.Error
}

// Preview is what an import would do.
type Preview struct {
	Import  Import
	Counts  Counts
	Changes []Change // the first hundred
	More    int      // how many more
	Faults  []Fault  // the first hundred
	Percent float64  // of what exists that would change or go
	Sure    bool     // so much changes that it is asked again
}

// tooMuch is the share of changes, in percent, above which people are asked
// again: a file of the wrong school must not pass with one click.
const tooMuch = 5

// shown bounds what a preview lists.
const shown = 100

// DefaultProfile is the profile of who names none.
const DefaultProfile = "standard"

// ImportStore keeps imports.
type ImportStore interface {
	CreateImport(ctx context.Context, permit may.Permit, imp Import) error
	FindImport(ctx context.Context, id org.ID) (Import, error)
	ListImports(ctx context.Context, branches []org.Branch, limit int) ([]Import, error)
	// PutImport keeps mapping and state; a dropped import loses its table.
	PutImport(ctx context.Context, permit may.Permit, imp Import) error
	// Profile returns the saved columns by their titles, nil if there are none.
	Profile(ctx context.Context, branch org.Branch, what What, name string) (map[string]Field, error)
	// ImportState returns everything that a plan is made against.
	Inventory(ctx context.Context, branch org.Branch) (Inventory, error)
	// ApplyImport does what the plan says, saves the profile and forgets the
	// table, in one transaction.
	ApplyImport(ctx context.Context, permit may.Permit, imp Import, plan Plan) error
}

// BeginImport reads a file and proposes what its columns mean.
func (s *Service) BeginImport(ctx context.Context, actor may.Actor, school org.ID, what What, file, profile string, data []byte) (Import, error) {
	home, err := s.Store.FindSchool(ctx, school)
	if err != nil {
		return Import{}, err
	}
	permit, err := importPermit(actor, what, home.Branch())
	if err != nil {
		return Import{}, err
	}
	if len(FieldsOf(what)) == 0 {
		return Import{}, errs.E(errs.Invalid, "import.unknown_kind").In("what")
	}
	table, err := ReadTable(data)
	if err != nil {
		return Import{}, err
	}
	if profile = strings.TrimSpace(profile); profile == "" {
		profile = DefaultProfile
	}
	imp := Import{
		Authority: home.Authority, ID: s.NewID(), School: home.ID, Staff: actor.ID, StaffName: actor.Name, What: what,
		File: clip(file, longestName), Profile: clip(profile, 60), Table: table, State: Mapping, Created: s.Now().UTC(),
	}
	saved, err := s.Store.Profile(ctx, imp.Branch(), what, imp.Profile)
	if err != nil {
		return Import{}, err
	}
	imp.Columns = propose(what, table.Header, saved)
	return imp, s.Store.CreateImport(ctx, permit, imp)
}

// importPermit asks for the right to import; who brings teachers makes logins.
func importPermit(actor may.Actor, what What, branch org.Branch) (may.Permit, error) {
	if what == ImportTeachers {
		if _, err := may.Do(actor, may.StaffWrite, branch); err != nil {
			return may.Permit{}, err
		}
	}
	return may.Do(actor, may.RosterImport, branch)
}

// Imports lists the latest imports of the actor's schools.
func (s *Service) Imports(ctx context.Context, actor may.Actor) ([]Import, error) {
	branches := may.Branches(actor, may.RosterImport)
	if len(branches) == 0 {
		return nil, errs.E(errs.Denied, "denied", "action", string(may.RosterImport))
	}
	return s.Store.ListImports(ctx, branches, 50)
}

// Import returns one import.
func (s *Service) Import(ctx context.Context, actor may.Actor, id org.ID) (Import, error) {
	imp, _, err := s.imp(ctx, actor, id)
	return imp, err
}

func (s *Service) imp(ctx context.Context, actor may.Actor, id org.ID) (Import, may.Permit, error) {
	imp, err := s.Store.FindImport(ctx, id)
	if err != nil {
		return Import{}, may.Permit{}, err
	}
	permit, err := importPermit(actor, imp.What, imp.Branch())
	return imp, permit, err
}

// MapImport says which column means what. Columns has a field, or none, for
// each column of the file.
func (s *Service) MapImport(ctx context.Context, actor may.Actor, id org.ID, columns []Field) (Import, error) {
	imp, permit, err := s.open(ctx, actor, id)
	if err != nil {
		return Import{}, err
	}
	if err := checkColumns(imp, columns); err != nil {
		return Import{}, err
	}
	imp.Columns, imp.State = columns, Previewing
	return imp, s.Store.PutImport(ctx, permit, imp)
}

// open finds an import that is neither done nor dropped.
func (s *Service) open(ctx context.Context, actor may.Actor, id org.ID) (Import, may.Permit, error) {
	imp, permit, err := s.imp(ctx, actor, id)
	if err == nil && (imp.State == Done || imp.State == Dropped) {
		err = errs.E(errs.Conflict, "import.over")
	}
	return imp, permit, err
}

func checkColumns(imp Import, columns []Field) error {
	if len(columns) != len(imp.Table.Header) {
		return errs.E(errs.Invalid, "import.columns")
	}
	known := FieldsOf(imp.What)
	seen := map[Field]bool{}
	for _, field := range columns {
		if field == "" {
			continue
		}
		if !slices.ContainsFunc(known, func(k FieldSpec) bool { return k.Name == field }) {
			return errs.E(errs.Invalid, "import.unknown_field", "field", string(field))
		}
		if seen[field] {
			return errs.E(errs.Invalid, "import.field_twice", "field", string(field))
		}
		seen[field] = true
	}
	for _, spec := range known {
		if spec.Required && !slices.ContainsFunc(spec.Either(), func(f Field) bool { return seen[f] }) {
			return errs.E(errs.Invalid, "import.field_missing", "field", string(spec.Name))
		}
	}
	return nil
}

// PreviewImport says what an import would do, and changes nothing.
func (s *Service) PreviewImport(ctx context.Context, actor may.Actor, id org.ID) (Preview, error) {
	imp, _, err := s.open(ctx, actor, id)
	if err != nil {
		return Preview{}, err
	}
	preview, _, err := s.preview(ctx, imp)
	return preview, err
}

func (s *Service) preview(ctx context.Context, imp Import) (Preview, Plan, error) {
	if err := checkColumns(imp, imp.Columns); err != nil {
		return Preview{}, Plan{}, err
	}
	inventory, err := s.Store.Inventory(ctx, imp.Branch())
	if err != nil {
		return Preview{}, Plan{}, err
	}
	plan := makePlan(imp, inventory, s.NewID, s.Now().UTC())
	preview := Preview{Import: imp, Counts: plan.Counts, Changes: plan.Changes, Faults: plan.Faults}
	if len(preview.Changes) > shown {
		preview.More = len(preview.Changes) - shown
		preview.Changes = preview.Changes[:shown]
	}
	if len(preview.Faults) > shown {
		preview.Faults = preview.Faults[:shown]
	}
	if plan.Existing > 0 {
		preview.Percent = 100 * float64(plan.Counts.Updated+plan.Counts.Removed) / float64(plan.Existing)
	}
	preview.Sure = preview.Percent > tooMuch
	return preview, plan, nil
}

// ApplyImport does what the preview showed, computed anew. When much changes,
// it wants to be told that this is meant: a Conflict fault "import.sure" with
// percent. Lines with faults are left out.
func (s *Service) ApplyImport(ctx context.Context, actor may.Actor, id org.ID, sure bool) (Import, error) {
	imp, permit, err := s.open(ctx, actor, id)
	if err != nil {
		return Import{}, err
	}
	preview, plan, err := s.preview(ctx, imp)
	if err != nil {
		return Import{}, err
	}
	if preview.Sure && !sure {
		return Import{}, errs.E(errs.Conflict, "import.sure", "percent", int(preview.Percent+0.5)).In("sure")
	}
	imp.State, imp.Counts = Done, plan.Counts
	return imp, s.wake(s.Store.ApplyImport(ctx, permit, imp, plan))
}

// DropImport forgets an import and its file.
func (s *Service) DropImport(ctx context.Context, actor may.Actor, id org.ID) error {
	imp, permit, err := s.open(ctx, actor, id)
	if err != nil {
		return err
	}
	imp.State = Dropped
	return s.Store.PutImport(ctx, permit, imp)
}
