package lesson

import (
	"time"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

// Patience is how long a device that was in contact may take before its silence
// is worth a word.
const Patience = 20 * time.Second

// Contact is what presence knows of a device.
type Contact struct {
	Connected bool      // holds an open stream, or polled in time
	Seen      time.Time // last message; zero if never
}

// StateOf says what is known of a lease on its device at an instant. It claims
// nothing that the device did not read back.
func StateOf(l Lease, contact Contact, at time.Time) (State, Reason, time.Time) {
	switch {
	case !at.Before(l.Ends):
		return overState(l, contact, at)
	case l.ReportedRev >= l.Rev && l.Phase != "":
		return reportedState(l, contact, at)
	case l.Phase == ddm.LeaseRefused && l.DeliveredRev >= l.Rev:
		// Nothing inside a lease that is not believed counts, its revision neither.
		return reportedState(l, contact, at)
	case l.DeliveredRev >= l.Rev:
		return deliveredState(l, contact)
	case !contact.Connected && l.DeliveredRev > 0 && !l.over() && l.Phase != ddm.LeaseRefused:
		// An older revision is there; the new one waits.
		return Unreachable, Reason{Key: "old_revision"}, contact.Seen
	case !contact.Connected:
		return Unreachable, Reason{Key: "not_received"}, contact.Seen
	case at.Before(l.Starts):
		return Planned, Reason{Key: "starts_later"}, l.Since
	case at.Sub(later(l.Since, l.Starts)) > Patience:
		// In contact as far as we know, but it does not come.
		return Unreachable, Reason{Key: "no_answer"}, l.Since
	}
	return Planned, Reason{Key: "on_its_way"}, l.Since
}

// reportedState tells what the device said of the revision that counts.
func reportedState(l Lease, contact Contact, at time.Time) (State, Reason, time.Time) {
	switch l.Phase {
	case ddm.LeaseEnding:
		return endingState(l, contact, at)
	case ddm.LeaseEnded:
		return Ended, reported(l, "released"), l.Since
	case ddm.LeaseRefused:
		return Deviating, reported(l, "refused"), l.Since
	case ddm.LeaseWaiting:
		return Delivered, Reason{Key: "armed"}, l.Since
	case ddm.LeaseCovered:
		return Active, Reason{Key: "covered"}, l.Since
	}
	return activeState(l, contact)
}

func overState(l Lease, contact Contact, at time.Time) (State, Reason, time.Time) {
	// A device that ended by its own clock never fetches the revision that would
	// have ended it early: its end is an end all the same.
	if l.over() && (l.ReportedRev >= l.Rev || l.DeliveredRev <= l.ReportedRev) {
		if l.Phase == ddm.LeaseEnding {
			return endingState(l, contact, at)
		}
		return Ended, detail(l), l.Since
	}
	if l.DeliveredRev == 0 && l.Phase == "" {
		return Ended, Reason{Key: "never_received"}, l.Ends
	}
	if contact.Connected && at.Sub(later(l.Since, l.Ends)) <= Patience {
		return Delivered, Reason{Key: "ending"}, l.Ends
	}
	if last := l.KeepUntil.Add(-keepAfterEnd); l.DeliveredRev < l.Rev && at.Before(last) {
		// It was ended early and the device does not know: there it holds on.
		return Unreachable, Reason{Key: "end_not_received", Args: map[string]string{"until": last.UTC().Format(time.RFC3339)}}, contact.Seen
	}
	return Unreachable, Reason{Key: "should_have_ended"}, contact.Seen
}

// endingState tells of a lease that is over on its device, which is still taking
// back what it did. It is bounded: what takes longer deviates.
func endingState(l Lease, contact Contact, at time.Time) (State, Reason, time.Time) {
	for _, part := range l.Parts {
		if part.State == ddm.PartDeviating {
			return Deviating, partReason(part), part.Since
		}
	}
	switch {
	case !contact.Connected:
		return Unreachable, Reason{Key: "not_released"}, contact.Seen
	case at.Sub(l.Since) > Patience:
		return Deviating, Reason{Key: "not_released"}, l.Since
	}
	return Delivered, Reason{Key: "ending"}, l.Since
}

// detail is what still changes after a mode has ended: a browser that was not
// yet started again.
func detail(l Lease) Reason {
	for _, part := range l.Parts {
		if part.State != ddm.PartOK && part.State != ddm.PartRepaired {
			return partReason(part)
		}
	}
	return Reason{}
}

// over reports whether the device said that the lease never holds again, whether
// or not everything was read back as released.
func (l Lease) over() bool { return l.Phase == ddm.LeaseEnding || l.Phase == ddm.LeaseEnded }

// activeState looks at the parts: a mode is active when those that decide were
// read back. The others are details with a state of their own.
func activeState(l Lease, contact Contact) (State, Reason, time.Time) {
	for _, part := range l.Parts {
		if !decides(l.Kind, part.Name) {
			continue
		}
		switch part.State {
		case ddm.PartDeviating, ddm.PartNotPossible:
			return Deviating, partReason(part), part.Since
		case ddm.PartPending:
			return deliveredState(l, contact)
		}
	}
	if !contact.Connected {
		return Active, Reason{Key: "held_without_contact"}, l.Since
	}
	for _, part := range l.Parts {
		if part.State != ddm.PartOK {
			return Active, partReason(part), l.Since
		}
	}
	return Active, Reason{}, l.Since
}

func deliveredState(l Lease, contact Contact) (State, Reason, time.Time) {
	if !contact.Connected {
		return Unreachable, Reason{Key: "no_answer"}, contact.Seen
	}
	return Delivered, Reason{Key: "not_read_back"}, l.Since
}

// decides reports whether a part is one of those that make a mode of the kind
// active: network and screen, and programs where there is nothing else.
func decides(kind lease.Kind, part string) bool {
	return part == string(catalog.Network) || part == string(catalog.Screen) || kind == lease.Focus && part == string(catalog.Apps)
}

func partReason(part ddm.Part) Reason {
	if part.Reason == nil {
		return Reason{Key: "part_" + string(part.State), Args: map[string]string{"part": part.Name}}
	}
	args := map[string]string{"part": part.Name}
	for name, value := range part.Reason.Details {
		args[name] = value
	}
	return Reason{Key: part.Reason.Code, Args: args}
}

func reported(l Lease, key string) Reason {
	if l.PhaseReason == nil {
		return Reason{Key: key}
	}
	return Reason{Key: l.PhaseReason.Code, Args: l.PhaseReason.Details}
}

// Count counts lines by state.
func Count(lines []DeviceMode) map[State]int {
	counts := make(map[State]int, len(States))
	for _, line := range lines {
		counts[line.State]++
	}
	return counts
}
