package rollout_test

import (
	"encoding/json"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/rollout"
)

// read opens a declaration as a device does.
func read(t interface{ Fatal(...any) }, declaration ddm.Declaration) rollout.Declared {
	var said rollout.Declared
	if err := json.Unmarshal(declaration.Payload, &said); err != nil {
		t.Fatal(err)
	}
	return said
}
