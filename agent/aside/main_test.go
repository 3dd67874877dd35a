package aside_test

import (
	"os"
	"testing"

	"schulwart.org/agent/aside"
)

// TestMain lets the test's own program be the helpers that it starts.
func TestMain(m *testing.M) {
	if code, mine := aside.Run(os.Args[1:]); mine {
		os.Exit(code)
	}
	os.Exit(m.Run())
}
