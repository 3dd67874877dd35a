package linux

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
)

// SessionName is what the helper is called that looks after the pupil's session in
// an examination (host.Holds).
const SessionName = "session"

// SessionOptions are what a session driver works with.
type SessionOptions struct {
	Holds    host.Holds
	Desktops host.Desktops
	Clock    host.Clock
	Tree     host.Disk
	Profiles host.DirProfiles
	// Unlock lets people switch to text consoles again if the helper kept them from
	// it and could not undo that; nil for nothing.
	Unlock func() error
	// Consoles keeps people from text consoles meanwhile.
	Consoles bool
	// State is the directory in which the agent listens for a pupil who asks for help.
	State string
	// Displays are the only ones to look after; empty for all. For tests.
	Displays []string
	// Flags are further arguments for Chromium. For tests.
	Flags []string
}

// Session looks after the pupil's session in an examination: its browser, what
// programs exchange, further screens, other consoles. A helper that outlives the
// agent does the work and ends it in time.
type Session struct {
	o SessionOptions

	mu     sync.Mutex
	wanted *sessionOrder
	gone   time.Duration // since when something was missed; zero for never
}

// sessionOrder is what the helper is told.
type sessionOrder struct {
	ID        string    `json:"id"`
	Title     string    `json:"title"`
	By        string    `json:"by,omitempty"`
	Tool      string    `json:"tool,omitempty"`  // the kind of calculator that may be used
	Waits     bool      `json:"waits,omitempty"` // for the resume code
	State     string    `json:"state,omitempty"`
	Page      string    `json:"page,omitempty"`
	Alone     bool      `json:"alone,omitempty"` // the page is all there is, and stays in front
	Clipboard bool      `json:"clipboard,omitempty"`
	Screens   bool      `json:"screens,omitempty"`
	Capture   bool      `json:"capture,omitempty"`
	Virtual   bool      `json:"virtual,omitempty"`
	Consoles  bool      `json:"consoles,omitempty"`
	Until     time.Time `json:"until"`
	Profiles  string    `json:"profiles"` // directory
	Displays  []string  `json:"displays,omitempty"`
	Flags     []string  `json:"flags,omitempty"`
}

// sessionReport is what the helper sees.
type sessionReport struct {
	Sessions int    `json:"sessions"` // that it looks after
	Wayland  bool   `json:"wayland,omitempty"`
	Browser  string `json:"browser,omitempty"` // path; empty where there is none
	Open     bool   `json:"open,omitempty"`    // in every session
	Window   bool   `json:"window,omitempty"`  // of the examination is there, everywhere
	Front    bool   `json:"front,omitempty"`   // and before all others
	Opened   int    `json:"opened,omitempty"`  // how often the browser was opened
	Screens  int    `json:"screens,omitempty"` // on, in the session with most
	Dark     int    `json:"dark,omitempty"`
	Emptied  int    `json:"emptied,omitempty"`
	// VM is the maker of the virtual machine, Remote how the device can be reached.
	VM     string   `json:"vm,omitempty"`
	Remote []string `json:"remote,omitempty"`
	Fault  string   `json:"fault,omitempty"`
}

// NewSession returns the driver of the session part.
func NewSession(o SessionOptions) *Session { return &Session{o: o} }

// Part is the session.
func (*Session) Part() catalog.Part { return catalog.Session }

// Set begins to look after sessions, or makes everything as before.
func (s *Session) Set(_ context.Context, rules enforce.Rules) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if rules.Exam == nil || rules.Exam.Release <= 0 {
		return s.end()
	}
	order := s.order(rules)
	content, err := json.Marshal(order)
	if err != nil {
		return fmt.Errorf("encoding session: %w", err)
	}
	if err := s.o.Holds.Hold(SessionName, content, rules.Exam.Release); err != nil {
		return fmt.Errorf("looking after session: %w", err)
	}
	s.wanted = &order
	return nil
}

func (s *Session) order(rules enforce.Rules) sessionOrder {
	exam := rules.Exam
	order := sessionOrder{
		ID: exam.ID, Title: exam.Title, By: exam.By, Tool: exam.Calculator, Waits: exam.Waits, State: s.o.State, Page: exam.Page, Alone: rules.Apps != nil && len(rules.Apps.Allow) == 0,
		Clipboard: exam.Clipboard, Screens: exam.SecondScreen, Capture: exam.Capture, Virtual: exam.Virtual, Consoles: s.o.Consoles,
		Until: exam.Until.UTC().Truncate(time.Second), Profiles: string(s.o.Profiles), Displays: s.o.Displays, Flags: s.o.Flags,
	}
	if exam.Waits {
		order.Page = "" // it is opened when the examination goes on
	}
	return order
}

func (s *Session) end() error {
	if err := s.o.Holds.Drop(SessionName); err != nil {
		return fmt.Errorf("leaving session: %w", err)
	}
	s.wanted, s.gone = nil, 0
	// Of a helper that was ended before it could do so.
	if s.o.Profiles.Any() {
		if err := s.o.Profiles.Clear(); err != nil {
			return err
		}
	}
	if s.o.Unlock != nil {
		return s.o.Unlock()
	}
	return nil
}

// Rehearse says whether the page could be shown, and kept in front, on the
// sessions that are there now.
func (s *Session) Rehearse(rules enforce.Rules) *enforce.Reading {
	var found enforce.Reading
	if rules.Exam == nil {
		return nil
	}
	if program, _ := ExamBrowser(s.o.Tree); rules.Exam.Page != "" && program == "" {
		found = notPossible("session.no-browser")
		return &found
	}
	desktops, err := s.o.Desktops.Desktops()
	if err == nil && slices.ContainsFunc(desktops, func(d host.Desktop) bool { return d.Wayland }) {
		found = notPossible("session.wayland")
		return &found
	}
	return nil
}

// opening is how long the examination's window may take to be in front.
const opening = 20 * time.Second

// Check reads back what the helper sees.
func (s *Session) Check(context.Context) enforce.Reading {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.o.Holds.Held(SessionName)
	if s.wanted == nil {
		switch {
		case held.Running:
			return deviating("session.still")
		case s.o.Profiles.Any():
			return deviating("session.profile")
		}
		return asWanted()
	}
	if !held.Running {
		return deviating("session.gone")
	}
	var report sessionReport
	if json.Unmarshal(held.Report, &report) != nil || held.Age > starting {
		return s.patient("session.starting", "session.gone", starting)
	}
	return s.seen(report)
}

func (s *Session) seen(r sessionReport) enforce.Reading {
	switch {
	case r.Fault != "":
		return s.patient("session.starting", "session.fault", starting, "error", r.Fault)
	case s.wanted.Page != "" && r.Browser == "":
		return notPossible("session.no-browser")
	case r.Wayland:
		return notPossible("session.wayland")
	case r.Sessions == 0:
		s.gone = 0
		reading := asWanted()
		reading.Reason = reason("session.nobody")
		return reading
	case s.wanted.Page != "" && !r.Open:
		return s.patient("session.opening", "session.closed", opening)
	case s.wanted.Page != "" && s.wanted.Alone && !r.Front:
		return s.patient("session.opening", "session.behind", opening)
	case !s.wanted.Screens && r.Screens > 1:
		return s.patient("session.darkening", "session.screens", starting, "count", strconv.Itoa(r.Screens))
	}
	s.gone = 0
	return asWanted()
}

// patient is pending for a while, and deviating after that.
func (s *Session) patient(now, later string, long time.Duration, pairs ...string) enforce.Reading {
	elapsed := s.o.Clock.Read().Elapsed
	if s.gone == 0 {
		s.gone = max(elapsed, 1)
	}
	if elapsed-s.gone < long {
		return pending(now)
	}
	return deviating(later, pairs...)
}

// Sightings are what the helper saw of the device and its session.
func (s *Session) Sightings() []enforce.Sighting {
	s.mu.Lock()
	defer s.mu.Unlock()
	var r sessionReport
	if s.wanted == nil || json.Unmarshal(s.o.Holds.Held(SessionName).Report, &r) != nil {
		return nil
	}
	var seen []enforce.Sighting
	add := func(what ddm.Deed, name, value string) {
		seen = append(seen, enforce.Sighting{What: what, Args: map[string]string{name: value}})
	}
	if r.VM != "" && !s.wanted.Virtual {
		add(ddm.DeedVirtual, "of", r.VM)
	}
	if !s.wanted.Virtual {
		for _, via := range r.Remote {
			add(ddm.DeedRemote, "via", via)
		}
	}
	if count := r.Screens + r.Dark; count > 1 && !s.wanted.Screens {
		add(ddm.DeedScreens, "count", strconv.Itoa(count))
	}
	if r.Opened > r.Sessions && r.Sessions > 0 {
		add(ddm.DeedBrowser, "times", strconv.Itoa(r.Opened-r.Sessions))
	}
	if r.Emptied > 0 {
		// That it happens is worth a line, not how often.
		add(ddm.DeedClipboard, "emptied", "true")
	}
	return seen
}

// ExamBrowser finds the browser that shows the page of an examination, and the id
// of its desktop entry. Snaps are left out: they cannot read a profile that lies
// outside a home.
func ExamBrowser(files interface {
	Status(path string) (host.FileStatus, error)
}) (path, id string) {
	for _, b := range [][2]string{
		{"/usr/bin/chromium", "chromium"}, {"/usr/bin/google-chrome-stable", "google-chrome"}, {"/usr/bin/firefox-esr", "firefox-esr"}, {"/usr/bin/firefox", "firefox"},
	} {
		// Ubuntu's firefox is a text that calls the snap.
		if _, err := files.Status(b[0]); err == nil && !(b[1] == "firefox" && isSnap(files)) {
			return b[0], b[1]
		}
	}
	return "", ""
}

func isSnap(files interface {
	Status(path string) (host.FileStatus, error)
}) bool {
	_, err := files.Status("/snap/bin/firefox")
	return err == nil
}
