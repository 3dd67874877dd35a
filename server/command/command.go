// Package command is the queue of what Apple devices, and agents that are asked,
// shall do once: what waits, in which order, until when, and what became of it.
// What a device should have at all times is no command; see declare.
package command

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/ids"
)

// Lifetimes of commands for which nobody named one.
const (
	askFor = 24 * time.Hour
	doFor  = 7 * 24 * time.Hour
)

// mostWaiting bounds the queue of one device.
const mostWaiting = 500

// Stubborn is after how many deliveries without a report a command lets the ones
// behind it pass.
const Stubborn = 5

// KeepReports is how long what became of a command is remembered.
const KeepReports = 30 * 24 * time.Hour

// backOff is when a device is woken again for a command that it did not fetch;
// the last step repeats.
var backOff = []time.Duration{30 * time.Second, 2 * time.Minute, 8 * time.Minute, 30 * time.Minute}

// BackOff returns how long to wait after the n-th wake-up.
func BackOff(n int) time.Duration { return backOff[min(max(n, 0), len(backOff)-1)] }

// Order is what a room wants a device to do.
type Order struct {
	Authority org.ID
	Device    org.ID
	Command   mdm.Command
	Expires   time.Time // zero: a day for questions, a week for the rest
	// About names what the command is for, such as a revision of a lease.
	About string
	// Replaces voids earlier orders about this, or about any part of it (named
	// after a colon), that the device has not answered: what they ask is no longer
	// wanted, and must not be done after what replaces it. Empty: About.
	Replaces string
}

// Receipt says under which id an order waits, and whom to wake for it.
type Receipt struct {
	ID        org.ID
	Enrolment org.ID
	Merged    bool // an identical question was waiting already
}

// Target is the enrolment that a device's commands go to.
type Target struct {
	Enrolment org.ID
	Enrolled  bool
	Waiting   int
}

// Queued is a row of the queue.
type Queued struct {
	ID          org.ID
	Authority   org.ID
	Device      org.ID
	Enrolment   org.ID
	RequestType string
	Body        string // the command as XML property list
	About       string
	Replaces    string // empty: nothing
	Likeness    string // equal for questions that are the same; empty for what must not be merged
	Pressing    bool
	Expires     time.Time
	PushAt      time.Time
}

// Report is what became of a command.
type Report struct {
	ID     org.ID
	Status mdm.Status // or Expired, Superseded
	Detail string     // the reason, where there is one
}

// What became of a command that no device reported on.
const (
	Expired    mdm.Status = "Expired"
	Superseded mdm.Status = "Superseded"
)

// Due is a device to wake again.
type Due struct {
	Enrolment org.ID
	Device    org.ID
}

// Store is what the room remembers. Each method is one transaction.
type Store interface {
	// CommandTarget is a NotFound fault for a device that does not exist.
	CommandTarget(ctx context.Context, authority, device org.ID) (Target, error)
	AddCommand(ctx context.Context, queued Queued) (Receipt, error)
	// NextCommand marks the next command as sent and returns its body, nil if
	// nothing waits. With again, commands that the device put off come again.
	NextCommand(ctx context.Context, authority, enrolment org.ID, again bool) ([]byte, error)
	// PeekCommand returns the same and marks nothing.
	PeekCommand(ctx context.Context, authority, enrolment org.ID, again bool) ([]byte, error)
	// CommandsWait reports whether NextCommand with again would return one.
	CommandsWait(ctx context.Context, authority, enrolment org.ID) (bool, error)
	// FinishCommand moves a command to the reports. It is a NotFound fault if no
	// such command waits for the enrolment.
	FinishCommand(ctx context.Context, authority, enrolment org.ID, report Report) (Queued, error)
	// PutOff keeps a command for a later session.
	PutOff(ctx context.Context, authority, enrolment, id org.ID, pushAt time.Time) error
	// DueCommands returns devices that were not woken for long enough, and notes
	// that they are woken now.
	DueCommands(ctx context.Context, at time.Time, most int) ([]Due, error)
	// ExpireCommands retires commands whose time is over; ForgetReports what
	// became of commands before the instant. Each returns how many went.
	ExpireCommands(ctx context.Context, at time.Time, most int) (int64, error)
	ForgetReports(ctx context.Context, before time.Time, most int) (int64, error)
	Atomically(ctx context.Context, fn func(ctx context.Context) error) error
}

// Outcomes hears of finished commands, inside the transaction that notes them,
// perhaps twice. requestType and about are those of the order.
type Outcomes interface {
	Finished(ctx context.Context, authority, device org.ID, requestType, about string, result mdm.Result) error
}

// Nudger wakes devices without saying why.
type Nudger interface {
	Nudge(enrolments ...org.ID)
}

// Service is the room. Its fields are set once; Outcomes may be empty.
type Service struct {
	Store    Store
	Outcomes []Outcomes
	Nudger   Nudger
	Log      *slog.Logger
	Now      func() time.Time
}

// Enqueue makes a command wait for its device. It wakes nobody: whoever calls it
// inside a transaction nudges Receipt.Enrolment after the commit. Faults:
// NotFound for an unknown device, Conflict "command.device_left" for one that
// left or never enrolled, Invalid for an order that has expired.
func (s *Service) Enqueue(ctx context.Context, order Order) (Receipt, error) {
	target, err := s.Store.CommandTarget(ctx, order.Authority, order.Device)
	if err != nil {
		return Receipt{}, err
	}
	if !target.Enrolled {
		return Receipt{}, errs.E(errs.Conflict, "command.device_left", "device", order.Device)
	}
	queued, err := s.queued(order, target)
	if err != nil {
		return Receipt{}, err
	}
	if target.Waiting >= mostWaiting {
		return Receipt{}, errs.E(errs.Unavailable, "command.queue_full", "device", order.Device)
	}
	return s.Store.AddCommand(ctx, queued)
}

// Send is Enqueue with the wake-up, outside of transactions.
func (s *Service) Send(ctx context.Context, order Order) (Receipt, error) {
	receipt, err := s.Enqueue(ctx, order)
	if err == nil {
		s.Nudger.Nudge(receipt.Enrolment)
	}
	return receipt, err
}

// Synchronize is what an Apple device is asked when it has enrolled: what it is
// (supervision decides which modes it can have), and to fetch its declarations.
func (s *Service) Synchronize(ctx context.Context, authority, device org.ID) (Receipt, error) {
	if receipt, err := s.Enqueue(ctx, Order{Authority: authority, Device: device, Command: mdm.DeviceInformation()}); err != nil {
		return receipt, err
	}
	return s.Enqueue(ctx, Order{Authority: authority, Device: device, Command: mdm.Synchronize(nil)})
}

func (s *Service) queued(order Order, target Target) (Queued, error) {
	command, now := order.Command, s.Now()
	if command.RequestType() == "" {
		return Queued{}, mdm.ErrCommand
	}
	expires := order.Expires
	switch {
	case !expires.IsZero():
	case command.Inventory():
		expires = now.Add(askFor)
	default:
		expires = now.Add(doFor)
	}
	if !expires.After(now) {
		return Queued{}, errs.E(errs.Invalid, "command.expired")
	}
	q := Queued{
		ID: ids.New(), Authority: order.Authority, Device: order.Device, Enrolment: target.Enrolment, RequestType: command.RequestType(), About: order.About, Replaces: cmp.Or(order.Replaces, order.About),
		Pressing: command.Pressing(), Expires: expires, PushAt: now.Add(BackOff(0)),
	}
	command.CommandUUID = ""
	if command.Inventory() {
		alike, err := mdm.Encode(command)
		if err != nil {
			return q, err
		}
		q.Likeness = hash(alike)
	}
	command.CommandUUID = q.ID.String()
	body, err := mdm.Encode(command)
	q.Body = string(body)
	return q, err
}
