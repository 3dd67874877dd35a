package e2e

import (
	"testing"

	"schulwart.org/server/setup"
)

// The set-up knocks at the doors of a real server, and knows them as its own.
func TestTheSetUpKnowsItsOwnDoors(t *testing.T) {
	i := install(t)
	device := "https://" + i.app.DeviceAddress().String()
	for name, c := range map[string]struct {
		public, device string
		passed         int
	}{
		"both doors":       {i.url, device, 2},
		"the doors mixed":  {device, "https://" + i.app.Address().String(), 0},
		"another's device": {i.url, "https://127.0.0.1:1", 1},
	} {
		forms := setup.Forms{Address: setup.Address{PublicURL: c.public, DeviceURL: c.device}}
		_, err := i.app.Setup.Save(t.Context(), operator, setup.StepAddress, forms)
		i.must(err)
		checks, err := i.app.Setup.Save(t.Context(), operator, setup.StepListeners, forms)
		i.must(err)
		passed := 0
		for _, check := range checks {
			if check.Key == "listeners.reached" && check.State == setup.OK {
				passed++
			}
		}
		if passed != c.passed {
			t.Errorf("%s: %+v", name, checks)
		}
	}
}
