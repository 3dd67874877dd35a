package api

import (
	"context"
	"net/http"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/lesson"
	"schulwart.org/server/may"
	"schulwart.org/server/roster"
)

// Ready is said of a device without a mode that is in contact.
const Ready lesson.State = "ready"

// Device is a laptop or tablet with what is known of it now.
type Device struct {
	ID         org.ID            `json:"id"`
	Name       string            `json:"name" doc:"Inventory number."`
	Serial     string            `json:"serial,omitempty"`
	Platform   org.Platform      `json:"platform" enum:"linux,windows,macos,ipados"`
	Model      string            `json:"model,omitempty"`
	System     string            `json:"system,omitempty" example:"Debian 12"`
	Agent      string            `json:"agent,omitempty" doc:"Version of the agent."`
	School     Named             `json:"school"`
	Groups     []DeviceGroup     `json:"groups" nullable:"false" doc:"Empty for who may list the device only because they teach."`
	Person     string            `json:"person,omitempty"`
	Enrolled   bool              `json:"enrolled"`
	Simulated  bool              `json:"simulated,omitempty"`
	State      lesson.State      `json:"state" doc:"Of its gravest mode; ready or unreachable without one." enum:"planned,delivered,active,deviating,unreachable,ended,ready"`
	Reason     string            `json:"reason,omitempty" doc:"Why it is so; a stable key."`
	ReasonArgs map[string]string `json:"reason_args,omitempty"`
	Since      *time.Time        `json:"since,omitempty"`
	LastSeen   *time.Time        `json:"last_seen,omitempty"`
	Modes      []DeviceMode      `json:"modes" nullable:"false" doc:"Modes on this device, running and planned. Empty for who may list it only because they teach."`
}

// DeviceGroup is a group of a device.
type DeviceGroup struct {
	ID   org.ID        `json:"id"`
	Kind org.GroupKind `json:"kind"`
	Name string        `json:"name"`
}

// DeviceMode is a mode on one device.
type DeviceMode struct {
	ID         org.ID            `json:"id" doc:"Of the mode."`
	Kind       string            `json:"kind"`
	StartsAt   time.Time         `json:"starts_at"`
	EndsAt     time.Time         `json:"ends_at"`
	By         string            `json:"by"`
	State      lesson.State      `json:"state"`
	Reason     string            `json:"reason,omitempty"`
	ReasonArgs map[string]string `json:"reason_args,omitempty"`
	Since      *time.Time        `json:"since,omitempty"`
}

type devicesIn struct {
	Paging
	Q        string       `query:"q" maxLength:"200" doc:"Words that begin the inventory number, serial number, person's, group's or room's name."`
	Group    org.ID       `query:"group" maxLength:"64" doc:"Who teaches has to name a group that is theirs now."`
	School   org.ID       `query:"school" maxLength:"64"`
	Platform org.Platform `query:"platform" enum:"linux,windows,macos,ipados"`
	State    lesson.State `query:"state" enum:"planned,delivered,active,deviating,unreachable,ended,ready"`
}

type newDeviceIn struct {
	Body struct {
		School   org.ID       `json:"school"`
		Name     string       `json:"name" maxLength:"200" doc:"Inventory number."`
		Serial   string       `json:"serial,omitempty" maxLength:"200"`
		Platform org.Platform `json:"platform,omitempty" enum:"linux,windows,macos,ipados" default:"linux"`
	}
}

type changeDeviceIn struct {
	ID   org.ID `path:"id" maxLength:"64"`
	Body struct {
		Name   *string `json:"name,omitempty" maxLength:"200"`
		School *org.ID `json:"school,omitempty" maxLength:"64"`
	}
}

func registerDevices(d *door) {
	handle(d, op{id: "list-devices", method: http.MethodGet, path: "/api/v1/devices", summary: "List and search devices; who teaches a group lists those of that group, with id, name, platform and state", needs: may.GroupRead}, d.listDevices)
	handle(d, op{id: "create-device", method: http.MethodPost, path: "/api/v1/devices", summary: "Enter a device before it is enrolled", needs: may.DeviceWrite, status: http.StatusCreated}, d.createDevice)
	handle(d, op{id: "find-device", method: http.MethodGet, path: "/api/v1/devices/{id}", summary: "Find a device", needs: may.DeviceRead}, d.findDevice)
	handle(d, op{id: "change-device", method: http.MethodPatch, path: "/api/v1/devices/{id}", summary: "Rename or move a device", needs: may.DeviceWrite}, d.changeDevice)
}

// mostLooked bounds how many devices one request looks at for a state: states
// are computed, never stored. The cursor goes on from there.
const mostLooked = 2000

func (d *door) listDevices(ctx context.Context, actor may.Actor, in *devicesIn) (*body[List[Device]], error) {
	filter := roster.DeviceFilter{Query: in.Q, School: in.School, Group: in.Group, Platform: in.Platform, Cursor: in.Cursor, Limit: in.Limit}
	if in.State == "" {
		devices, next, err := d.pageOfDevices(ctx, actor, filter)
		if err != nil {
			return nil, err
		}
		return listOf(devices, next, func(x Device) Device { return x }), nil
	}
	if in.State != Ready && in.State != lesson.Unreachable {
		filter.Leased = true
	}
	limit := in.Limit
	if limit == 0 {
		limit = 50
	}
	found := &body[List[Device]]{List[Device]{Items: []Device{}}}
	for looked := 0; looked < mostLooked && len(found.Body.Items) < limit; {
		filter.Limit = min(200, limit-len(found.Body.Items))
		devices, next, err := d.pageOfDevices(ctx, actor, filter)
		if err != nil {
			return nil, err
		}
		for _, device := range devices {
			if device.State == in.State {
				found.Body.Items = append(found.Body.Items, device)
			}
		}
		looked += len(devices)
		found.Body.Next, filter.Cursor = next, next
		if next == "" {
			break
		}
	}
	return found, nil
}

func (d *door) pageOfDevices(ctx context.Context, actor may.Actor, filter roster.DeviceFilter) ([]Device, string, error) {
	devices, next, err := d.Roster.Devices(ctx, actor, filter)
	if err != nil {
		return nil, "", err
	}
	out := make([]Device, len(devices))
	for i, device := range devices {
		if out[i], err = d.deviceOut(ctx, device); err != nil {
			return nil, "", err
		}
		if !may.Can(actor, may.DeviceRead, device.Branch()) {
			out[i] = forTeaching(out[i])
		}
	}
	return out, next, nil
}

// forTeaching leaves what names a device for a mode: contact and modes, which
// deviceOut adds, are for who may open the device.
func forTeaching(d Device) Device {
	return Device{
		ID: d.ID, Name: d.Name, Platform: d.Platform, School: d.School, Groups: []DeviceGroup{}, Enrolled: d.Enrolled, Simulated: d.Simulated,
		State: d.State, Modes: []DeviceMode{},
	}
}

func (d *door) findDevice(ctx context.Context, actor may.Actor, in *byID) (*body[Device], error) {
	device, err := d.Roster.Device(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	out, err := d.deviceOut(ctx, device)
	return &body[Device]{out}, err
}

func (d *door) createDevice(ctx context.Context, actor may.Actor, in *newDeviceIn) (*body[Device], error) {
	device, err := d.Roster.CreateDevice(ctx, actor, in.Body.School, in.Body.Name, in.Body.Serial, in.Body.Platform)
	if err != nil {
		return nil, err
	}
	out, err := d.deviceOut(ctx, device)
	return &body[Device]{out}, err
}

func (d *door) changeDevice(ctx context.Context, actor may.Actor, in *changeDeviceIn) (*body[Device], error) {
	device, err := d.Roster.UpdateDevice(ctx, actor, in.ID, roster.DeviceUpdate{Name: in.Body.Name, School: in.Body.School})
	if err != nil {
		return nil, err
	}
	out, err := d.deviceOut(ctx, device)
	return &body[Device]{out}, err
}

// deviceOut adds to a device what is known of it now.
func (d *door) deviceOut(ctx context.Context, device roster.Device) (Device, error) {
	out := Device{
		ID: device.ID, Name: device.Name, Serial: device.Serial, Platform: device.Platform, Model: device.Model, System: device.System, Agent: device.Agent,
		School: Named{device.School, device.SchoolName}, Groups: make([]DeviceGroup, len(device.Groups)), Person: device.PersonName,
		Enrolled: device.Enrolment != "", Simulated: device.Simulated, Modes: []DeviceMode{},
	}
	for i, group := range device.Groups {
		out.Groups[i] = DeviceGroup{group.ID, group.Kind, group.Name}
	}
	contact := lesson.Contact{Seen: device.LastSeen}
	if device.Enrolment != "" {
		if known := d.Presence.Contact(device.Enrolment); !known.Seen.IsZero() {
			contact = known
		}
	}
	out.LastSeen = at(contact.Seen)
	out.State, out.Since = lesson.Unreachable, at(contact.Seen)
	switch {
	case contact.Connected:
		out.State = Ready
	case device.Enrolment == "":
		out.Reason = "not_enrolled"
	default:
		out.Reason = "no_contact"
	}
	if !device.Leased {
		return out, nil
	}
	return out, d.addModes(ctx, device, &out)
}

func (d *door) addModes(ctx context.Context, device roster.Device, out *Device) error {
	lines, err := d.Lessons.Leases(ctx, device.Branch(), device.ID)
	if err != nil {
		return err
	}
	worst := -1
	for _, line := range lines {
		mode := DeviceMode{
			ID: line.Lease.Mode, Kind: string(line.Lease.Kind), StartsAt: line.Lease.Starts, EndsAt: line.Lease.Ends, By: line.Lease.ByName,
			State: line.State, Reason: line.Reason.Key, ReasonArgs: line.Reason.Args, Since: at(line.Since),
		}
		out.Modes = append(out.Modes, mode)
		if grave := d.gravity(line); grave > worst {
			worst = grave
			out.State, out.Reason, out.ReasonArgs, out.Since = mode.State, mode.Reason, mode.ReasonArgs, mode.Since
		}
	}
	return nil
}

// gravity orders a device's modes by how much they want a look: what holds comes
// before what is planned for later.
func (d *door) gravity(line lesson.DeviceMode) int {
	grave := gravity[line.State]
	if line.State != lesson.Ended && !d.Now().Before(line.Lease.Starts) {
		grave += len(gravity)
	}
	return grave
}

var gravity = map[lesson.State]int{lesson.Ended: 0, lesson.Planned: 1, lesson.Active: 2, lesson.Delivered: 3, lesson.Unreachable: 4, lesson.Deviating: 5}

// at leaves an instant out that never was.
func at(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
