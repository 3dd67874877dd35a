package config

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

// FuzzFile reads a configuration as somebody may have written it: it is either
// refused with a text, or what holds is complete.
func FuzzFile(f *testing.F) {
	f.Add("listen: 127.0.0.1:8080\ndevice-listen: 127.0.0.1:8443\npublic-url: https://schulwart.example\n")
	f.Add("timezone: [Europe/Berlin]\nlog-level: 7\n")
	f.Add("listen: &a [*a]\n")
	f.Add("a: &a {<<: *a}\nnull: ~\n1: 2\n")
	f.Add("data: \"\\x00\"\ndatabase: postgres://[::1\n")
	name := filepath.Join(f.TempDir(), "schulwart.yaml")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		chosen, err := Parse([]string{"serve", "--config", name}, io.Discard)
		switch {
		case err != nil && err.Error() == "":
			t.Error("refused without a word")
		case err == nil && (chosen.Place == nil || chosen.Place.Listen == "" || chosen.Place.DeviceURL == "" || chosen.Place.Zone() == nil):
			t.Errorf("taken, and incomplete: %+v", chosen.Place)
		}
	})
}
