package store

import (
	"context"
	"fmt"

	"schulwart.org/policies/org"
	"schulwart.org/server/standard"
)

const machineSelect = `SELECT d.authority, d.school, d.id, d.name, ` + deviceFacts + `, COALESCE(st.declarations, '[]'), COALESCE(st.said_times, '{}'), COALESCE(st.said_since, 0), COALESCE(st.reported, 0), COALESCE(st.last_seen, 0)
	FROM devices d` + deviceFactsFrom + ` WHERE d.retired = 0 AND `

func scanMachine(row scanner) (standard.Machine, error) {
	var m standard.Machine
	var enrolled int
	var declarations, times string
	var since, reported, seen int64
	err := row.Scan(&m.Branch.Authority, &m.Branch.School, &m.Device.ID, &m.Name, &m.Device.Platform, &m.Device.Supervised, &m.Device.Schema, &enrolled, &declarations, &times, &since, &reported, &seen)
	m.Enrolled, m.Reported, m.Seen = enrolled == 1, instant(reported), instant(seen)
	if err == nil {
		m.Said = configurations(declarations)
		m.SaidSince = saidSince(m.Said, times, since)
	}
	return m, err
}

// Machines lists devices that a place reaches one by one, by name, with all their
// groups and what they last said.
func (s *Store) Machines(ctx context.Context, place standard.Place, cursor string, limit int) ([]standard.Machine, string, error) {
	q := newQuery(machineSelect)
	q.devicesOf(place)
	limit = q.page("d.name", "d.id", cursor, limit, 100)
	machines, err := collect(ctx, s.reader(ctx), scanMachine, q.text(), q.args...)
	if err != nil {
		return nil, "", err
	}
	machines, next := cut(machines, limit, func(m standard.Machine) (string, org.ID) { return m.Name, m.Device.ID })
	return machines, next, s.addGroups(ctx, machines)
}

func (s *Store) addGroups(ctx context.Context, machines []standard.Machine) error {
	if len(machines) == 0 {
		return nil
	}
	at := make(map[org.ID]*standard.Machine, len(machines))
	ids := make([]org.ID, len(machines))
	for i := range machines {
		ids[i] = machines[i].Device.ID
		at[ids[i]] = &machines[i]
	}
	marks, args := list(1, ids)
	_, err := collect(ctx, s.reader(ctx), func(row scanner) (struct{}, error) {
		var device, group org.ID
		err := row.Scan(&device, &group)
		if machine := at[device]; err == nil && machine != nil {
			machine.Device.Groups = append(machine.Device.Groups, group)
		}
		return struct{}{}, err
	}, `SELECT m.device, m.group_id FROM devices d JOIN group_devices m ON m.authority = d.authority AND m.device = d.id WHERE d.id IN (`+marks+`) ORDER BY m.device, m.group_id`, args...)
	if err != nil {
		return fmt.Errorf("reading groups: %w", err)
	}
	return nil
}
