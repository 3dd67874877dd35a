package roster_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// bring maps a file as proposed and applies it.
func (h *house) bring(what roster.What, file string) (roster.Preview, error) {
	h.t.Helper()
	ctx := h.t.Context()
	imp, err := h.BeginImport(ctx, h.admin, h.school.ID, what, "datei.csv", "", []byte(file))
	h.must(err)
	_, err = h.MapImport(ctx, h.admin, imp.ID, imp.Columns)
	h.must(err)
	preview, err := h.PreviewImport(ctx, h.admin, imp.ID)
	h.must(err)
	done, err := h.ApplyImport(ctx, h.admin, imp.ID, false)
	if err == nil && done.State != roster.Done {
		h.t.Errorf("state %s", done.State)
	}
	return preview, err
}

func (h *house) counts(what roster.What, file string, expected roster.Counts) {
	h.t.Helper()
	preview, err := h.bring(what, file)
	if errs.Is(err, errs.Conflict) {
		h.t.Errorf("asks again: %v", err)
	}
	if preview.Counts != expected {
		h.t.Errorf("counts %+v, want %+v; faults %v", preview.Counts, expected, preview.Faults)
	}
}

func TestReadTable(t *testing.T) {
	latin := func(s string) []byte { b, _ := charmap.Windows1252.NewEncoder().String(s); return []byte(b) }
	for name, data := range map[string][]byte{
		"semicolons":            []byte("Name;Klasse\nMüller, Zoë;7a\n"),
		"commas and quotes":     []byte("Name,Klasse\r\n\"Müller, Zoë\",7a\r\n"),
		"tabs":                  []byte("Name\tKlasse\nMüller, Zoë\t7a"),
		"bars":                  []byte("Name|Klasse\nMüller, Zoë|7a"),
		"byte order mark":       []byte("\xEF\xBB\xBFName;Klasse\nMüller, Zoë;7a"),
		"Windows-1252":          latin("Name;Klasse\r\nMüller, Zoë;7a"),
		"Excel's first line":    []byte("sep=;\r\nName;Klasse\r\nMüller, Zoë;7a"),
		"UTF-16":                utf16("Name;Klasse\nMüller, Zoë;7a"),
		"blank lines and edges": []byte("\n\n Name ; Klasse \n;;\n  Müller,  Zoë ;7a\n\n"),
	} {
		t.Run(name, func(t *testing.T) {
			table, err := roster.ReadTable(data)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "header", table.Header, []string{"Name", "Klasse"})
			if len(table.Rows) != 1 {
				t.Fatalf("rows %+v", table.Rows)
			}
			equal(t, "cells", table.Rows[0].Cells, []string{"Müller, Zoë", "7a"})
		})
	}
	for name, data := range map[string]string{"nothing": "", "a header alone": "Name;Klasse\n", "zeros": "Name;\x00\nx;y", "blank": " \n \n"} {
		if _, err := roster.ReadTable([]byte(data)); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	table, err := roster.ReadTable([]byte("a;b\n1;\"zwei\nzeilen\"\n3;4"))
	if err != nil || table.Rows[1].Line != 4 {
		t.Errorf("the line after a cell with two lines is the fourth: %+v %v", table, err)
	}
}

func utf16(text string) []byte {
	data := []byte{0xFF, 0xFE}
	for _, r := range text {
		data = append(data, byte(r), byte(r>>8))
	}
	return data
}

func TestImportDevices(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx, h := t.Context(), build(t, s)
		byHand := h.device(h.school, "VON-HAND", "HAND1")
		file := "Inventarnummer;Seriennummer;Betriebssystem;Klasse\n"
		row := func(n int, class string) string { return fmt.Sprintf("GYM-%03d;SN%03d;Linux;%s\n", n, n, class) }
		for n := range 50 {
			file += row(n, "7a")
		}
		h.counts(roster.ImportDevices, file, roster.Counts{Created: 51}) // with the class
		equal(t, "found", h.find(h.admin, "7a 49"), []string{"GYM-049"})
		// Once more changes nothing.
		h.counts(roster.ImportDevices, file, roster.Counts{Same: 50})
		// One renamed, one in another class.
		changed := strings.Replace(strings.Replace(file, "GYM-007;", "GYM-BOND;", 1), "SN008;Linux;7a", "SN008;Linux;7b", 1)
		h.counts(roster.ImportDevices, changed, roster.Counts{Created: 1, Updated: 2, Same: 48})
		equal(t, "renamed", h.find(h.admin, "bond"), []string{"GYM-BOND"})
		equal(t, "7b", h.find(h.admin, "7b"), []string{"GYM-008"})
		// What somebody put into a group by hand stays there.
		club, two := h.group(org.Course, "Robotik"), h.find(h.admin, "gym-002")
		devices, _, err := h.Devices(ctx, h.admin, roster.DeviceFilter{Query: two[0]})
		h.must(err)
		h.must(h.AddDevices(ctx, h.admin, club.ID, []org.ID{devices[0].ID}, time.Time{}, time.Time{}))
		h.counts(roster.ImportDevices, changed, roster.Counts{Same: 50})
		equal(t, "by hand", h.find(h.admin, "robo"), []string{"GYM-002"})
		// A short file takes devices out of use: it asks again first.
		short := "Inventarnummer;Seriennummer;Betriebssystem;Klasse\n" + row(0, "7a")
		preview, err := h.bring(roster.ImportDevices, short)
		want(t, err, "import.sure")
		if !preview.Sure || preview.Counts.Removed != 49 {
			t.Errorf("preview %+v", preview.Counts)
		}
		equal(t, "nothing happened", h.find(h.admin, "gym-049"), []string{"GYM-049"})
		imps, err := h.Imports(ctx, h.admin)
		h.must(err)
		_, err = h.ApplyImport(ctx, h.admin, imps[0].ID, true)
		h.must(err)
		equal(t, "gone", h.find(h.admin, "gym"), []string{"GYM-000"})
		equal(t, "by hand stays", h.find(h.admin, "hand"), []string{byHand.Name})
		_, err = h.ApplyImport(ctx, h.admin, imps[0].ID, true)
		want(t, err, "import.over")
		// They come back as the devices that they were.
		back, err := h.bring(roster.ImportDevices, changed)
		if errs.Is(err, errs.Conflict) {
			imps, _ = h.Imports(ctx, h.admin)
			_, err = h.ApplyImport(ctx, h.admin, imps[0].ID, true)
		}
		h.must(err)
		if back.Counts.Created != 0 || back.Counts.Updated != 49 {
			t.Errorf("coming back: %+v", back.Counts)
		}
	})
}

func TestALineWithAFaultRemovesNothing(t *testing.T) {
	ctx, h := t.Context(), build(t, storetest.Open(t))
	h.counts(roster.ImportDevices, "Name;SN;System\nA;1;Linux\nB;2;Linux\n", roster.Counts{Created: 2})
	imp, err := h.BeginImport(ctx, h.admin, h.school.ID, roster.ImportDevices, "x.csv", "", []byte("Name;SN;System\nA;1;Linux\nB;2;Amiga\nA;3;Linux\n;4;Linux\n"))
	h.must(err)
	preview, err := h.PreviewImport(ctx, h.admin, imp.ID)
	h.must(err)
	if preview.Counts != (roster.Counts{Same: 1, Skipped: 3}) {
		t.Errorf("counts %+v", preview.Counts)
	}
	var faults []string
	for _, f := range preview.Faults {
		faults = append(faults, fmt.Sprintf("%d %s", f.Line, f.Fault.Key))
	}
	equal(t, "faults", faults, []string{"3 import.unknown_platform", "4 import.twice", "5 roster.no_name"})
}

func TestImportPersonsMovesTheirDevices(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		h := build(t, s)
		h.device(h.school, "GYM-1", "")
		h.device(h.school, "GYM-2", "")
		h.counts(roster.ImportPersons, "ID;Vorname;Nachname;Klasse;Gerät\n1;Zoë;Müller;7a;GYM-1\n2;Ben;Ali;7a;GYM-2\n", roster.Counts{Created: 3, Updated: 2})
		equal(t, "7a", h.find(h.admin, "7a"), []string{"GYM-1", "GYM-2"})
		drain(t, s)
		preview, err := h.bring(roster.ImportPersons, "ID;Vorname;Nachname;Klasse;Gerät\n1;Zoë;Müller;7b;GYM-1\n2;Ben;Ali;7a;GYM-2\n")
		want(t, err, "import.sure") // one of two is more than five per cent
		if preview.Percent != 50 {
			t.Errorf("%v per cent", preview.Percent)
		}
		imps, err := h.Imports(t.Context(), h.admin)
		h.must(err)
		_, err = h.ApplyImport(t.Context(), h.admin, imps[0].ID, true)
		h.must(err)
		equal(t, "7b", h.find(h.admin, "7b"), []string{"GYM-1"})
		equal(t, "7a", h.find(h.admin, "7a"), []string{"GYM-2"})
		if len(drain(t, s)) == 0 {
			t.Error("nobody heard of it")
		}
	})
}

func TestImportTeachersAndGroups(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx, h := t.Context(), build(t, s)
		file := "Anrede;Vorname;Nachname;E-Mail;Klassen\nFrau;Ida;Ihle;ida@schule.example;7a, 7b\nHerr;Ole;Ott;ole@schule.example;7a\n"
		h.counts(roster.ImportTeachers, file, roster.Counts{Created: 4})
		groups, _, err := h.Groups(ctx, h.admin, roster.GroupFilter{Query: "7a"})
		h.must(err)
		if len(groups) != 1 || len(groups[0].Teachers) != 2 || groups[0].Teachers[0].Name != "Frau Ihle" {
			t.Fatalf("groups %+v", groups)
		}
		ida, err := s.FindLogin(ctx, "ida@schule.example")
		h.must(err)
		if !ida.Invited || !may.Can(may.Actor{Grants: ida.Grants}, may.ModeStart, h.school.Branch()) {
			t.Errorf("ida is %+v", ida)
		}
		h.counts(roster.ImportTeachers, file, roster.Counts{Same: 2})
		rooms, err := h.bring(roster.ImportGroups, "Name;Art;Raum;Lehrkraft\n7a;Klasse;B12;ole@schule.example\nKoffer B;Koffer;;\nnirgends;Klasse;;wer@schule.example\n")
		want(t, err, "import.sure")
		if rooms.Counts != (roster.Counts{Created: 1, Updated: 1, Skipped: 1}) {
			t.Errorf("groups: %+v", rooms.Counts)
		}
		// A login of another authority cannot be taken over.
		h.must(s.CreateStaff(ctx, may.System("test", h.abroad.Branch()), personOf(h.abroad, "fremd@schule.example"), "", noCode))
		_, err = h.bring(roster.ImportTeachers, "Name;E-Mail\nWer Auchimmer;fremd@schule.example\nIda Ihle;ida@schule.example\nOle Ott;ole@schule.example\n")
		if key := fault(err); key != "staff.login_taken" && key != "import.sure" {
			t.Errorf("took over a foreign login: %v", err)
		}
		// Removed: the role and the classes go, the person stays.
		_, err = h.bring(roster.ImportTeachers, "Anrede;Vorname;Nachname;E-Mail;Klassen\nFrau;Ida;Ihle;ida@schule.example;7a, 7b\n")
		want(t, err, "import.sure")
		imps, err := h.Imports(ctx, h.admin)
		h.must(err)
		_, err = h.ApplyImport(ctx, h.admin, imps[0].ID, true)
		h.must(err)
		ole, err := s.FindLogin(ctx, "ole@schule.example")
		h.must(err)
		if len(ole.Grants) != 0 {
			t.Errorf("ole still has %+v", ole.Grants)
		}
	})
}

func TestImportProfileIsRemembered(t *testing.T) {
	ctx, h := t.Context(), build(t, storetest.Open(t))
	file := []byte("Nr;Was\nG1;iPad\n")
	imp, err := h.BeginImport(ctx, h.admin, h.school.ID, roster.ImportDevices, "x.csv", "Träger", file)
	h.must(err)
	_, err = h.MapImport(ctx, h.admin, imp.ID, []roster.Field{"", roster.FieldPlatform})
	want(t, err, "import.field_missing")
	_, err = h.MapImport(ctx, h.admin, imp.ID, []roster.Field{roster.FieldName, roster.FieldName})
	want(t, err, "import.field_twice")
	_, err = h.MapImport(ctx, h.admin, imp.ID, []roster.Field{roster.FieldName, roster.FieldPlatform})
	h.must(err)
	_, err = h.ApplyImport(ctx, h.admin, imp.ID, false)
	h.must(err)
	again, err := h.BeginImport(ctx, h.admin, h.school.ID, roster.ImportDevices, "y.csv", "Träger", file)
	h.must(err)
	if again.Columns[0] != roster.FieldName || again.Columns[1] != roster.FieldPlatform {
		t.Errorf("columns %v", again.Columns)
	}
	done, err := h.Import(ctx, h.admin, imp.ID)
	h.must(err)
	if len(done.Table.Rows) != 0 {
		t.Error("the file was kept after the import")
	}
}

// A Gymnasium's export has some 12,000 rows; a person waits for the answer.
func TestImportOfTwelveThousandRows(t *testing.T) {
	h := build(t, storetest.Open(t))
	var file strings.Builder
	file.WriteString("Inventarnummer;Seriennummer;Klasse\n")
	for n := range 12_000 {
		fmt.Fprintf(&file, "GYM-%05d;SN%05d;%d%c\n", n, n, 5+n%8, 'a'+n%4)
	}
	start := time.Now()
	preview, err := h.bring(roster.ImportDevices, file.String())
	h.must(err)
	if preview.Counts.Skipped > 0 || preview.Counts.Created < 12_000 {
		t.Errorf("counts %+v", preview.Counts)
	}
	t.Logf("12,000 rows in %v", time.Since(start).Round(time.Millisecond))
	h.counts(roster.ImportDevices, file.String(), roster.Counts{Same: 12_000})
}

func FuzzReadTable(f *testing.F) {
	for _, seed := range []string{"Name;Klasse\nMüller;7a\n", "\"a\",b\n1,2", "sep=;\na;b\n1;2", "\xEF\xBB\xBFa\tb\n1\t2", "a|b\n\"\n", "\xFF\xFEa\x00;\x00b\x00\n\x001\x00;\x002\x00", "M\xFCller;x\n1;2", "sep=\"\n\"\"\""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		table, err := roster.ReadTable(data)
		if err != nil {
			if !errs.Is(err, errs.Invalid) {
				t.Errorf("a file can only be invalid: %v", err)
			}
			return
		}
		line := 0
		for _, row := range table.Rows {
			if row.Line <= line {
				t.Errorf("line %d after line %d", row.Line, line)
			}
			line = row.Line
		}
	})
}

func FuzzReadHost(f *testing.F) {
	for _, seed := range []string{"https://www.geogebra.org/x?y", "=a.example", "*.b.example", "user@c.example:80", "10.0.0.1", "BÜCHER.de", "//d.example", "xn--.x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, word string) {
		host, ok := roster.ReadHost(word)
		if !ok {
			return
		}
		again, ok := roster.ReadHost(host)
		if !ok || again != host {
			t.Errorf("%q became %q, then %q (%v)", word, host, again, ok)
		}
	})
}
