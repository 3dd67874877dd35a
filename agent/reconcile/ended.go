package reconcile

import (
	"slices"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/memory"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

// A lease is over when its time, a revision or a code says so, and from that
// instant on never holds again. That it has ended is told only after every part
// that it narrowed was read back without it: programs are still refused for the
// moment in which a driver takes back.

// leaves notes in which parts something of leases that are over may still stand.
// One that never began left nothing.
func (l *Loop) leaves(over []memory.Ended) {
	for _, end := range over {
		if known, ok := l.phases[end.ID]; ok && known.phase == ddm.LeaseWaiting {
			continue
		}
		if left := narrowedBy(end.Kind, l.config.Drivers); len(left) > 0 {
			l.left[end.ID] = left
		}
	}
}

// narrowedBy are the parts that a kind takes effect through on this device.
func narrowedBy(kind lease.Kind, drivers []enforce.Driver) []catalog.Part {
	var parts []catalog.Part
	for _, name := range catalog.PartsOf(kind) {
		if slices.ContainsFunc(drivers, func(d enforce.Driver) bool { return d.Part() == name }) {
			parts = append(parts, name)
		}
	}
	return parts
}

// released drops the parts that were read back as what holds now, which is
// without the leases that are over.
func (l *Loop) released() {
	for id, left := range l.left {
		still := slices.DeleteFunc(slices.Clone(left), l.isReleased)
		if len(still) == len(left) {
			continue
		}
		if l.left[id] = still; len(still) == 0 {
			delete(l.left, id)
		}
		l.freed = true
		l.tell()
	}
}

// isReleased reports whether all drivers of a part read back what holds now. A
// part that another lease still narrows may be on its way to that one's rules:
// nothing of the former lease is in it.
func (l *Loop) isReleased(name catalog.Part) bool {
	return !slices.ContainsFunc(l.parts, func(p *part) bool {
		return p.name == name && !p.isBack() && !(p.settled() && p.reading.State == ddm.PartPending && narrows(l.rules, name))
	})
}

// narrows reports whether the rules restrict a part.
func narrows(rules enforce.Rules, name catalog.Part) bool {
	switch name {
	case catalog.Network, catalog.Browser:
		return rules.Network.Reach != enforce.Open
	case catalog.Screen:
		return rules.Screen != nil
	case catalog.Apps:
		return rules.Apps != nil
	case catalog.Session:
		return rules.Exam != nil
	}
	return closes(rules.Exam, name)
}

// isDetail reports whether a mode is over although the part still changes: a
// browser keeps its old rules until it was started again, as it does when a mode
// begins.
func isDetail(name catalog.Part) bool { return name == catalog.Browser }

// over is the device's word on a lease that is over.
func (l *Loop) over(end memory.Ended) ddm.LeaseStatus {
	status := ddm.LeaseStatus{ID: end.ID, Rev: end.Rev, Phase: ddm.LeaseEnded, Since: end.At, Reason: &ddm.Reason{Code: "ended." + end.How}}
	for _, name := range l.left[end.ID] {
		if !isDetail(name) {
			status.Phase = ddm.LeaseEnding
		}
		status.Parts = append(status.Parts, l.partOf(name))
	}
	return status
}
