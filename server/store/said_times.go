package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"reflect"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/server/checkin"
)

// saidTimes returns since when a device says what it says of each declaration, as
// it is kept: what it says for the first time it says since now, everything else
// as long as before. It is empty if nothing is said, or nothing new.
func saidTimes(ctx context.Context, tx Tx, e checkin.Enrolment, said string, now int64) (string, error) {
	if said == "" {
		return "", nil
	}
	var before, times string
	var least int64
	err := tx.QueryRowContext(ctx, `SELECT declarations, said_times, said_since FROM device_states WHERE authority = $1 AND device = $2`, e.Authority, e.Device).Scan(&before, &times, &least)
	if errors.Is(err, sql.ErrNoRows) || err == nil && before == said {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	known := readTimes(times)
	was := map[string]ddm.DeclarationState{}
	for _, one := range configurations(before) {
		was[one.Identifier] = one
	}
	since := map[string]int64{}
	for _, one := range configurations(said) {
		old, spoke := was[one.Identifier]
		switch at, dated := known[one.Identifier]; {
		case !spoke || !reflect.DeepEqual(old, one):
			since[one.Identifier] = now
		case dated:
			since[one.Identifier] = at
		default:
			since[one.Identifier] = least
		}
	}
	return document(since), nil
}

// configurations are those that a device reported. They come from a device: what
// does not parse is simply not known.
func configurations(said string) []ddm.DeclarationState {
	var states ddm.DeclarationStates
	_ = json.Unmarshal([]byte(said), &states)
	return states.Configurations
}

func readTimes(text string) map[string]int64 {
	times := map[string]int64{}
	_ = json.Unmarshal([]byte(text), &times)
	return times
}

// saidSince dates what a device says, by identifier; least is the age at the
// least of what has no date of its own.
func saidSince(said []ddm.DeclarationState, times string, least int64) map[string]time.Time {
	known := readTimes(times)
	since := make(map[string]time.Time, len(said))
	for _, one := range said {
		at, dated := known[one.Identifier]
		if !dated {
			at = least
		}
		since[one.Identifier] = instant(at)
	}
	return since
}
