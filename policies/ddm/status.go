package ddm

import (
	"encoding/json"
	"time"
)

// StatusReport is what a device sends to the endpoint status.
// https://developer.apple.com/documentation/devicemanagement/statusreport
type StatusReport struct {
	StatusItems StatusItems   `json:"StatusItems"`
	Errors      []StatusError `json:"Errors"`
	FullReport  bool          `json:"FullReport,omitempty"`
}

// StatusItems holds Apple's tree of items as far as we read it, and ours.
type StatusItems struct {
	Device     *DeviceItems     `json:"device,omitempty"`
	Management *ManagementItems `json:"management,omitempty"`
	// Agent is present in reports of our own agent only.
	Agent *AgentItems `json:"org.schulwart,omitempty"`
}

// DeviceItems are Apple's device.* items.
type DeviceItems struct {
	Identifier struct {
		SerialNumber string `json:"serial-number,omitempty"`
		UDID         string `json:"udid,omitempty"`
	} `json:"identifier"`
	Model struct {
		Family        string `json:"family,omitempty"`
		Identifier    string `json:"identifier,omitempty"`
		MarketingName string `json:"marketing-name,omitempty"`
	} `json:"model"`
	OperatingSystem struct {
		Family  string `json:"family,omitempty"`
		Version string `json:"version,omitempty"`
	} `json:"operating-system"`
}

// ManagementItems are Apple's management.* items.
type ManagementItems struct {
	Declarations *DeclarationStates `json:"declarations,omitempty"`
}

// DeclarationStates says of each declaration whether it is valid and active.
type DeclarationStates struct {
	Activations    []DeclarationState `json:"activations"`
	Assets         []DeclarationState `json:"assets"`
	Configurations []DeclarationState `json:"configurations"`
	Management     []DeclarationState `json:"management"`
}

// Validity is what the device thinks of a declaration.
type Validity string

// Apple's three values.
const (
	Unknown Validity = "unknown"
	Valid   Validity = "valid"
	Invalid Validity = "invalid"
)

// DeclarationState is the device's word on one declaration.
type DeclarationState struct {
	Identifier  string   `json:"identifier"`
	Active      bool     `json:"active"`
	Valid       Validity `json:"valid"`
	ServerToken string   `json:"server-token"`
	Reasons     []Reason `json:"reasons,omitempty"`
}

// Reason says why, by a key with arguments; people read its translation.
type Reason struct {
	Code        string            `json:"code"`
	Description string            `json:"description,omitempty"`
	Details     map[string]string `json:"details,omitempty"`
}

// UnmarshalJSON reads a reason. Apple's details may hold anything; what is no
// text is kept as it was written, so that one odd value costs no report.
func (r *Reason) UnmarshalJSON(data []byte) error {
	var said struct {
		Code        string                     `json:"code"`
		Description string                     `json:"description"`
		Details     map[string]json.RawMessage `json:"details"`
	}
	if err := json.Unmarshal(data, &said); err != nil {
		return err
	}
	*r = Reason{Code: said.Code, Description: said.Description}
	for name, value := range said.Details {
		if r.Details == nil {
			r.Details = make(map[string]string, len(said.Details))
		}
		var text string
		if json.Unmarshal(value, &text) != nil {
			text = string(value)
		}
		r.Details[name] = text
	}
	return nil
}

// StatusError says that an item could not be reported.
type StatusError struct {
	StatusItem string   `json:"StatusItem"`
	Reasons    []Reason `json:"Reasons"`
}

// AgentItems is what our agent adds: what it read back, what it saw.
type AgentItems struct {
	Schema  int       `json:"schema"`  // highest declaration schema it understands
	Version string    `json:"version"` // of the agent
	Sent    time.Time `json:"sent"`    // device time
	// BootID changes with each start of the system.
	BootID string        `json:"boot-id,omitempty"`
	Leases []LeaseStatus `json:"leases"` // every lease it remembers, ended ones too
	Facts  *Facts        `json:"facts,omitempty"`
	// Programs are the versions of programs that an examination on the device needs, by
	// the id of the desktop entry; those that are not installed are left out. Nil says
	// nothing new. At most MostPrograms.
	Programs *map[string]string `json:"programs,omitempty"`
	// Packages is its word on every package of which a declaration speaks or spoke
	// until it was taken away, at most MostPackages.
	Packages []PackageStatus `json:"packages,omitempty"`
	Events   []Event         `json:"events,omitempty"` // since the last acknowledged report
	// Sealed are the lines of sealed logs that no acknowledged report contained,
	// oldest first, at most MostSealed of them; the rest comes with the next report.
	Sealed []Sealed `json:"sealed,omitempty"`
	// Simulated is set by simulated devices, so that nobody takes them for real.
	Simulated bool `json:"simulated,omitempty"`
}

// LeasePhase is what the device says of one lease.
type LeasePhase string

// The phases of a lease on its device.
const (
	LeaseWaiting LeasePhase = "waiting" // stored, begins later
	LeaseActive  LeasePhase = "active"  // in force; Parts say what was read back
	LeaseCovered LeasePhase = "covered" // runs, but another lease of its kind or an exam rules
	LeaseEnding  LeasePhase = "ending"  // over, and never again in force; Parts are not yet read back as released
	LeaseEnded   LeasePhase = "ended"   // over, by time, revision or release code, and read back; Parts are details that still change
	LeaseRefused LeasePhase = "refused" // not believed; Reason says why
)

// EndedByCode is the reason of a lease that a release code ended on its device.
const EndedByCode = "ended.code"

// LeaseStatus is the device's word on one lease.
type LeaseStatus struct {
	ID    string     `json:"id"`
	Rev   int        `json:"rev"`
	Phase LeasePhase `json:"phase"`
	Since time.Time  `json:"since"` // device time at which the phase began
	// Parts is what was read back. Of a lease that waits it is what a dry run
	// found: what is not ok would not hold, or is missing (reason "app-missing"
	// with "app" in the part apps).
	Parts  []Part  `json:"parts,omitempty"`
	Reason *Reason `json:"reason,omitempty"`
}

// MostPrograms bounds the programs in one report.
const MostPrograms = 60

// MostPackages bounds the packages in one report.
const MostPackages = 200

// PackageState is what a device says of one package.
type PackageState string

// The states of a package on its device.
const (
	PackageWaiting     PackageState = "waiting"      // for the window, or for the person who said "later"
	PackageLoading     PackageState = "loading"      // the file is on its way
	PackageInstalling  PackageState = "installing"   // the system works on it
	PackageVerified    PackageState = "verified"     // looked: Present is what is there
	PackageFailed      PackageState = "failed"       // Reason says why; tried again with a higher try only
	PackageNotPossible PackageState = "not-possible" // this system cannot do it; Reason says why
)

// PackageStatus is the device's word on one package. Present is the version that
// the system itself names, empty for none: it was looked for, not concluded.
type PackageStatus struct {
	Rollout string       `json:"rollout"`
	Name    string       `json:"name"`
	Try     int          `json:"try"`
	State   PackageState `json:"state"`
	Present string       `json:"present,omitempty"`
	Since   time.Time    `json:"since"` // device time
	Reason  *Reason      `json:"reason,omitempty"`
}

// PartState is what was read back of one part of an enforcement.
type PartState string

// The states of a part.
const (
	PartOK          PartState = "ok"           // read back, as wanted
	PartRepaired    PartState = "repaired"     // was changed by somebody, is as wanted again
	PartPending     PartState = "pending"      // takes effect soon (a browser restarts)
	PartDeviating   PartState = "deviating"    // read back, not as wanted
	PartNotPossible PartState = "not-possible" // this system cannot do it
)

// ReasonPending is the code of a declaration that is not active yet because its
// part takes effect soon.
const ReasonPending = "part." + string(PartPending)

// Part is what was read back of one driver: network, screen, browser, apps.
type Part struct {
	Name   string    `json:"name"`
	State  PartState `json:"state"`
	Since  time.Time `json:"since"`
	Reason *Reason   `json:"reason,omitempty"`
}

// Facts are properties of a device that help desks ask for. Nothing in them is
// about what a person does.
type Facts struct {
	Platform     string   `json:"platform,omitempty"` // org.Platform
	OSVersion    string   `json:"os-version,omitempty"`
	Model        string   `json:"model,omitempty"`
	Serial       string   `json:"serial,omitempty"`
	Hostname     string   `json:"hostname,omitempty"`
	Battery      *int     `json:"battery,omitempty"` // percent
	Charging     *bool    `json:"charging,omitempty"`
	DiskFree     int64    `json:"disk-free,omitempty"`    // bytes
	DiskTotal    int64    `json:"disk-total,omitempty"`   // bytes
	ClockOffset  *float64 `json:"clock-offset,omitempty"` // seconds, device minus server
	Session      string   `json:"session,omitempty"`      // x11, wayland, console, none
	Encrypted    *bool    `json:"encrypted,omitempty"`
	SecureBoot   *bool    `json:"secure-boot,omitempty"`
	PupilIsRoot  *bool    `json:"pupil-is-root,omitempty"`
	Certificate  string   `json:"certificate-until,omitempty"` // RFC 3339
	Capabilities []string `json:"capabilities,omitempty"`      // parts that this device can enforce
}

// Event is something that happened on the device, for the teacher or the help
// desk, by key and arguments, never an accusation.
type Event struct {
	ID   string            `json:"id"` // unique per device; a repeated one is ignored
	At   time.Time         `json:"at"`
	Key  string            `json:"key"`
	Args map[string]string `json:"args,omitempty"`
}

// Keys of events that tell of an examination; "lease" among their arguments is
// the lease's id. The server keeps them as evidence.
const (
	// EventExamLost: nobody could write for so many "seconds", by "cause" restart,
	// display, browser or other. At is when it was over.
	EventExamLost = "exam.lost"
	// EventWorkFull: there is too little room on the disk to keep what was written.
	EventWorkFull = "exam.work-full"
	// EventExamWaits: after a restart the device waits for the resume code.
	EventExamWaits = "exam.waits"
	// EventExamResumed: the resume code of the "number" was typed.
	EventExamResumed = "exam.resumed"
	// EventExamHand: the pupil asks for the invigilator, who sees it until having
	// gone there, or until EventExamHandDown: the pupil needs nobody any more.
	EventExamHand     = "exam.hand"
	EventExamHandDown = "exam.hand-down"
	// EventExamHandedIn: "files" files of "bytes" bytes were kept by the server.
	EventExamHandedIn = "exam.handed-in"
)

// ParseStatus reads a status report.
func ParseStatus(data []byte) (StatusReport, error) {
	var report StatusReport
	err := json.Unmarshal(data, &report)
	return report, err
}
