package identity

import (
	"slices"

	"schulwart.org/agent/host"
	"schulwart.org/policies/ddm"
)

// Fingerprint is what tells a machine from a copy of its disk. It is kept as
// hashes: the state directory need not list serial numbers.
type Fingerprint struct {
	Board string   `json:"board,omitempty"` // DMI product uuid
	MACs  []string `json:"macs,omitempty"`  // built-in network cards
	Disk  string   `json:"disk,omitempty"`  // machine id of the installation
}

// FingerprintOf returns the fingerprint of a machine.
func FingerprintOf(h host.Hardware) Fingerprint {
	f := Fingerprint{Board: hashed(h.ProductUUID), Disk: hashed(h.MachineID)}
	for _, mac := range h.MACs {
		f.MACs = append(f.MACs, hashed(mac))
	}
	return f
}

func hashed(text string) string {
	if text == "" {
		return ""
	}
	return ddm.Hash("schulwart-hardware", text)
}

// Same reports whether two fingerprints are of one machine. The main board
// decides where it names itself; else a built-in network card that both have;
// else the installation. What is unknown on either side says nothing: a device
// must not lose its identity because a file could not be read.
func (f Fingerprint) Same(other Fingerprint) bool {
	if f.Board != "" && other.Board != "" {
		return f.Board == other.Board
	}
	if len(f.MACs) > 0 && len(other.MACs) > 0 {
		return slices.ContainsFunc(f.MACs, func(mac string) bool { return slices.Contains(other.MACs, mac) })
	}
	if f.Disk != "" && other.Disk != "" {
		return f.Disk == other.Disk
	}
	return true
}
