package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/ids"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
	"schulwart.org/server/store"
)

// measureSearch measures the help desk's one field and a list of devices over a
// whole installation.
func (b *bench) measureSearch() error {
	ctx := context.Background()
	folder := filepath.Join(b.folder, "search")
	s, err := store.Open(ctx, store.Options{URL: "sqlite:" + filepath.Join(folder, "schulwart.db"), KeyFile: filepath.Join(folder, "key")})
	if err != nil {
		return err
	}
	defer s.Close() //nolint:errcheck // a temporary folder
	if err := b.populate(ctx, s); err != nil {
		return err
	}
	everywhere := []org.Branch{{}}
	for _, typed := range []string{"GYM-0123", "SN04", "zz-nothing", "SN GYM-0123", "GYM SN"} { // the last is the worst: two words that every device has
		took, err := median(func() error { _, err := s.Seek(ctx, everywhere, typed, 20); return err })
		if err != nil {
			return err
		}
		row(fmt.Sprintf("help desk finds %q in %d devices", typed, b.rows), took.Round(10*time.Microsecond).String(), "≤ 50 ms", "median of 20, store alone")
	}
	took, err := median(func() error {
		_, _, err := s.ListDevices(ctx, everywhere, roster.DeviceFilter{Limit: 50}, time.Now())
		return err
	})
	row(fmt.Sprintf("first page of %d devices", b.rows), took.Round(10*time.Microsecond).String(), "≤ 100 ms a page", "median of 20, store alone")
	return err
}

func (b *bench) populate(ctx context.Context, s *store.Store) error {
	room := &roster.Service{Store: s, NewID: ids.New, Now: time.Now}
	authority, err := room.CreateAuthority(ctx, operator, "Musterstadt", "Europe/Berlin")
	if err != nil {
		return err
	}
	const schools = 158
	for i := range schools {
		school, err := room.CreateSchool(ctx, operator, authority.ID, fmt.Sprintf("Schule %03d", i), "")
		if err != nil {
			return err
		}
		permit := may.System("bench", school.Branch())
		err = s.Atomically(ctx, func(ctx context.Context) error {
			for n := range b.rows / schools {
				number := i*(b.rows/schools) + n
				device := roster.Device{Authority: authority.ID, ID: ids.New(), School: school.ID, Name: fmt.Sprintf("GYM-%06d", number), Serial: fmt.Sprintf("SN%06d", number), Platform: org.Linux, Source: "hand", Created: time.Now()}
				if err := s.CreateDevice(ctx, permit, device); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func median(do func() error) (time.Duration, error) {
	var times []time.Duration
	for range 20 {
		began := time.Now()
		if err := do(); err != nil {
			return 0, err
		}
		times = append(times, time.Since(began))
	}
	return percentile(times, 0.5), nil
}
