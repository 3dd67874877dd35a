package store

import (
	"context"
	"encoding/json"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
)

const deviceSelect = `SELECT d.authority, d.id, d.school, s.name, d.name, d.serial, d.platform, d.model, d.person, COALESCE(p.name, ''), d.source, d.created, d.retired, d.simulated,
	COALESCE((SELECT e.id FROM enrolments e WHERE e.authority = d.authority AND e.device = d.id AND e.state = 'enrolled' ORDER BY e.id LIMIT 1), ''),
	COALESCE(st.last_seen, 0), COALESCE(st.agent, ''), COALESCE(st.facts, '{}'),
	COALESCE((SELECT MAX(l.keep_until) FROM leases l WHERE l.authority = d.authority AND l.device = d.id), 0)
	FROM devices d JOIN schools s ON s.authority = d.authority AND s.id = d.school
	LEFT JOIN persons p ON p.authority = d.authority AND p.id = d.person
	LEFT JOIN device_states st ON st.authority = d.authority AND st.device = d.id WHERE `

// devicesAt scans devices at an instant.
func devicesAt(at time.Time) func(scanner) (roster.Device, error) {
	return func(row scanner) (roster.Device, error) { return scanDevice(row, at) }
}

func scanDevice(row scanner, at time.Time) (roster.Device, error) {
	var d roster.Device
	var created, retired, seen, leased int64
	var facts string
	err := row.Scan(&d.Authority, &d.ID, &d.School, &d.SchoolName, &d.Name, &d.Serial, &d.Platform, &d.Model, &d.Person, &d.PersonName, &d.Source, &created, &retired, &d.Simulated,
		&d.Enrolment, &seen, &d.Agent, &facts, &leased)
	if err != nil {
		return d, err
	}
	d.Created, d.Retired, d.LastSeen, d.Leased = instant(created), instant(retired), instant(seen), leased > millis(at)
	var said struct {
		System string `json:"os-version"`
	}
	// Facts come from a device: what does not parse is simply not known.
	_ = json.Unmarshal([]byte(facts), &said)
	d.System = said.System
	return d, nil
}

// FindDevice returns a device with its groups.
func (s *Store) FindDevice(ctx context.Context, id org.ID) (roster.Device, error) {
	tx := s.reader(ctx)
	device, err := one(tx.QueryRowContext(ctx, deviceSelect+`d.id = $1`, id), devicesAt(s.now()), "not_found")
	if err != nil {
		return device, err
	}
	device.Groups, err = s.groupsOf(ctx, device)
	return device, err
}

func (s *Store) groupsOf(ctx context.Context, device roster.Device) ([]roster.Group, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (roster.Group, error) {
		g := roster.Group{Authority: device.Authority, School: device.School}
		return g, row.Scan(&g.ID, &g.Name, &g.Kind)
	}, `SELECT g.id, g.name, g.kind FROM group_devices m JOIN school_groups g ON g.authority = m.authority AND g.id = m.group_id
		WHERE m.authority = $1 AND m.device = $2 ORDER BY g.kind, `+natural("g.name")+`, g.id`, device.Authority, device.ID)
}

// rare is how many devices a word may find for its set to be gathered; for
// commoner words it is quicker to walk the list and look at each device. Words
// that stand together may find more each: what they find together is less.
const (
	rare         = 1_500
	rareTogether = 10_000
)

// ListDevices lists devices of the branches, by name.
func (s *Store) ListDevices(ctx context.Context, branches []org.Branch, filter roster.DeviceFilter, at time.Time) ([]roster.Device, string, error) {
	q := newQuery(`SELECT d.id FROM devices d WHERE `)
	if filter.Retired {
		q.add(`d.retired > 0 AND `)
	} else {
		q.add(`d.retired = 0 AND `)
	}
	q.places("d.authority", "d.school", branches)
	if filter.School != "" {
		q.add(` AND d.school = ?`, filter.School)
	}
	if filter.Platform != "" {
		q.add(` AND d.platform = ?`, filter.Platform)
	}
	if filter.Group != "" {
		q.add(` AND d.id IN (SELECT m.device FROM group_devices m WHERE m.authority = d.authority AND m.group_id = ?)`, filter.Group)
	}
	if filter.Devices != nil {
		q.add(` AND `)
		oneOf(q, "d.id", filter.Devices)
	}
	if filter.Leased {
		q.add(` AND EXISTS (SELECT 1 FROM leases l WHERE l.authority = d.authority AND l.device = d.id AND l.keep_until > ?)`, millis(at))
	}
	seen(q, filter.Seen, at)
	if err := s.search(ctx, q, branches, filter.Query); err != nil {
		return nil, "", err
	}
	limit := q.page("d.name", "d.id", filter.Cursor, min(filter.Limit, 200), 50)
	// The ids first, by the narrowest way; what is shown of them after that.
	p := &query{args: q.args}
	p.sql.WriteString(deviceSelect + `d.id IN (` + q.text() + `) ORDER BY d.name, d.id`)
	devices, err := collect(ctx, s.reader(ctx), devicesAt(at), p.text(), p.args...)
	if err != nil {
		return nil, "", err
	}
	devices, next := cut(devices, limit, func(d roster.Device) (string, org.ID) { return d.Name, d.ID })
	for i := range devices {
		if devices[i].Groups, err = s.groupsOf(ctx, devices[i]); err != nil {
			return nil, "", err
		}
	}
	return devices, next, nil
}

func seen(q *query, when roster.Seen, at time.Time) {
	const last = `SELECT 1 FROM device_states t WHERE t.authority = d.authority AND t.device = d.id`
	switch when {
	case roster.SeenToday:
		q.add(` AND EXISTS (`+last+` AND t.last_seen >= ?)`, millis(at.Add(-24*time.Hour)))
	case roster.SeenLately:
		q.add(` AND EXISTS (`+last+` AND t.last_seen > 0 AND t.last_seen < ?)`, millis(at.Add(-notSeenFor)))
	case roster.SeenNever:
		q.add(` AND NOT EXISTS (` + last + ` AND t.last_seen > 0)`)
	}
}

// search narrows a query of devices d to those that every typed word finds.
// Words that find few devices are gathered as sets and intersected; common ones
// are tested on the way through the list, which fills a page soon just because
// they are common.
func (s *Store) search(ctx context.Context, q *query, branches []org.Branch, typed string) error {
	words := terms(typed)
	if len(words) == 0 {
		return nil
	}
	if err := s.indexDevices(ctx); err != nil {
		return err
	}
	few := rare
	if len(words) > 1 {
		few = rareTogether
	}
	var gathered, names []string
	for _, word := range words {
		n, err := s.guess(ctx, branches, word, few+1)
		if err != nil {
			return err
		}
		if n > few {
			tested(q, word)
			continue
		}
		named, err := s.namesOnlyPersons(ctx, branches, word)
		if err != nil {
			return err
		}
		if named {
			names = append(names, word)
		} else {
			gathered = append(gathered, word)
		}
	}
	var sets []func()
	if len(names) > 0 {
		sets = append(sets, func() { ofPersons(q, branches, names) })
	}
	for _, word := range gathered {
		sets = append(sets, func() { found(q, branches, word, ` UNION ALL `) })
	}
	for i, set := range sets {
		q.add([]string{` AND d.id IN (`, ` INTERSECT `}[min(i, 1)] + `SELECT id FROM (`)
		set()
		q.add(`) found`)
	}
	if len(sets) > 0 {
		q.add(`)`)
	}
	return nil
}

// guess returns how many devices a word finds, at most so many: names of devices
// and persons are counted, without looking which devices these persons have.
func (s *Store) guess(ctx context.Context, branches []org.Branch, word string, most int) (int, error) {
	q := newQuery(`SELECT COUNT(*) FROM (SELECT w.id FROM words w WHERE w.kind IN ('device', 'person') AND w.word >= ? AND w.word < ?`, word, word+beyond)
	narrow(q, branches)
	q.add(` UNION ALL `)
	byGroup(q, branches, word)
	q.add(` LIMIT ?) found`, most)
	var n int
	err := s.reader(ctx).QueryRowContext(ctx, q.text(), q.args...).Scan(&n)
	return n, err
}

// namesOnlyPersons reports whether neither a device nor a group has the word.
func (s *Store) namesOnlyPersons(ctx context.Context, branches []org.Branch, word string) (bool, error) {
	q := newQuery(`SELECT COUNT(*) FROM (SELECT w.id FROM words w WHERE w.kind IN ('device', 'group') AND w.word >= ? AND w.word < ?`, word, word+beyond)
	narrow(q, branches)
	q.add(` LIMIT 1) found`)
	var n int
	err := s.reader(ctx).QueryRowContext(ctx, q.text(), q.args...).Scan(&n)
	return n == 0, err
}

// ofPersons writes the set of devices whose person has all the words: persons
// are intersected first, so that a first name and a surname, which hundreds have
// each, cost no look at the devices of all these.
func ofPersons(q *query, branches []org.Branch, words []string) {
	q.add(`SELECT v.id FROM (`)
	for i, word := range words {
		if i > 0 {
			q.add(` INTERSECT `)
		}
		q.add(`SELECT w.authority, w.id FROM words w WHERE w.kind = 'person' AND w.word >= ? AND w.word < ?`, word, word+beyond)
		narrow(q, branches)
	}
	q.add(`) p CROSS JOIN devices v WHERE v.authority = p.authority AND v.person = p.id`)
}

// found writes the set of devices that a word finds: by their own name or
// serial number, by their person's name, by a group's name or room. CROSS JOIN
// keeps SQLite on the way from the word to the device: it has no statistics.
func found(q *query, branches []org.Branch, word, and string) {
	q.add(`SELECT w.id FROM words w WHERE w.kind = 'device' AND w.word >= ? AND w.word < ?`, word, word+beyond)
	narrow(q, branches)
	q.add(and+`SELECT v.id FROM words w CROSS JOIN devices v WHERE v.authority = w.authority AND v.person = w.id AND w.kind = 'person' AND w.word >= ? AND w.word < ?`, word, word+beyond)
	narrow(q, branches)
	q.add(and)
	byGroup(q, branches, word)
}

func byGroup(q *query, branches []org.Branch, word string) {
	q.add(`SELECT m.device FROM words w CROSS JOIN group_devices m WHERE m.authority = w.authority AND m.group_id = w.id AND w.kind = 'group' AND w.word >= ? AND w.word < ?`, word, word+beyond)
	narrow(q, branches)
}

// narrow keeps words to the authority, where there is one.
func narrow(q *query, branches []org.Branch) {
	if branch, single := only(branches); single && branch.Authority != "" {
		q.add(` AND w.authority = ?`, branch.Authority)
	}
}

// tested writes the condition that a word finds the device d. CROSS JOIN keeps
// SQLite from going through all words of the authority first.
func tested(q *query, word string) {
	q.add(` AND (EXISTS (SELECT 1 FROM words w WHERE w.authority = d.authority AND w.id = d.id AND w.word >= ? AND w.word < ?)
		OR EXISTS (SELECT 1 FROM words w WHERE w.authority = d.authority AND w.id = d.person AND w.word >= ? AND w.word < ?)
		OR EXISTS (SELECT 1 FROM group_devices m CROSS JOIN words w WHERE w.authority = m.authority AND w.id = m.group_id
			AND m.authority = d.authority AND m.device = d.id AND w.word >= ? AND w.word < ?))`,
		word, word+beyond, word, word+beyond, word, word+beyond)
}

// CountDevices counts the devices in use in the branches.
func (s *Store) CountDevices(ctx context.Context, branches []org.Branch) (int, error) {
	q := newQuery(`SELECT COUNT(*) FROM devices d WHERE d.retired = 0 AND `)
	q.places("d.authority", "d.school", branches)
	var n int
	err := s.reader(ctx).QueryRowContext(ctx, q.text(), q.args...).Scan(&n)
	return n, err
}

func aboutDevice(d roster.Device) any {
	return struct {
		Name     string       `json:"name"`
		School   org.ID       `json:"school"`
		Serial   string       `json:"serial,omitempty"`
		Platform org.Platform `json:"platform"`
		Model    string       `json:"model,omitempty"`
		Person   org.ID       `json:"person,omitempty"`
		Retired  bool         `json:"retired,omitempty"`
	}{d.Name, d.School, d.Serial, d.Platform, d.Model, d.Person, !d.Retired.IsZero()}
}

// CreateDevice enters a device.
func (s *Store) CreateDevice(ctx context.Context, permit may.Permit, d roster.Device) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if err := addRosterDevice(ctx, tx, d); err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"device", d.ID}, nil, aboutDevice(d))
	})
}

func addRosterDevice(ctx context.Context, tx Tx, d roster.Device) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO devices (authority, id, school, name, serial, platform, model, person, source, created, words_of) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		d.Authority, d.ID, d.School, d.Name, d.Serial, d.Platform, d.Model, d.Person, d.Source, millis(d.Created), deviceText(d))
	if err != nil {
		return err
	}
	return putWords(ctx, tx, d.Authority, "device", d.ID, "", deviceText(d))
}

func deviceText(d roster.Device) string { return d.Name + "/" + d.Serial }

// UpdateDevice renames, moves or hands on a device. In another school it is in
// no group, and it may have to hear of all that.
func (s *Store) UpdateDevice(ctx context.Context, permit may.Permit, before, after roster.Device) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if err := s.putDevice(ctx, tx, before, after); err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"device", after.ID}, aboutDevice(before), aboutDevice(after))
	})
}

func (s *Store) putDevice(ctx context.Context, tx Tx, before, after roster.Device) error {
	_, err := tx.ExecContext(ctx, `UPDATE devices SET school = $1, name = $2, serial = $3, platform = $4, model = $5, person = $6, retired = $7 WHERE authority = $8 AND id = $9`,
		after.School, after.Name, after.Serial, after.Platform, after.Model, after.Person, millis(after.Retired), after.Authority, after.ID)
	if err != nil {
		return err
	}
	if before.Platform != after.Platform || before.Retired != after.Retired {
		if err := s.changed(ctx, tx, after.Branch(), after.ID); err != nil {
			return err
		}
	}
	if deviceText(before) != deviceText(after) {
		if err := reindex(ctx, tx, after); err != nil {
			return err
		}
	}
	if before.School != after.School {
		if err := s.leaveSchool(ctx, tx, before, after); err != nil {
			return err
		}
	}
	if before.Person != after.Person || before.School != after.School {
		return s.followPerson(ctx, tx, after.Branch(), after.ID)
	}
	return nil
}

func reindex(ctx context.Context, tx Tx, d roster.Device) error {
	var old string
	if err := tx.QueryRowContext(ctx, `SELECT words_of FROM devices WHERE authority = $1 AND id = $2`, d.Authority, d.ID).Scan(&old); err != nil {
		return err
	}
	if err := putWords(ctx, tx, d.Authority, "device", d.ID, old, deviceText(d)); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE devices SET words_of = $1 WHERE authority = $2 AND id = $3`, deviceText(d), d.Authority, d.ID)
	return err
}

func (s *Store) leaveSchool(ctx context.Context, tx Tx, before, after roster.Device) error {
	if err := leaveGroups(ctx, tx, before); err != nil {
		return err
	}
	for _, table := range []string{"enrolments", "device_states"} {
		if _, err := tx.ExecContext(ctx, `UPDATE `+table+` SET school = $1 WHERE authority = $2 AND device = $3`, after.School, after.Authority, after.ID); err != nil {
			return err
		}
	}
	if err := s.changed(ctx, tx, before.Branch(), before.ID); err != nil {
		return err
	}
	return s.changed(ctx, tx, after.Branch(), after.ID)
}

func leaveGroups(ctx context.Context, tx Tx, d roster.Device) error {
	for _, table := range []string{"group_devices", "group_plans", "absences"} {
		if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE authority = $1 AND device = $2`, d.Authority, d.ID); err != nil {
			return err
		}
	}
	return nil
}

// RetireDevice takes a device out of use.
func (s *Store) RetireDevice(ctx context.Context, permit may.Permit, d roster.Device, at time.Time) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		if err := s.retire(ctx, tx, d, at); err != nil {
			return err
		}
		after := d
		after.Retired, after.Person = at, ""
		return s.record(ctx, tx, permit, Target{"device", d.ID}, aboutDevice(d), aboutDevice(after))
	})
}

func (s *Store) retire(ctx context.Context, tx Tx, d roster.Device, at time.Time) error {
	if err := leaveGroups(ctx, tx, d); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE devices SET retired = $1, person = '' WHERE authority = $2 AND id = $3`, millis(at), d.Authority, d.ID)
	if err != nil {
		return err
	}
	if err := s.letLeave(ctx, tx, d.Authority, d.ID, at); err != nil {
		return err
	}
	return s.changed(ctx, tx, d.Branch(), d.ID)
}
