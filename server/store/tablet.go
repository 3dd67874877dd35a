package store

import (
	"context"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
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

// TabletsWaiting lists leases of Apple devices that hold or were ended early,
// whose revision the device has not answered for and for which no order waits:
// they began by the clock, or the server stopped between the mode and its order.
// An examination waits on its device, in words only, until it is sent.
func (s *Store) TabletsWaiting(ctx context.Context, at time.Time, most int) ([]lesson.Lease, error) {
	return collect(ctx, s.reader(ctx), scanPlatformLease, `SELECT `+leaseColumns+`, d.platform FROM leases l JOIN devices d ON d.authority = l.authority AND d.id = l.device
		JOIN enrolments e ON e.authority = l.authority AND e.id = l.enrolment AND e.state = 'enrolled'
		WHERE d.platform IN ($1, $2) AND l.starts <= $3 AND l.keep_until > $3 AND (l.reported_rev < l.rev OR l.state = $5) AND (l.ends > $3 OR l.reported_rev > 0)
		AND `+nothingAsked+` ORDER BY l.ends, l.id LIMIT $4`, org.IPadOS, org.MacOS, millis(at), most, ddm.LeaseWaiting)
}

// nothingAsked holds for leases l of whose revision no order and no question
// waits for its device.
const nothingAsked = `NOT EXISTS (SELECT 1 FROM commands c WHERE c.authority = l.authority AND c.device = l.device
		AND c.about IN ('lease:' || l.id || ':' || CAST(l.rev AS TEXT), 'lease-app:' || l.id || ':' || CAST(l.rev AS TEXT)))`

// TabletsUnprepared lists leases of examinations on Apple devices that are not
// over, of which the device has not said that it can take part, and for which
// nothing waits.
func (s *Store) TabletsUnprepared(ctx context.Context, at time.Time, most int) ([]lesson.Lease, error) {
	return collect(ctx, s.reader(ctx), scanPlatformLease, `SELECT `+leaseColumns+`, d.platform FROM leases l JOIN devices d ON d.authority = l.authority AND d.id = l.device
		JOIN enrolments e ON e.authority = l.authority AND e.id = l.enrolment AND e.state = 'enrolled'
		WHERE d.platform IN ($1, $2) AND l.kind = $3 AND l.ends > $4 AND (l.reported_rev < l.rev OR l.state = $5)
		AND `+nothingAsked+` ORDER BY l.ends, l.id LIMIT $6`, org.IPadOS, org.MacOS, lease.Exam, millis(at), ddm.LeaseRefused, most)
}

// TabletLease returns a lease by its id. It is NotFound on another device.
func (s *Store) TabletLease(ctx context.Context, authority, device, id org.ID) (lesson.Lease, error) {
	return one(s.reader(ctx).QueryRowContext(ctx, `SELECT `+leaseColumns+`, d.platform FROM leases l JOIN devices d ON d.authority = l.authority AND d.id = l.device
		WHERE l.authority = $1 AND l.device = $2 AND l.id = $3`, authority, device, id), scanPlatformLease, "not_found")
}

// TabletLeases lists leases of Apple devices that were installed, whose end has come
// at the instant and was not read back.
func (s *Store) TabletLeases(ctx context.Context, endedBefore time.Time, most int) ([]lesson.Lease, error) {
	return collect(ctx, s.reader(ctx), scanPlatformLease, `SELECT `+leaseColumns+`, d.platform FROM leases l JOIN devices d ON d.authority = l.authority AND d.id = l.device
		WHERE d.platform IN ($1, $2) AND l.state = $3 AND l.ends <= $4 AND l.ends > $5 ORDER BY l.ends, l.id LIMIT $6`,
		org.IPadOS, org.MacOS, ddm.LeaseActive, millis(endedBefore), millis(endedBefore.Add(-24*time.Hour)), most)
}
