package console

import (
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/policies/presets"
	"schulwart.org/server/lesson"
	"schulwart.org/server/roster"
	"schulwart.org/web"
)

// pretendGroup is the id of the group that exists for one person only: with one
// device that is none. Everything that can be done on a board can be tried on
// it, and nothing of it leaves the person's own session.
const pretendGroup = "probe"

const pretendDevice = org.ID("probe")

// pretended reports whether a request is about the pretend group.
func pretended(c *gin.Context) bool { return c.Param("group") == pretendGroup }

// rehearsal is the pretend device's state. It is kept in the session; what the
// device does follows from the clock alone.
type rehearsal struct {
	Mode    string      `json:"mode,omitempty"` // id; empty: nothing was started
	Kind    lease.Kind  `json:"kind,omitempty"`
	Rules   lease.Rules `json:"rules,omitzero"`
	Starts  time.Time   `json:"starts,omitzero"`
	Ends    time.Time   `json:"ends,omitzero"`
	Ended   time.Time   `json:"ended,omitzero"` // by the person, before its time
	Changed time.Time   `json:"changed,omitzero"`
	Done    bool        `json:"done,omitempty"` // a mode was started and ended
}

// How long the pretend device takes, as long as a real one with a slow radio,
// so that the states can be seen to pass.
const (
	pretendFetch = 600 * time.Millisecond
	pretendApply = 1400 * time.Millisecond
)

// holds reports whether the mode is in force on the pretend device.
func (r rehearsal) holds(at time.Time) bool {
	switch {
	case r.Mode == "" || !at.Before(r.Ends):
		return false
	case r.Ended.IsZero():
		return at.Sub(r.Changed) >= pretendApply || r.Changed.After(r.Starts)
	}
	return at.Sub(r.Ended) < pretendApply
}

func (r rehearsal) mode(branch org.Branch, who org.ID, name string) lesson.Mode {
	return lesson.Mode{
		ID: org.ID(r.Mode), Branch: branch, Kind: r.Kind, Rules: r.Rules, Starts: r.Starts, Ends: r.Ends, Ended: r.Ended, Staff: who, ByName: name,
	}
}

// line is what the pretend device has read back.
func (r rehearsal) line(member lesson.Member, at time.Time) lesson.DeviceMode {
	line := lesson.DeviceMode{Member: member, Lease: lesson.Lease{Mode: org.ID(r.Mode), Device: member.Device, Kind: r.Kind, Ends: r.Ends}, Since: r.Changed}
	if !r.Ended.IsZero() {
		line.Lease.Ends = r.Ended
	}
	switch {
	case !r.Ended.IsZero() && r.holds(at):
		line.State, line.Reason = lesson.Delivered, lesson.Reason{Key: "ending"}
	case !r.Ended.IsZero() || !at.Before(r.Ends):
		line.State = lesson.Ended
	case r.holds(at):
		line.State, line.Since = lesson.Active, r.Changed.Add(pretendApply)
	case at.Sub(r.Changed) >= pretendFetch:
		line.State, line.Reason = lesson.Delivered, lesson.Reason{Key: "not_read_back"}
	default:
		line.State, line.Reason = lesson.Planned, lesson.Reason{Key: "on_its_way"}
	}
	return line
}

// pretendClass is the board of the pretend group.
func (h *Handler) pretendClass(v *visit, r rehearsal) class {
	now, battery := h.Now(), 82
	branch, _ := v.branch() // without a school everything is the same, only its bells are not known
	member := lesson.Member{
		Device: pretendDevice, Enrolment: pretendDevice, Name: web.T(v.frame.Lang, "rehearsal.device"), Platform: org.Linux,
		Simulated: true, Battery: &battery, Seen: now,
	}
	name := web.T(v.frame.Lang, "rehearsal.group")
	board := lesson.Class{Group: lesson.Group{Branch: branch, Kind: org.Class, Name: name}, Mine: true, Members: []lesson.Member{member}}
	board.Group.Branch.Group = pretendGroup
	if r.Mode != "" {
		board.Modes = []lesson.Running{{Mode: r.mode(board.Group.Branch, v.actor.ID, v.actor.Name), Lines: []lesson.DeviceMode{r.line(member, now)}}}
	}
	found := class{Class: board, group: roster.Group{ID: pretendGroup, Kind: org.Class, Name: name, School: branch.School}, pretend: true}
	if v.school != nil {
		found.school = *v.school
	}
	return found
}

// pupilScreen is what the pupil in front of the pretend device sees.
func pupilScreen(frame web.Frame, r rehearsal, by string, now time.Time) web.PupilScreen {
	screen := web.PupilScreen{Frame: frame, Device: web.T(frame.Lang, "rehearsal.device"), On: true, Connected: true, Clock: now, Since: r.Changed}
	if r.holds(now) {
		names := r.Rules.Sites
		if r.Kind == lease.Focus {
			names = presets.Names(r.Rules.Apps)
		}
		screen.Modes = []web.PupilMode{{Kind: web.ModeKind(r.Kind), What: names, Message: r.Rules.Message, By: by, Ends: r.Ends}}
	}
	return screen
}

// start begins a mode on the pretend device, by the rules of real ones.
func (r rehearsal) start(id string, request lesson.Request, now time.Time) rehearsal {
	ends := request.Until
	if ends.IsZero() {
		ends = now.Add(request.Kind.Default())
		if request.Minutes > 0 {
			ends = now.Add(time.Duration(request.Minutes) * time.Minute)
		}
	}
	return rehearsal{
		Mode: id, Kind: request.Kind, Starts: now, Ends: ends, Changed: now, Done: r.Done,
		Rules: lease.Rules{Sites: request.Sites, Apps: request.Apps, Message: strings.TrimSpace(request.Message)},
	}
}
