package store

import (
	"context"
	"encoding/json"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
)

// Settings by which the operator's own changes need a second person, and by which
// somebody asks to do without.
const (
	fourEyes      = "policy.four_eyes"
	fourEyesAsked = "policy.four_eyes_asked"
)

// FindEyes returns whether an authority asks for a second person; the empty id is
// the operator.
func (s *Store) FindEyes(ctx context.Context, authority org.ID) (standard.Eyes, error) {
	if authority != "" {
		return one(s.reader(ctx).QueryRowContext(ctx, `SELECT four_eyes, four_eyes_asked FROM authorities WHERE id = $1`, authority), func(row scanner) (standard.Eyes, error) {
			var on bool
			var asked string
			if err := row.Scan(&on, &asked); err != nil {
				return standard.Eyes{}, err
			}
			return readEyes(on, asked)
		}, "not_found")
	}
	on, err := s.Setting(ctx, fourEyes)
	if err != nil {
		return standard.Eyes{}, err
	}
	asked, err := s.Setting(ctx, fourEyesAsked)
	if err != nil {
		return standard.Eyes{}, err
	}
	return readEyes(on == "on", asked)
}

func readEyes(on bool, asked string) (standard.Eyes, error) {
	eyes := standard.Eyes{On: on}
	if asked == "" {
		return eyes, nil
	}
	return eyes, json.Unmarshal([]byte(asked), &eyes.Asked)
}

// SetEyes keeps whether an authority, or for the empty id the operator, asks for
// a second person, unless somebody else changed it since it was read.
func (s *Store) SetEyes(ctx context.Context, permit may.Permit, authority org.ID, before, after standard.Eyes) error {
	return s.write(ctx, func(ctx context.Context, tx Tx) error {
		is, err := s.FindEyes(ctx, authority)
		if err != nil {
			return err
		}
		if is.On != before.On || is.Asked.By != before.Asked.By {
			return errs.E(errs.Conflict, "eyes.changed")
		}
		if err := s.keepEyes(ctx, tx, authority, after); err != nil {
			return err
		}
		return s.record(ctx, tx, permit, Target{"authority", authority}, aboutEyes(before), aboutEyes(after))
	})
}

func (s *Store) keepEyes(ctx context.Context, tx Tx, authority org.ID, eyes standard.Eyes) error {
	asked := ""
	if eyes.Asked.By != "" {
		asked = document(eyes.Asked)
	}
	if authority != "" {
		_, err := tx.ExecContext(ctx, `UPDATE authorities SET four_eyes = $1, four_eyes_asked = $2 WHERE id = $3`, eyes.On, asked, authority)
		return err
	}
	if err := s.PutSetting(ctx, fourEyes, onOff[eyes.On]); err != nil {
		return err
	}
	return s.PutSetting(ctx, fourEyesAsked, asked)
}

var onOff = map[bool]string{true: "on", false: "off"}

func aboutEyes(eyes standard.Eyes) any {
	return struct {
		FourEyes string `json:"four_eyes"`
		Asked    string `json:"asked,omitempty"`
	}{onOff[eyes.On], eyes.Asked.ByName}
}
