package standard

import (
	"errors"
	"fmt"
	"strings"

	"schulwart.org/server/errs"
)

// Error is what logs say of them.
func (f Faults) Error() string {
	var list []string
	for _, fault := range f {
		list = append(list, fault.Key+" "+fault.Family+"."+fault.Field)
	}
	return strings.Join(list, ", ")
}

// FaultsOf returns the faults of values, or what stands in the way of
// publishing, that an error carries; nil if it carries none.
func FaultsOf(err error) []Fault {
	var faults Faults
	if errors.As(err, &faults) {
		return faults
	}
	return nil
}

// invalid wraps faults; with none it is nil. People read the first, and how many
// there are.
func invalid(faults Faults) error {
	if len(faults) == 0 {
		return nil
	}
	return errs.E(errs.Invalid, "policy.faults", "count", len(faults), "first", fmt.Sprint(faults[0].Family, ".", faults[0].Field)).
		In(faults[0].Family + "." + faults[0].Field).Because(faults)
}

// touched are versions that stand in the way of taking one back.
type touched []Version

func (t touched) Error() string {
	var list []string
	for _, version := range t {
		list = append(list, version.ID.String())
	}
	return "touched by " + strings.Join(list, ", ")
}

// TouchedLater returns the later versions that stand in the way of taking one
// back, nil if the error says nothing of it.
func TouchedLater(err error) []Version {
	var later touched
	if errors.As(err, &later) {
		return later
	}
	return nil
}
