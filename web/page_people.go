package web

import "time"

// PeoplePage lists staff. Filters are the query: q, role.
type PeoplePage struct {
	Frame
	Query     string
	Roles     []Option
	Rows      []PersonRow
	Pager     Pager
	MayInvite bool
}

// PersonRow is one person of the staff.
type PersonRow struct {
	ID       string
	Name     string
	Email    string
	Roles    []RoleAt
	LastSeen time.Time // zero when never
	Invited  bool      // has not chosen a password yet
	Locked   bool
	Factor   bool // second factor in use
}

// RoleAt is a role and where it holds.
type RoleAt struct {
	Role    Role
	Place   string // name
	PlaceID string // as the form field place of PathPersonRoles has it
}

// InvitePersonPage invites a person. Form fields: name, email, role, place,
// group (repeated), by=mail|paper.
type InvitePersonPage struct {
	Frame
	Name    string
	Email   string
	Roles   []Option // values are Role
	Places  []Option // empty when there is one only
	Groups  []Option // classes to begin with
	Mail    bool     // mail is set up
	Problem *Problem
}

// PersonPage is one person, drawn by PersonDetail. Made, when not nil, is an invitation or reset code
// that was just made and is shown this once. Forms: PathPersonRoles (role,
// place, action=add|remove), PathPersonReset, PathPersonLock (locked).
type PersonPage struct {
	Frame
	Row     PersonRow
	Groups  []GroupRef
	Roles   []Option
	Places  []Option
	Made    *MadeCode
	MayEdit bool
	Self    bool
	Problem *Problem
}

// MadeCode is an invitation or a reset that can be handed over.
type MadeCode struct {
	Invite     bool // else a reset
	Name       string
	Email      string
	Code       string // for typing
	URL        string
	QR         QR
	ValidUntil time.Time
	Mailed     bool
}

// InviteSheetPage is MadeCode for printing.
type InviteSheetPage struct {
	Frame
	School string
	Made   MadeCode
}
