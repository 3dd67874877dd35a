package rollout_test

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/licence"
	"schulwart.org/server/rollout"
	"schulwart.org/server/store/storetest"
)

var planned = flag.Int("planned", 2000, "devices of BenchmarkPlanning")

// BenchmarkPlanning plans a rollout to every device of a large installation in the
// database, lets all of them speak, and measures a minute's look at it, the pages,
// and what it takes to settle licences.
// It prints as scripts/bench does, which cannot plant so many enrolled devices.
func BenchmarkPlanning(b *testing.B) {
	ctx, s := context.Background(), storetest.Open(b)
	p := found(b, s, *planned)
	const schools = 158
	for i := range schools {
		storetest.Exec(b, s, `INSERT INTO schools (authority, id, name, created) VALUES ($1, $2, $2, 1)`, p.school.Authority, fmt.Sprintf("s%d", i))
	}
	storetest.Exec(b, s, `UPDATE devices SET school = 's' || (CAST(substr(id, 2) AS INTEGER) % 158)`)
	pack := p.webApp("1")
	wanted := rollout.New{
		Package: pack.ID, Level: org.Authority, Place: p.school.Authority, Rings: []ground.Ring{{Kind: ground.RingShare, Share: 5}, {Kind: ground.RingShare, Share: 20}, {Kind: ground.RingAll}},
		Gates: ground.Gates{Verified: 20, Failed: 2},
	}
	var view rollout.View
	used, err := spent(func() error {
		var err error
		if _, err := p.Preview(ctx, p.keller, wanted); err != nil {
			return err
		}
		view, err = p.Create(ctx, p.keller, wanted)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	devices := 0
	for _, ring := range view.Rings {
		devices += ring.Devices
	}
	row(fmt.Sprintf("planning a rollout to %d devices", devices), fmt.Sprintf("%.2f CPU-s", used.Seconds()), "≤ 1 CPU-s", "preview and creation, in the database")
	if err := p.everybodySpeaks(ctx, view.ID); err != nil {
		b.Fatal(err)
	}
	if err := p.measureLooks(ctx, view.ID, devices); err != nil {
		b.Fatal(err)
	}
}

func (p *city) measureLooks(ctx context.Context, id org.ID, devices int) error {
	const ticks = 60
	used, err := spent(func() error {
		for range ticks {
			p.at = p.at.Add(time.Minute)
			if err := p.Tick(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	row(fmt.Sprintf("a tick with a rollout to %d devices", devices), fmt.Sprintf("%.1f ms CPU", used.Seconds()*1000/ticks), "none", "mean of an hour; everybody has spoken, the rings go on")
	for _, look := range []struct {
		name   string
		filter rollout.DeviceFilter
	}{
		{"the devices of a rollout", rollout.DeviceFilter{Limit: 50}},
		{"the devices of its first ring", rollout.DeviceFilter{Limit: 50, Ring: 1}},
		{"the devices that failed for a reason", rollout.DeviceFilter{Limit: 50, Reason: "disk.full"}},
	} {
		took, err := median(func() error { _, _, err := p.Devices(ctx, p.keller, id, look.filter); return err })
		if err != nil {
			return err
		}
		row("first page of "+look.name, took.Round(10*time.Microsecond).String(), "≤ 100 ms a page", "median of 20, rooms and store")
	}
	took, err := median(func() error { _, err := p.Find(ctx, p.keller, id); return err })
	if err != nil {
		return err
	}
	row("a rollout with its figures", took.Round(10*time.Microsecond).String(), "≤ 100 ms a page", "median of 20, rooms and store")
	used, err = spent(func() error {
		_, err := p.Act(ctx, p.keller, id, rollout.DoRollBack)
		return err
	})
	if err != nil {
		return err
	}
	row(fmt.Sprintf("going back with %d devices", devices), fmt.Sprintf("%.2f CPU-s", used.Seconds()), "none", "once; all of them are weighed anew")
	used, err = spent(func() error {
		_, err := p.licences.Put(ctx, p.keller, licence.New{Authority: p.school.Authority, App: ground.App{Kind: ground.WebApp, Name: "moodle"}, Total: devices / 2})
		return err
	})
	if err != nil {
		return err
	}
	row(fmt.Sprintf("licences for half of %d devices", devices), fmt.Sprintf("%.2f CPU-s", used.Seconds()), "none", "a pool that begins to count")
	used, err = spent(func() error { return p.licences.Settle(ctx, p.school) })
	row("licences that are given out already", fmt.Sprintf("%.2f CPU-s", used.Seconds()), "none", "settled again, as when somebody comes or goes")
	return err
}

// everybodySpeaks has every device say that it has the package; one in fifty
// failed.
func (p *city) everybodySpeaks(ctx context.Context, id org.ID) error {
	n := 0
	used, err := spent(func() error {
		for chunk := range slices.Chunk(numbers(p.devices), 200) {
			err := p.store.Atomically(ctx, func(ctx context.Context) error {
				for _, i := range chunk {
					n++
					said := ddm.PackageStatus{Rollout: id.String(), Name: "moodle", State: ddm.PackageVerified, Present: "1", Since: p.at}
					if n%50 == 0 {
						said.State, said.Present, said.Reason = ddm.PackageFailed, "", &ddm.Reason{Code: "disk.full"}
					}
					if err := p.Reported(ctx, p.school.Authority, org.ID(fmt.Sprintf("d%05d", i)), says(said)); err != nil {
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
	})
	row("a device's word, with the figures", fmt.Sprintf("%.2f CPU-s per 1,000", used.Seconds()*1000/float64(max(n, 1))), "none", fmt.Sprintf("of %d, 200 a transaction", n))
	return err
}

func numbers(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// spent returns the processor time that this process takes to do something.
func spent(do func() error) (time.Duration, error) {
	before := processor()
	err := do()
	return processor() - before, err
}

func processor() time.Duration {
	var use syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &use)
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
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
	slices.Sort(times)
	return times[len(times)/2], nil
}

// row prints one figure with its budget and how it was measured.
func row(what, figure, budget, method string) {
	fmt.Printf("%-46s %-24s %-22s %s\n", what, figure, budget, method)
}
