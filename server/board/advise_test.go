package board_test

import (
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/server/board"
	"schulwart.org/server/lesson"
)

var now = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func well() board.Device {
	return board.Device{
		Sheet:   board.Sheet{Device: "laptop-1", Enrolment: "enrolment-1", Name: "NB-0417"},
		Contact: lesson.Contact{Connected: true, Seen: now},
	}
}

func mode(state lesson.State, reason string) lesson.DeviceMode {
	return lesson.DeviceMode{
		State: state, Reason: lesson.Reason{Key: reason},
		Lease: lesson.Lease{Kind: lease.Offline, ByName: "Frau Oert", Ends: now.Add(20 * time.Minute)},
	}
}

// later lies on the device and begins with the next lesson.
func later() lesson.DeviceMode {
	armed := mode(lesson.Delivered, "armed")
	armed.Lease.ByName, armed.Lease.Starts, armed.Lease.Ends = "Herr Adler", now.Add(time.Hour), now.Add(2*time.Hour)
	return armed
}

func ptr[T any](v T) *T { return &v }

func TestAdvise(t *testing.T) {
	cases := []struct {
		name   string
		change func(*board.Device)
		want   string
	}{
		{"nothing is wrong", func(*board.Device) {}, "fine"},
		{"never enrolled", func(d *board.Device) { d.Enrolment = "" }, "not_enrolled"},
		{"was enrolled and left", func(d *board.Device) { d.Enrolment, d.Left = "", true }, "left"},
		{"a mode holds", func(d *board.Device) { d.Modes = []lesson.DeviceMode{mode(lesson.Active, "")} }, "mode"},
		{"a mode is on its way", func(d *board.Device) { d.Modes = []lesson.DeviceMode{mode(lesson.Planned, "on_its_way")} }, "mode"},
		{"a mode does not hold as wanted", func(d *board.Device) { d.Modes = []lesson.DeviceMode{mode(lesson.Deviating, "part.timeout")} }, "deviating"},
		{"a mode is over, but its device has not read back that all is free", func(d *board.Device) { d.Modes = []lesson.DeviceMode{mode(lesson.Deviating, "not_released")} }, "overdue"},
		{"a mode should be over", func(d *board.Device) { d.Modes = []lesson.DeviceMode{mode(lesson.Unreachable, "should_have_ended")} }, "overdue"},
		{"a mode holds without contact", func(d *board.Device) {
			d.Contact = lesson.Contact{Seen: now.Add(-5 * time.Minute)}
			d.Modes = []lesson.DeviceMode{mode(lesson.Active, "held_without_contact")}
		}, "held_offline"},
		{"a mode has not reached it", func(d *board.Device) {
			d.Contact = lesson.Contact{Seen: now.Add(-5 * time.Minute)}
			d.Modes = []lesson.DeviceMode{mode(lesson.Unreachable, "not_received")}
		}, "no_contact"},
		{"an ended mode is no cause", func(d *board.Device) { d.Modes = []lesson.DeviceMode{mode(lesson.Ended, "")} }, "fine"},
		{"a mode that is planned for later is no cause", func(d *board.Device) { d.Modes = []lesson.DeviceMode{later()} }, "fine"},
		{"a mode holds, another is planned for later", func(d *board.Device) { d.Modes = []lesson.DeviceMode{later(), mode(lesson.Active, "")} }, "mode"},
		{"no contact for an hour", func(d *board.Device) { d.Contact = lesson.Contact{Seen: now.Add(-time.Hour)} }, "no_contact"},
		{"no contact for three weeks", func(d *board.Device) { d.Contact = lesson.Contact{Seen: now.Add(-21 * 24 * time.Hour)} }, "long_away"},
		{"no contact, battery nearly empty", func(d *board.Device) {
			d.Contact = lesson.Contact{Seen: now.Add(-time.Hour)}
			d.Facts = ddm.Facts{Battery: ptr(4)}
		}, "battery"},
		{"battery nearly empty, but in contact", func(d *board.Device) { d.Facts = ddm.Facts{Battery: ptr(4)} }, "fine"},
		{"the clock is wrong", func(d *board.Device) { d.Facts = ddm.Facts{ClockOffset: ptr(-4000.0)} }, "clock"},
		{"the clock is a little off", func(d *board.Device) { d.Facts = ddm.Facts{ClockOffset: ptr(40.0)} }, "fine"},
		{"the disk is full", func(d *board.Device) { d.Facts = ddm.Facts{DiskTotal: 100 << 30, DiskFree: 1 << 20} }, "disk"},
		{"the disk is not known", func(d *board.Device) { d.Facts = ddm.Facts{DiskFree: 0} }, "fine"},
		{"the gravest comes first", func(d *board.Device) {
			d.Facts = ddm.Facts{ClockOffset: ptr(4000.0), DiskTotal: 1 << 40, DiskFree: 1}
			d.Modes = []lesson.DeviceMode{mode(lesson.Active, ""), mode(lesson.Unreachable, "should_have_ended")}
		}, "overdue"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := well()
			c.change(&d)
			got := board.Advise(d, now)
			if got.Cause != c.want || got.Step != c.want || got.Say != c.want {
				t.Errorf("%+v, want %s", got, c.want)
			}
			if got.Args["by"] == "Herr Adler" {
				t.Errorf("speaks of what is planned for later: %v", got.Args)
			}
			if got.Args["name"] != "NB-0417" {
				t.Errorf("does not name the device: %v", got.Args)
			}
			if c.want == "mode" && (got.Args["by"] != "Frau Oert" || got.Args["until"] != "2026-11-23T09:20:00Z" || got.Args["kind"] != "offline") {
				t.Errorf("does not say who, what, until when: %v", got.Args)
			}
		})
	}
}
