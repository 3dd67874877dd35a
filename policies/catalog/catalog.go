// Package catalog is what a policy can say: one file per payload family with
// its fields, its merge rule and what each platform can do with it.
package catalog

import "schulwart.org/policies/org"

// Ability is what a platform can do with a family or a mode.
type Ability string

// The abilities, as the coverage table shows them.
const (
	Enforced    Ability = "enforced"     // set and read back
	Reported    Ability = "reported"     // looked at, not set
	NotPossible Ability = "not-possible" // the system offers no way
	Unverified  Ability = "unverified"   // built after the documentation, not seen on real hardware
)

// Family describes one payload family.
type Family struct {
	Name      string // key in files and addresses: "webfilter"
	Type      string // DDM type of its declaration
	Merge     Merge
	Platforms map[org.Platform]Ability
}

// Merge is how values from several places become one.
type Merge string

// The merge rules.
const (
	Strictest Merge = "strictest"
	Union     Merge = "union"
	Nearest   Merge = "nearest"
)

// Families lists every family, ordered by name.
var Families = []Family{WebFilterFamily}
