package store

import (
	"context"
	"encoding/json"
	"fmt"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/standard"
)

// reaching is the part of a WHERE that finds what can reach a school's devices,
// from the operator to each device. $1 is the authority, $2 the school.
const reaching = `(authority = '' OR authority = $1 AND (level = 'authority'
	OR level = 'school' AND place = $2
	OR level = 'group' AND place IN (SELECT id FROM school_groups WHERE authority = $1 AND school = $2)
	OR level = 'device' AND place IN (SELECT id FROM devices WHERE authority = $1 AND school = $2)))`

func (s *Store) policiesFor(ctx context.Context, tx Tx, school org.Branch) ([]desired.Policy, error) {
	return collect(ctx, tx, s.scanPolicy, `SELECT level, place, family, value, holds, pilot FROM base_policies WHERE `+reaching+` ORDER BY level, place, family, pilot`,
		school.Authority, school.School)
}

// scanPolicy reads a policy. A family that this server does not know, because a
// newer one wrote it, says nothing here.
func (s *Store) scanPolicy(row scanner) (desired.Policy, error) {
	var p desired.Policy
	var value, holds string
	if err := row.Scan(&p.Level, &p.ID, &p.Family, &value, &holds, &p.Pilot); err != nil {
		return p, err
	}
	return p, s.readPolicy(&p, value, holds)
}

func (s *Store) readPolicy(p *desired.Policy, value, holds string) error {
	family, ok := catalog.Find(p.Family)
	if !ok {
		return nil
	}
	var err error
	if p.Settings, err = s.openSettings(family, []byte(value)); err != nil {
		return fmt.Errorf("reading policy of %s: %w", p.ID, err)
	}
	if err := json.Unmarshal([]byte(holds), &p.Holds); err != nil {
		return fmt.Errorf("reading policy %s of %s: %w", p.Family, p.ID, err)
	}
	return nil
}

// exceptionsFor reads the exceptions that can reach a school's devices and have
// not ended. Those that begin later are among them: the answer says when it will
// change.
func (s *Store) exceptionsFor(ctx context.Context, tx Tx, school org.Branch) ([]desired.Exception, error) {
	return collect(ctx, tx, s.scanLive, `SELECT id, level, place, family, field, value, starts, until FROM exceptions WHERE ended = 0 AND NOT waiting AND until > $3 AND `+reaching+` ORDER BY id`,
		school.Authority, school.School, millis(s.now()))
}

func (s *Store) scanLive(row scanner) (desired.Exception, error) {
	var e desired.Exception
	var value string
	var starts, until int64
	if err := row.Scan(&e.ID, &e.Level, &e.Place.ID, &e.Family, &e.Field, &value, &starts, &until); err != nil {
		return e, err
	}
	e.Starts, e.Until = instant(starts), instant(until)
	var err error
	if e.Value, err = s.openValue(e.Family, e.Field, value); err != nil {
		return e, fmt.Errorf("reading exception %s: %w", e.ID, err)
	}
	return e, nil
}

func (s *Store) priorities(ctx context.Context, tx Tx, school org.Branch) (map[org.ID]int, error) {
	type ranked struct {
		id       org.ID
		priority int
	}
	groups, err := collect(ctx, tx, func(row scanner) (ranked, error) {
		var r ranked
		return r, row.Scan(&r.id, &r.priority)
	}, `SELECT id, priority FROM school_groups WHERE authority = $1 AND school = $2 AND priority <> 0`, school.Authority, school.School)
	priorities := make(map[org.ID]int, len(groups))
	for _, group := range groups {
		priorities[group.id] = group.priority
	}
	return priorities, err
}

// saidAt reads what a place says to all, and for a pilot group what its pilot
// says, by family.
func (s *Store) saidAt(ctx context.Context, tx Tx, place standard.Place, pilot org.ID) (map[string]standard.Say, error) {
	policies, err := collect(ctx, tx, s.scanPolicy, `SELECT level, place, family, value, holds, pilot FROM base_policies
		WHERE authority = $1 AND level = $2 AND place = $3 AND pilot = $4 ORDER BY family`, place.Branch.Authority, place.Level, place.ID, pilot)
	said := make(map[string]standard.Say, len(policies))
	for _, policy := range policies {
		if policy.Settings != nil {
			said[policy.Family] = standard.Say{Settings: policy.Settings, Holds: policy.Holds}
		}
	}
	return said, err
}

// SaidAt returns what a place itself says to all, by family.
func (s *Store) SaidAt(ctx context.Context, place standard.Place) (map[string]standard.Say, error) {
	return s.saidAt(ctx, s.reader(ctx), place, "")
}

// putSay makes a place say something about a family, to all or to a pilot group.
// A place that says nothing has no row; a pilot that says nothing has one, since
// it stands in the place of what is said to all.
func (s *Store) putSay(ctx context.Context, tx Tx, place standard.Place, family string, say standard.Say, pilot, version org.ID) error {
	if say.Empty() && pilot == "" {
		_, err := tx.ExecContext(ctx, `DELETE FROM base_policies WHERE authority = $1 AND level = $2 AND place = $3 AND family = $4 AND pilot = ''`,
			place.Branch.Authority, place.Level, place.ID, family)
		return err
	}
	value, err := s.sealSettings(family, say.Settings)
	if err != nil {
		return err
	}
	holds := say.Holds
	if holds == nil {
		holds = map[string]desired.Hold{}
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO base_policies (authority, level, place, family, pilot, value, holds, version, changed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (authority, level, place, family, pilot) DO UPDATE SET value = excluded.value, holds = excluded.holds, version = excluded.version, changed = excluded.changed`,
		place.Branch.Authority, place.Level, place.ID, family, pilot, value, document(holds), version, millis(s.now()))
	return err
}

// dropPilot takes a pilot's words away.
func (s *Store) dropPilot(ctx context.Context, tx Tx, place standard.Place, pilot org.ID) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM base_policies WHERE authority = $1 AND level = $2 AND place = $3 AND pilot = $4`,
		place.Branch.Authority, place.Level, place.ID, pilot)
	return err
}

// changedPlace marks the devices that a place can reach.
func (s *Store) changedPlace(ctx context.Context, tx Tx, place standard.Place) error {
	device := org.ID("")
	if place.Level == org.Device {
		device = place.ID
	}
	return s.changedRules(ctx, tx, schoolOf(place.Branch), device)
}
