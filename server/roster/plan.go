package roster

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
)

// Inventory is what a school has, as far as imports touch it.
type Inventory struct {
	Devices  []Device // those out of use too; Groups empty
	Groups   []Group  // Teachers empty
	Persons  []Person
	Teachers []KnownTeacher
	Members  []Link // group and device
	Pupils   []Link // group and person
	Teaching []Link // group and staff, owners only
}

// KnownTeacher is a login that teaches at the school.
type KnownTeacher struct {
	Staff      org.ID
	Login      string
	Salutation string
	Name       string
	Source     string // of the grant at this school
}

// Link says that something belongs to a group, and who said so.
type Link struct {
	Group  org.ID
	Member org.ID
	Source string
}

// Plan is what an import does. Its parts are applied in the order of its fields.
type Plan struct {
	Source string

	CreateGroups []Group
	UpdateGroups []Group
	RemoveGroups []Group

	CreatePersons []Person
	UpdatePersons []Person
	RemovePersons []Person

	CreateDevices []Device
	UpdateDevices []Device
	RetireDevices []Device

	CreateTeachers []KnownTeacher
	UpdateTeachers []KnownTeacher
	RemoveTeachers []KnownTeacher

	AddMembers, DropMembers   []Link
	AddPupils, DropPupils     []Link
	AddTeaching, DropTeaching []Link

	Existing int
	Counts   Counts
	Changes  []Change
	Faults   []Fault
}

// planner makes a plan row by row.
type planner struct {
	Plan
	imp   Import
	inv   Inventory
	newID func() org.ID
	now   time.Time

	groups  map[string]Group // by lower-case name, of any kind
	seen    map[string]int   // keys of rows, to the line that had it first
	wanted  map[Link]bool    // of group and member, source empty
	touched map[org.ID]bool
}

// makePlan compares a file with what there is. It is pure: the same file and
// inventory give the same plan but for new ids.
func makePlan(imp Import, inv Inventory, newID func() org.ID, now time.Time) Plan {
	p := &planner{
		Plan: Plan{Source: imp.Source()}, imp: imp, inv: inv, newID: newID, now: now,
		groups: map[string]Group{}, seen: map[string]int{}, wanted: map[Link]bool{}, touched: map[org.ID]bool{},
	}
	for _, group := range inv.Groups {
		p.groups[strings.ToLower(group.Name)] = group
	}
	switch imp.What {
	case ImportDevices:
		p.devices()
	case ImportGroups:
		p.schoolGroups()
	case ImportPersons:
		p.persons()
	case ImportTeachers:
		p.teachers()
	}
	p.Counts.Skipped = len(p.Faults)
	slices.SortStableFunc(p.Changes, func(a, b Change) int { return cmp.Compare(a.Line, b.Line) })
	return p.Plan
}

func (p *planner) fault(line int, field Field, key string, pairs ...any) {
	p.Faults = append(p.Faults, Fault{Line: line, Fault: errs.E(errs.Invalid, key, pairs...).In(string(field))})
}

// first reports whether no row before had the key; a second one is a fault.
func (p *planner) first(r record, field Field, kind, value string) bool {
	if value == "" {
		return true
	}
	key := kind + "\x00" + strings.ToLower(value)
	if line, twice := p.seen[key]; twice {
		p.fault(r.line, field, "import.twice", "value", value, "line", line)
		return false
	}
	p.seen[key] = r.line
	return true
}

func (p *planner) create(line int, name, after string) {
	p.Counts.Created++
	p.Changes = append(p.Changes, Change{Line: line, Kind: "create", Name: name, New: after})
}

// rest tells what a row says beside the name, in the words of the file.
func (p *planner) rest(r record) string {
	var cells []string
	for _, spec := range FieldsOf(p.imp.What) {
		switch spec.Name {
		case FieldName, FieldFirst, FieldLast:
		default:
			if cell := r.cells[spec.Name]; cell != "" {
				cells = append(cells, cell)
			}
		}
	}
	return strings.Join(cells, " · ")
}

func (p *planner) update(line int, name, before, after string) {
	p.Counts.Updated++
	p.Changes = append(p.Changes, Change{Line: line, Kind: "update", Name: name, Old: before, New: after})
}

func (p *planner) remove(name string) {
	p.Counts.Removed++
	p.Changes = append(p.Changes, Change{Kind: "remove", Name: name})
}

// named checks that a row has a name that can be kept.
func (p *planner) named(r record) (string, bool) {
	name, err := readName(r.name(), string(FieldName))
	if err != nil {
		p.Faults = append(p.Faults, Fault{Line: r.line, Fault: errs.Find(err)})
		return "", false
	}
	return name, true
}

// group returns the group of a name, and plans to make it, as a class, if there
// is none.
func (p *planner) group(line int, name string) org.ID {
	key := strings.ToLower(name)
	if group, known := p.groups[key]; known {
		return group.ID
	}
	group := Group{Authority: p.imp.Authority, ID: p.newID(), School: p.imp.School, Kind: org.Class, Name: clip(name, longestName), Source: p.Source}
	p.groups[key] = group
	p.CreateGroups = append(p.CreateGroups, group)
	p.create(line, group.Name, "")
	return group.ID
}

// want notes that the member belongs to the groups named in the row.
func (p *planner) want(r record, field Field, member org.ID) {
	for _, name := range r.list(field) {
		p.wanted[Link{Group: p.group(r.line, name), Member: member}] = true
	}
}

// links compares what is wanted with what there is: it adds what is missing and
// drops only what this profile once added.
func (p *planner) links(have []Link) (add, drop []Link) {
	here := map[Link]bool{}
	for _, link := range have {
		key := Link{Group: link.Group, Member: link.Member}
		here[key] = true
		if link.Source == p.Source && !p.wanted[key] {
			drop = append(drop, link)
		}
	}
	for link := range p.wanted {
		if !here[link] {
			link.Source = p.Source
			add = append(add, link)
		}
	}
	order := func(a, b Link) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Member, b.Member))
	}
	slices.SortFunc(add, order)
	slices.SortFunc(drop, order)
	return add, drop
}

// relinked counts members whose groups change although nothing else does.
func (p *planner) relinked(add, drop []Link, created map[org.ID]bool, name func(org.ID) string) {
	groupNames := map[org.ID]string{}
	for _, group := range p.groups {
		groupNames[group.ID] = group.Name
	}
	moves := map[org.ID][2][]string{}
	for _, link := range drop {
		move := moves[link.Member]
		move[0] = append(move[0], groupNames[link.Group])
		moves[link.Member] = move
	}
	for _, link := range add {
		move := moves[link.Member]
		move[1] = append(move[1], groupNames[link.Group])
		moves[link.Member] = move
	}
	members := make([]org.ID, 0, len(moves))
	for member := range moves {
		if !created[member] && !p.touched[member] {
			members = append(members, member)
		}
	}
	slices.Sort(members)
	for _, member := range members {
		p.update(p.seenLine(member), name(member), strings.Join(moves[member][0], ", "), strings.Join(moves[member][1], ", "))
		p.Counts.Same = max(0, p.Counts.Same-1)
	}
}

func (p *planner) seenLine(member org.ID) int { return p.seen["member\x00"+member.String()] }

// schoolGroups plans a file of groups.
func (p *planner) schoolGroups() {
	p.Existing = len(p.inv.Groups)
	logins := map[string]org.ID{}
	for _, teacher := range p.inv.Teachers {
		logins[teacher.Login] = teacher.Staff
	}
	kept := map[org.ID]bool{}
	for _, r := range p.imp.records() {
		name, ok := p.named(r)
		if !ok || !p.first(r, FieldName, "group", name) {
			continue
		}
		before, known := p.groups[strings.ToLower(name)]
		if !known {
			before = Group{Authority: p.imp.Authority, ID: p.newID(), School: p.imp.School, Kind: org.Class, Source: p.Source}
		}
		after, ok := p.readGroup(r, before, name)
		if !ok || !p.readTeachers(r, after.ID, logins) {
			kept[before.ID] = true // a line with a fault is no reason to remove
			continue
		}
		kept[after.ID] = true
		p.groups[strings.ToLower(name)] = after
		switch {
		case !known:
			p.CreateGroups = append(p.CreateGroups, after)
			p.create(r.line, name, p.rest(r))
		case describe(before) != describe(after):
			p.UpdateGroups = append(p.UpdateGroups, after)
			p.touched[after.ID] = true
			p.update(r.line, name, describe(before), describe(after))
		default:
			p.Counts.Same++
		}
	}
	for _, group := range p.inv.Groups {
		if group.Source == p.Source && !kept[group.ID] {
			p.RemoveGroups = append(p.RemoveGroups, group)
			p.remove(group.Name)
		}
	}
	if p.imp.has(FieldTeachers) {
		p.AddTeaching, p.DropTeaching = p.links(p.inv.Teaching)
	}
}

func describe(group Group) string {
	parts := []string{string(group.Kind), group.Name, group.Room}
	if group.Priority != 0 {
		parts = append(parts, strconv.Itoa(group.Priority))
	}
	for _, date := range []time.Time{group.Starts, group.Ends} {
		if !date.IsZero() {
			parts = append(parts, date.Format(time.DateOnly))
		}
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
}

var kinds = map[string]org.GroupKind{
	"": org.Class, "class": org.Class, "klasse": org.Class, "course": org.Course, "kurs": org.Course, "lerngruppe": org.Course,
	"room": org.Room, "raum": org.Room, "set": org.Set, "koffer": org.Set, "klassensatz": org.Set, "pilot": org.Pilot, "pilotgruppe": org.Pilot,
}

func (p *planner) readGroup(r record, group Group, name string) (Group, bool) {
	group.Name = name
	if p.imp.has(FieldKind) {
		kind, known := kinds[strings.ToLower(r.cells[FieldKind])]
		if !known {
			p.fault(r.line, FieldKind, "import.unknown_group_kind", "value", r.cells[FieldKind])
			return group, false
		}
		group.Kind = kind
	}
	if p.imp.has(FieldRoom) {
		group.Room = clip(r.cells[FieldRoom], longestName)
	}
	if text := r.cells[FieldPriority]; text != "" {
		priority, err := strconv.Atoi(text)
		if err != nil {
			p.fault(r.line, FieldPriority, "import.bad_number", "value", text)
			return group, false
		}
		group.Priority = priority
	}
	ok := true
	for i, into := range []*time.Time{&group.Starts, &group.Ends} {
		field := []Field{FieldFrom, FieldUntil}[i]
		if text := r.cells[field]; text != "" {
			date, known := readDate(text)
			if !known {
				p.fault(r.line, field, "import.bad_date", "value", text)
				ok = false
				continue
			}
			if field == FieldUntil {
				date = date.AddDate(0, 0, 1) // "until Friday" includes Friday
			}
			*into = date
		}
	}
	if ok && !group.Ends.IsZero() && !group.Ends.After(group.Starts) {
		p.fault(r.line, FieldUntil, "group.ends_before_start")
		return group, false
	}
	return group, ok
}

func readDate(text string) (time.Time, bool) {
	for _, layout := range []string{time.DateOnly, "2.1.2006", "2.1.06", "20060102"} {
		if date, err := time.Parse(layout, text); err == nil {
			return date, true
		}
	}
	return time.Time{}, false
}

func (p *planner) readTeachers(r record, group org.ID, logins map[string]org.ID) bool {
	for _, login := range r.list(FieldTeachers) {
		staff, known := logins[strings.ToLower(login)]
		if !known {
			p.fault(r.line, FieldTeachers, "import.unknown_teacher", "value", login)
			return false
		}
		p.wanted[Link{Group: group, Member: staff}] = true
	}
	return true
}
