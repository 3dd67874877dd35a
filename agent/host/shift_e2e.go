//go:build e2e

package host

import (
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ShiftFile names the file in the state directory from which an agent built for
// tests reads how far its wall clock is moved ("-24h").
const ShiftFile = "wall-shift"

func wallShift(stateDir string) func() time.Duration {
	path := filepath.Join(stateDir, ShiftFile)
	return func() time.Duration {
		text, err := os.ReadFile(path)
		if err != nil {
			return 0
		}
		shift, err := time.ParseDuration(strings.TrimSpace(string(text)))
		if err != nil {
			return 0
		}
		return shift
	}
}
