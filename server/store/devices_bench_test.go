package store_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/ids"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

// fleet is an installation of many devices: 12 authorities, 158 schools, as in
// the largest that we plan for, each device with a person and in a class.
func fleet(b *testing.B, devices int) (*store.Store, org.Branch) {
	b.Helper()
	s, ctx := storetest.Open(b), b.Context()
	service := &roster.Service{Store: s, NewID: ids.New, Now: time.Now}
	operator := may.Actor{ID: "op", Grants: []may.Grant{{Role: may.Operator}}}
	var largest org.Branch
	schools, left := 158, devices
	var authority roster.Authority
	for n := range schools {
		var err error
		if n%13 == 0 {
			authority, err = service.CreateAuthority(ctx, operator, fmt.Sprintf("Träger %d", n/13), "")
			check(b, err)
		}
		school, err := service.CreateSchool(ctx, operator, authority.ID, fmt.Sprintf("Schule %03d", n), "")
		check(b, err)
		if n == 0 {
			largest = school.Branch()
		}
		part := left / (schools - n)
		left -= part
		plan := roster.Plan{Source: "import:bench"}
		for g := range 20 {
			plan.CreateGroups = append(plan.CreateGroups, roster.Group{Authority: authority.ID, ID: ids.New(), School: school.ID, Kind: org.Class, Name: fmt.Sprintf("%d%c", 5+g/4, 'a'+g%4), Source: "bench"})
		}
		for d := range part {
			person := roster.Person{Authority: authority.ID, ID: ids.New(), School: school.ID, Name: fmt.Sprintf("%s %s", firstNames[d%len(firstNames)], lastNames[(d/7+n)%len(lastNames)]), Source: "bench", Created: time.Now()}
			device := roster.Device{Authority: authority.ID, ID: ids.New(), School: school.ID, Name: fmt.Sprintf("S%03d-NB-%04d", n, d), Serial: fmt.Sprintf("C%03dX%05d", n, d), Platform: org.Linux, Person: person.ID, Source: "bench", Created: time.Now()}
			plan.CreatePersons, plan.CreateDevices = append(plan.CreatePersons, person), append(plan.CreateDevices, device)
			plan.AddMembers = append(plan.AddMembers, roster.Link{Group: plan.CreateGroups[d%20].ID, Member: device.ID})
		}
		imp := roster.Import{Authority: authority.ID, ID: ids.New(), School: school.ID, What: roster.ImportDevices, Profile: "bench", State: roster.Mapping, Created: time.Now()}
		permit, err := may.Do(operator, may.RosterImport, school.Branch())
		check(b, err)
		check(b, s.CreateImport(ctx, permit, imp))
		check(b, s.ApplyImport(ctx, permit, imp, plan))
	}
	return s, largest
}

var (
	firstNames = []string{"Mia", "Ben", "Zoë", "Jonas", "Emma", "Ali", "Lea", "Finn", "Ida", "Paul", "Nele"}
	lastNames  = []string{"Müller", "Schmidt", "Schneider", "Fischer", "Weber", "Meyer", "Wagner", "Becker", "Schulz", "Hoffmann", "Koch", "Richter", "Klein", "Wolf", "Neumann", "Schwarz", "Yılmaz", "Öztürk", "Nowak"}
)

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkSearch looks for devices among 60,000 as a help desk and as a school
// admin do. The budget is 50 ms each.
func BenchmarkSearch(b *testing.B) {
	devices := benchDevices()
	s, school := fleet(b, devices)
	everywhere := []org.Branch{{}}
	for _, c := range []struct {
		name     string
		branches []org.Branch
		filter   roster.DeviceFilter
	}{
		{"help desk, inventory number", everywhere, roster.DeviceFilter{Query: "s017-nb-0042"}},
		{"help desk, number alone", everywhere, roster.DeviceFilter{Query: "42"}},
		{"help desk, serial", everywhere, roster.DeviceFilter{Query: "c017x00042"}},
		{"help desk, surname", everywhere, roster.DeviceFilter{Query: "schmidt"}},
		{"help desk, two words", everywhere, roster.DeviceFilter{Query: "zoe yılmaz"}},
		{"help desk, class", everywhere, roster.DeviceFilter{Query: "7a"}},
		{"help desk, one letter", everywhere, roster.DeviceFilter{Query: "s"}},
		{"help desk, common and rare", everywhere, roster.DeviceFilter{Query: "nb 0379"}},
		{"help desk, common words that never meet", everywhere, roster.DeviceFilter{Query: "mia ben"}},
		{"help desk, nothing", everywhere, roster.DeviceFilter{Query: "gibtesnicht"}},
		{"operator, first page", everywhere, roster.DeviceFilter{}},
		{"authority, surname", []org.Branch{{Authority: school.Authority}}, roster.DeviceFilter{Query: "schmidt"}},
		{"school, first page", []org.Branch{school}, roster.DeviceFilter{}},
		{"school, surname", []org.Branch{school}, roster.DeviceFilter{Query: "schmidt"}},
		{"school, one letter", []org.Branch{school}, roster.DeviceFilter{Query: "s"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var longest time.Duration
			for b.Loop() {
				start := time.Now()
				if _, _, err := s.ListDevices(b.Context(), c.branches, c.filter, start); err != nil {
					b.Fatal(err)
				}
				longest = max(longest, time.Since(start))
			}
			b.ReportMetric(float64(longest.Microseconds())/1000, "ms-max")
		})
	}
}

// benchDevices is 60,000, or what SCHULWART_BENCH_DEVICES says.
func benchDevices() int {
	if n, err := strconv.Atoi(os.Getenv("SCHULWART_BENCH_DEVICES")); err == nil {
		return n
	}
	return 60_000
}
