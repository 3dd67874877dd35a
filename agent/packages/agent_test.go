package packages_test

import (
	"testing"

	"schulwart.org/agent/packages"
	"schulwart.org/policies/rollout"
)

// An agent from before this kind says that it cannot, and goes on.
func TestAnOlderAgentSaysThatItCannotBeRenewedLikeThis(t *testing.T) {
	before := packages.Kinds{rollout.Deb: packages.Debian{}}
	reason := before.Able(rollout.Declared{Kind: rollout.Agent, Name: "schulwart-agent-linux-amd64", Version: "0.2.0"})
	if reason == nil || reason.Code != "package.kind" || reason.Details["kind"] != "agent" {
		t.Errorf("%+v", reason)
	}
	if on, failed := before.Trying(rollout.Declared{Kind: rollout.Agent}); on || failed != nil {
		t.Errorf("%v, %v", on, failed)
	}
}
