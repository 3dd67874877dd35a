//go:build unix

package command_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
	"schulwart.org/server/command"
	"schulwart.org/server/ids"
	"schulwart.org/server/store/storetest"
)

type nobody struct{}

func (nobody) Nudge(...org.ID) {}

// A command's whole way, durable on SQLite: queue, fetch, acknowledge. What
// counts is the processor's time; waiting for the disk is shared by all who wait.
func BenchmarkRoundTrip(b *testing.B) {
	s := storetest.Open(b)
	school, _ := storetest.School(b, s)
	const devices = 64
	var device, enrolment [devices]org.ID
	for i := range devices {
		device[i], enrolment[i] = ids.New(), ids.New()
		storetest.Exec(b, s, `INSERT INTO devices (authority, id, school, name, created) VALUES ($1, $2, $3, 'iPad', 1)`, school.Authority, device[i], school.School)
		storetest.Exec(b, s, `INSERT INTO enrolments (authority, id, device, school, udid, state, created, changed) VALUES ($1, $2, $3, $4, 'U', 'enrolled', 1, 1)`, school.Authority, enrolment[i], device[i], school.School)
	}
	room := &command.Service{Store: s, Nudger: nobody{}, Log: slog.New(slog.DiscardHandler), Now: time.Now}
	ctx := context.Background()
	var turn atomic.Int64
	before := processor(b)
	b.SetParallelism(devices / 2)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		i := int(turn.Add(1)) % devices
		for pb.Next() {
			receipt, err := room.Enqueue(ctx, command.Order{Authority: school.Authority, Device: device[i], Command: mdm.RemoveProfile("x")})
			if err != nil {
				b.Error(err)
				return
			}
			if body, err := room.Report(ctx, school.Authority, enrolment[i], mdm.Result{Status: mdm.Idle}); err != nil || body == nil {
				b.Errorf("nothing to do, %v", err)
				return
			}
			if _, err := room.Report(ctx, school.Authority, enrolment[i], mdm.Result{Status: mdm.Acknowledged, CommandUUID: receipt.ID.String()}); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(processor(b)-before)/float64(time.Second)*1000/float64(b.N), "CPU-s/1000")
}

func processor(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
