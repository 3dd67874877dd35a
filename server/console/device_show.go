package console

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/server/board"
	"schulwart.org/server/command"
	"schulwart.org/server/lesson"
	"schulwart.org/server/may"
	"schulwart.org/web"
)

// GET /geraete/:device
func (h *Handler) showDevice(c *gin.Context) error {
	return h.drawDevice(c, http.StatusOK, nil)
}

func (h *Handler) drawDevice(c *gin.Context, status int, problem *web.Problem) error {
	ctx, v := c.Request.Context(), visitor(c)
	found, err := h.Board.Device(ctx, v.actor, param(c, "device"))
	if err != nil {
		return err
	}
	if before, err := strconv.ParseInt(c.Query("before"), 10, 64); err == nil {
		if found.History, err = h.Board.Older(ctx, v.actor, found.Device, time.UnixMilli(before)); err != nil {
			return err
		}
	}
	now := h.stateOf(found.Enrolment, found.Contact.Seen, found.Modes, h.Now())
	shown := web.DevicePage{
		Frame: v.frame, ID: found.Device.String(), Name: found.Name, Holder: found.Person, Serial: found.Serial, Model: found.Model,
		Platform: string(found.Platform), System: found.Facts.OSVersion, Simulated: found.Simulated, School: found.School, Groups: groupNames(found),
		Seen: found.Contact.Seen, State: now.state, Since: now.since, Reason: now.reason, Modes: deviceModes(v.actor, found.Modes, h.Now()),
		Rules: modeRules(v.frame, found), Settings: h.settings(c, found), MayPolicies: may.Can(v.actor, may.PolicyRead, found.Branch), Facts: h.facts(found, h.Now()), History: history(found.History), MoreHistory: moreHistory(c, found.History),
		PupilURL: h.pupilURL(found.Device), Problem: problem,
		MayEdit: may.Can(v.actor, may.DeviceWrite, found.Branch) && found.Retired.IsZero(), MayRelease: may.Can(v.actor, may.ModeEnd, found.Branch),
		MayRetire: may.Can(v.actor, may.DeviceWrite, found.Branch) && found.Retired.IsZero(), Retired: found.Retired, Leaving: leaving(found, h.Now()),
	}
	if shown.Commands, err = h.commandsOf(c, found); err != nil {
		return err
	}
	return show(c, status, web.Device(shown))
}

// leaving returns until when a mode may hold on a device that is out of use;
// zero when its end was read back.
func leaving(d board.Device, now time.Time) time.Time {
	if now.Before(d.Leaving) && holding(d.Modes, now) != nil {
		return d.Leaving
	}
	return time.Time{}
}

// commandState says of a command what a lease's states say: what is on its way,
// what was confirmed, what the device refused.
var commandState = map[string]web.State{
	"waiting": web.StatePlanned, "sent": web.StateDelivered, "notnow": web.StateDelivered, "Acknowledged": web.StateEnded,
	"Error": web.StateDeviating, "CommandFormatError": web.StateDeviating,
}

// commandsOf lists the latest commands of a device that is told by commands.
func (h *Handler) commandsOf(c *gin.Context, d board.Device) ([]web.Command, error) {
	if h.Commands == nil {
		return nil, nil
	}
	const few = 10
	entries, err := command.List(c.Request.Context(), h.Commands, d.Branch.Authority, d.Device, few)
	if err != nil {
		return nil, err
	}
	list := make([]web.Command, len(entries))
	for i, entry := range entries {
		state, known := commandState[entry.State]
		if !known {
			state = web.StateEnded // expired, or replaced by a later one
		}
		list[i] = web.Command{Name: entry.RequestType, State: state, At: entry.At, Detail: entry.Detail}
	}
	return list, nil
}

func groupNames(d board.Device) []web.GroupRef {
	refs := make([]web.GroupRef, len(d.Groups))
	for i, group := range d.Groups {
		refs[i] = web.GroupRef{ID: group.ID.String(), Name: group.Name, Kind: web.GroupKind(group.Kind)}
	}
	return refs
}

// deviceModes tells of each mode on a device what the device read back.
func deviceModes(who may.Actor, lines []lesson.DeviceMode, now time.Time) []web.DeviceMode {
	modes := make([]web.DeviceMode, 0, len(lines))
	for _, line := range lines {
		l := line.Lease
		if line.State == lesson.Ended && now.Sub(l.Ends) > justEnded {
			continue
		}
		modes = append(modes, web.DeviceMode{
			Mode: web.RunningMode{
				ID: l.Mode.String(), Kind: web.ModeKind(l.Kind), What: what(l.Rules), Message: l.Rules.Message, By: l.ByName,
				Starts: l.Starts, Ends: l.Ends, MayEnd: may.Can(who, may.ModeEnd, l.Branch) && line.State != lesson.Ended,
				MaxEnd: l.Starts.Add(l.Kind.Longest()), Planned: now.Before(l.Starts),
			},
			State: web.State(line.State), Since: line.Since, Seen: line.Seen, Parts: parts(l.Parts),
		})
	}
	return modes
}

// toldEnd is the end of a lease as the room tells it: of an examination the one
// for everybody.
func toldEnd(lines []lesson.DeviceMode, id string, until time.Time) time.Time {
	for _, line := range lines {
		if line.Lease.ID.String() == id {
			return line.Lease.Ends
		}
	}
	return until
}

// modeRules says which modes hold on the device and who set them.
func modeRules(frame web.Frame, d board.Device) []web.Rule {
	list := make([]web.Rule, 0, len(d.Why))
	for _, why := range d.Why {
		rule := web.Rule{Name: why.Key, Value: web.Sentence{Key: why.Key}, State: web.StateUnreachable, From: web.Sentence{Key: string(why.Level)}}
		if kind, isMode := strings.CutPrefix(why.Key, "mode."); isMode {
			rule.Name, rule.Value = "mode", web.Sentence{Key: "mode", Args: map[string]any{"mode": web.T(frame.Lang, "mode."+kind+".name")}}
			rule.From = web.Sentence{Key: "mode", Args: map[string]any{"by": why.Args["by"], "until": toldEnd(d.Modes, why.Args["lease"], why.Until)}}
			rule.State, rule.Note = leaseState(d.Modes, why.Args["lease"])
			rule.Fixed = true
		}
		list = append(list, rule)
	}
	return list
}

func leaseState(lines []lesson.DeviceMode, lease string) (web.State, *web.Sentence) {
	for _, line := range lines {
		if line.Lease.ID.String() == lease {
			return web.State(line.State), reason(line.Reason)
		}
	}
	return web.StatePlanned, nil
}

func history(entries []board.Entry) []web.HistoryEntry {
	lines := make([]web.HistoryEntry, len(entries))
	for i, entry := range entries {
		by := entry.By
		if by == deviceItself {
			by = ""
		}
		lines[i] = web.HistoryEntry{At: entry.At, By: by, What: web.Sentence{Key: entry.Key, Args: arguments(entry.Args)}}
	}
	return lines
}

// deviceItself is the name under which a device's own reports are logged.
const deviceItself = "device"

// fullPage is how many lines of history the room gives at once.
const fullPage = 30

func moreHistory(c *gin.Context, entries []board.Entry) string {
	if len(entries) < fullPage {
		return ""
	}
	return web.With(c.Request.URL.Path, "before", strconv.FormatInt(entries[len(entries)-1].At.UnixMilli(), 10))
}
