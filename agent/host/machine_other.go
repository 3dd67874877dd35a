//go:build !linux

package host

import (
	"net"
	"os"
	"runtime"
	"sort"
)

type plainMachine struct{}

// NewMachine returns this machine, as far as the standard library knows it; the
// rest is reported as not read.
func NewMachine(string) Machine { return plainMachine{} }

func (plainMachine) Hardware() Hardware {
	hostname, _ := os.Hostname()
	platform := runtime.GOOS
	if platform == "darwin" {
		platform = "macos"
	}
	h := Hardware{Platform: platform, OSName: platform, Hostname: hostname}
	cards, _ := net.Interfaces()
	for _, card := range cards {
		if len(card.HardwareAddr) == 6 && card.HardwareAddr[0]&2 == 0 {
			h.MACs = append(h.MACs, card.HardwareAddr.String())
		}
	}
	sort.Strings(h.MACs)
	return h
}

func (plainMachine) Condition() Condition { return Condition{} }

func (plainMachine) Versions([]string) map[string]string { return nil }

func (plainMachine) Note(string) {}
