package rollout

import (
	"slices"

	"schulwart.org/policies/org"
)

// App is what packages are versions of. A licence is for an app, whatever its
// version.
type App struct {
	Kind Kind   `json:"kind"`
	Name string `json:"name"`
}

// App returns what the package is a version of.
func (p Package) App() App { return App{p.Kind, p.Name} }

// Seats say who has a licence of an app, where its licences are counted. Nobody
// lacks one where they are not.
type Seats struct {
	Everywhere bool            // the authority has a pool
	Schools    map[org.ID]bool // that have a pool of their own
	Holders    map[org.ID]bool // devices
}

// Lacks reports whether the device would need a licence and has none.
func (s *Seats) Lacks(m Member) bool {
	return s != nil && (s.Everywhere || s.Schools[m.Branch.School]) && !s.Holders[m.ID]
}

// Pool is a number of licences of one app, a school's or its authority's.
type Pool struct {
	ID     org.ID
	School org.ID // empty: the authority's, for each of its schools
	Total  int
	// Closed pools give no new licences, since their validity is over. Who has one
	// keeps it until a person decides: nothing vanishes from a class at midnight.
	Closed bool
}

// Covers reports whether licences are counted in the school.
func Covers(pools []Pool, school org.ID) bool {
	return slices.ContainsFunc(pools, func(p Pool) bool { return p.School == "" || p.School == school })
}

// Claim is a device that shall have an app, with the pool that its licence is from;
// none while it waits.
type Claim struct {
	Device org.ID
	School org.ID
	Pool   org.ID
}

// Allot gives the licences of an app to devices, in the order of the claims: a
// school's own go before the authority's, and who has one keeps it before anybody
// who waits. It returns the pool by device; who is not named stays without. No pool
// gives more than it has.
func Allot(pools []Pool, claims []Claim) map[org.ID]org.ID {
	given := make(map[org.ID]org.ID, len(claims))
	for _, ofSchools := range []bool{true, false} {
		for _, pool := range pools {
			if (pool.School != "") == ofSchools {
				pool.give(claims, given)
			}
		}
	}
	return given
}

// give hands a pool's licences out: first to those who have one of it, then to those
// who have one of another pool, then to those who wait.
func (p Pool) give(claims []Claim, given map[org.ID]org.ID) {
	left := p.Total
	for _, turn := range []func(Claim) bool{
		func(c Claim) bool { return c.Pool == p.ID },
		func(c Claim) bool { return c.Pool != "" && c.Pool != p.ID && !p.Closed },
		func(c Claim) bool { return c.Pool == "" && !p.Closed },
	} {
		for _, claim := range claims {
			if left <= 0 {
				return
			}
			_, has := given[claim.Device]
			if has || p.School != "" && p.School != claim.School || !turn(claim) {
				continue
			}
			given[claim.Device] = p.ID
			left--
		}
	}
}

// Wants reports whether the device is to have the app by the offers, licences left
// aside: the offer that began last decides, as it does in For.
func Wants(offers []Offer, member Member, app App) bool {
	for _, offer := range latestFirst(offers) {
		if offer.Package.App() == app && offer.Status.Offered(offer.Plan.RingOf(member)) {
			return !offer.removes()
		}
	}
	return false
}

// Whole is the offer as it is when every ring has it.
func (o Offer) Whole() Offer {
	o.Status.State, o.Status.Ring = Running, len(o.Plan.Rings)-1
	return o
}

// removes reports whether devices have the package taken away.
func (o Offer) removes() bool { return o.Status.State == RolledBack && o.Former == nil }

// Reaches reports whether the device is told of the offer.
func (o Offer) Reaches(m Member) bool {
	return o.Status.Offered(o.Plan.RingOf(m)) && (o.removes() || !o.Seats.Lacks(m))
}

// Shortage says for how many of an offer's devices there are licences.
type Shortage struct {
	Counted bool      // licences of the app are counted for some of the devices
	Needed  int       // devices that need one
	Without []Lacking // that stay without, in the order in which they wait
}

// Lacking is a device that stays without a licence.
type Lacking struct {
	Device   org.ID
	Name     string
	School   string // its name
	SchoolID org.ID
}
