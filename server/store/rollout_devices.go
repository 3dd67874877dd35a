package store

import (
	"context"
	"encoding/json"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/ids"
	"schulwart.org/server/rollout"
)

// RolloutDevices lists the devices of a rollout by name.
func (s *Store) RolloutDevices(ctx context.Context, r rollout.Rollout, filter rollout.DeviceFilter) ([]rollout.DeviceView, string, error) {
	l := deviceList{store: s, tx: s.reader(ctx), r: r, offer: r.Offer(), filter: filter, limit: filter.Limit}
	if l.limit <= 0 || l.limit > 200 {
		l.limit = 50
	}
	var err error
	if l.seats, err = s.counted(ctx, l.tx, r.Branch.Authority, r.Package.App()); err != nil {
		return nil, "", err
	}
	if l.groups, err = s.named(ctx, l.tx, r.Plan, r.Branch.Authority); err != nil {
		return nil, "", err
	}
	if l.few, err = l.fewSpoke(ctx); err != nil {
		return nil, "", err
	}
	list, err := l.rows(ctx)
	if err != nil {
		return nil, "", err
	}
	list, next := cut(list, l.limit, func(d rollout.DeviceView) (string, org.ID) { return d.Name, d.ID })
	return list, next, nil
}

// deviceList is one page in the making.
type deviceList struct {
	store  *Store
	tx     Tx
	r      rollout.Rollout
	offer  ground.Offer
	seats  *ground.Seats
	groups map[org.ID][]org.ID
	filter rollout.DeviceFilter
	limit  int
	few    bool // devices fit by what they said, and not many of them
}

// fewDevices is how many rows are sorted rather than looked for among all devices.
const fewDevices = 3000

// fewSpoke reports whether a page is best begun at what devices said. Otherwise
// so many fit that whoever goes through the devices by name soon has a page.
func (l *deviceList) fewSpoke(ctx context.Context) (bool, error) {
	if l.filter.Reason != "" || l.filter.Ailing {
		return true, nil
	}
	if l.filter.Outcome == nil {
		return false, nil
	}
	tallies, err := l.store.Tallies(ctx, l.r)
	sum := ground.NewTally(l.r.Plan)
	for _, tally := range tallies {
		sum.Add(tally)
	}
	n := 0
	for _, f := range sum.Rings {
		switch *l.filter.Outcome {
		case ground.OutcomePending:
			n += f.Begun
		case ground.OutcomeVerified:
			n += f.Verified
		case ground.OutcomeFailed:
			n += f.Failed
		case ground.OutcomeUnable:
			n += f.Unable
		default:
			return false, err
		}
	}
	return n <= fewDevices, err
}

// rows reads on until there is a page and one row more.
func (l *deviceList) rows(ctx context.Context) ([]rollout.DeviceView, error) {
	var list []rollout.DeviceView
	name, id, _ := ids.ReadCursor(l.filter.After)
	atOnce := 4 * l.limit
	for {
		q := l.query(name, id, atOnce)
		rows, err := collect(ctx, l.tx, l.scan, q.text(), q.args...)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if l.fits(row) {
				list = append(list, row)
			}
		}
		if len(rows) < atOnce || len(list) > l.limit {
			return list[:min(len(list), l.limit+1)], nil
		}
		name, id = rows[len(rows)-1].Name, rows[len(rows)-1].ID.String()
		atOnce = min(2*atOnce, 4000)
	}
}

func (l *deviceList) query(name, id string, atOnce int) *query {
	const columns = `SELECT d.authority, d.school, d.id, d.platform, d.name, COALESCE(st.last_seen, 0), COALESCE(w.said, ''), COALESCE(w.at, 0), COALESCE(w.tries, 0), COALESCE(w.ailing, FALSE),
		EXISTS (SELECT 1 FROM licences l WHERE l.authority = d.authority AND l.device = d.id AND l.kind = ? AND l.name = ?) FROM `
	const states = ` LEFT JOIN device_states st ON st.authority = d.authority AND st.device = d.id WHERE `
	app := l.r.Package.App()
	q := newQuery(columns, app.Kind, app.Name)
	if l.few {
		q.add(`rollout_words w JOIN devices d ON d.authority = w.authority AND d.id = w.device`+states+`w.authority = ? AND w.rollout = ?`, l.r.Branch.Authority, l.r.ID)
		switch {
		case l.filter.Ailing:
			q.add(` AND w.ailing AND w.outcome = ?`, ground.OutcomeVerified)
		case l.filter.Outcome != nil:
			q.add(` AND w.outcome = ?`, *l.filter.Outcome)
		default:
			q.add(` AND w.outcome IN (?, ?)`, ground.OutcomeFailed, ground.OutcomeUnable)
		}
		if l.filter.Reason != "" {
			q.add(` AND w.reason = ?`, l.filter.Reason)
		}
		q.add(` AND `)
	} else {
		q.add(`devices d LEFT JOIN rollout_words w ON w.authority = d.authority AND w.rollout = ? AND w.device = d.id`+states, l.r.ID)
	}
	q.place("d.authority", "d.school", l.r.Branch)
	if l.filter.Schools != nil {
		q.add(" AND ")
		oneOf(q, "d.school", l.filter.Schools)
	}
	l.inRing(q)
	q.add(` AND d.retired = 0 AND `+enrolled+` AND d.name >= ? AND (d.name > ? OR d.id > ?) ORDER BY d.name, d.id LIMIT ?`, name, name, id, atOnce)
	return q
}

// inRing narrows to where the devices of a ring are.
func (l *deviceList) inRing(q *query) {
	if l.filter.Ring < 1 || l.filter.Ring > len(l.r.Plan.Rings) {
		return
	}
	switch ring := l.r.Plan.Rings[l.filter.Ring-1]; ring.Kind {
	case ground.RingSchool:
		q.add(` AND d.school = ?`, ring.Place)
	case ground.RingGroup:
		q.add(` AND d.id IN (SELECT device FROM group_devices WHERE authority = ? AND group_id = ?)`, l.r.Branch.Authority, ring.Place)
	}
}

func (l *deviceList) scan(row scanner) (rollout.DeviceView, error) {
	var d rollout.DeviceView
	var seen, at int64
	var text string
	var word rollout.Word
	var ailing, licensed bool
	if err := row.Scan(&d.Branch.Authority, &d.Branch.School, &d.ID, &d.Platform, &d.Name, &seen, &text, &at, &word.Tries, &ailing, &licensed); err != nil {
		return d, err
	}
	d.Seen, d.Groups = instant(seen), l.groups[d.ID]
	var said *ddm.PackageStatus
	if text != "" {
		if err := json.Unmarshal([]byte(text), &word.PackageStatus); err != nil {
			return d, err
		}
		word.At = instant(at)
		d.Word, said = &word, &word.PackageStatus
	}
	offer := l.offer
	if l.seats != nil {
		seats := *l.seats
		seats.Holders = map[org.ID]bool{d.ID: licensed}
		offer.Seats = &seats
	}
	stand := offer.Stand(d.Member.Member, said, ailing)
	d.Ring, d.Outcome, d.Reason, d.Ailing, d.Offered = stand.Ring, stand.Outcome, stand.Reason, stand.Ailing, offer.Reaches(d.Member.Member)
	return d, nil
}

func (l *deviceList) fits(d rollout.DeviceView) bool {
	return d.Ring != ground.Outside && (l.filter.Ring == 0 || d.Ring+1 == l.filter.Ring) && (l.filter.Outcome == nil || d.Outcome == *l.filter.Outcome) && (l.filter.Reason == "" || d.Reason == l.filter.Reason) && (!l.filter.Ailing || d.Ailing)
}

// ReasonDetails returns what one of the devices that failed for a reason adds to it.
func (s *Store) ReasonDetails(ctx context.Context, authority, id org.ID, code string) (map[string]string, error) {
	rows, err := collect(ctx, s.reader(ctx), scanWord, wordSelect+`rollout_words w WHERE w.authority = $1 AND w.rollout = $2 AND w.outcome IN ('failed', 'unable') AND w.reason = $3 ORDER BY w.device LIMIT 1`, authority, id, code)
	if err != nil || len(rows) == 0 || rows[0].said.Reason == nil {
		return nil, err
	}
	return rows[0].said.Reason.Details, nil
}
