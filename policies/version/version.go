// Package version says which build this is. The values are stamped in by the
// linker (see the Makefile); a build without them says "dev".
package version

import "runtime/debug"

// Stamped by -ldflags "-X schulwart.org/policies/version.Version=… -X ….Commit=…".
var (
	Version = "dev" // "1.4.0", or "dev" for a build by hand
	Commit  = ""    // short hash of the source
)

// String returns version and commit as people read them: "1.4.0 (a1b2c3d)".
func String() string {
	commit := Commit
	if commit == "" {
		commit = recorded()
	}
	if commit == "" {
		return Version
	}
	return Version + " (" + commit + ")"
}

// recorded returns the commit that the Go tool noted by itself, if it did.
func recorded() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && len(setting.Value) >= 7 {
			return setting.Value[:7]
		}
	}
	return ""
}
