package reconcile

import (
	"strconv"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/memory"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

// rehearsalRest is how long what a dry run found is taken for true.
const rehearsalRest = 5 * time.Minute

// rehearsal is what a dry run of one revision of a lease found.
type rehearsal struct {
	at    time.Duration // elapsed
	parts []ddm.Part
}

// rehearsed are the parts through which an examination that waits would not hold,
// as its drivers say without setting anything.
func (l *Loop) rehearsed(known lease.Lease) []ddm.Part {
	if known.Kind != lease.Exam {
		return nil
	}
	key, elapsed := known.ID+"#"+strconv.Itoa(known.Rev), l.config.Memory.Clock().Elapsed
	if found, ok := l.rehearsals[key]; ok && elapsed-found.at < rehearsalRest {
		return found.parts
	}
	rules, _ := Decide(l.state.base, []lease.Lease{known}, memory.Clock{Now: known.NotBefore, Exam: known.NotBefore}, l.config.Speech)
	var parts []ddm.Part
	for _, name := range catalog.PartsOf(known.Kind) {
		for _, p := range l.parts {
			if p.name != name || p.family() && !closes(rules.Exam, name) {
				continue
			}
			if part := rehearse(p.driver, name, rules); part != nil {
				part.Since = l.config.Memory.Clock().Now
				parts = append(parts, *part)
			}
		}
	}
	if l.rehearsals == nil || len(l.rehearsals) > 20 {
		l.rehearsals = map[string]rehearsal{}
	}
	l.rehearsals[key] = rehearsal{elapsed, parts}
	return parts
}

func rehearse(driver enforce.Driver, name catalog.Part, rules enforce.Rules) *ddm.Part {
	rehearser, ok := driver.(enforce.Rehearser)
	if !ok {
		return nil
	}
	found := rehearser.Rehearse(rules)
	if found == nil {
		return nil
	}
	return &ddm.Part{Name: string(name), State: found.State, Reason: found.Reason}
}
