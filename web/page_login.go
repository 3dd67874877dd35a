package web

import "time"

// LoginPage asks for name and password. Form fields: email, password, next.
type LoginPage struct {
	Frame
	Email   string
	Next    string // where to go after sign-in; a path of ours
	Wait    int    // seconds until the next try is accepted, after too many; 0 when none
	Problem *Problem
}

// SecondFactorPage asks for the six digits of the second factor. Form fields:
// code, next.
type SecondFactorPage struct {
	Frame
	Next    string
	Problem *Problem
}

// InviteCodePage asks for the code of a printed invitation. Form field: code.
type InviteCodePage struct {
	Frame
	Code    string
	Problem *Problem
}

// InvitePage lets an invited person choose a password. Form fields: password,
// again.
type InvitePage struct {
	Frame
	Token      string
	Name       string
	Email      string
	Place      string // school or authority
	Roles      []Role
	InvitedBy  string
	ValidUntil time.Time
	Problem    *Problem
}

// ResetPage lets a person with a code from the administration choose a new
// password. Form fields: email, code, password, again.
type ResetPage struct {
	Frame
	Email   string
	Code    string
	Problem *Problem
}

// SignedOutPage says that the session has ended.
type SignedOutPage struct{ Frame }

// ErrorPage says what went wrong and whom to tell.
type ErrorPage struct {
	Frame
	Status    int      // 403, 404, 409, 422, 429, 500, 503
	Problem   *Problem // what the room said; nil for trouble inside
	RequestID string
	Back      string // where the person came from; "" for the home page
}

// OfflinePage is what the service worker shows when the server is out of reach.
type OfflinePage struct{ Frame }

// AccountPage is a person's own page: password, second factor, sessions and who
// has looked at their data. Forms: PathAccountPass (old, password, again),
// PathAccountCode (action=begin|confirm|remove, code), PathAccountEnd (session).
type AccountPage struct {
	Frame
	Email        string
	Roles        []Role
	SecondFactor bool
	Begin        *SecondFactorSetup // while the person is setting it up
	Sessions     []Session
	Looks        []Look
	Problem      *Problem
}

// SecondFactorSetup is the secret that the person's app reads.
type SecondFactorSetup struct {
	Secret string // base32, shown in groups of four
	QR     QR     // of the otpauth:// address
}

// Session is one signed-in browser.
type Session struct {
	ID      string
	Browser string // e.g. "Firefox, Android"
	From    string // network address
	Seen    time.Time
	This    bool
}

// Look is one time that somebody looked at the person's data.
type Look struct {
	At   time.Time
	By   string
	What Sentence // looked up as look.<key>
}

// QR is a code as a square of modules, row by row; true is dark. The page draws
// it as SVG with a quiet zone.
type QR [][]bool

// Role is a person's role. Its word is role.<role>.
type Role string

// Roles.
const (
	RoleOperator       Role = "operator"
	RoleHelpdesk       Role = "help_desk"
	RoleTechnician     Role = "technician"
	RoleAuthorityAdmin Role = "authority_admin"
	RoleSchoolAdmin    Role = "school_admin"
	RoleTrainee        Role = "trainee"
	RoleTeacher        Role = "teacher"
	RoleReadOnly       Role = "read_only"
)

// Roles lists all roles, widest first.
func Roles() []Role {
	return []Role{RoleOperator, RoleHelpdesk, RoleTechnician, RoleAuthorityAdmin, RoleSchoolAdmin, RoleTrainee, RoleTeacher, RoleReadOnly}
}
