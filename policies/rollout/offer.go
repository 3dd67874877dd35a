package rollout

import (
	"cmp"
	"slices"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
)

// Type is the DDM type of the declaration that tells our agent of a package,
// Prefix stands before the package's kind and name in its identifier.
const (
	Type   = "org.schulwart.configuration.package"
	Prefix = "org.schulwart.package."
)

// Action is what a device shall do about a package.
type Action string

// The actions.
const (
	Install Action = "install"
	Remove  Action = "remove"
)

// Declared is the payload of the declaration: all that a device needs to decide
// offline. The declaration leaving the manifest means: take away what this
// rollout brought.
type Declared struct {
	Rollout org.ID `json:"rollout"`
	Action  Action `json:"action"`
	// Hold, when it is set, means: begin nothing. What began is brought to its end,
	// and what is there stays.
	Hold bool `json:"hold,omitempty"`
	// IfPresent, when it is set, means: only a device that has some version of it is
	// meant. One that has none leaves it at that.
	IfPresent bool `json:"if-present,omitempty"`
	// Try, when it is higher than that of a failure, asks to try again.
	Try          int    `json:"try"`
	Kind         Kind   `json:"kind"`
	Name         string `json:"name"`
	Version      string `json:"version,omitempty"` // that shall be there; an older one than is there is meant, too
	Architecture string `json:"architecture,omitempty"`
	Size         int64  `json:"size,omitempty"`   // bytes
	SHA256       string `json:"sha256,omitempty"` // hexadecimal
	// Path, below the device door's address, is where the file is had from, by byte
	// ranges.
	Path string `json:"path,omitempty"`
	URL  string `json:"url,omitempty"` // of a web app
	// Commit is what Flatpak calls the version.
	Commit     string      `json:"commit,omitempty"`
	Repository *Repository `json:"repository,omitempty"`
	Title      Text        `json:"title,omitzero"`
	// Site is a word that devices of one site share: they may have the file from
	// each other.
	Site     string   `json:"site,omitempty"`
	Window   Window   `json:"window,omitzero"`
	Calendar Calendar `json:"calendar"`
}

// PathOf returns the path of a file at the device door.
func PathOf(sha256 string) string { return "/packages/" + sha256 }

// Offer is a rollout that has been started, with what it brings and, if devices
// can go back to something, the version before.
type Offer struct {
	Plan    Plan
	Status  Status
	Started time.Time
	Package Package
	Former  *Package
	Seats   *Seats // who has a licence; nil where none are counted
}

// For returns what a device of the site is to be told of the rollouts, one
// declaration for each package: the rollout that began last decides. In whatever
// order they come, the answer is the same.
func For(offers []Offer, member Member, calendar Calendar, quiet Span) []ddm.Declaration {
	var declarations []ddm.Declaration
	told := map[string]bool{}
	for _, offer := range latestFirst(offers) {
		identifier := Prefix + string(offer.Package.Kind) + "." + offer.Package.Name
		if told[identifier] || !offer.Reaches(member) {
			continue
		}
		told[identifier] = true
		declarations = append(declarations, ddm.New(Type, identifier, offer.declared(member, calendar, quiet)))
	}
	return declarations
}

func latestFirst(offers []Offer) []Offer {
	ordered := slices.Clone(offers)
	slices.SortFunc(ordered, func(a, b Offer) int {
		return cmp.Or(b.Started.Compare(a.Started), cmp.Compare(b.Plan.ID, a.Plan.ID))
	})
	return ordered
}

// declared makes the payload for a device that is offered the rollout.
func (o Offer) declared(member Member, calendar Calendar, quiet Span) Declared {
	d := Declared{
		Rollout: o.Plan.ID, Action: Install, Hold: o.Status.Held(), Try: o.Status.Try, Kind: o.Package.Kind, Name: o.Package.Name,
		Site: member.Branch.School.String(), Window: o.Plan.Window, Calendar: calendar,
	}
	if quiet.set() && !d.Window.Quiet.set() {
		d.Window.Quiet = quiet
	}
	pack := o.Package
	if o.Status.State == RolledBack {
		if o.removes() {
			d.Action = Remove
			if pack.Kind == Agent {
				d.Version = pack.Version // that gives way to the one before
			}
			return d
		}
		// Who never had it does not get the version before, either.
		pack, d.IfPresent = *o.Former, true
	}
	d.Version, d.Architecture, d.Size, d.SHA256, d.URL, d.Title = pack.Version, pack.Architecture, pack.Size, pack.SHA256, pack.URL, pack.Title
	d.Commit, d.Repository = pack.Commit, pack.Repository
	if pack.SHA256 != "" {
		d.Path = PathOf(pack.SHA256)
	}
	return d
}

// Reach returns a word that is the same for devices that the same rollouts are
// offered to, so that one answer serves them all.
func Reach(offers []Offer, member Member) string {
	word := make([]byte, len(offers))
	for i, offer := range offers {
		word[i] = '.'
		if offer.Reaches(member) {
			word[i] = 'x'
		}
	}
	return string(word)
}

// Outcome is what a device's word on a package means for its rollout.
type Outcome string

// The outcomes.
const (
	OutcomeNone     Outcome = ""         // heard nothing, or nothing that counts
	OutcomePending  Outcome = "pending"  // on its way
	OutcomeVerified Outcome = "verified" // the version is there, or the package gone, as was asked
	OutcomeFailed   Outcome = "failed"
	OutcomeUnable   Outcome = "unable"
	// OutcomeUnlicensed is no word of the device: it waits for a licence.
	OutcomeUnlicensed Outcome = "unlicensed"
)

// Judge weighs a device's word: what the system says to be present counts, not
// what the device says to have done.
func (o Offer) Judge(said ddm.PackageStatus) Outcome {
	wanted := o.declared(Member{}, Calendar{}, Span{})
	if said.Rollout != o.Plan.ID.String() || said.Name != wanted.Name || said.Try < wanted.Try && said.State != ddm.PackageVerified {
		return OutcomeNone
	}
	switch said.State {
	case ddm.PackageVerified:
		if said.Present == wanted.Version && wanted.Action == Install || said.Present == "" && (wanted.IfPresent || wanted.Action == Remove) {
			return OutcomeVerified
		}
		return OutcomePending
	case ddm.PackageFailed:
		return OutcomeFailed
	case ddm.PackageNotPossible:
		return OutcomeUnable
	}
	return OutcomePending
}
