package packages_test

import (
	"bytes"
	"testing"
	"time"

	"schulwart.org/policies/agentfile"
	"schulwart.org/policies/agentfile/agentfiletest"
	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/may"
	"schulwart.org/server/store/storetest"
)

func TestOnlyTheOperatorTakesInAnAgentAndOnlyASignedOne(t *testing.T) {
	s := storetest.Open(t)
	h := build(t, s)
	ours, others := agentfiletest.New("ours"), agentfiletest.New("others")
	keys, err := agentfile.Keys(ours.Public())
	if err != nil {
		t.Fatal(err)
	}
	h.AgentKeys = keys
	operator := storetest.Person(t, s, "Herr Brandt", may.Operator, org.Branch{}, time.Now())
	file := func(by agentfiletest.Signer, expires time.Time) []byte {
		return by.File(agentfile.Manifest{Version: "0.2.0", OS: "linux", Arch: "amd64", Floor: "0.1.0", Expires: expires}, []byte("the program"))
	}
	later := time.Now().AddDate(0, 1, 0)
	good := file(ours, later)
	other := append(bytes.Clone(good[:len(good)-1]), 'X')
	for key, c := range map[string]struct {
		who   may.Actor
		scope org.ID
		data  []byte
	}{
		"package.agent_operator":  {h.keller, h.city, good},
		"package.agent_expired":   {operator, "", file(ours, time.Now().AddDate(0, 0, -1))},
		"package.damaged":         {operator, "", good[:len(good)-1]},
		"package.agent_signature": {operator, "", file(others, later)},
	} {
		h.refuses(c.who, c.scope, c.data, key)
	}
	h.refuses(operator, "", other, "package.agent_signature")
	upload, err := h.Begin(t.Context(), operator, "", "agent.swagent", int64(len(good)), rollout.Package{})
	if err != nil {
		t.Fatal(err)
	}
	_, pack, err := h.Append(t.Context(), operator, upload.ID, 0, bytes.NewReader(good))
	if err != nil || pack.Kind != rollout.Agent || pack.Name != "schulwart-agent-linux-amd64" || pack.Version != "0.2.0" || pack.Architecture != "amd64" {
		t.Errorf("%+v, %v", pack, err)
	}
}

// refuses takes in a file that is refused, and of which nothing is left.
func (h *house) refuses(who may.Actor, scope org.ID, data []byte, key string) {
	h.t.Helper()
	upload, err := h.Begin(h.t.Context(), who, scope, "agent.swagent", int64(len(data)), rollout.Package{})
	if err != nil {
		h.t.Fatal(err)
	}
	_, _, err = h.Append(h.t.Context(), who, upload.ID, 0, bytes.NewReader(data))
	h.fault(err, key)
	if _, err := h.FindUpload(h.t.Context(), who, upload.ID); err == nil {
		h.t.Errorf("%s: the file is still there", key)
	}
}
