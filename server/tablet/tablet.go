// Package tablet brings modes to Apple devices, which hold no lease of their
// own: a profile that removes itself at the end (RemovalDate), sent as a
// command that expires with it. None of it was seen on real hardware; it is held
// against Apple's schema and a simulated iPad.
// https://developer.apple.com/documentation/devicemanagement/toplevel
package tablet

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/lesson"
)

// Store is what the room reads.
type Store interface {
	// Supervised reports whether the device's enrolment is supervised.
	Supervised(ctx context.Context, authority, device org.ID) (bool, error)
	// TabletLeases lists leases of Apple devices that were installed, are past
	// their end, and whose end was not read back.
	TabletLeases(ctx context.Context, endedBefore time.Time, most int) ([]lesson.Lease, error)
	// TabletsWaiting lists leases that hold, or were ended early, and whose
	// order is missing.
	TabletsWaiting(ctx context.Context, at time.Time, most int) ([]lesson.Lease, error)
	// TabletsUnprepared lists leases of examinations that are not over, of which
	// the device has not said that it can take part, and for which nothing waits.
	TabletsUnprepared(ctx context.Context, at time.Time, most int) ([]lesson.Lease, error)
	// TabletLease returns a lease by its id. It is NotFound on another device.
	TabletLease(ctx context.Context, authority, device, id org.ID) (lesson.Lease, error)
}

// Orders puts commands into a device's queue and wakes it. What the device has
// not answered yet and is about what it replaces is void.
type Orders interface {
	Order(ctx context.Context, authority, device org.ID, command mdm.Command, expires time.Time, about, replaces string) error
}

// Signer signs profiles, so that the device shows who sent them.
type Signer interface {
	SignProfile(ctx context.Context, profile []byte) ([]byte, error)
}

// Reports takes what a device said of a lease, as from our own agents.
type Reports interface {
	Reported(ctx context.Context, school org.Branch, device org.ID, said []ddm.LeaseStatus) error
}

// Service is the room.
type Service struct {
	Store   Store
	Orders  Orders
	Signer  Signer
	Reports Reports
	// Home is the address of the school's page, reachable in every mode.
	Home string
	Now  func() time.Time
}

// aboutLease marks orders that carry a lease; aboutCheck those that ask whether
// it is gone.
const (
	aboutLease = "lease"
	aboutCheck = "lease-check"
)

// checkFor is how long a question waits for a device.
const checkFor = 24 * time.Hour

// Install sends the lease as a profile. What the device cannot do is reported
// at once, as refused, with the reason. An examination is sent only to a tablet
// that has said it has the app; the others are asked. Extending a mode installs the same
// identifier again, with the later date.
func (s *Service) Install(ctx context.Context, l lesson.Lease) error {
	if l.Kind == lease.Exam && l.Phase != ddm.LeaseWaiting && l.Phase != ddm.LeaseActive {
		return s.Prepare(ctx, l)
	}
	supervised, err := s.Store.Supervised(ctx, l.Branch.Authority, l.Device)
	if err != nil {
		return err
	}
	profile, err := Profile(l, supervised, s.Home)
	if fault := errs.Find(err); fault != nil {
		return s.refuse(ctx, l, fault.Key)
	}
	plain, err := mdm.Encode(profile)
	if err != nil {
		return fmt.Errorf("building profile: %w", err)
	}
	signed, err := s.Signer.SignProfile(ctx, plain)
	if err != nil {
		return fmt.Errorf("signing profile: %w", err)
	}
	return s.Orders.Order(ctx, l.Branch.Authority, l.Device, mdm.InstallProfile(signed), l.Ends, about(aboutLease, l.ID, l.Rev), every(aboutLease, l.ID))
}

// Remove ends the lease before its time. It needs the device's network; without
// it the profile leaves at its own date.
func (s *Service) Remove(ctx context.Context, l lesson.Lease) error {
	return s.Orders.Order(ctx, l.Branch.Authority, l.Device, mdm.RemoveProfile(Identifier(l)), s.Now().Add(checkFor), about(aboutLease, l.ID, l.Rev), every(aboutLease, l.ID))
}

// Deliver sends what was not sent when a mode was made or changed: modes that
// begin by the clock, and those between whose commit and order the server
// stopped. A job calls it.
func (s *Service) Deliver(ctx context.Context) error {
	leases, err := s.Store.TabletsWaiting(ctx, s.Now(), 500)
	if err != nil {
		return err
	}
	for _, l := range leases {
		send := s.Install
		if !s.Now().Before(l.Ends) {
			send = s.Remove
		}
		if err := send(ctx, l); err != nil && !errs.Is(err, errs.Conflict) {
			return err
		}
	}
	return nil
}

// Check asks the devices of leases past their end which profiles they still
// have: an end counts when it was read back.
func (s *Service) Check(ctx context.Context) error {
	leases, err := s.Store.TabletLeases(ctx, s.Now(), 500)
	if err != nil {
		return err
	}
	for _, l := range leases {
		err := s.Orders.Order(ctx, l.Branch.Authority, l.Device, mdm.ProfileList(), s.Now().Add(checkFor), about(aboutCheck, l.ID, l.Rev), every(aboutCheck, l.ID))
		if err != nil && !errs.Is(err, errs.Conflict) {
			return err
		}
	}
	return nil
}

func (s *Service) refuse(ctx context.Context, l lesson.Lease, why string) error {
	return s.say(ctx, l.Branch, l.Device, l.ID.String(), l.Rev, ddm.LeaseRefused, &ddm.Reason{Code: why})
}

func (s *Service) say(ctx context.Context, school org.Branch, device org.ID, id string, rev int, phase ddm.LeasePhase, why *ddm.Reason) error {
	return s.Reports.Reported(ctx, school, device, []ddm.LeaseStatus{{ID: id, Rev: rev, Phase: phase, Since: s.Now(), Reason: why}})
}

// Finished notes what a device answered to one of our orders.
func (s *Service) Finished(ctx context.Context, authority, device org.ID, requestType, regarding string, result mdm.Result) error {
	what, id, rev, ok := parse(regarding)
	if !ok {
		return nil
	}
	school := org.Branch{Authority: authority}
	done := result.Status == mdm.Acknowledged
	switch {
	case what == aboutCheck && done:
		return s.checked(ctx, school, device, id, rev, result)
	case what == aboutApp:
		return s.looked(ctx, school, device, id, rev, result)
	case what == aboutLease && requestType == mdm.RequestRemoveProfile:
		// "No such profile" is an end, too.
		return s.say(ctx, school, device, id, rev, ddm.LeaseEnded, nil)
	case what == aboutLease && done:
		return s.say(ctx, school, device, id, rev, ddm.LeaseActive, &ddm.Reason{Code: "profile.installed"})
	case what == aboutLease:
		// An order that the device could not even read is refused like any other,
		// or it would be sent again and again.
		return s.say(ctx, school, device, id, rev, ddm.LeaseRefused, &ddm.Reason{Code: "profile.refused", Details: map[string]string{"device": reason(result)}})
	}
	return nil
}

func (s *Service) checked(ctx context.Context, school org.Branch, device org.ID, id string, rev int, result mdm.Result) error {
	var said mdm.ProfileListResponse
	if err := result.Into(&said); err != nil {
		return nil // the device's fault, and no reason to stop its queue
	}
	for _, profile := range said.ProfileList {
		if profile.PayloadIdentifier == Identifier(lesson.Lease{ID: org.ID(id)}) {
			return nil
		}
	}
	return s.say(ctx, school, device, id, rev, ddm.LeaseEnded, nil)
}

// reason returns what the device says went wrong, in its own words.
func reason(result mdm.Result) string {
	for _, link := range result.ErrorChain {
		for _, text := range []string{link.LocalizedDescription, link.USEnglishDescription} {
			if text != "" {
				return text
			}
		}
	}
	return string(result.Status)
}

// about names a revision of a lease, every all of them.
func about(what string, id org.ID, rev int) string { return every(what, id) + ":" + strconv.Itoa(rev) }

func every(what string, id org.ID) string { return what + ":" + id.String() }

func parse(text string) (what, id string, rev int, ok bool) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return "", "", 0, false
	}
	rev, err := strconv.Atoi(parts[2])
	return parts[0], parts[1], rev, err == nil && (parts[0] == aboutLease || parts[0] == aboutCheck || parts[0] == aboutApp)
}
