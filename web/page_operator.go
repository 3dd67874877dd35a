package web

import "time"

// SchoolsPage lists schools by authority.
type SchoolsPage struct {
	Frame
	Query        string
	Authorities  []AuthorityRow
	Pager        Pager
	MaySchool    bool
	MayAuthority bool
}

// AuthorityRow is an authority with its schools.
type AuthorityRow struct {
	ID      string
	Name    string
	Schools []SchoolRow
	Devices int
}

// SchoolRow is one school.
type SchoolRow struct {
	ID        string
	Name      string
	Devices   int
	Seen      int // today
	Deviating int
	Modes     int    // running
	URL       string // acts in this school from now on
}

// SchoolNewPage makes a school. Form fields: authority, name, short.
type SchoolNewPage struct {
	Frame
	Authorities []Option
	Name        string
	Short       string
	Problem     *Problem
}

// AuthorityNewPage makes an authority with its first school and admin. Form
// fields: authority, timezone, school, name, email.
type AuthorityNewPage struct {
	Frame
	Authority string
	Timezone  string
	School    string
	Name      string
	Email     string
	Mail      bool
	Problem   *Problem
}

// OperationsPage says whether the installation itself is well.
type OperationsPage struct {
	Frame
	Certificates  []CertificateRow
	Backup        BackupState
	Mail          MailState
	Database      DatabaseState
	Agents        AgentState
	Key           KeyState
	MayRun        bool
	Restart       []SetupStep // set up, and in force after a restart only
	ServerSince   time.Time
	ServerVersion string
	Commit        string
	Checks        []SetupCheck // the set-up's checks, repeated
}

// KeyState is the key under which modes are signed.
type KeyState struct {
	ID     string
	Made   time.Time
	Others int // former keys that devices still believe
}

// KeyRotatePage shows what changing the key means before it is done.
type KeyRotatePage struct {
	Frame
	Key   KeyState
	Until time.Time // the former key is believed
}

// CertificateRow is a certificate that can run out. Name is looked up as
// certificate.<name>: console, devices, authority, apns.
type CertificateRow struct {
	Name     string
	Subject  string
	NotAfter time.Time
	Auto     bool // renews itself
}

// BackupState is how the backup stands. Zero times mean never.
type BackupState struct {
	Target  string // "" when none is set up
	Last    time.Time
	Size    int64 // bytes
	Next    time.Time
	Problem string // the last error; "" when it went well
}

// MailState is how mail stands.
type MailState struct {
	Host    string // "" when not set up
	Last    time.Time
	Waiting int
	Problem string
}

// DatabaseState is how the database stands.
type DatabaseState struct {
	Kind  string // sqlite or postgres
	Size  int64  // bytes
	Free  int64  // bytes on its disk; -1 when unknown
	Queue int    // commands waiting for devices
}

// AgentState is who is connected.
type AgentState struct {
	Connected int // event streams
	Polling   int
	Versions  []VersionRow
}

// VersionRow is how many devices run a version.
type VersionRow struct {
	Version  string
	Platform string
	Devices  int
	Old      bool // older than the one before the current
}

// AuditPage is the log. Filters are the query: q, by, what, from, until.
type AuditPage struct {
	Frame
	Query  string
	By     string
	What   []Option
	From   string // YYYY-MM-DD
	Until  string
	Rows   []AuditRow
	Pager  Pager
	Chain  ChainState
	Export string // address of the same rows as CSV; "" when not allowed
}

// AuditRow is one entry. What is looked up as audit.<key>.
type AuditRow struct {
	ID     string
	At     time.Time
	By     string
	From   string // network address or program
	What   Sentence
	Target string
	Before string
	After  string
	Sealed bool
}

// ChainState says whether the log is whole.
type ChainState struct {
	OK       bool
	Checked  time.Time
	Sealed   int64  // entries in the chain
	Open     int    // not sealed yet
	BrokenAt string // id of the first entry that does not fit
}

// ProgramsPage lists the tokens with which programs speak to us. Form fields
// of a new one: name, role, days. Made is shown once.
type ProgramsPage struct {
	Frame
	Rows    []ProgramRow
	Roles   []Option
	Name    string
	Days    int
	Made    string // the new token; "" when none
	Problem *Problem
}

// ProgramRow is one token.
type ProgramRow struct {
	ID      string
	Name    string
	Role    Role
	Place   string
	By      string
	Made    time.Time
	Expires time.Time
	Used    time.Time // zero when never
	Revoked bool
}
