package reconcile

import (
	"slices"

	"schulwart.org/agent/memory"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
)

// Refresh makes a report due if what the device is has changed since the last.
func (l *Loop) Refresh() {
	l.mu.Lock()
	defer l.mu.Unlock()
	changed := l.programsNow() != nil
	if l.config.About != nil {
		_, facts := l.config.About()
		changed = changed || keyOf(facts) != l.facts
	}
	if changed {
		l.tell()
	}
}

// Changed receives when there is something to tell the server.
func (l *Loop) Changed() <-chan struct{} { return l.changed }

// Announce makes a report due.
func (l *Loop) Announce() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tell()
}

// tell notes that there is something to report.
func (l *Loop) tell() {
	l.revision++
	l.signal()
}

// signal makes Changed receive if there is something to tell. While a part that
// counts is being set the server is not disturbed: its reading follows at once.
func (l *Loop) signal() {
	if l.revision == l.told {
		return
	}
	for _, p := range l.parts {
		if p.busy && !p.settled() && !p.isLate() && l.awaited(p.name) {
			return
		}
	}
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// awaited reports whether the server waits for the part's reading: it decides
// whether a mode is active, or whether one is over.
func (l *Loop) awaited(name catalog.Part) bool {
	if name == catalog.Network || name == catalog.Screen && l.rules.Screen != nil {
		return true
	}
	for _, left := range l.left {
		if !isDetail(name) && slices.Contains(left, name) {
			return true
		}
	}
	return false
}

// happened notes an event for the next report.
func (l *Loop) happened(key string, args map[string]string) {
	at := l.config.Memory.Clock().Now
	l.update(func(s *memory.State) {
		s.EventSeq++
		s.Happened(ddm.Event{ID: eventID(l.salt, s.EventSeq), At: at, Key: key, Args: args})
	})
	l.tell()
}
