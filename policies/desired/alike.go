package desired

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
)

// Alike returns a key under which devices have the same answer, so that it is
// computed once for all of them. There is none for a device that holds a lease,
// or about which something is said that is said about no other.
func (s Snapshot) Alike(device Device) (key string, ok bool) {
	place := Place{Level: org.Device, ID: device.ID}
	if len(s.Wishes[device.ID]) > 0 || slices.ContainsFunc(s.Leases, func(g Granted) bool { return g.Device == device.ID }) ||
		slices.ContainsFunc(s.Policies, func(p Policy) bool { return p.Place == place }) ||
		slices.ContainsFunc(s.Exceptions, func(e Exception) bool { return e.Place == place }) {
		return "", false
	}
	groups := make([]string, len(device.Groups))
	for i, group := range device.Groups {
		groups[i] = group.String()
	}
	sort.Strings(groups)
	return fmt.Sprint(device.Platform, " ", device.Schema, " ", device.Supervised, " ", strings.Join(groups, " "), " ", rollout.Reach(s.Offers, s.member(device))), true
}
