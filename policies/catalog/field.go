package catalog

import "schulwart.org/policies/org"

// Kind is what a field holds.
type Kind string

// The kinds, with the Go type that a value has in Settings.
const (
	Flag    Kind = "flag"    // bool
	Number  Kind = "number"  // int
	Choice  Kind = "choice"  // string, one of Choices
	Text    Kind = "text"    // string, of the Form
	Names   Kind = "names"   // []string, each of the Form, ordered, without doubles
	Entries Kind = "entries" // []Settings, each with the Fields; ordered by Key
)

// Merge is how values from several places become one.
type Merge string

// The merge rules.
const (
	Strictest Merge = "strictest" // the stricter one, see Field.Stricter
	Union     Merge = "union"     // all of them; of entries with one key, that of the upper place
	Nearest   Merge = "nearest"   // that of the place nearest to the device that may say so
)

// Stricter is the direction in which a value of a Strictest field is stricter.
type Stricter string

// The directions. A choice is stricter the later it stands in Choices.
const (
	On    Stricter = "on"    // flags: true
	Off   Stricter = "off"   // flags: false
	Less  Stricter = "less"  // numbers
	More  Stricter = "more"  // numbers
	Later Stricter = "later" // choices
)

// Form is what a text looks like; Check refuses others.
type Form string

// The forms.
const (
	Line        Form = "line"        // one line, any letters
	Prose       Form = "prose"       // several lines
	Host        Form = "host"        // host pattern: "wikipedia.org", with subdomains; "=www.example.org" without
	Address     Form = "address"     // IP address
	Endpoint    Form = "endpoint"    // host or IP address with a port: "proxy.example.org:3128"
	URL         Form = "url"         // https address
	Link        Form = "link"        // https or http address
	Time        Form = "time"        // "07:30", school time
	Certificate Form = "certificate" // one X.509 certificate, PEM
	Package     Form = "package"     // name of a Debian package
	Program     Form = "program"     // id of a desktop entry, or bundle id
	Extension   Form = "extension"   // id of a browser extension
	Zone        Form = "zone"        // IANA time zone: "Europe/Berlin"
	Locale      Form = "locale"      // "de-DE"
	Printer     Form = "printer"     // address of a printer: ipp://…, ipps://…, socket://…
	Password    Form = "password"    // secret of at least eight characters
	Color       Form = "color"       // "#1f3b63"
	OSVersion   Form = "os-version"  // "18.1"
	Day         Form = "day"         // "2026-11-30"
	Login       Form = "login"       // name of an account, or of a group: "@teachers"
	Path        Form = "path"        // absolute path of a file
	Keyboard    Form = "keyboard"    // layout and variant as X11 names them: "de", "de+nodeadkeys"
)

// Field is one thing that a family can say.
type Field struct {
	Name  string
	Kind  Kind
	Merge Merge
	// Stricter is required for Strictest.
	Stricter Stricter
	Unit     string // of numbers: "minutes", "characters", "days", "percent", "megabytes"
	Min, Max int    // of numbers, or of characters of a text
	Most     int    // items of a list; 0 stands for 500
	Form     Form
	Choices  []string
	Fields   []Field // of each entry
	Key      string  // field that tells entries apart
	Required bool    // of fields of an entry
	// Secret values are sealed at rest and never shown again.
	Secret bool
	// On says what a platform does with this field where it is not what the
	// family says.
	On map[org.Platform]Ability
	// Supervised lists Apple's platforms that take it from supervised devices
	// only.
	Supervised []org.Platform
	// Since is the version from which a platform knows the field.
	Since map[org.Platform]string
}

// Lists reports whether the field holds several things.
func (f Field) Lists() bool { return f.Kind == Names || f.Kind == Entries }

func (f Field) most() int {
	if f.Most > 0 {
		return f.Most
	}
	return 500
}
