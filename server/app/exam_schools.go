package app

import (
	"context"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/exam/agenda"
	"schulwart.org/server/roster"
	"schulwart.org/server/store"
)

// ExamSchools reads files of planned examinations as the roster reads its own. It
// is exported for the tests of that room.
type ExamSchools struct {
	Store *store.Store
	// Zone is that of schools that name none which is known here.
	Zone *time.Location
}

// SchoolZone returns where a school is, and the zone of its clocks.
func (e ExamSchools) SchoolZone(ctx context.Context, id org.ID) (org.Branch, *time.Location, error) {
	school, err := e.Store.FindSchool(ctx, id)
	if err != nil {
		return org.Branch{}, nil, err
	}
	zone, err := time.LoadLocation(school.Timezone)
	if err != nil || school.Timezone == "" {
		zone = e.Zone
	}
	return school.Branch(), zone, nil
}

// ReadTable reads CSV.
func (e ExamSchools) ReadTable(data []byte) (agenda.Table, error) {
	read, err := roster.ReadTable(data)
	table := agenda.Table{Header: read.Header}
	for _, row := range read.Rows {
		table.Rows = append(table.Rows, agenda.Row{Line: row.Line, Cells: row.Cells})
	}
	return table, err
}
