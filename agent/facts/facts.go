// Package facts says what a device is and how it is doing, in the words of the
// wire. Nothing in it is about who uses the device or what for.
package facts

import (
	"time"

	"schulwart.org/agent/host"
	"schulwart.org/agent/identity"
	"schulwart.org/policies/ddm"
)

// Source reads a machine. What cannot change while the system runs is read once.
type Source struct {
	machine  host.Machine
	hardware host.Hardware
	identity *identity.Identity
}

// New returns the facts of a machine with its identity.
func New(machine host.Machine, id *identity.Identity) *Source {
	return &Source{machine: machine, hardware: machine.Hardware(), identity: id}
}

// About returns Apple's items and ours.
func (s *Source) About() (ddm.DeviceItems, ddm.Facts) {
	h, c := s.hardware, s.machine.Condition()
	var items ddm.DeviceItems
	items.Identifier.SerialNumber = h.Serial
	items.Identifier.UDID = s.identity.UDID
	items.Model.Family = h.Vendor
	items.Model.Identifier = h.Model
	items.Model.MarketingName = model(h)
	items.OperatingSystem.Family = h.OSName
	items.OperatingSystem.Version = h.OSVersion
	facts := ddm.Facts{
		Platform: h.Platform, OSVersion: h.OSName, Model: model(h), Serial: h.Serial, Hostname: h.Hostname,
		Battery: c.Battery, Charging: c.Charging, DiskFree: c.DiskFree, DiskTotal: c.DiskTotal, Session: c.Session,
		Encrypted: c.Encrypted, SecureBoot: c.SecureBoot, PupilIsRoot: c.PupilIsRoot,
	}
	if leaf := s.identity.Certificate(); leaf != nil {
		facts.Certificate = leaf.NotAfter.UTC().Format(time.RFC3339)
	}
	return items, facts
}

func model(h host.Hardware) string {
	if h.Vendor == "" {
		return h.Model
	}
	return h.Vendor + " " + h.Model
}
