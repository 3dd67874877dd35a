package rollout

import (
	"context"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
)

// Devices lists the devices of a rollout by name, a page at a time, with the
// cursor of the next.
func (s *Service) Devices(ctx context.Context, actor may.Actor, id org.ID, filter DeviceFilter) ([]DeviceView, string, error) {
	r, schools, err := s.seen(ctx, actor, id)
	if err != nil {
		return nil, "", err
	}
	if err := s.Store.Recount(ctx, r); err != nil {
		return nil, "", err
	}
	filter.Schools = schools
	return s.Store.RolloutDevices(ctx, r, filter)
}
