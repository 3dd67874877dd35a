package main

import (
	"schulwart.org/agent/host"
	"schulwart.org/agent/selftest"
)

func selftestMachine() selftest.Machine { return selftest.Real(host.SystemDesktops{}) }
