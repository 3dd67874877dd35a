package web

import (
	"strings"
	"time"
)

// span tells from when until when something is so; nothing when it always is.
func (f Frame) span(from, until time.Time) string {
	switch {
	case from.IsZero() && until.IsZero():
		return f.T("groups.always")
	case until.IsZero():
		return f.T("groups.since", "from", f.Day(from))
	case from.IsZero():
		return f.T("groups.to", "until", f.Day(until))
	}
	return f.Day(from) + " – " + f.Day(until)
}

func (p GroupPage) groupSub() string {
	room := ""
	if p.Room != "" {
		room = p.T("board.room", "room", p.Room)
	}
	imported := ""
	if p.Imported != "" {
		imported = p.T("groups.imported", "import", p.Imported)
	}
	return dotted(p.T("group.kind."+string(p.Row.Group.Kind)), p.Row.Group.School, room, p.span(p.Row.From, p.Row.Until), imported)
}

func (p GroupEditPage) editTitle() string {
	if p.ID == "" {
		return p.T("groups.new")
	}
	return p.T("groups.edit", "name", p.Name)
}

func (p GroupEditPage) editPath() string {
	if p.ID == "" {
		return PathGroupNew
	}
	return To(PathGroupEdit, p.ID)
}

func (p GroupEditPage) editBack() string {
	if p.ID == "" {
		return PathGroups
	}
	return To(PathGroup, p.ID)
}

// candidateDetail says where a device is already, so that it is not taken from
// there by mistake.
func (p GroupDevicesPage) candidateDetail(d DeviceRow) string {
	if p.Inside[d.ID] {
		return p.T("groupdevices.inside")
	}
	return dotted(d.Person, d.Serial, strings.Join(d.Groups, ", "))
}
