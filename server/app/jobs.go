package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/robfig/cron/v3"
)

// job is something that happens by the clock. Every is a plain interval, run on
// each instance; Daily is an hour of school time, run once a day by whoever
// claims it first.
type job struct {
	name  string
	every string // cron text in UTC: the ticker, never school time
	daily int    // hour of school time, -1 for none
	// hour takes the place of daily where people set it; nil where they do not.
	hour func() int
	run  func(ctx context.Context) error
}

// runs claims due dates, so that no job is lost or doubled.
type runs interface {
	ClaimRun(ctx context.Context, job, due string) (bool, error)
}

// schedule starts the ticker. Due times of daily jobs are computed from school
// time and keyed by the local date, so the two DST days are days like others.
func schedule(ctx context.Context, jobs []job, claims runs, zone *time.Location, now func() time.Time, log *slog.Logger) (stop func(), err error) {
	ticker := cron.New(cron.WithLocation(time.UTC), cron.WithChain(cron.SkipIfStillRunning(cron.DiscardLogger)))
	for _, j := range jobs {
		if _, err := ticker.AddFunc(j.every, func() { runJob(ctx, j, claims, zone, now, log) }); err != nil {
			return nil, err
		}
	}
	ticker.Start()
	return func() { <-ticker.Stop().Done() }, nil
}

func runJob(ctx context.Context, j job, claims runs, zone *time.Location, now func() time.Time, log *slog.Logger) {
	if ctx.Err() != nil {
		return
	}
	if j.hour != nil {
		j.daily = j.hour()
	}
	if j.daily >= 0 {
		due, is := dueOn(j, now(), zone)
		if !is {
			return
		}
		first, err := claims.ClaimRun(ctx, j.name, due)
		if err != nil || !first {
			if err != nil {
				log.Error("claiming a job", "job", j.name, "error", err)
			}
			return
		}
	}
	if err := j.run(ctx); err != nil && ctx.Err() == nil {
		log.Error("running a job", "job", j.name, "error", err)
	}
}

// dueOn returns the local date for which a daily job is due, once its hour has
// come. A server that slept through the hour runs it when it wakes.
func dueOn(j job, at time.Time, zone *time.Location) (string, bool) {
	local := at.In(zone)
	start := time.Date(local.Year(), local.Month(), local.Day(), j.daily, 0, 0, 0, zone)
	due := local.Format(time.DateOnly)
	if j.hour != nil {
		// Another hour is another date to keep: who moves it from 2 to 22 expects a
		// backup tonight.
		due += fmt.Sprintf(" %02d", j.daily)
	}
	return due, !at.Before(start)
}
