package roster

import (
	"slices"
	"strings"
)

// Field is what a column of an import file can mean. Its word is
// import.field.<field>.
type Field string

// The fields.
const (
	FieldName       Field = "name"
	FieldFirst      Field = "first"
	FieldLast       Field = "last"
	FieldSalutation Field = "salutation"
	FieldLogin      Field = "email"
	FieldSerial     Field = "serial"
	FieldPlatform   Field = "platform"
	FieldModel      Field = "model"
	FieldPerson     Field = "person" // external id or name
	FieldExternal   Field = "external"
	FieldGroups     Field = "groups" // names, several with comma, semicolon or bar
	FieldDevice     Field = "device" // inventory number
	FieldKind       Field = "kind"
	FieldRoom       Field = "room"
	FieldPriority   Field = "priority"
	FieldTeachers   Field = "teachers" // logins
	FieldFrom       Field = "from"
	FieldUntil      Field = "until"
)

// FieldSpec is a field of one kind of file.
type FieldSpec struct {
	Name     Field
	Required bool
}

// Either lists the fields any of which serves a required one: a name may come
// in two columns.
func (f FieldSpec) Either() []Field {
	if f.Name == FieldName {
		return []Field{FieldName, FieldLast}
	}
	return []Field{f.Name}
}

// FieldsOf lists what the columns of a file can mean; nil for an unknown kind.
func FieldsOf(what What) []FieldSpec {
	switch what {
	case ImportDevices:
		return []FieldSpec{{FieldName, true}, {FieldSerial, false}, {FieldPlatform, false}, {FieldModel, false}, {FieldPerson, false}, {FieldGroups, false}}
	case ImportGroups:
		return []FieldSpec{{FieldName, true}, {FieldKind, false}, {FieldRoom, false}, {FieldTeachers, false}, {FieldFrom, false}, {FieldUntil, false}, {FieldPriority, false}}
	case ImportPersons:
		return []FieldSpec{{FieldName, true}, {FieldFirst, false}, {FieldLast, false}, {FieldExternal, false}, {FieldGroups, false}, {FieldDevice, false}}
	case ImportTeachers:
		return []FieldSpec{{FieldName, true}, {FieldFirst, false}, {FieldLast, false}, {FieldSalutation, false}, {FieldLogin, true}, {FieldGroups, false}}
	}
	return nil
}

// titles are how columns are called in the exports of school programs, in
// lower case and without signs.
var titles = map[Field][]string{
	FieldName:       {"name", "bezeichnung", "inventarnummer", "inventarnr", "inventar", "gerätename", "geraetename", "gerät", "assettag", "gruppe", "klassenname", "anzeigename", "displayname"},
	FieldFirst:      {"vorname", "rufname", "firstname", "givenname"},
	FieldLast:       {"nachname", "familienname", "lastname", "surname"},
	FieldSalutation: {"anrede", "salutation"},
	FieldLogin:      {"email", "emailadresse", "mail", "dienstmail", "login", "benutzername"},
	FieldSerial:     {"seriennummer", "seriennr", "serial", "serialnumber", "sn"},
	FieldPlatform:   {"plattform", "platform", "betriebssystem", "system", "os"},
	FieldModel:      {"modell", "model", "gerätetyp", "geraetetyp", "typ"},
	FieldPerson:     {"person", "schüler", "schueler", "schülerin", "nutzer", "benutzer", "zugewiesen", "user"},
	FieldExternal:   {"id", "schülerid", "schuelerid", "personid", "externeid", "external", "externalid", "nummer"},
	FieldGroups:     {"klasse", "klassen", "gruppen", "kurse", "class", "groups", "lerngruppe", "lerngruppen"},
	FieldDevice:     {"gerät", "geraet", "device", "inventarnummer", "inventarnr"},
	FieldKind:       {"art", "typ", "kind", "type"},
	FieldRoom:       {"raum", "room"},
	FieldPriority:   {"priorität", "prioritaet", "vorrang", "priority"},
	FieldTeachers:   {"lehrkraft", "lehrkräfte", "lehrkraefte", "lehrer", "klassenleitung", "teacher", "teachers"},
	FieldFrom:       {"von", "beginn", "gültigab", "gueltigab", "from", "start"},
	FieldUntil:      {"bis", "ende", "gültigbis", "gueltigbis", "until", "end"},
}

// propose says what each column probably means: as the profile has it, else by
// its title. No field is proposed twice.
func propose(what What, header []string, saved map[string]Field) []Field {
	columns := make([]Field, len(header))
	used := map[Field]bool{"": true}
	for i, title := range header {
		if field, known := saved[title]; known && !used[field] && belongs(what, field) {
			columns[i], used[field] = field, true
		}
	}
	for i, title := range header {
		if _, known := saved[title]; known || columns[i] != "" {
			continue
		}
		for _, spec := range FieldsOf(what) {
			if !used[spec.Name] && slices.Contains(titlesOf(what, spec.Name), bare(title)) {
				columns[i], used[spec.Name] = spec.Name, true
				break
			}
		}
	}
	return columns
}

// titlesOf lists how a column is called in one kind of file: what a device is
// called says nothing of a person.
func titlesOf(what What, field Field) []string {
	if field == FieldName && (what == ImportPersons || what == ImportTeachers) {
		return []string{"name", "vollername", "anzeigename", "displayname", "fullname"}
	}
	return titles[field]
}

func belongs(what What, field Field) bool {
	return slices.ContainsFunc(FieldsOf(what), func(spec FieldSpec) bool { return spec.Name == field })
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

// record is one row with its cells by field.
type record struct {
	line  int
	cells map[Field]string
}

func (imp Import) records() []record {
	records := make([]record, len(imp.Table.Rows))
	for i, row := range imp.Table.Rows {
		records[i] = record{row.Line, make(map[Field]string, len(imp.Columns))}
		for c, field := range imp.Columns {
			if field != "" && c < len(row.Cells) {
				records[i].cells[field] = row.Cells[c]
			}
		}
	}
	return records
}

// name returns the name from one column or from two.
func (r record) name() string {
	if name := r.cells[FieldName]; name != "" {
		return name
	}
	return strings.TrimSpace(r.cells[FieldFirst] + " " + r.cells[FieldLast])
}

// list splits a cell that holds several names.
func (r record) list(field Field) []string {
	var list []string
	for _, one := range strings.FieldsFunc(r.cells[field], func(c rune) bool { return strings.ContainsRune(",;|", c) }) {
		if one = strings.TrimSpace(one); one != "" && !slices.Contains(list, one) {
			list = append(list, one)
		}
	}
	return list
}

// has reports whether a column of the file means the field.
func (imp Import) has(field Field) bool { return slices.Contains(imp.Columns, field) }
