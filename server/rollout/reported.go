package rollout

import (
	"context"
	"slices"
	"strings"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
)

// Reported keeps what a device read back of its packages, and whether it is worse off
// since it has them.
func (s *Service) Reported(ctx context.Context, authority, device org.ID, report ddm.StatusReport) error {
	if report.StatusItems.Agent == nil {
		return nil
	}
	said := report.StatusItems.Agent.Packages
	if len(said) == 0 {
		return nil
	}
	said = slices.Clone(said[:min(len(said), ddm.MostPackages)])
	for i := range said {
		said[i] = bounded(said[i])
	}
	return s.Store.SaveWords(ctx, authority, device, said, Troubles(report), s.Now())
}

func bounded(said ddm.PackageStatus) ddm.PackageStatus {
	cut := func(text string) string { return strings.ToValidUTF8(text[:min(len(text), 200)], "") }
	said.Rollout, said.Name, said.Present, said.State = cut(said.Rollout), cut(said.Name), cut(said.Present), ddm.PackageState(cut(string(said.State)))
	if said.Reason != nil {
		reason := ddm.Reason{Code: cut(said.Reason.Code)}
		for name, value := range said.Reason.Details {
			if reason.Details == nil {
				reason.Details = map[string]string{}
			}
			if len(reason.Details) < 10 {
				reason.Details[cut(name)] = cut(value)
			}
		}
		said.Reason = &reason
	}
	return said
}
