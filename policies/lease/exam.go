package lease

// Examination is what a lease of kind Exam says beyond sites and programs. What
// it does not open is closed: the zero value is the strictest examination.
//
// Extra time is not part of it: each device's lease has an end of its own, and
// nothing in it says whose is longer.
type Examination struct {
	// Title is what the pupil reads above everything else.
	Title string `json:"title"`
	// Page is the address that the examination's browser opens, "https://…".
	// Empty: no browser is opened, and the programs of Rules.Apps are used.
	Page string `json:"page,omitempty"`

	// Rehearsal says that this is the teacher's rehearsal: it ends by itself, and
	// no work is handed in.
	Rehearsal bool `json:"rehearsal,omitempty"`

	// What stays possible.
	USB          bool `json:"usb,omitempty"`        // USB storage
	Clipboard    bool `json:"clipboard,omitempty"`  // exchange of text between programs
	Printing     bool `json:"printing,omitempty"`   // printers
	SecondScreen bool `json:"screens,omitempty"`    // more than the built-in or first display
	Spelling     bool `json:"spelling,omitempty"`   // spelling and grammar aids of browser and system
	Assistants   bool `json:"assistants,omitempty"` // AI aids of browser and system
	Capture      bool `json:"capture,omitempty"`    // pictures and films of the screen
	Virtual      bool `json:"virtual,omitempty"`    // virtual machines and remote sessions, otherwise reported

	// Calculator is the kind of calculator that pupils may use, one of Calculators;
	// empty: nothing is said of it. It is an announcement, and opens no program.
	Calculator string `json:"calculator,omitempty"`

	// Versions are the least versions of programs, by the key of presets.Programs, or by
	// the id of a program that is none of those. Who prepares a device is told what is
	// older; the device itself starts it all the same.
	Versions map[string]string `json:"versions,omitempty"`

	// Aids names the accessibility aids that stay possible: "reader", "magnifier",
	// "contrast", "keyboard". Nil: all of them stay.
	Aids []string `json:"aids,omitempty"`

	// Resume says that after a restart of the device the examination's screen
	// stays covered until the invigilator's resume code was typed.
	Resume bool `json:"resume,omitempty"`

	// TabletApp is the app that an Apple tablet is locked to, by its bundle
	// identifier; empty: Safari with Page. SelfLock says that this app locks the
	// tablet itself (assessment mode): then it is only permitted to.
	TabletApp string `json:"tablet_app,omitempty"`
	SelfLock  bool   `json:"self_lock,omitempty"`

	// Work is the folder whose files are handed in; nil: nothing is.
	Work *Work `json:"work,omitempty"`
}

// Calculators are the kinds of calculator, as rules for examinations in German
// schools tell them apart: none, the four functions, scientific (WTR), graphing
// (GTR), computer algebra (CAS).
var Calculators = []string{"none", "basic", "scientific", "graphing", "cas"}

// Work says what happens with the files of an examination.
type Work struct {
	// Folder is the name of the folder on the pupil's desktop.
	Folder string `json:"folder"`
	// Every is the number of minutes between two collections while the
	// examination runs; 0: at the end only.
	Every int `json:"every,omitempty"`
	// Now is when an invigilator asked for the work at once, in milliseconds since 1970
	// by the server's clock; 0: never. A state is kept for each ask that is later than
	// the one before.
	Now int64 `json:"now,omitempty"`
	// Given are the files that were given out.
	Given []Given `json:"given,omitempty"`
	// Exam and Ticket are the address under which the device hands in; the ticket
	// is this device's alone. Key is the X25519 public key for which work is sealed.
	// Without them, as from an older server, nothing is handed in.
	Exam   string `json:"exam,omitempty"`
	Ticket string `json:"ticket,omitempty"`
	Key    []byte `json:"key,omitempty"`
}

// Given is one file that was given out.
type Given struct {
	Name string `json:"name"`
	Size int64  `json:"size"` // bytes
	Hash string `json:"hash"` // SHA-256, hexadecimal; the address it is fetched under
}
