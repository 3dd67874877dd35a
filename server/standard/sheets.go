package standard

import (
	"context"
	"sort"
	"strconv"
	"strings"
	"time"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/org"
	"schulwart.org/policies/sheet"
	"schulwart.org/server/may"
)

// SheetStore finds places as sheets name them.
type SheetStore interface {
	// SayingPlaces lists the places of a branch that say something themselves or
	// have an exception that is not over, the highest first.
	SayingPlaces(ctx context.Context, branch org.Branch, at time.Time) ([]Place, error)
	// NamedPlace finds a place by its names: NotFound if there is none, Conflict
	// if there are several.
	NamedPlace(ctx context.Context, names sheet.Place) (Place, error)
	// StaffLogin and StaffByLogin translate between people and their logins.
	StaffLogin(ctx context.Context, staff org.ID) (string, error)
	StaffByLogin(ctx context.Context, login string) (org.ID, error)
}

// Sheets returns what every place of a branch says, as far as the actor may read
// it, without secrets.
func (s *Service) Sheets(ctx context.Context, actor may.Actor, branch org.Branch) ([]sheet.Sheet, error) {
	if _, err := may.Do(actor, may.PolicyRead, branch); err != nil {
		return nil, err
	}
	said, err := s.sheets(ctx, branch)
	for _, one := range said {
		for name, family := range one.sheet.Families {
			if known, ok := catalog.Find(name); ok && known.HasSecrets() {
				family.Settings = mask(known, family.Settings)
				one.sheet.Families[name] = family
			}
		}
	}
	return plainSheets(said), err
}

// placed is a sheet with the place that it is about.
type placed struct {
	sheet      sheet.Sheet
	place      Place
	exceptions []Exception // in the order of the sheet's
}

func plainSheets(list []placed) []sheet.Sheet {
	sheets := make([]sheet.Sheet, len(list))
	for i, one := range list {
		sheets[i] = one.sheet
	}
	return sheets
}

// sheets reads what a branch says, secrets included.
func (s *Service) sheets(ctx context.Context, branch org.Branch) ([]placed, error) {
	places, err := s.Store.SayingPlaces(ctx, branch, s.now())
	if err != nil {
		return nil, err
	}
	list := make([]placed, 0, len(places))
	for _, place := range places {
		one := placed{place: place, sheet: sheet.Sheet{Place: place.names(), Families: map[string]sheet.Family{}}}
		said, err := s.Store.SaidAt(ctx, place)
		if err != nil {
			return nil, err
		}
		for name, say := range said {
			if !say.Empty() {
				one.sheet.Families[name] = sheet.Family{Settings: say.Settings, Holds: say.holds()}
			}
		}
		if err := s.addExceptions(ctx, &one); err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, nil
}

func (s *Service) addExceptions(ctx context.Context, one *placed) error {
	exceptions, _, err := s.Store.ListExceptions(ctx, []org.Branch{{}}, ExceptionFilter{Place: &one.place.Place, Limit: 200}, s.Now())
	if err != nil {
		return err
	}
	sort.Slice(exceptions, func(i, j int) bool {
		a, b := exceptions[i], exceptions[j]
		return a.Family+"\x00"+a.Field+"\x00"+a.Reason < b.Family+"\x00"+b.Field+"\x00"+b.Reason
	})
	for _, e := range exceptions {
		if e.Asked.What == AskEnd {
			continue // the files have no word for an end that waits; it is wanted
		}
		login, err := s.Store.StaffLogin(ctx, e.Owner)
		if err != nil {
			return err
		}
		one.exceptions = append(one.exceptions, e)
		// When it began says nothing about what is wanted; only a beginning to come
		// does.
		written := sheet.Exception{Family: e.Family, Field: e.Field, Value: e.Value, Owner: login, Reason: e.Reason, Until: e.Until}
		if e.Starts.After(s.now()) {
			written.Starts = e.Starts
		}
		if e.Asked.What == AskExtend {
			written.Until = e.Asked.Until // it is wanted, and waits
		}
		// Files tell time in seconds; what they cannot say is no difference.
		written.Starts, written.Until = written.Starts.Truncate(time.Second), written.Until.Truncate(time.Second)
		one.sheet.Exceptions = append(one.sheet.Exceptions, written)
	}
	return nil
}

// names are those by which a sheet calls the place.
func (p Place) names() sheet.Place {
	switch p.Level {
	case org.Authority:
		return sheet.Place{Authority: p.Name}
	case org.School:
		return sheet.Place{Authority: p.Authority, School: p.Name}
	case org.Group:
		return sheet.Place{Authority: p.Authority, School: p.School, Group: p.Name}
	case org.Device:
		return sheet.Place{Authority: p.Authority, School: p.School, Device: p.Name}
	}
	return sheet.Place{}
}

// Written are sheets as files. Two places whose names make one path get numbers.
func Written(sheets []sheet.Sheet) ([]sheet.File, error) {
	files := make([]sheet.File, 0, len(sheets))
	seen := map[string]int{}
	for _, one := range sheets {
		path := one.Place.Path()
		if seen[path]++; seen[path] > 1 {
			path = strings.TrimSuffix(path, ".yaml") + "-" + strconv.Itoa(seen[one.Place.Path()]) + ".yaml"
		}
		text, err := sheet.Write(one, "")
		if err != nil {
			return nil, err
		}
		files = append(files, sheet.File{Path: path, Content: text})
	}
	return files, nil
}
