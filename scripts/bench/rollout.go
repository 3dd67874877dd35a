package main

import (
	"fmt"
	"os"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
)

// measureRollout plans a rollout for every device of a large installation: who is
// in which ring, what follows from what all of them said, and what each is told
// in the ring of a twentieth and when it has reached everybody.
func (b *bench) measureRollout() error {
	schools, err := b.schools()
	if err != nil {
		return err
	}
	at := time.Now()
	offer := rollout.Offer{
		Plan: rollout.Plan{
			ID: "r", Lot: "p", Target: rollout.Target{Branches: []org.Branch{{}}, Platforms: []org.Platform{org.Linux, org.Windows}},
			Rings: []rollout.Ring{{Kind: rollout.RingShare, Share: 5}, {Kind: rollout.RingShare, Share: 20}, {Kind: rollout.RingAll}}, Gates: rollout.Gates{Verified: 20, Failed: 2},
		},
		Status: rollout.Start(at), Started: at, Package: rollout.Package{Kind: rollout.Deb, Name: "geogebra", Version: "6.2", SHA256: "aa", Size: 20 << 20},
	}
	said := ddm.PackageStatus{Rollout: "r", Name: "geogebra", State: ddm.PackageVerified, Present: "6.2"}
	used := cpu(os.Getpid())
	tally := rollout.NewTally(offer.Plan)
	for _, s := range schools {
		for _, device := range s.devices {
			tally.Join(offer.Stand(rollout.Member{ID: device.ID, Branch: s.snapshot.Branch, Groups: device.Groups, Platform: device.Platform}, &said, false))
		}
	}
	status := rollout.Decide(offer.Plan, offer.Status, tally.Rings, true, at)
	used = cpu(os.Getpid()) - used
	row(fmt.Sprintf("how %d devices stand in a rollout", tally.Devices()), fmt.Sprintf("%.2f CPU-s", used.Seconds()), "none", fmt.Sprintf("of %d; ring of each, figures of all, decision: %s; computation alone", b.rows, status.State))
	for i, name := range []string{"a twentieth", "everybody"} {
		offer.Status.Ring = i * (len(offer.Plan.Rings) - 1)
		used = cpu(os.Getpid())
		told := 0
		for _, s := range schools {
			s.snapshot.Offers = []rollout.Offer{offer}
			known := map[string]bool{}
			for _, device := range s.devices {
				if key, alike := s.snapshot.Alike(device); !alike || !known[key] {
					known[key] = true
					desired.For(s.snapshot, device, at)
				}
				told++
			}
		}
		used = cpu(os.Getpid()) - used
		row(fmt.Sprintf("what %d devices are told, offered to %s", told, name), fmt.Sprintf("%.2f CPU-s", used.Seconds()), "≤ 3 CPU-s", "everything anew, policies too; devices alike share one answer")
	}
	return nil
}
