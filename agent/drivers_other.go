//go:build !linux

package main

import (
	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/agent/packages"
)

// sessions finds nobody yet.
func sessions() host.Desktops { return nil }

// apps installs nothing yet.
func apps(packages.System) packages.System { return packages.None{} }

// drivers returns none: on this system nothing is enforced yet, and every part
// is reported as not possible.
func drivers(driverOptions) ([]enforce.Driver, error) { return nil, nil }
