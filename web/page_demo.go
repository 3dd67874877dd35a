package web

import "time"

// DemoPage is the tour: one-click roles, a board beside a pupil's screen, and
// buttons that make trouble. The page listens to PathDemoLive.
type DemoPage struct {
	Frame
	Roles  []DemoRole
	Stage  DemoStage
	LAN    QR // address for a real phone; empty without --lan
	LANURL string
	Speed  bool // time can be moved here
}

// DemoRole signs in with one click. Key is a Role; Name is whose login it is.
type DemoRole struct {
	Key   Role
	Name  string
	Place string
	Email string
}

// DemoStage is what moves. It is drawn by DemoStageFragment. Buttons post
// action to PathDemoAction: start, end, cable, restart, server,
// clock, speed. Each is a switch where that makes sense.
type DemoStage struct {
	Frame    Frame
	Group    GroupRef
	Tile     TilePart
	Others   []TilePart // the rest of the class, drawn small
	Mode     *RunningMode
	Screen   PupilScreen
	Cable    bool          // plugged in
	Server   bool          // running
	ClockOff time.Duration // of the device's clock
	Speed    int           // 1 or 10
	Story    []DemoStep
	OOB      bool
}

// DemoStep is one line of what happened, newest first. What is looked up as
// demo.story.<key>.
type DemoStep struct {
	At   time.Time
	What Sentence
}
