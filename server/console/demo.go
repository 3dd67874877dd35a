package console

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/lesson"
	"schulwart.org/server/may"
	"schulwart.org/server/staff"
	"schulwart.org/web"
)

// Stage is what a demo installation adds: a device on which trouble can be made.
type Stage interface {
	// Teacher is who has the class on the stage, and Group that class.
	Teacher() org.ID
	Group() org.ID
	Roles() []StageRole
	// Act makes trouble, or takes it back: cable, restart, server, clock, speed.
	Act(ctx context.Context, action string) error
	// Look returns what the device on the stage is like.
	Look(ctx context.Context) (StageLook, error)
	// Tell adds a line to the story.
	Tell(key string)
	// Pace is how fast time runs, 1 as on a wall clock.
	Pace() int
	// Phone is the address for a real phone, empty without one.
	Phone() string
}

// StageRole is a login of the demo.
type StageRole struct {
	Role  may.Role
	Staff org.ID
	Name  string
	Place string
	Email string
}

// StageLook is the device on the stage as its pupil sees it.
type StageLook struct {
	Device string // inventory number
	On     bool
	Cable  bool // plugged in
	Server bool // running
	Clock  time.Time
	Moved  time.Duration
	Speed  int
	Since  time.Time // last change of what holds there
	Modes  []StageMode
	Story  []StageStep
}

// StageMode is a mode as the device on the stage holds it.
type StageMode struct {
	Kind    lease.Kind
	What    []string // hosts or programs
	Message string
	By      string
	Ends    time.Time
}

// StageStep is one line of the story, under "demo.story." in the words.
type StageStep struct {
	At  time.Time
	Key string
}

// Tour is the path of the tour.
const Tour = web.PathDemo

func (l StageLook) modes() []web.PupilMode {
	modes := make([]web.PupilMode, len(l.Modes))
	for i, m := range l.Modes {
		modes[i] = web.PupilMode{Kind: web.ModeKind(m.Kind), What: m.What, Message: m.Message, By: m.By, Ends: m.Ends}
	}
	return modes
}

func (l StageLook) story() []web.DemoStep {
	steps := make([]web.DemoStep, len(l.Story))
	for i, s := range l.Story {
		steps[i] = web.DemoStep{At: s.At, What: web.Sentence{Key: s.Key}}
	}
	return steps
}

// showDemo answers GET /demo: the tour. With part=stage it answers what moves.
func (h *Handler) showDemo(c *gin.Context) error {
	if h.Stage == nil {
		return errs.E(errs.NotFound, "not_found")
	}
	stage, err := h.demoStage(c)
	if err != nil {
		return err
	}
	if c.Query("part") == "stage" {
		stage.OOB = true
		return page(c, web.DemoStageFragment(stage))
	}
	shown := web.DemoPage{Frame: frame(c), Stage: stage, Speed: true}
	for _, role := range h.Stage.Roles() {
		shown.Roles = append(shown.Roles, web.DemoRole{Key: web.Role(role.Role), Name: role.Name, Place: role.Place, Email: role.Email})
	}
	if address := h.Stage.Phone(); address != "" {
		shown.LANURL, shown.LAN = address, code(address)
	}
	return page(c, web.Demo(shown))
}

// enterDemo answers POST /demo/rolle: signs in as one of the demo's people. Only
// a demo does that, and it guards nothing.
func (h *Handler) enterDemo(c *gin.Context) error {
	if h.Stage == nil {
		return errs.E(errs.NotFound, "not_found")
	}
	ctx := c.Request.Context()
	for _, role := range h.Stage.Roles() {
		if string(role.Role) != c.PostForm("role") {
			continue
		}
		who, err := h.Staff.Actor(ctx, role.Staff, c.ClientIP())
		if err != nil {
			return err
		}
		person, err := h.Staff.Me(ctx, who)
		if err != nil {
			return err
		}
		return h.enter(c, staff.SignedIn{Person: person}, "")
	}
	return errs.E(errs.NotFound, "not_found")
}

// actDemo answers POST /demo/tun.
func (h *Handler) actDemo(c *gin.Context) error {
	if h.Stage == nil {
		return errs.E(errs.NotFound, "not_found")
	}
	if err := h.playDemo(c.Request.Context(), c.PostForm("action"), c.ClientIP()); err != nil {
		return err
	}
	if c.GetHeader("HX-Request") == "" {
		return seeOther(c, web.PathDemo)
	}
	stage, err := h.demoStage(c)
	if err != nil {
		return err
	}
	return page(c, web.DemoStageFragment(stage))
}

// tourMinutes is how long the tour's mode lasts: at ten times the speed a
// visitor sees it end by itself within a minute.
const tourMinutes = 10

// playDemo does what the teacher on the stage does, or makes trouble.
func (h *Handler) playDemo(ctx context.Context, action, from string) error {
	if action != "start" && action != "end" {
		return h.Stage.Act(ctx, action)
	}
	teacher, err := h.Staff.Actor(ctx, h.Stage.Teacher(), from)
	if err != nil {
		return err
	}
	class, err := h.Lessons.Class(ctx, teacher, h.Stage.Group())
	if err != nil {
		return err
	}
	if action == "start" {
		h.Stage.Tell("started")
		_, err = h.Lessons.Start(ctx, teacher, lesson.Request{Group: h.Stage.Group(), Kind: lease.Offline, Minutes: tourMinutes})
		return err
	}
	for _, running := range class.Modes {
		if running.Running(h.Now()) {
			if _, err := h.Lessons.End(ctx, teacher, running.ID); err != nil {
				return err
			}
		}
	}
	h.Stage.Tell("ended")
	return nil
}

// streamDemo answers GET /demo/live: the stage, as often as it changes.
func (h *Handler) streamDemo(c *gin.Context) error {
	if h.Stage == nil {
		return errs.E(errs.NotFound, "not_found")
	}
	ctx := c.Request.Context()
	out, err := beginStream(c)
	if err != nil {
		return err
	}
	tick, beat := time.NewTicker(time.Second), time.NewTicker(heartbeat)
	defer tick.Stop()
	defer beat.Stop()
	var last web.DemoStage
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-h.Stopping:
			return nil
		case <-beat.C:
			if out.beat() != nil {
				return nil
			}
			continue
		case <-tick.C:
		}
		visitor(c).frame.Now = h.Now()
		now, err := h.demoStage(c)
		if err != nil {
			return h.endStream(c, err)
		}
		if sameStage(last, now) {
			continue
		}
		last = now
		now.OOB = true
		if out.send(ctx, "stage", h.Now(), web.DemoStageFragment(now)) != nil {
			return nil
		}
	}
}

// sameStage reports whether a page that shows one need not be sent the other.
func sameStage(a, b web.DemoStage) bool {
	return a.Cable == b.Cable && a.Server == b.Server && a.ClockOff == b.ClockOff && a.Speed == b.Speed && len(a.Story) == len(b.Story) &&
		a.Tile.State == b.Tile.State && slices.EqualFunc(a.Others, b.Others, func(x, y web.TilePart) bool { return x.State == y.State }) && (a.Mode == nil) == (b.Mode == nil) && (a.Mode == nil || a.Mode.Ends.Equal(b.Mode.Ends)) &&
		a.Screen.On == b.Screen.On && a.Screen.Connected == b.Screen.Connected && len(a.Screen.Modes) == len(b.Screen.Modes) &&
		slices.EqualFunc(a.Screen.Modes, b.Screen.Modes, func(x, y web.PupilMode) bool { return x.Kind == y.Kind && x.Ends.Equal(y.Ends) }) &&
		(b.Speed == 1 || b.Screen.Clock.Sub(a.Screen.Clock) < 20*time.Second)
}

// demoStage puts the board's side and the device's side beside each other.
func (h *Handler) demoStage(c *gin.Context) (web.DemoStage, error) {
	ctx, f := c.Request.Context(), frame(c)
	teacher, err := h.Staff.Actor(ctx, h.Stage.Teacher(), c.ClientIP())
	if err != nil {
		return web.DemoStage{}, err
	}
	class, err := h.Lessons.Class(ctx, teacher, h.Stage.Group())
	if err != nil {
		return web.DemoStage{}, err
	}
	look, err := h.Stage.Look(ctx)
	if err != nil && !errors.Is(err, context.Canceled) {
		return web.DemoStage{}, err
	}
	stage := web.DemoStage{
		Frame: f, Group: web.GroupRef{ID: class.Group.Branch.Group.String(), Name: class.Group.Name},
		Cable: look.Cable, Server: look.Server, ClockOff: look.Moved, Speed: max(1, look.Speed), Story: look.story(),
		Screen: web.PupilScreen{Frame: f, Device: look.Device, On: look.On, Connected: look.Cable && look.Server, Modes: look.modes(), Clock: look.Clock, Since: look.Since},
	}
	for _, tile := range h.tiles(f, teacher, class, h.Now()) {
		if tile.Tag == look.Device || tile.Name == look.Device {
			stage.Tile = tile
			continue
		}
		stage.Others = append(stage.Others, tile)
	}
	for _, running := range class.Modes {
		if stage.Mode == nil && running.Running(h.Now()) {
			mode := runningMode(teacher, running.Mode, h.Now())
			stage.Mode = &mode
		}
	}
	return stage, nil
}

var demoRoutes = []Route{
	{Method: http.MethodGet, Pattern: web.PathDemo, Public: true, Part: true, handle: (*Handler).showDemo},
	{Method: http.MethodPost, Pattern: web.PathDemoLogin, Public: true, handle: (*Handler).enterDemo},
	{Method: http.MethodPost, Pattern: web.PathDemoAction, Public: true, Part: true, handle: (*Handler).actDemo},
	{Method: http.MethodGet, Pattern: web.PathDemoLive, Public: true, Part: true, handle: (*Handler).streamDemo},
}
