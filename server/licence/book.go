package licence

import (
	"cmp"
	"slices"

	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
)

// Book is all that decides who has a licence of an app in an authority.
type Book struct {
	App     rollout.App
	Today   rollout.Date // as the clocks of the authority show it
	Pools   []Pool
	Offers  []rollout.Offer            // rollouts of the app, drafts left out
	Wishes  map[org.ID][]rollout.Offer // what was picked for a device
	Empty   map[org.ID]map[org.ID]bool // by rollout that went back: devices that never had a version, and have none now
	Members []Member                   // devices that are enrolled, in any order
}

// Sort brings devices into school order: by the names of their schools, then by
// their own. It is the order in which they wait, the same for everybody who looks.
func Sort(members []Member) {
	slices.SortFunc(members, func(a, b Member) int {
		return cmp.Or(cmp.Compare(a.School, b.School), cmp.Compare(a.Branch.School, b.Branch.School), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
}

// pools are the pools as the ground knows them.
func (b Book) pools() []rollout.Pool {
	list := make([]rollout.Pool, len(b.Pools))
	for i, p := range b.Pools {
		list[i] = rollout.Pool{ID: p.ID, School: p.Branch.School, Total: p.Total, Closed: p.Over}
	}
	return list
}

// wants reports whether a device shall have the app, with an offer more than there
// is.
func (b Book) wants(m Member, extra ...rollout.Offer) bool {
	offers := slices.Concat(b.Offers, b.Wishes[m.ID])
	for _, offer := range extra {
		offers = slices.DeleteFunc(offers, func(o rollout.Offer) bool { return o.Plan.ID == offer.Plan.ID })
		offers = append(offers, offer)
	}
	offers = slices.DeleteFunc(offers, func(o rollout.Offer) bool { return b.Empty[o.Plan.ID][m.ID] })
	return rollout.Wants(offers, m.Member, b.App)
}

// Claims lists the devices that shall have the app where its licences are counted,
// in the order in which they wait.
func (b Book) Claims(extra ...rollout.Offer) []rollout.Claim {
	members, pools := slices.Clone(b.Members), b.pools()
	Sort(members)
	var claims []rollout.Claim
	for _, m := range members {
		if rollout.Covers(pools, m.Branch.School) && b.wants(m, extra...) {
			claims = append(claims, rollout.Claim{Device: m.ID, School: m.Branch.School, Pool: m.Pool})
		}
	}
	return claims
}

// Allot says which device has a licence of which pool.
func (b Book) Allot(extra ...rollout.Offer) map[org.ID]org.ID {
	return rollout.Allot(b.pools(), b.Claims(extra...))
}

// Waiting lists the devices that shall have the app and get no licence, in school
// order.
func (b Book) Waiting(extra ...rollout.Offer) []Member {
	given, byID := b.Allot(extra...), map[org.ID]Member{}
	for _, m := range b.Members {
		byID[m.ID] = m
	}
	var list []Member
	for _, claim := range b.Claims(extra...) {
		if given[claim.Device] == "" {
			list = append(list, byID[claim.Device])
		}
	}
	return list
}

// with is the book with a pool in the place of the one that its place has.
func (b Book) with(p Pool) Book {
	b.Pools = append(slices.DeleteFunc(slices.Clone(b.Pools), func(known Pool) bool { return known.Branch == p.Branch }), p)
	return b
}

// without is the book without a pool.
func (b Book) without(id org.ID) Book {
	b.Pools = slices.DeleteFunc(slices.Clone(b.Pools), func(known Pool) bool { return known.ID == id })
	return b
}

// change compares what the book says with what another would.
func (b Book) change(after Book) (gain, lose []Member) {
	is, would, pools := b.Allot(), after.Allot(), after.pools()
	members := slices.Clone(b.Members)
	Sort(members)
	for _, m := range members {
		had, has := is[m.ID] != "", would[m.ID] != ""
		counted := rollout.Covers(pools, m.Branch.School)
		switch {
		case counted && has && !had && rollout.Covers(b.pools(), m.Branch.School):
			gain = append(gain, m)
		case counted && !has && (had || !rollout.Covers(b.pools(), m.Branch.School) && b.wants(m)):
			// Where none were counted so far, whoever was offered the app has it.
			lose = append(lose, m)
		case !counted && !had && b.wants(m):
			gain = append(gain, m)
		}
	}
	return gain, lose
}
