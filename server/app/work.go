package app

import (
	"context"
	"time"

	"schulwart.org/server/errs"
)

// jobs lists what happens by the clock.
func (a *App) jobs() []job {
	return []job{
		{name: "sweep", every: "* * * * *", daily: -1, run: a.sweep},
		{name: "seal", every: "* * * * *", daily: -1, run: a.Audit.Seal},
		{name: "repush", every: "@every 15s", daily: -1, run: a.Command.Repush},
		{name: "tablets-send", every: "@every 20s", daily: -1, run: a.Tablet.Deliver},
		{name: "tablets-ask", every: "*/5 * * * *", daily: -1, run: a.Tablet.Ask},
		{name: "tablets", every: "* * * * *", daily: -1, run: a.Tablet.Check},
		{name: "exceptions", every: "* * * * *", daily: -1, run: a.Standard.Expire},
		{name: "exams", every: "* * * * *", daily: -1, run: a.Exams.Tick},
		{name: "exam-evidence", every: "*/5 * * * *", daily: 3, run: a.Exams.Forget},
		{name: "rollouts", every: "* * * * *", daily: -1, run: a.Rollouts.Tick},
		{name: "uploads", every: "*/5 * * * *", daily: 5, run: a.Packages.Sweep},
		{name: "reminders", every: "*/5 * * * *", daily: 7, run: a.Standard.Remind},
		{name: "retire", every: "*/5 * * * *", daily: -1, run: a.retire},
		{name: "backup", every: "*/5 * * * *", hour: func() int { return a.Backup.Plan().Hour }, run: a.nightly},
		{name: "verify", every: "*/5 * * * *", daily: 4, run: a.verify},
		{name: "archive", every: "*/5 * * * *", daily: 3, run: a.archive},
	}
}

// sweep lets memberships begin and end, resolves who belongs to running modes,
// leaves the last row of modes that are over, and says aloud when a lease outlived
// its end on a device that is in contact.
func (a *App) sweep(ctx context.Context) error {
	if err := a.Roster.Sweep(ctx); err != nil {
		return err
	}
	if err := a.Part(ctx); err != nil {
		return err
	}
	if err := a.Lessons.RecordEnds(ctx); err != nil {
		return err
	}
	late, err := a.Board.OverdueAnywhere(ctx)
	if err != nil {
		return err
	}
	for _, one := range late {
		a.Log.Error("a lease outlived its end on a device that is in contact", "device", one.Device, "ended", one.Ends)
		a.Streams.Nudge(one.Enrolment)
	}
	return nil
}

// retire deletes what is finished and old, in rounds, so that queues shrink
// faster than they grow and nobody waits for it.
func (a *App) retire(ctx context.Context) error {
	for range 50 {
		gone, err := a.Store.Retire(ctx, a.Now())
		if err != nil {
			return err
		}
		if gone < 1000 {
			break
		}
	}
	if _, err := a.Store.SweepSessions(ctx, a.Now()); err != nil {
		return err
	}
	_, err := a.Command.Retire(ctx)
	return err
}

// verify looks once a day whether every audit chain is whole.
func (a *App) verify(ctx context.Context) error {
	states, err := a.Audit.VerifyAll(ctx)
	for _, state := range states {
		if !state.OK {
			a.Log.Error("an audit chain is broken", "authority", state.Authority, "row", state.BrokenAt, "reason", state.Reason)
		}
	}
	return err
}

// nightly writes the backup. Without a key there is none, and the operations
// page says so; that is no fault of the night.
func (a *App) nightly(ctx context.Context) error {
	_, err := a.Backup.Nightly(ctx)
	if fault := errs.Find(err); fault != nil && fault.Key == "backup.no_key" {
		return nil
	}
	return err
}

// archive moves old audit rows to files of their own and exports the heads.
func (a *App) archive(ctx context.Context) error {
	if err := a.Audit.Archive(ctx, a.Now().Add(-auditHot)); err != nil {
		return err
	}
	return a.Audit.ExportHeads(ctx)
}

// auditHot is how long audit rows stay in the database.
const auditHot = 365 * 24 * time.Hour
