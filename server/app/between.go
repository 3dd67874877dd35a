package app

import (
	"context"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
	"schulwart.org/server/checkin"
	"schulwart.org/server/command"
	"schulwart.org/server/errs"
	"schulwart.org/server/lesson"
	"schulwart.org/server/roster"
	"schulwart.org/server/standard"
	"schulwart.org/web"
)

// Here neighbours meet: each type gives one room the one method of another that
// it asked for, in its own words.

// waker wakes declare, which is made after the rooms that wake it.
type waker struct{ app *App }

func (w waker) Wake() { w.app.Declare.Wake() }

// doors forget a device that moved, so that its next message reads anew where it
// belongs.
type doors struct{ app *App }

func (d doors) Forget(authority, device org.ID) { d.app.Checkin.Forget(authority, device) }

// Tables read files of rows for the calendar.
type Tables struct{}

// ReadRows reads CSV; the first row are the titles.
func (Tables) ReadRows(data []byte) ([][]string, error) {
	read, err := roster.ReadTable(data)
	rows := [][]string{read.Header}
	for _, row := range read.Rows {
		rows = append(rows, row.Cells)
	}
	return rows, err
}

// presence tells lessons who is in contact.
type presence struct{ *checkin.Presence }

func (p presence) Contact(enrolment org.ID) lesson.Contact {
	connected, seen := p.Presence.Contact(enrolment)
	return lesson.Contact{Connected: connected, Seen: seen}
}

// connected notes a stream that came or went, and shows it on open boards.
func (a *App) connected(enrolment org.ID, open bool) {
	a.Presence.Connected(enrolment, open)
	if place, ok := a.Presence.Place(enrolment); ok {
		a.Live.Publish(org.Branch{Authority: place.Authority, School: place.School}, place.Device)
	}
}

// reports passes what an agent read back to the rooms that wait for it.
type reports struct{ app *App }

func (r reports) Reported(ctx context.Context, e checkin.Enrolment, report ddm.StatusReport) error {
	agent := report.StatusItems.Agent
	if agent == nil {
		return nil
	}
	if err := r.app.Rollouts.Reported(ctx, e.Authority, e.Device, report); err != nil {
		return err
	}
	if len(agent.Leases) == 0 {
		return nil
	}
	if err := r.app.Lessons.Reported(ctx, e.Branch(), e.Device, agent.Leases); err != nil {
		return err
	}
	return r.app.Exams.Observed(ctx, e.Branch(), e.Device, *agent)
}

// tabletReports passes what a tablet answered to the lesson room.
type tabletReports struct{ app *App }

func (r tabletReports) Reported(ctx context.Context, _ org.Branch, device org.ID, said []ddm.LeaseStatus) error {
	sheet, err := r.app.Store.Sheet(ctx, device)
	if err != nil {
		return err
	}
	return r.app.Lessons.Reported(ctx, sheet.Branch, device, said)
}

// orders queues commands for tablets.
type orders struct{ app *App }

func (o orders) Order(ctx context.Context, authority, device org.ID, order mdm.Command, expires time.Time, about, replaces string) error {
	_, err := o.app.Command.Send(ctx, command.Order{Authority: authority, Device: device, Command: order, Expires: expires, About: about, Replaces: replaces})
	return err
}

// synchronizer asks a tablet to fetch its declarations.
type synchronizer struct{ app *App }

func (s synchronizer) Synchronize(ctx context.Context, e checkin.Enrolment) error {
	if e.Platform.Agent() {
		return nil
	}
	_, err := s.app.Command.Synchronize(ctx, e.Authority, e.Device)
	if errs.Is(err, errs.Conflict) {
		return nil // left in the meantime
	}
	return err
}

// outcomes passes finished commands to whoever ordered them.
type outcomes struct{ app *App }

func (o outcomes) Finished(ctx context.Context, authority, device org.ID, requestType, about string, result mdm.Result) error {
	if err := o.app.Checkin.Finished(ctx, authority, device, requestType, result); err != nil {
		return err
	}
	return o.app.Tablet.Finished(ctx, authority, device, requestType, about, result)
}

// reminders tell owners by mail that an exception of theirs ends.
type reminders struct{ app *App }

// Remind does nothing where mail is not set up, or where the owner has no login
// any more: the register and the start page say it anyway.
func (r reminders) Remind(ctx context.Context, owner org.ID, e standard.Exception, days int) error {
	if !r.app.Mail.Ready(ctx) {
		return nil
	}
	person, err := r.app.Store.FindStaff(ctx, owner)
	if errs.Is(err, errs.NotFound) || err == nil && !person.Locked.IsZero() {
		return nil
	}
	if err != nil {
		return err
	}
	lang := web.Language(person.Lang)
	args := []any{
		"name", person.Display(), "what", web.T(lang, "policy."+e.Family+"."+e.Field), "place", e.Place.Name, "reason", e.Reason,
		"days", days, "until", e.Until.In(r.app.Config.Zone()).Format("02.01.2006 15:04"), "url", r.app.Config.PublicURL,
	}
	return r.app.Mail.Send(ctx, person.Login, web.T(lang, "mail.exception.subject", args...), web.T(lang, "mail.exception.text", args...))
}
