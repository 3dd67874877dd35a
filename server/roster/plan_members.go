package roster

import (
	"slices"
	"strings"
	"time"

	"schulwart.org/policies/org"
)

var platforms = map[string]org.Platform{
	"linux": org.Linux, "debian": org.Linux, "ubuntu": org.Linux, "windows": org.Windows, "win": org.Windows, "windows 10": org.Windows,
	"windows 11": org.Windows, "macos": org.MacOS, "mac": org.MacOS, "ipados": org.IPadOS, "ipad": org.IPadOS, "ios": org.IPadOS,
}

// devices plans a file of devices: found again by serial number, else by name.
func (p *planner) devices() {
	bySerial, byName, created := map[string]Device{}, map[string]Device{}, map[org.ID]bool{}
	for _, device := range p.inv.Devices {
		if device.Retired.IsZero() {
			p.Existing++
		}
		if device.Serial != "" {
			bySerial[strings.ToLower(device.Serial)] = device
		}
		byName[strings.ToLower(device.Name)] = device
	}
	kept := map[org.ID]bool{}
	for _, r := range p.imp.records() {
		serial := clip(r.cells[FieldSerial], longestName)
		before, known := bySerial[strings.ToLower(serial)]
		if !known {
			// A name with another serial number is another device.
			before, known = byName[strings.ToLower(r.name())]
			known = known && (serial == "" || before.Serial == "")
		}
		if known {
			kept[before.ID] = true // a line with a fault is no reason to remove
		}
		name, ok := p.named(r)
		if !ok || !p.first(r, FieldName, "device", name) || !p.first(r, FieldSerial, "serial", serial) {
			continue
		}
		if !known {
			before = Device{Authority: p.imp.Authority, ID: p.newID(), School: p.imp.School, Platform: org.Linux, Source: p.Source, Created: p.now}
			created[before.ID] = true
		}
		after, ok := p.readDevice(r, before, name, serial)
		if !ok {
			continue
		}
		p.seen["member\x00"+after.ID.String()] = r.line
		p.want(r, FieldGroups, after.ID)
		p.noteDevice(r, before, after, known)
	}
	p.dropDevices(kept)
	names := map[org.ID]string{}
	for _, device := range p.inv.Devices {
		names[device.ID] = device.Name
	}
	if p.imp.has(FieldGroups) {
		p.AddMembers, p.DropMembers = p.links(p.inv.Members)
		p.relinked(p.AddMembers, p.DropMembers, created, func(id org.ID) string { return names[id] })
	}
}

func (p *planner) noteDevice(r record, before, after Device, known bool) {
	switch {
	case !known:
		p.CreateDevices = append(p.CreateDevices, after)
		p.create(r.line, after.Name, p.rest(r))
	case describeDevice(before) != describeDevice(after) || !before.Retired.Equal(after.Retired):
		p.UpdateDevices = append(p.UpdateDevices, after)
		p.touched[after.ID] = true
		p.update(r.line, after.Name, describeDevice(before), describeDevice(after))
	default:
		p.Counts.Same++
	}
}

func (p *planner) dropDevices(kept map[org.ID]bool) {
	for _, device := range p.inv.Devices {
		if device.Source == p.Source && device.Retired.IsZero() && !kept[device.ID] {
			p.RetireDevices = append(p.RetireDevices, device)
			p.touched[device.ID] = true
			p.remove(device.Name)
		}
	}
}

func (p *planner) readDevice(r record, device Device, name, serial string) (Device, bool) {
	device.Name = name
	if serial != "" {
		device.Serial = serial
	}
	if text := r.cells[FieldPlatform]; text != "" {
		platform, known := platforms[strings.ToLower(text)]
		if !known {
			p.fault(r.line, FieldPlatform, "import.unknown_platform", "value", text)
			return device, false
		}
		device.Platform = platform
	}
	if p.imp.has(FieldModel) {
		device.Model = clip(r.cells[FieldModel], longestName)
	}
	if p.imp.has(FieldPerson) {
		device.Person, device.PersonName = "", ""
		if text := r.cells[FieldPerson]; text != "" {
			person := p.person(text)
			if person == nil {
				p.fault(r.line, FieldPerson, "import.unknown_person", "value", text)
				return device, false
			}
			device.Person, device.PersonName = person.ID, person.Name
		}
	}
	device.Retired = time.Time{} // what is in the file is in use again
	return device, true
}

// person finds a pupil by the school's own id, else by a name that only one has.
func (p *planner) person(text string) *Person {
	var found *Person
	for i, person := range p.inv.Persons {
		if person.External == text {
			return &p.inv.Persons[i]
		}
		if strings.EqualFold(person.Name, text) {
			if found != nil {
				return nil
			}
			found = &p.inv.Persons[i]
		}
	}
	return found
}

func describeDevice(device Device) string {
	parts := []string{device.Name, device.Serial, string(device.Platform), device.Model, device.PersonName}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
}

// persons plans a file of pupils: found again by the school's own id, else by
// name.
func (p *planner) persons() {
	p.Existing = len(p.inv.Persons)
	byExternal, byName, created := map[string]Person{}, map[string]Person{}, map[org.ID]bool{}
	names := map[org.ID]string{}
	for _, person := range p.inv.Persons {
		if person.External != "" {
			byExternal[person.External] = person
		} else {
			byName[strings.ToLower(person.Name)] = person
		}
		names[person.ID] = person.Name
	}
	kept := map[org.ID]bool{}
	for _, r := range p.imp.records() {
		external := clip(r.cells[FieldExternal], longestName)
		before, known := byExternal[external]
		if external == "" {
			before, known = byName[strings.ToLower(r.name())]
		}
		if known {
			kept[before.ID] = true // a line with a fault is no reason to remove
		}
		name, ok := p.named(r)
		key := external
		if key == "" {
			key = "name\x00" + name
		}
		if !ok || !p.first(r, FieldExternal, "person", key) {
			continue
		}
		if !known {
			before = Person{Authority: p.imp.Authority, ID: p.newID(), School: p.imp.School, External: external, Source: p.Source, Created: p.now}
			created[before.ID] = true
		}
		after := before
		after.Name = name
		p.seen["member\x00"+after.ID.String()] = r.line
		if !p.ownDevice(r, after) {
			continue
		}
		p.want(r, FieldGroups, after.ID)
		switch {
		case !known:
			p.CreatePersons = append(p.CreatePersons, after)
			p.create(r.line, name, p.rest(r))
		case before.Name != after.Name:
			p.UpdatePersons = append(p.UpdatePersons, after)
			p.touched[after.ID] = true
			p.update(r.line, name, before.Name, after.Name)
		default:
			p.Counts.Same++
		}
	}
	for _, person := range p.inv.Persons {
		if person.Source == p.Source && !kept[person.ID] {
			p.RemovePersons = append(p.RemovePersons, person)
			p.touched[person.ID] = true
			p.remove(person.Name)
		}
	}
	if p.imp.has(FieldGroups) {
		p.AddPupils, p.DropPupils = p.links(p.inv.Pupils)
		p.relinked(p.AddPupils, p.DropPupils, created, func(id org.ID) string { return names[id] })
	}
}

// ownDevice gives the device that the row names to the person.
func (p *planner) ownDevice(r record, person Person) bool {
	name := r.cells[FieldDevice]
	if name == "" {
		return true
	}
	if !p.first(r, FieldDevice, "own device", name) {
		return false
	}
	for _, device := range p.inv.Devices {
		if strings.EqualFold(device.Name, name) && device.Retired.IsZero() {
			if device.Person != person.ID {
				before := describeDevice(device)
				device.Person, device.PersonName = person.ID, person.Name
				p.UpdateDevices = append(p.UpdateDevices, device)
				p.Changes = append(p.Changes, Change{Line: r.line, Kind: "update", Name: device.Name, Old: before, New: describeDevice(device)})
				p.Counts.Updated++
			}
			return true
		}
	}
	p.fault(r.line, FieldDevice, "import.unknown_device", "value", name)
	return false
}

// teachers plans a file of staff: found again by login.
func (p *planner) teachers() {
	p.Existing = len(p.inv.Teachers)
	byLogin, created := map[string]KnownTeacher{}, map[org.ID]bool{}
	names := map[org.ID]string{}
	for _, teacher := range p.inv.Teachers {
		byLogin[teacher.Login] = teacher
		names[teacher.Staff] = teacher.Name
	}
	kept := map[org.ID]bool{}
	for _, r := range p.imp.records() {
		login := strings.ToLower(r.cells[FieldLogin])
		before, known := byLogin[login]
		if known {
			kept[before.Staff] = true // a line with a fault is no reason to remove
		}
		name, ok := p.named(r)
		if !ok {
			continue
		}
		if local, domain, found := strings.Cut(login, "@"); !found || local == "" || domain == "" || strings.ContainsAny(login, " <>,;") || len(login) > 254 {
			p.fault(r.line, FieldLogin, "staff.bad_login", "value", login)
			continue
		}
		if !p.first(r, FieldLogin, "login", login) {
			continue
		}
		if !known {
			before = KnownTeacher{Staff: p.newID(), Login: login, Source: p.Source}
			created[before.Staff] = true
		}
		after := before
		after.Name = name
		if p.imp.has(FieldSalutation) {
			after.Salutation = salutation(r.cells[FieldSalutation])
		}
		p.seen["member\x00"+after.Staff.String()] = r.line
		p.want(r, FieldGroups, after.Staff)
		switch {
		case !known:
			p.CreateTeachers = append(p.CreateTeachers, after)
			p.create(r.line, name, p.rest(r))
		case before != after:
			p.UpdateTeachers = append(p.UpdateTeachers, after)
			p.touched[after.Staff] = true
			p.update(r.line, name, strings.TrimSpace(before.Salutation+" "+before.Name), strings.TrimSpace(after.Salutation+" "+after.Name))
		default:
			p.Counts.Same++
		}
	}
	for _, teacher := range p.inv.Teachers {
		if teacher.Source == p.Source && !kept[teacher.Staff] {
			p.RemoveTeachers = append(p.RemoveTeachers, teacher)
			p.touched[teacher.Staff] = true
			p.remove(teacher.Name)
		}
	}
	if p.imp.has(FieldGroups) {
		p.AddTeaching, p.DropTeaching = p.links(p.inv.Teaching)
		p.relinked(p.AddTeaching, p.DropTeaching, created, func(id org.ID) string { return names[id] })
	}
}

func salutation(text string) string {
	switch strings.ToLower(strings.TrimSuffix(text, ".")) {
	case "frau", "fr", "w", "ms", "mrs":
		return "Frau"
	case "herr", "hr", "m", "mr":
		return "Herr"
	}
	return ""
}
