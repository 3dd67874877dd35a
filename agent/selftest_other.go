//go:build !linux

package main

import "schulwart.org/agent/selftest"

// selftestMachine is none: without drivers there is nothing to try.
func selftestMachine() selftest.Machine { return nil }
