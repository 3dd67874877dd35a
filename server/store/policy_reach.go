package store

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/standard"
)

// GroundAt reads what is said at a place of the tree, above it, and below it in
// the same school.
func (s *Store) GroundAt(ctx context.Context, branch org.Branch) (standard.Ground, error) {
	ground := standard.Ground{Branch: org.Branch{Authority: branch.Authority, School: branch.School}}
	tx := s.reader(ctx)
	var err error
	if ground.Policies, err = s.policiesFor(ctx, tx, ground.Branch); err != nil {
		return ground, err
	}
	if ground.Exceptions, err = s.exceptionsFor(ctx, tx, ground.Branch); err != nil {
		return ground, err
	}
	ground.Priorities, err = s.priorities(ctx, tx, ground.Branch)
	return ground, err
}

// Grounds reads the same for every school of a branch at once, as far as it
// concerns the families; no families are all.
func (s *Store) Grounds(ctx context.Context, branch org.Branch, families []string) ([]standard.Ground, error) {
	tx := s.reader(ctx)
	q := newQuery(`SELECT s.authority, s.id, s.name FROM schools s WHERE `)
	q.place("s.authority", "s.id", branch)
	q.add(` ORDER BY s.authority, s.id`)
	grounds, err := collect(ctx, tx, func(row scanner) (standard.Ground, error) {
		var g standard.Ground
		return g, row.Scan(&g.Branch.Authority, &g.Branch.School, &g.Name)
	}, q.text(), q.args...)
	if err != nil {
		return nil, err
	}
	policies, err := s.policiesIn(ctx, tx, branch, families)
	if err != nil {
		return nil, err
	}
	exceptions, err := s.exceptionsIn(ctx, tx, branch, families)
	if err != nil {
		return nil, err
	}
	priorities, err := s.prioritiesIn(ctx, tx, branch)
	if err != nil {
		return nil, err
	}
	for i := range grounds {
		g := &grounds[i]
		for _, part := range []org.Branch{{}, {Authority: g.Branch.Authority}, g.Branch} {
			g.Policies = append(g.Policies, policies[part]...)
			g.Exceptions = append(g.Exceptions, exceptions[part]...)
		}
		g.Priorities = priorities[g.Branch.School]
	}
	return grounds, nil
}

// inBranch adds the condition that a row lies above, in or below a branch.
func (q *query) inBranch(authority, level, place, school string, branch org.Branch) {
	if branch.Authority == "" {
		return
	}
	q.add(" AND ("+authority+" = '' OR "+authority+" = ?", branch.Authority)
	if branch.School != "" {
		q.add(" AND ("+level+" = 'authority' OR "+school+" = ?)", branch.School)
	}
	q.add(")")
}

func (q *query) families(column string, families []string) {
	if len(families) == 0 {
		return
	}
	q.add(" AND " + column + " IN (")
	for i, family := range families {
		if i > 0 {
			q.add(", ")
		}
		q.add("?", family)
	}
	q.add(")")
}

// schoolOfPolicy is the school that a policy lies in, empty above schools.
const schoolOfPolicy = `CASE b.level WHEN 'school' THEN b.place WHEN 'group' THEN COALESCE(g.school, '') WHEN 'device' THEN COALESCE(d.school, '') ELSE '' END`

func (s *Store) policiesIn(ctx context.Context, tx Tx, branch org.Branch, families []string) (map[org.Branch][]desired.Policy, error) {
	type placed struct {
		branch org.Branch
		policy desired.Policy
	}
	q := newQuery(`SELECT b.authority, ` + schoolOfPolicy + `, b.level, b.place, b.family, b.value, b.holds, b.pilot FROM base_policies b
		LEFT JOIN school_groups g ON b.level = 'group' AND g.authority = b.authority AND g.id = b.place
		LEFT JOIN devices d ON b.level = 'device' AND d.authority = b.authority AND d.id = b.place WHERE 1 = 1`)
	q.inBranch("b.authority", "b.level", "b.place", schoolOfPolicy, branch)
	q.families("b.family", families)
	q.add(` ORDER BY b.authority, b.level, b.place, b.family, b.pilot`)
	found, err := collect(ctx, tx, func(row scanner) (placed, error) {
		var p placed
		var value, holds string
		err := row.Scan(&p.branch.Authority, &p.branch.School, &p.policy.Level, &p.policy.ID, &p.policy.Family, &value, &holds, &p.policy.Pilot)
		if err != nil {
			return p, err
		}
		return p, s.readPolicy(&p.policy, value, holds)
	}, q.text(), q.args...)
	by := map[org.Branch][]desired.Policy{}
	for _, one := range found {
		by[one.branch] = append(by[one.branch], one.policy)
	}
	return by, err
}

func (s *Store) exceptionsIn(ctx context.Context, tx Tx, branch org.Branch, families []string) (map[org.Branch][]desired.Exception, error) {
	type placed struct {
		branch org.Branch
		desired.Exception
	}
	q := newQuery(`SELECT x.authority, x.school, x.id, x.level, x.place, x.family, x.field, x.value, x.starts, x.until FROM exceptions x WHERE x.ended = 0 AND x.until > ?`, millis(s.now()))
	q.inBranch("x.authority", "x.level", "x.place", "x.school", branch)
	q.families("x.family", families)
	q.add(` ORDER BY x.id`)
	found, err := collect(ctx, tx, func(row scanner) (placed, error) {
		var one placed
		var err error
		one.Exception, err = s.scanLive(behind{row, []any{&one.branch.Authority, &one.branch.School}})
		return one, err
	}, q.text(), q.args...)
	by := map[org.Branch][]desired.Exception{}
	for _, one := range found {
		by[one.branch] = append(by[one.branch], one.Exception)
	}
	return by, err
}

func (s *Store) prioritiesIn(ctx context.Context, tx Tx, branch org.Branch) (map[org.ID]map[org.ID]int, error) {
	type ranked struct {
		school, id org.ID
		priority   int
	}
	q := newQuery(`SELECT school, id, priority FROM school_groups WHERE priority <> 0 AND `)
	q.place("authority", "school", branch)
	groups, err := collect(ctx, tx, func(row scanner) (ranked, error) {
		var r ranked
		return r, row.Scan(&r.school, &r.id, &r.priority)
	}, q.text(), q.args...)
	by := map[org.ID]map[org.ID]int{}
	for _, group := range groups {
		if by[group.school] == nil {
			by[group.school] = map[org.ID]int{}
		}
		by[group.school][group.id] = group.priority
	}
	return by, err
}

// deviceFacts are the columns of a device that answers depend on.
const deviceFacts = `d.platform, COALESCE(e.supervised, FALSE), COALESCE(st.schema_no, 0), CASE WHEN e.id IS NULL THEN 0 ELSE 1 END`

const deviceFactsFrom = ` LEFT JOIN enrolments e ON e.authority = d.authority AND e.device = d.id AND e.state = 'enrolled'
	LEFT JOIN device_states st ON st.authority = d.authority AND st.device = d.id`

// Crowds counts the devices that a place reaches by what answers depend on:
// school, platform, supervision, and of the groups only those named, since no
// other says anything. Devices named are crowds of one.
func (s *Store) Crowds(ctx context.Context, place standard.Place, groups, devices []org.ID) ([]standard.Crowd, error) {
	// An index follows this grouping, and nothing but counts leaves the database:
	// sixty thousand devices cost a fraction of a second.
	q := newQuery(`SELECT d.school, d.platform, COUNT(*), COUNT(e.device), COALESCE(SUM(CASE WHEN e.supervised THEN 1 ELSE 0 END), 0)
		FROM devices d LEFT JOIN enrolments e ON e.authority = d.authority AND e.device = d.id AND e.state = 'enrolled' WHERE d.retired = 0 AND `)
	q.devicesOf(place)
	q.add(` GROUP BY d.school, d.platform`)
	type counted struct {
		school                    org.ID
		platform                  org.Platform
		all, enrolled, supervised int
	}
	counts, err := collect(ctx, s.reader(ctx), func(row scanner) (counted, error) {
		var c counted
		return c, row.Scan(&c.school, &c.platform, &c.all, &c.enrolled, &c.supervised)
	}, q.text(), q.args...)
	if err != nil {
		return nil, err
	}
	var plain []standard.Crowd
	for _, c := range counts {
		device := desired.Device{Platform: c.platform}
		plain = append(plain, standard.Crowd{School: c.school, Device: device, N: c.all - c.enrolled},
			standard.Crowd{School: c.school, Device: device, Enrolled: true, N: c.enrolled - c.supervised})
		device.Supervised = true
		plain = append(plain, standard.Crowd{School: c.school, Device: device, Enrolled: true, N: c.supervised})
	}
	if plain, err = s.aged(ctx, place, plain); err != nil {
		return nil, err
	}
	single, err := s.singled(ctx, place, groups, devices)
	if err != nil {
		return nil, err
	}
	return crowds(plain, single, devices), nil
}

// aged takes devices with agents that understand no longer everything out of the
// counts. There are none while there was one schema only.
func (s *Store) aged(ctx context.Context, place standard.Place, plain []standard.Crowd) ([]standard.Crowd, error) {
	if ddm.Schema == 1 {
		return plain, nil
	}
	q := newQuery(`SELECT d.school, `+deviceFacts+`, COUNT(*) FROM devices d`+deviceFactsFrom+` WHERE d.retired = 0 AND st.schema_no > 0 AND st.schema_no < ? AND `, ddm.Schema)
	q.devicesOf(place)
	q.add(` GROUP BY d.school, ` + deviceFacts)
	old, err := collect(ctx, s.reader(ctx), func(row scanner) (standard.Crowd, error) {
		var c standard.Crowd
		var enrolled int
		err := row.Scan(&c.School, &c.Device.Platform, &c.Device.Supervised, &c.Device.Schema, &enrolled, &c.N)
		c.Enrolled = enrolled == 1
		return c, err
	}, q.text(), q.args...)
	for _, c := range old {
		for i := range plain {
			if plain[i].School == c.School && plain[i].Device.Platform == c.Device.Platform && plain[i].Device.Supervised == c.Device.Supervised && plain[i].Enrolled == c.Enrolled {
				plain[i].N -= c.N
			}
		}
	}
	return append(plain, old...), err
}

// crowds takes the devices that are known one by one out of the plain counts,
// and gathers them anew with their groups.
func crowds(plain, single []standard.Crowd, own []org.ID) []standard.Crowd {
	type key struct {
		school     org.ID
		platform   org.Platform
		supervised bool
		schema     int
		enrolled   bool
		groups     string
		id         org.ID
	}
	keyOf := func(c standard.Crowd) key {
		schema := c.Device.Schema
		if schema >= ddm.Schema {
			schema = 0 // as good as unknown: nothing is missing
		}
		return key{c.School, c.Device.Platform, c.Device.Supervised, schema, c.Enrolled, "", ""}
	}
	alone := map[org.ID]bool{}
	for _, id := range own {
		alone[id] = true
	}
	at := map[key]int{}
	var all []standard.Crowd
	for _, c := range plain {
		at[keyOf(c)] = len(all)
		all = append(all, c)
	}
	for _, c := range single {
		if i, ok := at[keyOf(c)]; ok {
			all[i].N--
		}
		k := keyOf(c)
		names := make([]string, len(c.Device.Groups))
		for i, group := range c.Device.Groups {
			names[i] = group.String()
		}
		k.groups = " " + strings.Join(names, " ")
		if alone[c.Device.ID] {
			k.id = c.Device.ID
		} else {
			c.Device.ID = ""
		}
		if i, ok := at[k]; ok {
			all[i].N++
			continue
		}
		at[k] = len(all)
		c.N = 1
		all = append(all, c)
	}
	left := all[:0]
	for _, c := range all {
		if c.N > 0 {
			left = append(left, c)
		}
	}
	sort.SliceStable(left, func(i, j int) bool { return left[i].School < left[j].School })
	return left
}

// atOnce bounds how many ids one statement names.
const atOnce = 500

// singled reads devices one by one: those of the groups, with the groups, and
// those named.
func (s *Store) singled(ctx context.Context, place standard.Place, groups, devices []org.ID) ([]standard.Crowd, error) {
	found := map[org.ID]*standard.Crowd{}
	var order []org.ID
	read := func(column, join string, ids []org.ID) error {
		for len(ids) > 0 {
			chunk := ids[:min(atOnce, len(ids))]
			ids = ids[len(chunk):]
			q := newQuery(`SELECT d.school, d.id, ` + column + `, ` + deviceFacts + ` FROM devices d` + join + deviceFactsFrom + ` WHERE d.retired = 0 AND `)
			q.devicesOf(place)
			q.add(` AND ` + map[bool]string{true: "d.id", false: column}[column == "''"] + ` IN (`)
			for i, id := range chunk {
				if i > 0 {
					q.add(", ")
				}
				q.add("?", id)
			}
			q.add(`) ORDER BY d.id, 3`)
			_, err := collect(ctx, s.reader(ctx), func(row scanner) (struct{}, error) {
				var c standard.Crowd
				var group org.ID
				var enrolled int
				if err := row.Scan(&c.School, &c.Device.ID, &group, &c.Device.Platform, &c.Device.Supervised, &c.Device.Schema, &enrolled); err != nil {
					return struct{}{}, err
				}
				c.Enrolled = enrolled == 1
				one := found[c.Device.ID]
				if one == nil {
					one = &c
					found[c.Device.ID] = one
					order = append(order, c.Device.ID)
				}
				if group != "" {
					one.Device.Groups = append(one.Device.Groups, group)
				}
				return struct{}{}, nil
			}, q.text(), q.args...)
			if err != nil {
				return err
			}
		}
		return nil
	}
	if err := read("g.id", ` JOIN group_devices m ON m.authority = d.authority AND m.device = d.id JOIN school_groups g ON g.authority = m.authority AND g.id = m.group_id`, groups); err != nil {
		return nil, err
	}
	if err := read("''", "", devices); err != nil {
		return nil, err
	}
	singles := make([]standard.Crowd, len(order))
	for i, id := range order {
		singles[i] = *found[id]
		sort.Slice(singles[i].Device.Groups, func(a, b int) bool { return singles[i].Device.Groups[a] < singles[i].Device.Groups[b] })
	}
	return singles, nil
}

const machineSelect = `SELECT d.authority, d.school, d.id, d.name, ` + deviceFacts + `, COALESCE(st.declarations, '[]'), COALESCE(st.reported, 0), COALESCE(st.last_seen, 0)
	FROM devices d` + deviceFactsFrom + ` WHERE d.retired = 0 AND `

func scanMachine(row scanner) (standard.Machine, error) {
	var m standard.Machine
	var enrolled int
	var declarations string
	var reported, seen int64
	err := row.Scan(&m.Branch.Authority, &m.Branch.School, &m.Device.ID, &m.Name, &m.Device.Platform, &m.Device.Supervised, &m.Device.Schema, &enrolled, &declarations, &reported, &seen)
	m.Enrolled, m.Reported, m.Seen = enrolled == 1, instant(reported), instant(seen)
	if err == nil {
		// Declarations come from a device: what does not parse is simply not known.
		var said ddm.DeclarationStates
		_ = json.Unmarshal([]byte(declarations), &said)
		m.Said = said.Configurations
	}
	return m, err
}

// Machines lists devices that a place reaches one by one, by name, with all their
// groups and what they last said.
func (s *Store) Machines(ctx context.Context, place standard.Place, cursor string, limit int) ([]standard.Machine, string, error) {
	q := newQuery(machineSelect)
	q.devicesOf(place)
	limit = q.page("d.name", "d.id", cursor, limit, 100)
	machines, err := collect(ctx, s.reader(ctx), scanMachine, q.text(), q.args...)
	if err != nil {
		return nil, "", err
	}
	machines, next := cut(machines, limit, func(m standard.Machine) (string, org.ID) { return m.Name, m.Device.ID })
	return machines, next, s.addGroups(ctx, machines)
}

func (s *Store) addGroups(ctx context.Context, machines []standard.Machine) error {
	if len(machines) == 0 {
		return nil
	}
	at := make(map[org.ID]*standard.Machine, len(machines))
	ids := make([]org.ID, len(machines))
	for i := range machines {
		ids[i] = machines[i].Device.ID
		at[ids[i]] = &machines[i]
	}
	marks, args := list(1, ids)
	_, err := collect(ctx, s.reader(ctx), func(row scanner) (struct{}, error) {
		var device, group org.ID
		err := row.Scan(&device, &group)
		if machine := at[device]; err == nil && machine != nil {
			machine.Device.Groups = append(machine.Device.Groups, group)
		}
		return struct{}{}, err
	}, `SELECT m.device, m.group_id FROM devices d JOIN group_devices m ON m.authority = d.authority AND m.device = d.id WHERE d.id IN (`+marks+`) ORDER BY m.device, m.group_id`, args...)
	if err != nil {
		return fmt.Errorf("reading groups: %w", err)
	}
	return nil
}
