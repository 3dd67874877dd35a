package rollout

import (
	"slices"
	"strings"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
)

// Troubles counts the policies that a device does not keep, as its report says; nil
// where it does not speak of them. What takes effect soon is no trouble. What a
// system never can is the same before and after, and so weighs nothing.
func Troubles(report ddm.StatusReport) *int {
	management := report.StatusItems.Management
	if management == nil || management.Declarations == nil {
		return nil
	}
	n := 0
	for _, d := range management.Declarations.Configurations {
		name, _ := strings.CutPrefix(d.Identifier, catalog.IdentifierPrefix)
		if _, policy := catalog.Find(name); !policy || d.Active {
			continue
		}
		if slices.ContainsFunc(d.Reasons, func(r ddm.Reason) bool { return r.Code != ddm.ReasonPending }) {
			n++
		}
	}
	return &n
}
