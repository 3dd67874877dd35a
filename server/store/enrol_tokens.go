package store

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
	"schulwart.org/server/checkin"
	"schulwart.org/server/enroll"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// EnrolPlace returns a school, or a group with its school.
func (s *Store) EnrolPlace(ctx context.Context, school, group org.ID) (enroll.Place, error) {
	scan := func(row scanner) (enroll.Place, error) {
		var p enroll.Place
		return p, row.Scan(&p.Branch.Authority, &p.Branch.School, &p.School, &p.Zone, &p.Branch.Group, &p.GroupName)
	}
	if group != "" {
		return one(s.reader(ctx).QueryRowContext(ctx, `SELECT s.authority, s.id, s.name, a.timezone, g.id, g.name FROM school_groups g
			JOIN schools s ON s.authority = g.authority AND s.id = g.school JOIN authorities a ON a.id = s.authority WHERE g.id = $1`, group), scan, "group.not_found")
	}
	return one(s.reader(ctx).QueryRowContext(ctx, `SELECT s.authority, s.id, s.name, a.timezone, '', '' FROM schools s JOIN authorities a ON a.id = s.authority WHERE s.id = $1`, school), scan, "school.not_found")
}

// CreateEnrolToken keeps a token that was made.
func (s *Store) CreateEnrolToken(ctx context.Context, permit may.Permit, token enroll.Token) error {
	serials, err := json.Marshal(token.Serials)
	if err != nil {
		return err
	}
	branch := token.Place.Branch
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO enrol_tokens (authority, id, school, group_id, note, max_uses, expires, serials, staff, by_name, created)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			branch.Authority, token.ID, branch.School, branch.Group, token.Note, token.MaxUses, millis(token.Expires), string(serials), permit.Actor().ID, token.By, millis(token.Created))
		if err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"enrolment_token", token.ID}, nil, tokenRecord(token))
	})
}

func tokenRecord(token enroll.Token) map[string]any {
	return map[string]any{"group": token.Place.Branch.Group, "uses": token.MaxUses, "expires": token.Expires, "serials": len(token.Serials), "note": token.Note}
}

const tokenSelect = `SELECT t.authority, t.id, t.school, s.name, a.timezone, t.group_id, COALESCE(g.name, ''), t.note, t.max_uses, t.uses, t.expires, t.revoked, t.serials, t.by_name, t.created
	FROM enrol_tokens t JOIN schools s ON s.authority = t.authority AND s.id = t.school JOIN authorities a ON a.id = t.authority
	LEFT JOIN school_groups g ON g.authority = t.authority AND g.id = t.group_id`

func scanToken(row scanner) (enroll.Token, error) {
	var t enroll.Token
	var expires, revoked, created int64
	var serials string
	branch := &t.Place.Branch
	err := row.Scan(&branch.Authority, &t.ID, &branch.School, &t.Place.School, &t.Place.Zone, &branch.Group, &t.Place.GroupName, &t.Note, &t.MaxUses, &t.Uses, &expires, &revoked, &serials, &t.By, &created)
	if err != nil {
		return t, err
	}
	t.Expires, t.Revoked, t.Created = instant(expires), instant(revoked), instant(created)
	return t, json.Unmarshal([]byte(serials), &t.Serials)
}

// EnrolToken returns a token by its id alone: who holds one is not signed in.
func (s *Store) EnrolToken(ctx context.Context, id org.ID) (enroll.Token, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, tokenSelect+` WHERE t.id = $1`, id), scanToken, "token.not_found")
}

// EnrolTokens lists tokens in the branches, newest first.
func (s *Store) EnrolTokens(ctx context.Context, branches []org.Branch, filter enroll.TokenFilter) ([]enroll.Token, error) {
	var where []string
	var args []any
	arg := func(value any) string {
		args = append(args, value)
		return fmt.Sprint("$", len(args))
	}
	var within []string
	for _, b := range branches {
		switch b.Level() {
		case org.Operator:
			within = append(within, "1 = 1")
		case org.Authority:
			within = append(within, "t.authority = "+arg(b.Authority))
		case org.School:
			within = append(within, "t.authority = "+arg(b.Authority)+" AND t.school = "+arg(b.School))
		default:
			within = append(within, "t.authority = "+arg(b.Authority)+" AND t.group_id = "+arg(b.Group))
		}
	}
	where = append(where, "("+strings.Join(within, " OR ")+")")
	if filter.School != "" {
		where = append(where, "t.school = "+arg(filter.School))
	}
	if filter.Group != "" {
		where = append(where, "t.group_id = "+arg(filter.Group))
	}
	if filter.After != "" {
		where = append(where, "t.id < "+arg(filter.After))
	}
	return collect(ctx, s.reader(ctx), scanToken, tokenSelect+` WHERE `+strings.Join(where, " AND ")+` ORDER BY t.id DESC LIMIT `+arg(filter.Limit), args...)
}

// RevokeEnrolToken makes a token good for nothing.
func (s *Store) RevokeEnrolToken(ctx context.Context, permit may.Permit, token enroll.Token, at time.Time) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE enrol_tokens SET revoked = $1 WHERE authority = $2 AND id = $3 AND revoked = 0`, millis(at), token.Place.Branch.Authority, token.ID)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"enrolment_token", token.ID}, tokenRecord(token), map[string]any{"revoked": at.UTC()})
	})
}

// EnrolTokenUses lists the devices that came by a token, in their order.
func (s *Store) EnrolTokenUses(ctx context.Context, token enroll.Token) ([]enroll.Use, error) {
	return collect(ctx, s.reader(ctx), func(row scanner) (enroll.Use, error) {
		var u enroll.Use
		var at int64
		err := row.Scan(&u.Device, &u.Name, &u.Serial, &at)
		u.At = instant(at)
		return u, err
	}, `SELECT e.device, COALESCE(d.name, ''), COALESCE(d.serial, ''), e.created FROM enrolments e
		LEFT JOIN devices d ON d.authority = e.authority AND d.id = e.device
		WHERE e.authority = $1 AND e.token = $2 ORDER BY e.created, e.id LIMIT $3`, token.Place.Branch.Authority, token.ID, enroll.MostUses)
}

// entrance is what a token says of a device that came by it.
type entrance struct {
	School  org.ID
	Group   org.ID
	serials []string
}

func (t entrance) admits(serial string) error {
	if !(enroll.Token{Serials: t.serials}).Admits(serial) {
		return checkin.Refusal(mdm.RefusedSerial)
	}
	return nil
}

// tokenOf returns where the enrolment's token leads. Without one the enrolment
// stays where it is.
func (s *Store) tokenOf(ctx context.Context, tx Tx, e checkin.Enrolment) (entrance, error) {
	found, err := one(tx.QueryRowContext(ctx, `SELECT school, group_id, serials FROM enrol_tokens WHERE authority = $1 AND id = $2`, e.Authority, e.Token), func(row scanner) (entrance, error) {
		var t entrance
		var serials string
		if err := row.Scan(&t.School, &t.Group, &serials); err != nil {
			return t, err
		}
		return t, json.Unmarshal([]byte(serials), &t.serials)
	}, "token.not_found")
	if errs.Is(err, errs.NotFound) {
		return entrance{School: e.School}, nil
	}
	return found, err
}

func encodeDER(der []byte) string { return base64.StdEncoding.EncodeToString(der) }

func decodeDER(text string) ([]byte, error) { return base64.StdEncoding.DecodeString(text) }
