package store

import (
	"context"

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
	q.add(" AND ")
	oneOf(q, column, families)
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
	q := newQuery(`SELECT x.authority, x.school, x.id, x.level, x.place, x.family, x.field, x.value, x.starts, x.until FROM exceptions x WHERE x.ended = 0 AND NOT x.waiting AND x.until > ?`, millis(s.now()))
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
