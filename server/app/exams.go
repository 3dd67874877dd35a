package app

import (
	"context"
	"errors"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
	"schulwart.org/policies/version"
	"schulwart.org/server/api"
	"schulwart.org/server/command"
	"schulwart.org/server/errs"
	"schulwart.org/server/exam"
	"schulwart.org/server/ids"
	"schulwart.org/server/lesson"
	"schulwart.org/server/may"
)

func (a *App) examRoom() *exam.Service {
	return &exam.Service{
		Store: a.Store, Roster: a.Roster, Leases: ExamLeases{a.Lessons}, Boards: a.Live, Schools: ExamSchools{a.Store, a.Config.Zone()}, NewID: ids.New, Now: a.Now, Asks: examAsks{a}, Agent: version.Version, BrowserKey: a.browserKey, WorkKey: a.workKey,
		BrowserURL: func(exam org.ID, mark string) string { return a.Config.PublicURL + api.SealedPath(exam, mark) },
	}
}

// examAsks asks devices what they are, as their own protocol does.
type examAsks struct{ *App }

// Ask is exam.Asker.
func (a examAsks) Ask(ctx context.Context, authority org.ID, devices ...org.ID) error {
	for _, device := range devices {
		_, err := a.Command.Send(ctx, command.Order{Authority: authority, Device: device, Command: mdm.DeviceInformation()})
		if kind := errs.KindOf(err); err != nil && kind != errs.Conflict && kind != errs.NotFound && kind != errs.Unavailable {
			return err
		}
	}
	return nil
}

// ExamLeases makes modes and leases of what the room of examinations wishes. It
// is exported for the tests of that room.
type ExamLeases struct{ *lesson.Service }

// Hold is lesson's Hold.
func (l ExamLeases) Hold(ctx context.Context, permit may.Permit, order exam.Hold) error {
	wishes := make([]lesson.Wish, len(order.Wishes))
	for i, w := range order.Wishes {
		wishes[i] = lesson.Wish{
			Member: lesson.Member{Device: w.Device, Enrolment: w.Enrolment, Name: w.Name, Platform: w.Platform, Simulated: w.Simulated},
			Starts: w.Starts, Ends: w.Ends, Rules: w.Rules, Again: w.Note.Again,
		}
	}
	mode := lesson.Mode{
		ID: order.Mode, Branch: order.Branch, Kind: lease.Exam, Rules: order.Rules, Starts: order.Starts, Ends: order.Ends, Ended: order.Ended,
		Staff: order.Staff, ByName: order.ByName,
	}
	_, err := l.Service.Hold(ctx, permit, mode, wishes, order.What)
	return err
}

// Lines says what is known of the mode's leases.
func (l ExamLeases) Lines(ctx context.Context, mode org.ID) ([]exam.Line, error) {
	found, err := l.Service.Lines(ctx, mode)
	if err != nil {
		return nil, err
	}
	now := l.Now()
	lines := make([]exam.Line, len(found))
	for i, line := range found {
		le := line.Lease
		phase := le.Phase
		lines[i] = exam.Line{
			Device: line.Device, Enrolment: line.Enrolment, Lease: le.ID, Starts: le.Starts, Ends: le.Ends,
			State: string(line.State), Reason: line.Reason.Key, ReasonArgs: line.Reason.Args, Since: line.Since,
			Armed: le.Armed(), Active: phase == ddm.LeaseActive || phase == ddm.LeaseCovered, Left: le.Left(now), Over: phase == ddm.LeaseEnding || phase == ddm.LeaseEnded,
			Delivered: le.DeliveredRev > 0, Refused: phase == ddm.LeaseRefused, Troubles: troubles(le.Parts),
			Connected: l.Presence.Contact(line.Enrolment).Connected, Seen: line.Seen, Battery: line.Battery,
		}
	}
	return lines, nil
}

// troubles is what a device read back, or found in a dry run, that would not hold.
func troubles(parts []ddm.Part) []exam.Trouble {
	var all []exam.Trouble
	for _, part := range parts {
		if part.State != ddm.PartDeviating && part.State != ddm.PartNotPossible {
			continue
		}
		t := exam.Trouble{Part: part.Name, Key: "part_" + string(part.State), Stops: part.Name == string(catalog.Network) || part.Name == string(catalog.Screen) || part.Name == string(catalog.Apps)}
		if part.Reason != nil {
			t.Args = part.Reason.Details
			if part.Reason.Code == "app-missing" {
				t.Key, t.Stops = "app_missing", true
			}
		}
		all = append(all, t)
	}
	return all
}

// settlers resolve who belongs to what runs when devices or groups have changed.
type settlers struct{ app *App }

// Settle asks each room; one that fails keeps the others from nothing.
func (s settlers) Settle(ctx context.Context, school org.Branch) error {
	return errors.Join(s.app.Lessons.Settle(ctx, school), s.app.Exams.Settle(ctx, school), s.app.Licences.Settle(ctx, school))
}
