package storetest

import (
	"context"
	"database/sql"
	"strings"
	"sync"
	"testing"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/ids"
	"schulwart.org/server/may"
	"schulwart.org/server/staff"
	"schulwart.org/server/store"
)

// addresses knows where the open stores are.
var addresses sync.Map

// Exec runs a statement beside the store, for what no room can do: to plant a
// row, or to damage one.
func Exec(t testing.TB, s *store.Store, statement string, args ...any) {
	t.Helper()
	beside(t, s, func(db *sql.DB) {
		if _, err := db.ExecContext(context.Background(), statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	})
}

// Ask returns the first column of the only row of a query, as text.
func Ask(t testing.TB, s *store.Store, query string, args ...any) string {
	t.Helper()
	var answer sql.NullString
	beside(t, s, func(db *sql.DB) {
		if err := db.QueryRowContext(context.Background(), query, args...).Scan(&answer); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	})
	return answer.String
}

func beside(t testing.TB, s *store.Store, do func(db *sql.DB)) {
	t.Helper()
	address, ok := addresses.Load(s)
	if !ok {
		t.Fatal("storetest did not open this store")
	}
	driver, source := "pgx", address.(string)
	if file, ok := strings.CutPrefix(source, "sqlite:"); ok {
		driver, source = "sqlite", "file:"+file+"?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	do(db)
}

// School plants an authority with one school and one class in it.
func School(t testing.TB, s *store.Store) (school org.Branch, class org.ID) {
	t.Helper()
	school, class = org.Branch{Authority: ids.New(), School: ids.New()}, ids.New()
	Exec(t, s, `INSERT INTO authorities (id, name, timezone, created) VALUES ($1, 'Stadt Musterhausen', 'Europe/Berlin', 1)`, school.Authority)
	Exec(t, s, `INSERT INTO schools (authority, id, name, created) VALUES ($1, $2, 'Grundschule am Wald', 1)`, school.Authority, school.School)
	Exec(t, s, `INSERT INTO school_groups (authority, id, school, kind, name, created) VALUES ($1, $2, $3, 'class', '4b', 1)`, school.Authority, class, school.School)
	return school, class
}

// Person plants somebody with one role in a branch and returns them as they act.
func Person(t testing.TB, s *store.Store, name string, role may.Role, branch org.Branch, created time.Time) may.Actor {
	t.Helper()
	salutation, plain := staff.ReadName(name)
	person := staff.Person{
		ID: ids.New(), Authority: branch.Authority, Salutation: salutation, Name: plain, Login: ids.New().String() + "@example.org",
		Grants: []may.Grant{{Role: role, Branch: branch}}, Created: created, Source: "hand",
	}
	if err := s.CreateStaff(t.Context(), may.System("test", branch), person, "", staff.Code{}); err != nil {
		t.Fatal(err)
	}
	return may.Actor{ID: person.ID, Name: person.Display(), Login: person.Login, Grants: person.Grants, Via: "test"}
}

// Enrol plants the enrolment of a device and returns it.
func Enrol(t testing.TB, s *store.Store, school org.Branch, device org.ID) org.ID {
	t.Helper()
	id := ids.New()
	Exec(t, s, `INSERT INTO enrolments (authority, id, device, school, udid, state, created, changed) VALUES ($1, $2, $3, $4, $5, 'enrolled', 1, 1)`,
		school.Authority, id, device, school.School, device)
	return id
}
