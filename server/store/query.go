package store

import (
	"strconv"
	"strings"

	"schulwart.org/policies/org"
	"schulwart.org/server/ids"
)

// query is a statement that is put together from parts. A "?" in a part stands
// for the next parameter.
type query struct {
	sql  strings.Builder
	args []any
}

func newQuery(sql string, args ...any) *query {
	q := &query{}
	q.add(sql, args...)
	return q
}

func (q *query) add(sql string, args ...any) {
	for _, part := range strings.SplitAfter(sql, "?") {
		if before, found := strings.CutSuffix(part, "?"); found {
			q.args = append(q.args, args[0])
			args = args[1:]
			part = before + "$" + strconv.Itoa(len(q.args))
		}
		q.sql.WriteString(part)
	}
}

func (q *query) text() string { return q.sql.String() }

// oneOf adds the condition that a column holds one of the values; with none it
// never does.
func oneOf[T any](q *query, column string, values []T) {
	if len(values) == 0 {
		q.add("1 = 0")
		return
	}
	q.add(column + " IN (")
	for i, value := range values {
		if i > 0 {
			q.add(", ")
		}
		q.add("?", value)
	}
	q.add(")")
}

// places adds the condition that a place lies in one of the branches. No branch
// at all is nowhere. One branch is written plainly, without OR, so that an index
// that begins with it can be used.
func (q *query) places(authority, school string, branches []org.Branch) {
	if branch, single := only(branches); single {
		q.place(authority, school, branch)
		return
	}
	q.add("(1 = 0")
	for _, branch := range branches {
		q.add(" OR ")
		q.place(authority, school, branch)
	}
	q.add(")")
}

func (q *query) place(authority, school string, branch org.Branch) {
	switch {
	case branch.Authority == "":
		q.add("1 = 1")
	case branch.School == "":
		q.add(authority+" = ?", branch.Authority)
	default:
		q.add(authority+" = ? AND "+school+" = ?", branch.Authority, branch.School)
	}
}

// only returns the branch if there is just one, so that a query can use the
// index that begins with it.
func only(branches []org.Branch) (org.Branch, bool) {
	if len(branches) == 1 {
		return branches[0], true
	}
	return org.Branch{}, false
}

// page adds order and bounds of a list that is read by cursor, ordered by a
// name and an id. It asks for one row more than it returns, so that the end is
// known.
func (q *query) page(name, id, cursor string, limit, usual int) int {
	if limit <= 0 {
		limit = usual
	}
	limit = min(limit, 500)
	if after, last, ok := ids.ReadCursor(cursor); ok {
		q.add(" AND ("+name+" > ? OR "+name+" = ? AND "+id+" > ?)", after, after, last)
	}
	q.add(" ORDER BY "+name+", "+id+" LIMIT ?", limit+1)
	return limit
}

const digits = "0123456789"

// natural orders names of groups as people do: 5a before 10a, Koffer 2 before
// Koffer 10, and classes before what begins with a letter. naturalKey says the
// same of one name.
func natural(name string) string {
	begins, ends := "LTRIM("+name+", '"+digits+"')", "RTRIM("+name+", '"+digits+"')"
	return "(CASE WHEN " + name + " = " + begins + " THEN '9' ELSE CAST(LENGTH(" + name + ") - LENGTH(" + begins + ") AS TEXT) END || " +
		ends + " || CASE WHEN " + name + " = " + ends + " THEN '' ELSE CAST(LENGTH(" + name + ") - LENGTH(" + ends + ") AS TEXT) END || " + name + ")"
}

func naturalKey(name string) string {
	begin, ends := "9", strings.TrimRight(name, digits)
	if n := len(name) - len(strings.TrimLeft(name, digits)); n > 0 {
		begin = strconv.Itoa(n)
	}
	end := ""
	if n := len(name) - len(ends); n > 0 {
		end = strconv.Itoa(n)
	}
	return begin + ends + end + name
}

// cut takes the extra row off and makes the cursor of the next page.
func cut[T any](rows []T, limit int, key func(T) (string, org.ID)) ([]T, string) {
	if len(rows) <= limit {
		return rows, ""
	}
	name, id := key(rows[limit-1])
	return rows[:limit], ids.Cursor(name, id.String())
}

// prefix makes a LIKE pattern of what somebody typed.
func prefix(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(text)) + "%"
}
