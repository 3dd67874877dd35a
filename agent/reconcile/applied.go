package reconcile

import (
	"slices"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/memory"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
)

// applying notes, before any driver acts for a mode, in which parts something
// will stand. That a lease ended is stored before the drivers take it back: if the
// agent dies in between, or a driver fails, the sweep knows by this note.
func (l *Loop) applying() {
	if !l.holding.Any() {
		return
	}
	var missing []catalog.Part
	l.config.Memory.Look(func(s *memory.State) {
		for _, p := range l.parts {
			if (!p.family() || closes(l.rules.Exam, p.name)) && !slices.Contains(s.Applied, p.name) && !slices.Contains(missing, p.name) {
				missing = append(missing, p.name)
			}
		}
	})
	if len(missing) > 0 {
		l.update(func(s *memory.State) { s.Applied = append(s.Applied, missing...) })
	}
}

// cleared drops the note of the parts that were read back after the last mode,
// and stores what was read back of each lease that is over.
func (l *Loop) cleared() {
	gone := l.untouched()
	if len(gone) > 0 || l.freed {
		l.update(func(s *memory.State) { s.Applied = without(s.Applied, gone) })
	}
}

// untouched are the noted parts in which nothing of a mode stands any more.
func (l *Loop) untouched() []catalog.Part {
	if l.holding.Any() {
		return nil
	}
	var gone []catalog.Part
	l.config.Memory.Look(func(s *memory.State) {
		for _, name := range s.Applied {
			if !slices.ContainsFunc(l.parts, func(p *part) bool { return p.name == name && !p.isBack() }) {
				gone = append(gone, name)
			}
		}
	})
	return gone
}

// isBack reports whether nothing of a mode stands in the part, given that none
// holds. A family that was set to the base policy alone has nothing of a mode in
// it, whatever else it lacks: a printer that does not answer keeps no exam.
func (p *part) isBack() bool { return p.settled() && (p.family() || clean(p.reading)) }

// clean reports whether a part was read back as wanted.
func clean(reading enforce.Reading) bool {
	return reading.State != ddm.PartDeviating && reading.State != ddm.PartPending
}

func without(parts, gone []catalog.Part) []catalog.Part {
	return slices.DeleteFunc(slices.Clone(parts), func(p catalog.Part) bool { return slices.Contains(gone, p) })
}
