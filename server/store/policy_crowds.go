package store

import (
	"context"
	"sort"
	"strings"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/standard"
)

// Crowds counts the devices that a place reaches by what answers depend on:
// school, platform, supervision, and of the groups only those named, since no
// other says anything. Devices named are crowds of one; so are, by schema, those
// whose agents understand less than the schema named.
func (s *Store) Crowds(ctx context.Context, place standard.Place, groups, devices []org.ID, schema int) ([]standard.Crowd, error) {
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
	if plain, err = s.aged(ctx, place, plain, schema); err != nil {
		return nil, err
	}
	single, err := s.singled(ctx, place, groups, devices)
	if err != nil {
		return nil, err
	}
	return crowds(plain, single, devices, schema), nil
}

// aged takes devices with agents that understand no longer everything out of the
// counts. There are none while there was one schema only.
func (s *Store) aged(ctx context.Context, place standard.Place, plain []standard.Crowd, schema int) ([]standard.Crowd, error) {
	if schema <= 1 {
		return plain, nil
	}
	q := newQuery(`SELECT d.school, `+deviceFacts+`, COUNT(*) FROM devices d`+deviceFactsFrom+` WHERE d.retired = 0 AND st.schema_no > 0 AND st.schema_no < ? AND `, schema)
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
func crowds(plain, single []standard.Crowd, own []org.ID, newest int) []standard.Crowd {
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
		if schema >= newest {
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
	read := func(named, group, join string, ids []org.ID) error {
		for len(ids) > 0 {
			chunk := ids[:min(atOnce, len(ids))]
			ids = ids[len(chunk):]
			q := newQuery(`SELECT d.school, d.id, ` + group + `, ` + deviceFacts + ` FROM devices d` + join + deviceFactsFrom + ` WHERE d.retired = 0 AND `)
			q.devicesOf(place)
			q.add(` AND `)
			oneOf(q, named, chunk)
			q.add(` ORDER BY d.id, 3`)
			_, err := collect(ctx, s.reader(ctx), func(row scanner) (struct{}, error) {
				var c standard.Crowd
				var in org.ID
				var enrolled int
				if err := row.Scan(&c.School, &c.Device.ID, &in, &c.Device.Platform, &c.Device.Supervised, &c.Device.Schema, &enrolled); err != nil {
					return struct{}{}, err
				}
				c.Enrolled = enrolled == 1
				one := found[c.Device.ID]
				if one == nil {
					one = &c
					found[c.Device.ID] = one
					order = append(order, c.Device.ID)
				}
				if in != "" {
					one.Device.Groups = append(one.Device.Groups, in)
				}
				return struct{}{}, nil
			}, q.text(), q.args...)
			if err != nil {
				return err
			}
		}
		return nil
	}
	if err := read("g.id", "g.id", ` JOIN group_devices m ON m.authority = d.authority AND m.device = d.id JOIN school_groups g ON g.authority = m.authority AND g.id = m.group_id`, groups); err != nil {
		return nil, err
	}
	if err := read("d.id", "''", "", devices); err != nil {
		return nil, err
	}
	singles := make([]standard.Crowd, len(order))
	for i, id := range order {
		singles[i] = *found[id]
		sort.Slice(singles[i].Device.Groups, func(a, b int) bool { return singles[i].Device.Groups[a] < singles[i].Device.Groups[b] })
	}
	return singles, nil
}
