package desired

import (
	"slices"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
)

// packages adds what is rolled out to the device. The quiet hours of its updates
// are quiet for packages, too, unless the rollout has some of its own.
func (a *answer) packages(snapshot Snapshot, device Device, settings map[string]catalog.Settings) {
	offers := snapshot.Offers
	if wishes := snapshot.Wishes[device.ID]; len(wishes) > 0 {
		offers = slices.Concat(offers, wishes)
	}
	if len(offers) == 0 {
		return
	}
	a.add(rollout.For(offers, snapshot.member(device), snapshot.Calendar, quiet(settings[catalog.Updates.Name]))...)
}

// member is the device as rollouts know it.
func (s Snapshot) member(device Device) rollout.Member {
	return rollout.Member{ID: device.ID, Branch: org.Branch{Authority: s.Branch.Authority, School: s.Branch.School}, Groups: device.Groups, Platform: device.Platform}
}

func quiet(updates catalog.Settings) rollout.Span {
	from, err := rollout.ParseClock(updates.Text("quiet-from"))
	to, other := rollout.ParseClock(updates.Text("quiet-to"))
	if err != nil || other != nil {
		return rollout.Span{}
	}
	return rollout.Span{From: from, To: to}
}
