package rollout

import (
	"time"

	"schulwart.org/policies/org"
)

// Wish is what somebody picked for one device, as an offer: it reaches that device
// by the way of every rollout, with the same windows, reports and undoing. id stands
// for the rollout in what the device says.
func Wish(id org.ID, school org.Branch, pack Package, at time.Time) Offer {
	return Offer{
		Plan:   Plan{ID: id, Lot: id, Target: Target{Branches: []org.Branch{school}, Platforms: pack.Kind.Agents()}, Rings: []Ring{{Kind: RingAll}}},
		Status: Status{State: Running, Since: at}, Started: at, Package: pack,
	}
}

// Terms are the conditions of an app in a school.
type Terms struct {
	Counted  bool // its licences are
	Free     int
	Cents    int64  // one costs, in hundredths
	Currency string // empty where nobody said what one costs
}
