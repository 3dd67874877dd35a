// Package agenda reads files in which examinations are planned: tables as school
// programs and spreadsheets write them, and calendars. It says what stands in
// them, line by line; what becomes of it is for the room of examinations.
package agenda

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"schulwart.org/server/errs"
)

// Table is a file of rows.
type Table struct {
	Header []string `json:"header"`
	Rows   []Row    `json:"rows"`
}

// Row is one line of a table, or one event of a calendar.
type Row struct {
	Line  int      `json:"line"` // from 1, as editors count
	Cells []string `json:"cells"`
	// Fault is why the row cannot be taken although its cells can be read: a key under
	// "error." in web/locale.
	Fault string `json:"fault,omitempty"`
	Value string `json:"value,omitempty"` // what the fault is about
}

// Signature names files with the same columns: how they are read is remembered
// under it.
func (t Table) Signature() string {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.Join(t.Header, "\x00"))))
	return hex.EncodeToString(sum[:12])
}

// Field is what a column can mean. Its word is exam.import.field.<field>.
type Field string

// The fields.
const (
	Name    Field = "name"
	Subject Field = "subject"
	Group   Field = "group" // class or course
	Date    Field = "date"
	Start   Field = "start" // of day, or with its date
	End     Field = "end"
	Length  Field = "length" // in minutes
	Room    Field = "room"
	Teacher Field = "teacher"
	Page    Field = "page" // address that is opened
	// Calculator is the kind of calculator that may lie on the desk.
	Calculator Field = "calculator"
	Key        Field = "key" // stays the same when all else changes
	Status     Field = "status"
)

// Fields lists what columns can mean, in the order in which they are offered.
var Fields = []Field{Name, Subject, Group, Date, Start, End, Length, Room, Teacher, Page, Calculator, Key, Status}

// titles are how columns are called, in lower case and without signs.
var titles = map[Field][]string{
	Name:       {"name", "bezeichnung", "titel", "prüfung", "pruefung", "klausur", "klassenarbeit", "art", "prüfungsart", "pruefungsart", "thema", "text", "summary", "betreff", "title", "exam"},
	Subject:    {"fach", "unterrichtsfach", "subject", "fachname", "fachkürzel", "fachkuerzel"},
	Group:      {"klasse", "klassen", "kurs", "klassekurs", "gruppe", "lerngruppe", "class", "course", "group", "schülergruppe", "schuelergruppe"},
	Date:       {"datum", "tag", "date", "day", "prüfungsdatum", "pruefungsdatum", "termin"},
	Start:      {"beginn", "start", "von", "anfang", "uhrzeit", "zeit", "startzeit", "begin", "from", "time", "dtstart", "beginntam"},
	End:        {"ende", "bis", "endzeit", "end", "until", "to", "dtend"},
	Length:     {"dauer", "dauermin", "dauerminuten", "minuten", "min", "länge", "laenge", "duration", "arbeitszeit"},
	Room:       {"raum", "räume", "raeume", "ort", "room", "location", "saal"},
	Teacher:    {"lehrkraft", "lehrkräfte", "lehrkraefte", "lehrer", "lehrerin", "aufsicht", "aufsichten", "prüfer", "pruefer", "teacher", "invigilator", "organizer"},
	Page:       {"link", "adresse", "seite", "webseite", "url", "page"},
	Calculator: {"taschenrechner", "rechner", "tr", "calculator"},
	Key:        {"id", "nummer", "nr", "prüfungsnummer", "pruefungsnummer", "kennung", "uid", "key"},
	Status:     {"status"},
}

// Propose says what each column probably means: as it was said last time, else by
// its title. No field is proposed twice.
func Propose(header []string, saved map[string]Field) []Field {
	columns := make([]Field, len(header))
	used := map[Field]bool{"": true}
	for i, title := range header {
		if field, known := saved[title]; known && !used[field] && slices.Contains(Fields, field) {
			columns[i], used[field] = field, true
		}
	}
	for i, title := range header {
		if _, known := saved[title]; known || columns[i] != "" {
			continue
		}
		for _, field := range Fields {
			if !used[field] && slices.Contains(titles[field], bare(title)) {
				columns[i], used[field] = field, true
				break
			}
		}
	}
	return columns
}

// bare strips a title of what differs without meaning.
func bare(title string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -_./()*#:", r) {
			return -1
		}
		return r
	}, strings.ToLower(title))
}

// Check says what is wrong with the meaning of columns.
func Check(header []string, columns []Field) error {
	if len(columns) != len(header) {
		return errs.E(errs.Invalid, "import.columns").In("columns")
	}
	seen := map[Field]bool{}
	for _, field := range columns {
		switch {
		case field == "":
		case !slices.Contains(Fields, field):
			return errs.E(errs.Invalid, "import.unknown_field", "field", string(field)).In("columns")
		case seen[field]:
			return errs.E(errs.Invalid, "exam_import.field_twice", "field", string(field)).In("columns")
		}
		seen[field] = true
	}
	switch {
	case !seen[Name] && !seen[Subject]:
		return errs.E(errs.Invalid, "exam_import.needs_name").In("columns")
	case !seen[Date] && !seen[Start]:
		return errs.E(errs.Invalid, "exam_import.needs_date").In("columns")
	}
	return nil
}

// Entry is one planned examination, as a file has it.
type Entry struct {
	Line       int       `json:"-"`
	Key        string    `json:"-"` // the same for the same examination in a later file
	Name       string    `json:"name"`
	Group      string    `json:"group,omitempty"`
	Room       string    `json:"room,omitempty"`
	Teachers   []string  `json:"teachers,omitempty"`
	Page       string    `json:"page,omitempty"`
	Calculator string    `json:"calculator,omitempty"` // a kind of lease.Calculators
	Starts     time.Time `json:"starts"`
	Ends       time.Time `json:"ends"`
	// Cancelled says that it does not take place.
	Cancelled bool `json:"-"`
	// Around is what else the row says, where a group may be named.
	Around []string `json:"-"`
}

// Fault is a row that cannot be taken, with the sentence why.
type Fault struct {
	Line  int
	Fault *errs.Error
}

// How says how a table is read.
type How struct {
	Columns []Field
	Zone    *time.Location // of times that name none
	Minutes int            // how long one lasts that says neither its end nor its length; 0: that is a fault
}

// Read returns what a table plans, and what is wrong in it. Rows with a fault are
// left out.
func Read(table Table, how How) ([]Entry, []Fault) {
	var entries []Entry
	var faults []Fault
	first := map[string]int{}
	for _, row := range table.Rows {
		entry, fault := readRow(row, how)
		if fault == nil {
			if line, twice := first[entry.Key]; twice {
				fault = errs.E(errs.Invalid, "import.twice", "value", entry.Name, "line", line)
			}
			first[entry.Key] = row.Line
		}
		if fault != nil {
			faults = append(faults, Fault{row.Line, fault})
			continue
		}
		entries = append(entries, entry)
	}
	return entries, faults
}

func readRow(row Row, how How) (Entry, *errs.Error) {
	cells := map[Field]string{}
	entry := Entry{Line: row.Line}
	for i, cell := range row.Cells {
		switch {
		case i >= len(how.Columns) || cell == "":
		case how.Columns[i] == "":
			entry.Around = append(entry.Around, cell)
		default:
			cells[how.Columns[i]] = cell
		}
	}
	entry.Cancelled = cancelled(cells[Status])
	if row.Fault != "" {
		return entry, errs.E(errs.Invalid, row.Fault, "value", row.Value)
	}
	entry.Name = strings.Join(slices.DeleteFunc([]string{cells[Subject], cells[Name]}, func(s string) bool { return s == "" }), ", ")
	if strings.EqualFold(cells[Subject], cells[Name]) {
		entry.Name = cells[Name]
	}
	if entry.Name == "" {
		return entry, errs.E(errs.Invalid, "exam_import.no_name")
	}
	entry.Group, entry.Room, entry.Page, entry.Teachers = cells[Group], cells[Room], cells[Page], several(cells[Teacher])
	if said := cells[Calculator]; said != "" {
		if entry.Calculator = calculator(said); entry.Calculator == "" {
			return entry, errs.E(errs.Invalid, "exam_import.bad_calculator", "value", said)
		}
	}
	var fault *errs.Error
	if entry.Starts, entry.Ends, fault = window(cells, how); fault != nil {
		return entry, fault
	}
	entry.Key = "row:" + strings.ToLower(entry.Name+"|"+entry.Group+"|"+entry.Starts.In(how.Zone).Format(time.DateOnly))
	if key := cells[Key]; key != "" {
		entry.Key = "key:" + key
	}
	return entry, nil
}

// calculators are the words of teachers for the kinds of lease.Calculators.
var calculators = map[string][]string{
	"none":       {"keiner", "kein", "ohne", "nein", "none", "no", "0"},
	"basic":      {"einfach", "einfacher", "grundrechenarten", "vierspezies", "basic"},
	"scientific": {"wtr", "wissenschaftlich", "wissenschaftlicher", "scientific"},
	"graphing":   {"gtr", "grafikfähig", "grafikfähiger", "grafikfaehig", "graphikfähig", "graphing"},
	"cas":        {"cas", "mitcas", "computeralgebra", "computeralgebrasystem"},
}

// calculator reads what kind of calculator a cell means, "" if it means none that we
// know. What stands in brackets explains only: "wissenschaftlicher (WTR)".
func calculator(cell string) string {
	word, _, _ := strings.Cut(cell, "(")
	for kind, words := range calculators {
		if slices.Contains(words, bare(word)) {
			return kind
		}
	}
	return ""
}

// cancelled reports whether a status says that it does not take place.
func cancelled(status string) bool {
	return slices.Contains([]string{"cancelled", "canceled", "abgesagt", "entfällt", "entfaellt", "ausfall", "storniert"}, strings.ToLower(status))
}

// several splits a cell that holds several names. A comma may stand inside of a
// name ("Oert, Maria"), so it parts names only beside other signs.
func several(cell string) []string {
	var list []string
	for _, one := range strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(";|/&", r) }) {
		if one = strings.TrimSpace(one); one != "" && !slices.Contains(list, one) {
			list = append(list, one)
		}
	}
	return list
}
