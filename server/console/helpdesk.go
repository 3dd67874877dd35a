package console

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"schulwart.org/server/board"
	"schulwart.org/server/lesson"
	"schulwart.org/server/may"
	"schulwart.org/web"
)

// GET /hotline
func (h *Handler) showHelpdesk(c *gin.Context) error {
	const most = 20
	text := query(c, "q")
	shown := web.HelpdeskPage{Frame: frame(c), Query: text}
	if text == "" {
		return page(c, web.Helpdesk(shown))
	}
	ctx := c.Request.Context()
	found, err := h.Board.Seek(ctx, actor(c), text, most+1)
	if err != nil {
		return err
	}
	if len(found) == 1 {
		// The one that is meant needs no list.
		return seeOther(c, web.To(web.PathCall, found[0].Device.String()))
	}
	if shown.More = len(found) > most; shown.More {
		found = found[:most]
	}
	for _, sheet := range found {
		lines, err := h.Lessons.Leases(ctx, sheet.Branch, sheet.Device)
		if err != nil {
			return err
		}
		shown.Rows = append(shown.Rows, h.sheetRow(sheet, lines))
	}
	return page(c, web.Helpdesk(shown))
}

func (h *Handler) sheetRow(sheet board.Sheet, lines []lesson.DeviceMode) web.DeviceRow {
	seen := h.seenAt(sheet.Enrolment, sheet.Seen)
	now := h.stateOf(sheet.Enrolment, seen, lines, h.Now())
	row := web.DeviceRow{
		ID: sheet.Device.String(), Name: sheet.Name, Person: sheet.Person, Serial: sheet.Serial, Platform: string(sheet.Platform),
		System: sheet.Facts.OSVersion, School: sheet.School, State: now.state, Reason: now.reason, Seen: seen, Simulated: sheet.Simulated,
	}
	for _, group := range sheet.Groups {
		row.Groups = append(row.Groups, group.Name)
	}
	return row
}

// GET, POST /hotline/:device
//
// The call page. A post asks for the release code; reading it aloud leaves an
// audit row.
func (h *Handler) showCall(c *gin.Context) error {
	v := visitor(c)
	found, err := h.Board.Device(c.Request.Context(), v.actor, param(c, "device"))
	if err != nil {
		return err
	}
	now := h.stateOf(found.Enrolment, found.Contact.Seen, found.Modes, h.Now())
	args := advised(v.frame, found.Advice)
	const few = 8
	shown := web.CallPage{
		Frame: v.frame, ID: found.Device.String(), Name: found.Name, Holder: found.Person, School: found.School, Platform: string(found.Platform),
		System: found.Facts.OSVersion, Simulated: found.Simulated, Seen: found.Contact.Seen, State: now.state, Since: now.since, Reason: now.reason,
		Modes: deviceModes(v.actor, found.Modes, h.Now()), Cause: web.Sentence{Key: found.Advice.Cause, Args: args},
		Step: web.Sentence{Key: found.Advice.Step, Args: args}, Sentence: web.Sentence{Key: found.Advice.Say, Args: args},
		StepURL: stepURL(found), MayRelease: may.Can(v.actor, may.ModeEnd, found.Branch) && holding(found.Modes, h.Now()) != nil && found.Platform.Agent(),
		History: history(found.History[:min(few, len(found.History))]),
	}
	for _, group := range found.Groups {
		shown.Groups = append(shown.Groups, group.Name)
	}
	if c.Request.Method == http.MethodPost {
		code, err := h.releasePart(c, named(found))
		if err != nil {
			return err
		}
		shown.Code = &code
	}
	return page(c, web.Call(shown))
}

// advised gives the arguments of an advice in the words of the reader.
func advised(frame web.Frame, advice board.Advice) map[string]any {
	args := arguments(advice.Args)
	if key := advice.Args["reason"]; key != "" {
		args["reason"] = frame.Say("reason", web.Sentence{Key: key, Args: args})
	}
	return args
}

// stepURL is where the next step is done, "" when it is done at the device.
func stepURL(d board.Device) string {
	switch d.Advice.Step {
	case "not_enrolled", "left":
		return web.PathTokenNew
	case "deviating", "clock", "disk", "long_away":
		return web.To(web.PathDevice, d.Device.String())
	}
	return ""
}
