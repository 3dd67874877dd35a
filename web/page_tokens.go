package web

import "time"

// TokensPage lists enrolment tokens. With none it teaches how to enrol the
// first device.
type TokensPage struct {
	Frame
	Rows    []TokenRow
	Pager   Pager
	MayMake bool
}

// TokenRow is one token.
type TokenRow struct {
	ID      string
	Target  string // name of school or group
	Note    string
	Uses    int
	MaxUses int
	Expires time.Time
	Revoked bool
	By      string
}

// TokenNewPage makes a token. Form fields: target, uses, hours, serials (one
// per line; empty means any), note.
type TokenNewPage struct {
	Frame
	Targets []Option // schools and groups
	Uses    int
	Hours   int
	Serials string
	Note    string
	Problem *Problem
}

// TokenPage is one token with its link and code.
type TokenPage struct {
	Frame
	Row         TokenRow
	URL         string // the enrolment link; "" when it can no longer be shown
	QR          QR
	Fingerprint string // SHA-256 of the authority's certificate
	Command     string // for a terminal on the device
	Serials     []string
	Used        []TokenUse
	MayRevoke   bool
}

// TokenUse is one device that came by a token.
type TokenUse struct {
	Device DeviceRef
	Serial string
	At     time.Time
}

// TokenLinkPage is what a browser sees that was led here by an enrolment link,
// without a login: what to do on this device, or why the link does not let in.
type TokenLinkPage struct {
	Frame
	Problem *Problem // the rest is empty then, but ID
	ID      string   // of the token, for whoever looks after it; empty if there is none
	School  string
	Group   string
	Expires time.Time
	Command string
	QR      QR
}

// TokenSheetPage is a token's page for printing.
type TokenSheetPage struct {
	Frame
	Row         TokenRow
	School      string
	URL         string
	QR          QR
	Fingerprint string
	Command     string
}
