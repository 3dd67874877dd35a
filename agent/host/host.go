// Package host is the agent's only door to the operating system: several small
// interfaces in neutral terms. Drivers decide, host acts; only this package has
// build tags. Every interface has a fake, so that the real loop runs in tests
// and in the simulator.
package host

import "time"

// Clock tells the time in two ways that a device can be trusted with
// differently.
type Clock interface {
	// Read returns both clocks of the same instant.
	Read() Reading
	// After returns a channel that receives once after the duration. Sleep of the
	// machine may or may not count; callers look at Read again.
	After(d time.Duration) <-chan time.Time
}

// Reading is what the clocks of a machine show at one instant.
type Reading struct {
	// Boot names the run of the system since its last start.
	Boot string
	// Elapsed is the time since that start, sleep included (CLOCK_BOOTTIME). No
	// person can move it.
	Elapsed time.Duration
	// Wall is the clock on the wall, which people and batteries can move.
	Wall time.Time
}

// Files keeps small named files of the agent, readable by root alone.
type Files interface {
	// Read returns the content, or an error that is fs.ErrNotExist.
	Read(name string) ([]byte, error)
	// Write replaces the content durably: after a crash either the former or the
	// new content is there, whole. When the disk is full, the former stays.
	Write(name string, data []byte) error
	// Overwrite writes in place, durably but not atomically. It needs no new
	// space where the file has its size already, so it works on a full disk.
	Overwrite(name string, data []byte) error
	// Remove deletes the file; a missing one is no error.
	Remove(name string) error
}

// Machine says what the device is. None of it is about what a person does.
type Machine interface {
	// Hardware returns what does not change while the device is the same one.
	Hardware() Hardware
	// Condition returns what changes, at little cost.
	Condition() Condition
	// Versions returns the version of each of the programs that is installed, by the
	// id of its desktop entry, as the system names it. It is cheap when asked again.
	Versions(ids []string) map[string]string
	// Note writes one line where technicians look when all else fails (dmesg).
	Note(line string)
}

// Hardware identifies a machine. Empty fields could not be read.
type Hardware struct {
	Platform    string // org.Platform
	OSName      string // "Debian GNU/Linux 12 (bookworm)"
	OSVersion   string // "12.8"
	Vendor      string
	Model       string
	Serial      string
	Hostname    string
	MachineID   string   // of the installation
	ProductUUID string   // of the main board
	MACs        []string // of built-in network cards, sorted
}

// Condition is how the machine is doing now. Nil fields could not be read.
type Condition struct {
	Battery     *int // percent
	Charging    *bool
	DiskFree    int64  // bytes, where the agent keeps its state
	DiskTotal   int64  // bytes
	Session     string // x11, wayland, console, none
	Encrypted   *bool  // the disk with the system
	SecureBoot  *bool
	PupilIsRoot *bool // whoever sits at the desk could become root
}
