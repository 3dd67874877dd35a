package roster

import (
	"context"
	"strings"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// Devices lists the devices that the actor may see, by name. Who has no
// DeviceRead where filter.Group is, but teaches that group now, gets its devices
// as ForTeaching leaves them. Faults: NotFound for a group out of reach, Denied
// "lesson.not_yours" for a colleague's, and Denied without a group or with words
// to search for.
func (s *Service) Devices(ctx context.Context, actor may.Actor, filter DeviceFilter) ([]Device, string, error) {
	branches := may.Branches(actor, may.DeviceRead)
	if filter.Group != "" {
		group, _, err := s.group(ctx, actor, may.GroupRead, filter.Group)
		switch {
		case err == nil && !may.Can(actor, may.DeviceRead, group.Branch()):
			return s.devicesTaught(ctx, actor, group, filter)
		case err != nil && (len(branches) == 0 || !errs.Is(err, errs.NotFound)):
			return nil, "", err
		}
	}
	if len(branches) == 0 {
		return nil, "", errs.E(errs.Denied, "denied", "action", string(may.DeviceRead))
	}
	devices, next, err := s.Store.ListDevices(ctx, branches, filter, s.Now())
	for i := range devices {
		devices[i] = forActor(actor, devices[i])
	}
	return devices, next, err
}

// devicesTaught lists the devices of a group for who teaches it now, so that
// some of them can be named for a mode. Words would find them by serial number.
func (s *Service) devicesTaught(ctx context.Context, actor may.Actor, group Group, filter DeviceFilter) ([]Device, string, error) {
	teaches, err := s.TeachesNow(ctx, actor.ID, group.ID, s.Now())
	if err != nil {
		return nil, "", err
	}
	if !teaches {
		return nil, "", errs.E(errs.Denied, "lesson.not_yours")
	}
	if filter.Query != "" || filter.Seen != "" {
		return nil, "", errs.E(errs.Denied, "denied", "action", string(may.DeviceRead))
	}
	home := org.Branch{Authority: group.Authority, School: group.School}
	devices, next, err := s.Store.ListDevices(ctx, []org.Branch{home}, filter, s.Now())
	for i := range devices {
		devices[i] = devices[i].ForTeaching()
	}
	return devices, next, err
}

// CountDevices counts the devices in use that the actor may see.
func (s *Service) CountDevices(ctx context.Context, actor may.Actor) (int, error) {
	return s.Store.CountDevices(ctx, may.Branches(actor, may.DeviceRead))
}

// Device returns one device. Teachers reach those of their school's groups
// through the board, not here.
func (s *Service) Device(ctx context.Context, actor may.Actor, id org.ID) (Device, error) {
	device, _, err := s.device(ctx, actor, may.DeviceRead, id)
	return forActor(actor, device), err
}

// forActor leaves the pupil out for who has no use for the name.
func forActor(actor may.Actor, device Device) Device {
	if !may.SeesNames(actor, device.Branch()) {
		device.Person, device.PersonName = "", ""
	}
	return device
}

func (s *Service) device(ctx context.Context, actor may.Actor, action may.Action, id org.ID) (Device, may.Permit, error) {
	device, err := s.Store.FindDevice(ctx, id)
	if err != nil {
		return Device{}, may.Permit{}, err
	}
	permit, err := may.Do(actor, action, device.Branch())
	if err != nil {
		return Device{}, may.Permit{}, err
	}
	return device, permit, nil
}

// CreateDevice enters a device by hand, before it is enrolled.
func (s *Service) CreateDevice(ctx context.Context, actor may.Actor, school org.ID, name, serial string, platform org.Platform) (Device, error) {
	home, err := s.Store.FindSchool(ctx, school)
	if err != nil {
		return Device{}, err
	}
	permit, err := may.Do(actor, may.DeviceWrite, home.Branch())
	if err != nil {
		return Device{}, err
	}
	device := Device{
		Authority: home.Authority, ID: s.NewID(), School: home.ID, SchoolName: home.Name, Serial: clip(strings.TrimSpace(serial), longestName),
		Platform: platform, Source: "hand", Created: s.Now().UTC(),
	}
	if device.Name, err = readName(name, "name"); err != nil {
		return Device{}, err
	}
	if !knownPlatform(platform) {
		return Device{}, errs.E(errs.Invalid, "device.unknown_platform").In("platform")
	}
	return device, s.Store.CreateDevice(ctx, permit, device)
}

func knownPlatform(platform org.Platform) bool {
	switch platform {
	case org.Linux, org.Windows, org.MacOS, org.IPadOS:
		return true
	}
	return false
}

// UpdateDevice renames a device, moves it to another school of its authority,
// or gives it to a person (empty: nobody).
func (s *Service) UpdateDevice(ctx context.Context, actor may.Actor, id org.ID, change DeviceUpdate) (Device, error) {
	before, permit, err := s.device(ctx, actor, may.DeviceWrite, id)
	if err != nil {
		return Device{}, err
	}
	after := before
	if change.Name != nil {
		if after.Name, err = readName(*change.Name, "name"); err != nil {
			return Device{}, err
		}
	}
	if change.Model != nil {
		after.Model = clip(strings.TrimSpace(*change.Model), longestName)
	}
	if change.School != nil && *change.School != before.School {
		if after, err = s.move(ctx, actor, after, *change.School); err != nil {
			return Device{}, err
		}
	}
	if change.Person != nil {
		if after, err = s.give(ctx, after, *change.Person); err != nil {
			return Device{}, err
		}
	}
	err = s.Store.UpdateDevice(ctx, permit, before, after)
	if err == nil && s.Doors != nil && after.School != before.School {
		s.Doors.Forget(after.Authority, after.ID)
	}
	return forActor(actor, after), s.wake(err)
}

// move needs the right at both ends.
func (s *Service) move(ctx context.Context, actor may.Actor, device Device, to org.ID) (Device, error) {
	school, err := s.Store.FindSchool(ctx, to)
	if err != nil {
		return Device{}, err
	}
	if _, err := may.Do(actor, may.DeviceWrite, school.Branch()); err != nil {
		return Device{}, err
	}
	if school.Authority != device.Authority {
		return Device{}, errs.E(errs.Invalid, "device.other_authority").In("school")
	}
	device.School, device.SchoolName, device.Person, device.PersonName, device.Groups = school.ID, school.Name, "", "", nil
	return device, nil
}

func (s *Service) give(ctx context.Context, device Device, id org.ID) (Device, error) {
	if id == "" {
		device.Person, device.PersonName = "", ""
		return device, nil
	}
	person, err := s.Store.FindPerson(ctx, id)
	if err != nil {
		return Device{}, err
	}
	if person.Authority != device.Authority || person.School != device.School {
		return Device{}, errs.E(errs.NotFound, "not_found").In("person")
	}
	device.Person, device.PersonName = person.ID, person.Name
	return device, nil
}

// RetireDevice takes a device out of use: it leaves its groups and its person.
// Its leases end; its enrolment is ended by the room that knows certificates.
func (s *Service) RetireDevice(ctx context.Context, actor may.Actor, id org.ID) (Device, error) {
	device, permit, err := s.device(ctx, actor, may.DeviceWrite, id)
	if err != nil {
		return Device{}, err
	}
	if !device.Retired.IsZero() {
		return forActor(actor, device), nil
	}
	now := s.Now().UTC()
	if err := s.wake(s.Store.RetireDevice(ctx, permit, device, now)); err != nil {
		return Device{}, err
	}
	if s.Doors != nil {
		s.Doors.Forget(device.Authority, device.ID)
	}
	device.Retired = now
	return forActor(actor, device), nil
}

// Persons lists pupils of the actor's schools, where there are any.
func (s *Service) Persons(ctx context.Context, actor may.Actor, query string, school org.ID, cursor string, limit int) ([]Person, string, error) {
	branches := may.Branches(actor, may.PersonRead)
	if len(branches) == 0 {
		return nil, "", errs.E(errs.Denied, "denied", "action", string(may.PersonRead))
	}
	return s.Store.ListPersons(ctx, branches, query, school, cursor, limit)
}

// Person returns one pupil. Who looks leaves a trace.
func (s *Service) Person(ctx context.Context, actor may.Actor, id org.ID) (Person, error) {
	person, err := s.Store.FindPerson(ctx, id)
	if err != nil {
		return Person{}, err
	}
	permit, err := may.Do(actor, may.PersonRead, org.Branch{Authority: person.Authority, School: person.School})
	if err != nil {
		return Person{}, err
	}
	return person, s.Store.RecordLook(ctx, permit, person)
}

// CreatePerson enters a pupil by hand.
func (s *Service) CreatePerson(ctx context.Context, actor may.Actor, school org.ID, name, external string) (Person, error) {
	home, err := s.Store.FindSchool(ctx, school)
	if err != nil {
		return Person{}, err
	}
	permit, err := may.Do(actor, may.SchoolWrite, home.Branch())
	if err != nil {
		return Person{}, err
	}
	person := Person{Authority: home.Authority, ID: s.NewID(), School: home.ID, External: clip(strings.TrimSpace(external), longestName), Source: "hand", Created: s.Now().UTC()}
	if person.Name, err = readName(name, "name"); err != nil {
		return Person{}, err
	}
	return person, s.Store.CreatePerson(ctx, permit, person)
}

// DeletePerson removes a pupil's name and leaves the devices.
func (s *Service) DeletePerson(ctx context.Context, actor may.Actor, id org.ID) error {
	person, err := s.Store.FindPerson(ctx, id)
	if err != nil {
		return err
	}
	permit, err := may.Do(actor, may.SchoolWrite, org.Branch{Authority: person.Authority, School: person.School})
	if err != nil {
		return err
	}
	return s.Store.DeletePerson(ctx, permit, person)
}
