package rollout_test

import (
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
)

// drawPools and drawClaims make pools of three schools and their authority, and
// devices of which some have a licence already, as an earlier answer left it.
func drawPools(t *rapid.T) []rollout.Pool {
	var pools []rollout.Pool
	for _, school := range []org.ID{"", "s0", "s1", "s2"} {
		if rapid.Bool().Draw(t, "has "+string(school)) {
			pools = append(pools, rollout.Pool{ID: "pool of " + school, School: school, Total: rapid.IntRange(0, 6).Draw(t, "total"), Closed: rapid.IntRange(0, 4).Draw(t, "closed") == 0})
		}
	}
	return pools
}

func drawClaims(t *rapid.T) []rollout.Claim {
	claims := make([]rollout.Claim, rapid.IntRange(0, 20).Draw(t, "devices"))
	for i := range claims {
		claims[i] = rollout.Claim{Device: org.ID(fmt.Sprintf("d%02d", i)), School: org.ID(fmt.Sprintf("s%d", rapid.IntRange(0, 2).Draw(t, "school")))}
	}
	return claims
}

func count(given map[org.ID]org.ID) map[org.ID]int {
	n := map[org.ID]int{}
	for _, pool := range given {
		n[pool]++
	}
	return n
}

// Whatever is bought, returned, moved and wanted: no pool gives more than it has,
// nobody has one of another school, who has one keeps it while there is one for them,
// nobody waits beside a free one, and asked again the answer is the same.
func TestNoPoolGivesMoreThanItHasAndNothingIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		claims, has := drawClaims(t), map[org.ID]org.ID{}
		for range rapid.IntRange(1, 5).Draw(t, "changes") {
			pools := drawPools(t)
			byID := map[org.ID]rollout.Pool{}
			for _, p := range pools {
				byID[p.ID] = p
			}
			for i := range claims {
				claims[i].Pool = has[claims[i].Device]
				if rapid.IntRange(0, 9).Draw(t, "moves") == 0 {
					claims[i].School = org.ID(fmt.Sprintf("s%d", rapid.IntRange(0, 2).Draw(t, "to")))
				}
			}
			given := rollout.Allot(pools, claims)
			used := count(given)
			for id, n := range used {
				if n > byID[id].Total {
					t.Fatalf("%s gives %d of %d", id, n, byID[id].Total)
				}
			}
			for _, claim := range claims {
				id, ok := given[claim.Device]
				if pool := byID[id]; ok && pool.School != "" && pool.School != claim.School {
					t.Fatalf("%s of %s has one of %s", claim.Device, claim.School, id)
				}
				if ok && byID[id].Closed && claim.Pool != id {
					t.Fatalf("%s is over and gave one to %s", id, claim.Device)
				}
				if ok {
					continue
				}
				for _, pool := range pools {
					if (pool.School == "" || pool.School == claim.School) && used[pool.ID] < pool.Total && (!pool.Closed || claim.Pool == pool.ID) {
						t.Fatalf("%s waits beside %d of %d in %s", claim.Device, used[pool.ID], pool.Total, pool.ID)
					}
				}
			}
			for _, loser := range claims {
				if _, ok := given[loser.Device]; ok || loser.Pool == "" {
					continue
				}
				for _, other := range claims {
					if id := given[other.Device]; other.Pool == "" && id != "" && byID[id].School == "" && !byID[id].Closed {
						t.Fatalf("%s lost one, and %s, that waited, has one of %s", loser.Device, other.Device, id)
					}
				}
			}
			for i := range claims {
				claims[i].Pool = given[claims[i].Device]
			}
			if again := rollout.Allot(pools, claims); !maps.Equal(given, again) {
				t.Fatalf("asked again: %v, before %v", again, given)
			}
			has = given
			claims = claims[:rapid.IntRange(0, len(claims)).Draw(t, "stay")]
		}
	})
}

func TestASchoolsOwnLicencesGoBeforeItsAuthoritys(t *testing.T) {
	pools := []rollout.Pool{{ID: "city", Total: 1}, {ID: "own", School: "s1", Total: 1}}
	claims := []rollout.Claim{{Device: "a", School: "s1"}, {Device: "b", School: "s1"}, {Device: "c", School: "s2"}}
	want := map[org.ID]org.ID{"a": "own", "b": "city"}
	if given := rollout.Allot(pools, claims); !maps.Equal(given, want) {
		t.Errorf("given %v, want %v", given, want)
	}
	// The school's own becomes free: who had the authority's takes it, and the
	// authority's goes to who waits.
	claims = []rollout.Claim{{Device: "b", School: "s1", Pool: "city"}, {Device: "c", School: "s2"}}
	want = map[org.ID]org.ID{"b": "own", "c": "city"}
	if given := rollout.Allot(pools, claims); !maps.Equal(given, want) {
		t.Errorf("given %v, want %v", given, want)
	}
}

func TestADeviceWithoutALicenceIsToldToRemoveAndNotToInstall(t *testing.T) {
	member := rollout.Member{ID: "a", Branch: org.Branch{Authority: "m", School: "s1"}, Platform: org.Linux}
	offer := rollout.Offer{
		Plan:   rollout.Plan{ID: "r", Target: rollout.Target{Branches: []org.Branch{{Authority: "m"}}, Platforms: []org.Platform{org.Linux}}, Rings: []rollout.Ring{{Kind: rollout.RingAll}}},
		Status: rollout.Status{State: rollout.Running}, Package: rollout.Package{Kind: rollout.Deb, Name: "geogebra", Version: "2"},
		Seats: &rollout.Seats{Everywhere: true, Holders: map[org.ID]bool{"b": true}},
	}
	if told := rollout.For([]rollout.Offer{offer}, member, rollout.Calendar{}, rollout.Span{}); len(told) != 0 {
		t.Errorf("told without a licence: %v", told)
	}
	offer.Seats.Holders["a"] = true
	if told := rollout.For([]rollout.Offer{offer}, member, rollout.Calendar{}, rollout.Span{}); len(told) != 1 {
		t.Errorf("told with a licence: %v", told)
	}
	offer.Seats.Holders, offer.Status.State = nil, rollout.RolledBack
	if told := rollout.For([]rollout.Offer{offer}, member, rollout.Calendar{}, rollout.Span{}); len(told) != 1 {
		t.Errorf("told to remove: %v", told)
	}
	elsewhere := &rollout.Seats{Schools: map[org.ID]bool{"s2": true}}
	if elsewhere.Lacks(member) {
		t.Error("lacks a licence that only another school counts")
	}
}
