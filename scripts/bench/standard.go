package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/policies/presets"
)

// The installation of an association of municipalities.
const (
	manySchools     = 158
	classesOfSchool = 15
)

// measureStandard computes what every device of a large installation should have
// from the policies of all levels: two presets above everything, a third of the
// schools and one class in each with something of their own.
func (b *bench) measureStandard() error {
	schools, err := b.schools()
	if err != nil {
		return err
	}
	at := time.Now()
	everything := func() int {
		different := map[string]bool{}
		for _, s := range schools {
			known := map[string]bool{}
			for _, device := range s.devices {
				if key, alike := s.snapshot.Alike(device); alike && known[key] {
					continue
				} else if alike {
					known[key] = true
				}
				different[desired.For(s.snapshot, device, at).Token] = true
			}
		}
		return len(different)
	}
	everything() // what is computed once for all devices
	rest := heap()
	used := cpu(os.Getpid())
	answers := everything()
	used = cpu(os.Getpid()) - used
	kept := heap() - rest
	row(fmt.Sprintf("everything anew for %d devices", b.rows), fmt.Sprintf("%.2f CPU-s", used.Seconds()), "≤ 3 CPU-s", fmt.Sprintf("%d schools, %d different answers; devices alike share one, as on the server; computation alone", len(schools), answers))
	row("memory that it leaves behind", fmt.Sprintf("%.1f MB", float64(max(kept, 0))/1e6), "flat", "heap after it, less before")

	one := schools[0]
	class := one.devices[0].Groups[0]
	policies := one.snapshot.Policies
	n := 0
	took, err := median(func() error {
		n++
		said := desired.Policy{Place: desired.Place{Level: org.Group, ID: class}, Family: "webfilter", Settings: map[string]any{"deny": []any{fmt.Sprintf("neu-%d.example", n)}}}
		snapshot := one.snapshot
		snapshot.Policies = append(slices.Clone(policies), said)
		for _, device := range one.devices {
			if slices.Contains(device.Groups, class) {
				desired.For(snapshot, device, at)
			}
		}
		return nil
	})
	row("a change in one class", took.Round(10*time.Microsecond).String(), "≤ 5 ms", "median of 20, its devices and no others, computation alone")
	return err
}

type benchSchool struct {
	snapshot desired.Snapshot
	devices  []desired.Device
}

func (b *bench) schools() ([]benchSchool, error) {
	sets, err := presets.Sets()
	if err != nil {
		return nil, err
	}
	var above []desired.Policy
	levels := []desired.Place{{Level: org.Operator}, {Level: org.Authority, ID: "a"}}
	for i, place := range levels {
		for name, family := range sets[i].Sheet.Families {
			above = append(above, desired.Policy{Place: place, Family: name, Settings: family.Settings, Holds: family.Holds})
		}
	}
	deny := func(place desired.Place, host string) desired.Policy {
		return desired.Policy{Place: place, Family: "webfilter", Settings: map[string]any{"deny": []any{host}}}
	}
	schools := make([]benchSchool, manySchools)
	for i := range schools {
		id := org.ID(fmt.Sprintf("s%d", i))
		s := &schools[i]
		s.snapshot = desired.Snapshot{Issuer: "bench", Branch: org.Branch{Authority: "a", School: id}, Name: "Schule " + id.String(), Policies: slices.Clone(above)}
		if i%3 == 0 {
			s.snapshot.Policies = append(s.snapshot.Policies,
				deny(desired.Place{Level: org.School, ID: id}, id.String()+".example"),
				deny(desired.Place{Level: org.Group, ID: id + "c0"}, id.String()+"c0.example"))
		}
		for n := i; n < b.rows; n += manySchools {
			platform := org.Linux
			if n%3 == 0 {
				platform = org.IPadOS
			}
			class := id + org.ID(fmt.Sprintf("c%d", (n/manySchools)%classesOfSchool))
			s.devices = append(s.devices, desired.Device{ID: org.ID(fmt.Sprintf("d%d", n)), Enrolment: "e", Platform: platform, Supervised: true, Groups: []org.ID{class}, Schema: 1})
		}
	}
	return schools, nil
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // no heap is that large
}
