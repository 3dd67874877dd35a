package demo

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/server/app"
	"schulwart.org/server/console"
	"schulwart.org/server/errs"
	"schulwart.org/server/lesson"
	"schulwart.org/server/may"
)

// stage is where the tour plays: one device of class 7b, and the switches.
type stage struct {
	app       *app.App
	clock     *clock
	log       *slog.Logger
	world     World
	phone     string
	simulator *simulator

	mu     sync.Mutex
	story  []console.StageStep
	server bool // the device door is open
	held   string
	since  time.Time
}

func newStage(clock *clock, log *slog.Logger) *stage {
	return &stage{clock: clock, log: log, server: true, simulator: &simulator{}}
}

// Group is the class on the stage.
func (s *stage) Group() org.ID { return s.world.Stage }

// Teacher is who has it.
func (s *stage) Teacher() org.ID { return s.login(may.Teacher).id }

func (s *stage) login(role may.Role) Login {
	i := slices.IndexFunc(s.world.Logins, func(l Login) bool { return l.Role == role })
	return s.world.Logins[i]
}

// Roles are the logins, one of each role.
func (s *stage) Roles() []console.StageRole {
	var roles []console.StageRole
	for _, role := range []may.Role{may.Teacher, may.SchoolAdmin, may.HelpDesk, may.Technician, may.AuthorityAdmin, may.Operator, may.Trainee, may.ReadOnly} {
		l := s.login(role)
		roles = append(roles, console.StageRole{Role: l.Role, Staff: l.id, Name: l.Name, Place: l.Place, Email: l.Email})
	}
	return roles
}

// Phone is the address for a real phone.
func (s *stage) Phone() string { return s.phone }

func (s *stage) Pace() int { return s.clock.current() }

// Tell adds a line to the story.
func (s *stage) Tell(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.story = append([]console.StageStep{{At: s.clock.Now(), Key: key}}, s.story...)
	s.story = s.story[:min(len(s.story), storyLines)]
}

// storyLines is how much of the story is shown.
const storyLines = 12

// actor is the serial number of the device on the stage: the first of 7b.
var actor = Serial(0)

const path = "/devices/"

// Act makes trouble, or takes it back.
func (s *stage) Act(ctx context.Context, action string) error {
	device, err := s.look(ctx)
	if err != nil {
		return err
	}
	// What a mode withstands is told only while one holds.
	under := func(key string) string { return either(len(device.holding()) > 0, key, key+"_free") }
	switch action {
	case "cable":
		s.Tell(either(device.Cut, "cable_in", under("cable_out")))
		return s.ask(ctx, path+actor+"/cut", map[string]bool{"cut": !device.Cut})
	case "restart":
		s.Tell(under("restarted"))
		return s.ask(ctx, path+actor+"/restart", struct{}{})
	case "clock":
		moved := device.ClockMove != 0
		s.Tell(either(moved, "clock_back", under("clock")))
		by := 24 * time.Hour
		if moved {
			by = -time.Duration(device.ClockMove * float64(time.Second))
		}
		return s.ask(ctx, path+actor+"/clock", map[string]string{"by": by.String()})
	case "speed":
		return s.speed(ctx)
	case "server":
		return s.outage(ctx)
	}
	return errs.E(errs.NotFound, "not_found")
}

// holding are the modes that hold on the device, as its agent says.
func (d view) holding() (modes []console.StageMode) {
	if d.Status == nil {
		return nil
	}
	for _, l := range d.Status.Leases {
		if l.Phase == "active" {
			modes = append(modes, console.StageMode{Kind: lease.Kind(l.Kind), What: append(l.Sites, l.Apps...), Message: l.Message, By: l.By, Ends: l.Until})
		}
	}
	return modes
}

func either(first bool, yes, no string) string {
	if first {
		return yes
	}
	return no
}

func (s *stage) ask(ctx context.Context, to string, order any) error {
	return s.simulator.ask(ctx, http.MethodPost, to, order, nil)
}

// speed lets time run ten times faster for server and devices alike, or normal
// again.
func (s *stage) speed(ctx context.Context) error {
	speed := 11 - s.clock.current() // 1 → 10, 10 → 1
	if err := s.ask(ctx, "/speed", map[string]int{"factor": speed}); err != nil {
		return err
	}
	s.clock.Speed(speed)
	s.Tell(either(speed > 1, "speed", "speed_back"))
	return nil
}

// outage closes the door for devices, or opens it again. People go on.
func (s *stage) outage(ctx context.Context) error {
	s.mu.Lock()
	running := s.server
	s.server = !running
	s.mu.Unlock()
	if !running {
		s.Tell("server_on")
		return s.app.OpenDevices(context.WithoutCancel(ctx))
	}
	s.Tell("server_off")
	return s.app.Outage(ctx)
}

// look asks the simulated device how it is.
func (s *stage) look(ctx context.Context) (view, error) {
	var device view
	err := s.simulator.ask(ctx, http.MethodGet, path+actor, nil, &device)
	return device, err
}

// Look returns what the device on the stage is like. While the simulated devices
// start it is off.
func (s *stage) Look(ctx context.Context) (console.StageLook, error) {
	s.mu.Lock()
	now := console.StageLook{Device: places[0].short + "-0001", Server: s.server, Speed: s.clock.current(), Clock: s.clock.Now(), Cable: true, Story: slices.Clone(s.story)}
	s.mu.Unlock()
	device, err := s.look(ctx)
	if err != nil {
		return now, nil //nolint:nilerr // shown as a device that is off
	}
	now.On, now.Cable, now.Moved = device.On, !device.Cut, time.Duration(device.ClockMove*float64(time.Second)).Round(time.Second)
	if device.Status != nil {
		now.Clock = device.Status.Time.Add(now.Moved)
	}
	now.Modes = device.holding()
	now.Since = s.notice(now)
	return now, nil
}

// notice keeps since when the device holds what it holds, and tells the story of
// a mode that began or ended on it.
func (s *stage) notice(look console.StageLook) time.Time {
	held := ""
	for _, mode := range look.Modes {
		held += string(mode.Kind) + mode.Ends.String()
	}
	s.mu.Lock()
	changed, before := held != s.held && look.On, s.held
	if changed {
		s.held, s.since = held, s.clock.Now()
	}
	since := s.since
	s.mu.Unlock()
	switch {
	case changed && held != "":
		s.Tell("active")
	case changed && before != "":
		s.Tell(either(look.Cable && look.Server, "ended", "ended_alone"))
	}
	return since
}

// live keeps a lesson running in the schools, on Sundays too, until the context
// ends: whoever opens a board sees one.
func (s *stage) live(ctx context.Context, a *app.App) {
	go func() {
		ticker := time.NewTicker(15 * time.Second)
		defer ticker.Stop()
		for {
			if err := s.lessons(ctx, a); err != nil && ctx.Err() == nil {
				s.log.Debug("playing school", "error", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	}()
}

// lessons starts a mode in each class of the play that has none.
func (s *stage) lessons(ctx context.Context, a *app.App) error {
	for _, play := range s.world.Plays {
		teacher, err := a.Staff.Actor(ctx, play.teacher, "127.0.0.1")
		if err != nil {
			return err
		}
		class, err := a.Lessons.Class(ctx, teacher, play.group)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(class.Modes, func(m lesson.Running) bool { return m.Running(a.Now()) }) {
			continue
		}
		request := play.request
		request.Group = play.group
		if _, err := a.Lessons.Start(ctx, teacher, request); err != nil {
			return err
		}
	}
	return nil
}

// play is a class in which a lesson always runs.
type play struct {
	group   org.ID
	teacher org.ID
	request lesson.Request
}

// plays says what goes on where, by the name of the class.
var plays = map[string]lesson.Request{
	"8c": {Kind: lease.Sites, Sites: []string{"geogebra.org", "serlo.org"}, Minutes: 45},
	"9a": {Kind: lease.Focus, Apps: []string{"org.geogebra.GeoGebra", "libreoffice-writer"}, Minutes: 90},
	"3a": {Kind: lease.Offline, Minutes: 45},
}
