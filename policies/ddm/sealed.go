package ddm

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"
)

// Sealed is one line of the log that a device keeps of one examination. The
// lines of a lease are a chain: each holds the seal of the one before, so that
// none can be changed or taken out unnoticed. A device sends every line until a
// report that contained it was acknowledged, so lines may arrive twice.
type Sealed struct {
	Lease string `json:"lease"`
	Seq   int    `json:"seq"` // from 1, per lease
	// At is by the clock that counts for the end of the examination: no person can
	// move it. Whole milliseconds, UTC.
	At time.Time `json:"at"`
	// Boot names the run of the system, Elapsed is the time since its start in
	// milliseconds, sleep included.
	Boot    string            `json:"boot"`
	Elapsed int64             `json:"elapsed"`
	What    Deed              `json:"what"`
	Args    map[string]string `json:"args,omitempty"`
	Former  string            `json:"former,omitempty"` // seal of the line before; empty in the first
	Seal    string            `json:"seal"`             // hexadecimal SHA-256 over all of the above
}

// MostSealed bounds the lines of sealed logs in one report.
const MostSealed = 200

// Deed is what a line of a sealed log tells: what a device did or saw. None of
// it says what anybody meant by it.
type Deed string

// The deeds. The names of their arguments stand in quotes.
const (
	DeedArmed     Deed = "armed"     // the lease is on the device; "from" and "until" in RFC 3339, "rev"
	DeedStarted   Deed = "started"   // it began to hold here
	DeedActive    Deed = "active"    // every part was read back for the first time; "late" in milliseconds after DeedStarted
	DeedEnded     Deed = "ended"     // it holds no more; "how" is time, revision or code
	DeedReleased  Deed = "released"  // a release code was typed; "number" of a prepared one
	DeedRestarted Deed = "restarted" // the agent began anew, "cause" is agent or system; "seconds" since it was seen last
	DeedCovered   Deed = "covered"   // the screen waits for the resume code
	DeedResumed   Deed = "resumed"   // "by" is code or server; "number" of the code
	DeedDeviating Deed = "deviating" // "part" is not as wanted; "reason"
	DeedRepaired  Deed = "repaired"  // "part" was changed and is as wanted again; "reason"
	DeedOffline   Deed = "offline"   // no contact with the server any more
	DeedOnline    Deed = "online"    // contact again; "seconds" without
	DeedClock     Deed = "clock"     // somebody moved the wall clock; "by"
	DeedBrowser   Deed = "browser"   // the examination's browser was closed and opened again; "times" so far
	DeedAway      Deed = "away"      // the page was gone and is there again, or the examination ended; "seconds" without
	DeedRefused   Deed = "refused"   // "program" was asked to start and did not
	DeedScreens   Deed = "screens"   // "count" of screens, of which one shows the examination
	DeedVirtual   Deed = "virtual"   // the device is a virtual machine; "of" its maker's name
	DeedRemote    Deed = "remote"    // "via" another place somebody can see or steer the device
	DeedClipboard Deed = "clipboard" // something was carried from one program to another, and was emptied
	DeedTries     Deed = "tries"     // wrong codes were typed; "count" in a row
	DeedGiven     Deed = "given"     // "files" that were given out lie in the examination's folder
	DeedCollected Deed = "collected" // the folder's state was kept to be handed in; "list" names it, "files", "final" after the end
)

// Link returns the seal that the line must have.
func (s Sealed) Link() string {
	args := []byte("{}")
	if len(s.Args) > 0 {
		args, _ = json.Marshal(s.Args) // a map of texts always marshals, in the order of its keys
	}
	sum := sha256.New()
	for _, part := range []string{s.Former, s.Lease, strconv.Itoa(s.Seq), strconv.FormatInt(s.At.UnixMilli(), 10), s.Boot, strconv.FormatInt(s.Elapsed, 10), string(s.What), string(args)} {
		sum.Write([]byte(part))
		sum.Write([]byte{0})
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// After returns the line behind former, whose zero value stands before the first.
func (s Sealed) After(former Sealed) Sealed {
	s.At = s.At.UTC().Truncate(time.Millisecond)
	s.Seq, s.Former = former.Seq+1, former.Seal
	s.Seal = s.Link()
	return s
}

// Unbroken reports whether the lines of one lease, in order, are a chain that
// goes on behind former; a zero former stands before the first line.
func Unbroken(former Sealed, lines []Sealed) bool {
	for _, line := range lines {
		if former.Lease != "" && line.Lease != former.Lease || line.Seq != former.Seq+1 || line.Former != former.Seal || line.Seal != line.Link() {
			return false
		}
		former = line
	}
	return true
}
