// Package licence counts licences: how many an authority or a school has of an app,
// which device has one, who waits, and by when they run out. Who shall have an app
// the rollouts and the shelf say; here it is only told for how many that is enough.
package licence

import (
	"context"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/may"
)

// Pool is the licences that a place has of one app, whatever its version. A place
// has at most one for each.
type Pool struct {
	ID     org.ID
	Branch org.Branch // the authority, or one school of it
	App    rollout.App
	Title  rollout.Text // of the app, as the catalogue has it; may be empty
	Total  int
	Cost   Cost         // of one licence
	Until  rollout.Date // last day on which it is valid; empty for without end
	Note   string
	ByName string
	Since  time.Time // when somebody said it first
	Over   bool      // the last day is past, as the clocks of the authority show it
}

// Cost is an amount of money, in hundredths; nothing is said where the currency is
// empty.
type Cost struct {
	Cents    int64
	Currency string // ISO 4217
}

// Day is how many licences of a pool were given at the end of a day on which that
// changed.
type Day struct {
	Day  rollout.Date
	Used int
}

// Member is a device that may have a claim.
type Member struct {
	rollout.Member
	Name   string
	School string    // its name
	Pool   org.ID    // that its licence is from; empty for none
	Since  time.Time // when it was given
}

// Store keeps pools, and who has a licence. Each method that writes gives licences
// out anew in the same transaction, so that no pool ever gives more than it has, and
// marks the schools whose devices have another answer now.
type Store interface {
	// ListPools lists the pools of authorities, nil for all, with the last day looked
	// at on the authority's own clocks.
	ListPools(ctx context.Context, authorities []org.ID) ([]Pool, error)
	FindPool(ctx context.Context, id org.ID) (Pool, error)
	// SavePool puts the pool in the place of the one that the place has of the app,
	// whose id it keeps, and returns it.
	SavePool(ctx context.Context, permit may.Permit, p Pool) (Pool, error)
	DropPool(ctx context.Context, permit may.Permit, p Pool) error
	// Book reads all that decides who has a licence of an app.
	Book(ctx context.Context, authority org.ID, app rollout.App) (Book, error)
	// UsedLicences counts what each pool of an authority has given.
	UsedLicences(ctx context.Context, authority org.ID) (map[org.ID]int, error)
	// SettleLicences takes licences back from whoever left, and gives them to who
	// waits. It reports whether that changed anything.
	SettleLicences(ctx context.Context, authority org.ID) (bool, error)
	// LicenceDays lists the days of a pool, the oldest first.
	LicenceDays(ctx context.Context, authority, pool org.ID) ([]Day, error)
	// FindTarget returns where an authority or a school is.
	FindTarget(ctx context.Context, level org.Level, id org.ID) (org.Branch, error)
}

// Service is the room.
type Service struct {
	Store   Store
	Changes interface{ Wake() }
	NewID   func() org.ID
	Now     func() time.Time
}

// New is what somebody says of a pool.
type New struct {
	Authority org.ID
	School    org.ID // empty for the authority's
	App       rollout.App
	Total     int
	Cost      Cost
	Until     rollout.Date
	Note      string
}

// View is a pool with what became of it.
type View struct {
	Pool
	Used     int
	Waiting  int       // devices that would have one of it and wait
	RunsOut  time.Time // at the pace of the last weeks; zero if it does not, or nobody can tell
	Ends     int       // days until its validity is over; only where Until is set
	MayWrite bool
}

// Free is how many licences are left.
func (v View) Free() int { return max(0, v.Total-v.Used) }

// Holder is a device that has a licence of a pool, or waits for one.
type Holder struct {
	Member
	Waits bool
}

// Change says what a pool would change before anybody keeps it.
type Change struct {
	Pool
	Used   int
	Gain   []Member // that wait now and would have one, in school order
	Lose   []Member // that have one now and would not, in school order: the app is taken from them
	Waits  int      // devices that stay without
	Before int      // licences that the place has now
}
