package store

import (
	"context"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/server/lesson"
)

// Supervised reports whether the device's enrolment is supervised.
func (s *Store) Supervised(ctx context.Context, authority, device org.ID) (bool, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, `SELECT supervised FROM enrolments WHERE authority = $1 AND device = $2 AND state = 'enrolled'`, authority, device), func(row scanner) (bool, error) {
		var supervised bool
		return supervised, row.Scan(&supervised)
	}, "device.not_enrolled")
}

// TabletLeases lists leases of Apple devices that were installed, ended before
// the instant, and whose end was not read back.
func (s *Store) TabletLeases(ctx context.Context, endedBefore time.Time, most int) ([]lesson.Lease, error) {
	return collect(ctx, s.reader(ctx), scanPlatformLease, `SELECT `+leaseColumns+`, d.platform FROM leases l JOIN devices d ON d.authority = l.authority AND d.id = l.device
		WHERE d.platform IN ($1, $2) AND l.state = $3 AND l.ends < $4 AND l.ends > $5 ORDER BY l.ends, l.id LIMIT $6`,
		org.IPadOS, org.MacOS, ddm.LeaseActive, millis(endedBefore), millis(endedBefore.Add(-24*time.Hour)), most)
}
