package roster

import (
	"context"
	"slices"
	"sort"
	"strings"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Authorities lists the authorities that the actor sees something of.
func (s *Service) Authorities(ctx context.Context, actor may.Actor) ([]Authority, error) {
	return s.Store.ListAuthorities(ctx, may.Branches(actor, may.SchoolRead))
}

// CreateAuthority makes an authority.
func (s *Service) CreateAuthority(ctx context.Context, actor may.Actor, name, timezone string) (Authority, error) {
	permit, err := may.Do(actor, may.AuthorityNew, org.Branch{})
	if err != nil {
		return Authority{}, err
	}
	authority, err := s.NewAuthority(name, timezone)
	if err != nil {
		return Authority{}, err
	}
	return authority, s.Store.CreateAuthority(ctx, permit, authority)
}

// NewAuthority checks what an authority is made from, and makes it up without
// keeping it.
func (s *Service) NewAuthority(name, timezone string) (Authority, error) {
	if timezone == "" {
		timezone = "Europe/Berlin"
	}
	name, err := readName(name, "name")
	if err != nil {
		return Authority{}, err
	}
	if _, err := time.LoadLocation(timezone); err != nil {
		return Authority{}, errs.E(errs.Invalid, "authority.bad_timezone").In("timezone").Because(err)
	}
	return Authority{ID: s.NewID(), Name: name, Timezone: timezone, Created: s.Now().UTC()}, nil
}

// Schools lists schools that the actor may see, by name.
func (s *Service) Schools(ctx context.Context, actor may.Actor, query, cursor string, limit int) ([]School, string, error) {
	branches := may.Branches(actor, may.GroupRead) // teachers see their school's name too
	if len(branches) == 0 {
		return nil, "", errs.E(errs.Denied, "denied", "action", string(may.GroupRead))
	}
	return s.Store.ListSchools(ctx, branches, query, cursor, limit)
}

// School returns one school.
func (s *Service) School(ctx context.Context, actor may.Actor, id org.ID) (School, error) {
	school, err := s.Store.FindSchool(ctx, id)
	if err != nil {
		return School{}, err
	}
	_, err = may.Do(actor, may.GroupRead, school.Branch())
	return school, err
}

// CreateSchool makes a school in an authority.
func (s *Service) CreateSchool(ctx context.Context, actor may.Actor, authority org.ID, name, short string) (School, error) {
	permit, err := may.Do(actor, may.SchoolCreate, org.Branch{Authority: authority})
	if err != nil {
		return School{}, err
	}
	if _, err := s.Store.FindAuthority(ctx, authority); err != nil {
		return School{}, err
	}
	school, err := s.NewSchool(authority, name, short)
	if err != nil {
		return School{}, err
	}
	return school, s.Store.CreateSchool(ctx, permit, school)
}

// NewSchool checks what a school is made from, and makes it up without keeping
// it.
func (s *Service) NewSchool(authority org.ID, name, short string) (School, error) {
	name, err := readName(name, "school")
	if err != nil {
		return School{}, err
	}
	return School{Authority: authority, ID: s.NewID(), Name: name, Short: clip(strings.TrimSpace(short), 12), Created: s.Now().UTC()}, nil
}

// UpdateSchool changes a school's settings.
func (s *Service) UpdateSchool(ctx context.Context, actor may.Actor, id org.ID, change SchoolUpdate) (School, error) {
	before, err := s.Store.FindSchool(ctx, id)
	if err != nil {
		return School{}, err
	}
	permit, err := may.Do(actor, may.SchoolWrite, before.Branch())
	if err != nil {
		return School{}, err
	}
	after := before
	if change.Name != nil {
		if after.Name, err = readName(*change.Name, "name"); err != nil {
			return School{}, err
		}
	}
	if change.Short != nil {
		after.Short = clip(strings.TrimSpace(*change.Short), 12)
	}
	if change.Number != nil {
		after.Number = clip(strings.TrimSpace(*change.Number), 40)
	}
	if change.Minutes != nil {
		after.Minutes = *change.Minutes
	}
	if after.Minutes < 0 || after.Minutes > int(LongestLesson/time.Minute) {
		return School{}, errs.E(errs.Invalid, "mode.too_long", "minutes", int(LongestLesson/time.Minute)).In("default_minutes")
	}
	if change.Bells != nil {
		if after.Bells, err = checkBells(*change.Bells); err != nil {
			return School{}, err
		}
	}
	return after, s.Store.UpdateSchool(ctx, permit, before, after)
}

func checkBells(bells []Bell) ([]Bell, error) {
	sorted := slices.Clone(bells)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i].From < sorted[j].From })
	for i, bell := range sorted {
		if bell.From < 0 || bell.Until > 24*60 || bell.Until <= bell.From || i > 0 && bell.From < sorted[i-1].Until {
			return nil, errs.E(errs.Invalid, "school.bad_bells", "line", i+1).In("bells")
		}
	}
	return sorted, nil
}

// ReadBells reads lines such as "08:00-08:45".
func ReadBells(text string) ([]Bell, error) {
	var bells []Bell
	for i, line := range strings.Split(text, "\n") {
		line = strings.ReplaceAll(strings.TrimSpace(line), "–", "-")
		if line == "" {
			continue
		}
		from, until, found := strings.Cut(line, "-")
		start, startErr := time.Parse("15:04", strings.TrimSpace(from))
		end, endErr := time.Parse("15:04", strings.TrimSpace(until))
		if !found || startErr != nil || endErr != nil {
			return nil, errs.E(errs.Invalid, "school.bad_bells", "line", i+1).In("bells")
		}
		bells = append(bells, Bell{From: start.Hour()*60 + start.Minute(), Until: end.Hour()*60 + end.Minute()})
	}
	return checkBells(bells)
}

// PeriodAt returns the lesson that runs in the school at the instant. Days of
// the weekend have none.
func (s School) PeriodAt(at time.Time) (Period, bool) {
	zone, err := time.LoadLocation(s.Timezone)
	if err != nil {
		zone = time.UTC
	}
	local := at.In(zone)
	if day := local.Weekday(); day == time.Saturday || day == time.Sunday {
		return Period{}, false
	}
	for i, bell := range s.Bells {
		// Clock times, not durations since midnight: two days a year differ.
		start := time.Date(local.Year(), local.Month(), local.Day(), bell.From/60, bell.From%60, 0, 0, zone)
		end := time.Date(local.Year(), local.Month(), local.Day(), bell.Until/60, bell.Until%60, 0, 0, zone)
		if !local.Before(start) && local.Before(end) {
			return Period{Number: i + 1, Start: start.UTC(), End: end.UTC()}, true
		}
	}
	return Period{}, false
}

// LessonEnd returns when a mode or a substitution that begins now ends if
// nobody says otherwise: with the running lesson, else after the school's usual
// length.
func (s School) LessonEnd(at time.Time) time.Time {
	// The last moments of a lesson belong to the next: who starts then means it.
	if period, runs := s.PeriodAt(at); runs && period.End.Sub(at) >= 3*time.Minute {
		return period.End
	}
	length := DefaultLesson
	if s.Minutes > 0 {
		length = time.Duration(s.Minutes) * time.Minute
	}
	return at.Add(length).UTC().Truncate(time.Second)
}

// Period returns the lesson that runs now in a school.
func (s *Service) Period(ctx context.Context, actor may.Actor, school org.ID) (Period, bool, error) {
	found, err := s.School(ctx, actor, school)
	if err != nil {
		return Period{}, false, err
	}
	period, runs := found.PeriodAt(s.Now())
	return period, runs, nil
}

// LessonEnd returns the default end of what begins now in a school.
func (s *Service) LessonEnd(ctx context.Context, school org.ID) (time.Time, error) {
	found, err := s.Store.FindSchool(ctx, school)
	if err != nil {
		return time.Time{}, err
	}
	return found.LessonEnd(s.Now()), nil
}

// longestName is how many characters a name has at most.
const longestName = 120

func readName(typed, field string) (string, error) {
	name := strings.Join(strings.Fields(typed), " ")
	if name == "" {
		return "", errs.E(errs.Invalid, "roster.no_name").In(field)
	}
	if len([]rune(name)) > longestName {
		return "", errs.E(errs.Invalid, "roster.long_name", "most", longestName).In(field)
	}
	return name, nil
}

func clip(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n])
	}
	return text
}
