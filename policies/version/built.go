package version

import (
	"runtime/debug"
	"time"
)

// Built is the instant of the commit that this was built from, by RFC 3339, stamped
// by the linker; empty for a build by hand.
var Built = ""

// BuiltAt returns the earliest time that it can be now: this program was not
// written later. It is zero where nobody noted it.
func BuiltAt() time.Time {
	text := Built
	if info, ok := debug.ReadBuildInfo(); ok && text == "" {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.time" {
				text = setting.Value
			}
		}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return at
}
