package rollout

import (
	"testing"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
)

func TestAnAgentBeginsInOneRoom(t *testing.T) {
	p := Plan{Target: Target{Branches: []org.Branch{{Authority: "a"}}, Platforms: []org.Platform{org.Linux}}, Rings: []Ring{{Kind: RingAll}}}
	if faults := p.CheckFor(Agent); len(faults) != 1 || faults[0].Key != "rollout.agent_first_room" {
		t.Errorf("all at once: %+v", faults)
	}
	if faults := p.CheckFor(Deb); len(faults) != 0 {
		t.Errorf("another package: %+v", faults)
	}
	p.Rings = append([]Ring{{Kind: RingGroup, Place: "g"}}, p.Rings...)
	if faults := p.CheckFor(Agent); len(faults) != 0 {
		t.Errorf("first a room: %+v", faults)
	}
}

// Without a version before in the catalogue, an agent is told which version gives way
// to the one that it had: an agent is never taken away.
func TestAnAgentThatIsTakenBackGivesWay(t *testing.T) {
	o := Offer{Plan: Plan{ID: "r"}, Status: Status{State: RolledBack, Try: 1}, Package: Package{Kind: Agent, Name: "schulwart-agent-linux-amd64", Version: "0.2.0"}}
	if d := o.declared(Member{}, Calendar{}, Span{}); d.Action != Remove || d.Version != "0.2.0" {
		t.Errorf("%+v", d)
	}
	said := ddm.PackageStatus{Rollout: "r", Name: o.Package.Name, Try: 1, State: ddm.PackageVerified}
	if got := o.Judge(said); got != OutcomeVerified {
		t.Errorf("gone: %q", got)
	}
	said.Present = "0.2.0"
	if got := o.Judge(said); got != OutcomePending {
		t.Errorf("still there: %q", got)
	}
}
