package roster

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"schulwart.org/server/errs"
)

// Bounds of a file.
const (
	largestFile = 16 << 20
	mostRows    = 60_000
	mostColumns = 100
	longestCell = 2_000
)

// Table is a file of rows, read.
type Table struct {
	Header []string `json:"header"`
	Rows   []Row    `json:"rows"`
}

// Row is one line of a file; Line counts from 1 as editors do.
type Row struct {
	Line  int      `json:"line"`
	Cells []string `json:"cells"`
}

// ReadTable reads CSV as school programs write it: UTF-8 with or without a byte
// order mark, UTF-16 or Windows-1252; separated by comma, semicolon, tab or
// bar; quoted or not. The first line names the columns. Cells are trimmed; lines
// without content are left out.
func ReadTable(data []byte) (Table, error) {
	if len(data) > largestFile {
		return Table{}, errs.E(errs.Invalid, "import.too_large", "megabytes", largestFile>>20).In("file")
	}
	text, err := decode(data)
	if err != nil {
		return Table{}, err
	}
	text, comma := separator(text)
	table, err := parse(text, comma)
	if err != nil {
		return Table{}, err
	}
	if len(table.Header) == 0 || len(table.Rows) == 0 {
		return Table{}, errs.E(errs.Invalid, "import.empty").In("file")
	}
	return table, nil
}

// decode returns the file as UTF-8.
func decode(data []byte) (string, error) {
	if bytes.HasPrefix(data, []byte{0xFF, 0xFE}) || bytes.HasPrefix(data, []byte{0xFE, 0xFF}) {
		text, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(data)
		if err != nil {
			return "", errs.E(errs.Invalid, "import.not_text").In("file").Because(err)
		}
		data = text
	}
	data = bytes.TrimPrefix(data, []byte{0xEF, 0xBB, 0xBF})
	if bytes.IndexByte(data, 0) >= 0 {
		return "", errs.E(errs.Invalid, "import.not_text").In("file")
	}
	if utf8.Valid(data) {
		return string(data), nil
	}
	text, err := charmap.Windows1252.NewDecoder().Bytes(data)
	if err != nil {
		return "", errs.E(errs.Invalid, "import.not_text").In("file").Because(err)
	}
	return string(text), nil
}

// separator finds what stands between the columns, from the first lines. A
// first line "sep=;", as Excel writes it, decides and is taken off.
func separator(text string) (string, rune) {
	first, rest, _ := strings.Cut(text, "\n")
	if named, found := strings.CutPrefix(strings.TrimSpace(first), "sep="); found && len(named) == 1 {
		return rest, rune(named[0])
	}
	best, most := ',', 0
	for _, comma := range []rune{';', ',', '\t', '|'} {
		if score := consistency(text, comma); score > most {
			best, most = comma, score
		}
	}
	return text, best
}

// consistency says how well a separator fits: the number of columns of the
// first line, times how many of the next lines have as many.
func consistency(text string, comma rune) int {
	reader := reader(text, comma)
	header, err := reader.Read()
	if err != nil || len(header) < 2 {
		return 0
	}
	score := len(header)
	for range 30 {
		record, err := reader.Read()
		if err != nil {
			break
		}
		if len(record) == len(header) {
			score += len(header)
		}
	}
	return score
}

func reader(text string, comma rune) *csv.Reader {
	reader := csv.NewReader(strings.NewReader(text))
	reader.Comma = comma
	reader.LazyQuotes = true
	reader.FieldsPerRecord = -1
	return reader
}

func parse(text string, comma rune) (Table, error) {
	if comma == '"' || comma == '\r' || comma == '\n' || comma > 126 || comma < '\t' {
		return Table{}, errs.E(errs.Invalid, "import.not_text").In("file")
	}
	reader := reader(text, comma)
	var table Table
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return table, nil
		}
		if err != nil {
			return Table{}, errs.E(errs.Invalid, "import.not_csv").In("file").Because(err)
		}
		line, _ := reader.FieldPos(0)
		if len(record) > mostColumns {
			return Table{}, errs.E(errs.Invalid, "import.too_many_columns", "most", mostColumns, "line", line).In("file")
		}
		if !clean(record) {
			continue
		}
		if table.Header == nil {
			table.Header = record
			continue
		}
		if len(table.Rows) == mostRows {
			return Table{}, errs.E(errs.Invalid, "import.too_many_rows", "most", mostRows).In("file")
		}
		table.Rows = append(table.Rows, Row{Line: line, Cells: record})
	}
}

// clean trims the cells and reports whether any has content.
func clean(record []string) bool {
	content := false
	for i, cell := range record {
		cell = strings.Join(strings.Fields(strings.ToValidUTF8(cell, "")), " ")
		record[i] = clip(cell, longestCell)
		content = content || cell != ""
	}
	return content
}
