// Package app puts the rooms together and runs them: it opens the store, makes
// each room what it needs, opens the two listeners and starts the jobs. Nothing
// is decided here.
package app

import (
	"context"
	"crypto/ecdh"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"schulwart.org/policies/lease"
	"schulwart.org/policies/version"
	"schulwart.org/server/audit"
	"schulwart.org/server/backup"
	"schulwart.org/server/board"
	"schulwart.org/server/calendar"
	"schulwart.org/server/checkin"
	"schulwart.org/server/command"
	"schulwart.org/server/config"
	"schulwart.org/server/console"
	"schulwart.org/server/declare"
	"schulwart.org/server/enroll"
	"schulwart.org/server/exam"
	"schulwart.org/server/ids"
	"schulwart.org/server/keyring"
	"schulwart.org/server/lesson"
	"schulwart.org/server/licence"
	"schulwart.org/server/live"
	"schulwart.org/server/mail"
	"schulwart.org/server/packages"
	"schulwart.org/server/peers"
	"schulwart.org/server/push/stream"
	"schulwart.org/server/rollout"
	"schulwart.org/server/roster"
	"schulwart.org/server/setup"
	"schulwart.org/server/shelf"
	"schulwart.org/server/staff"
	"schulwart.org/server/standard"
	"schulwart.org/server/store"
	"schulwart.org/server/tablet"
)

// Options are what a process decides; everything else is configuration.
type Options struct {
	Config *config.Serve
	Log    *slog.Logger
	Now    func() time.Time // nil: time.Now
	// Stage makes this a demo installation; nil for a real one.
	Stage console.Stage
	// Heartbeat of the device streams; zero for the default.
	Heartbeat time.Duration
}

// App is a running installation.
type App struct {
	Options
	Store     *store.Store
	Issuer    string
	Ring      *keyring.Ring
	Enroll    *enroll.Service
	Staff     *staff.Service
	Sessions  *staff.Sessions
	Roster    *roster.Service
	Standard  *standard.Service
	Audit     *audit.Service
	Backup    *backup.Service
	Mail      *mail.Service
	Setup     *setup.Service
	Presence  *checkin.Presence
	Checkin   *checkin.Service
	Command   *command.Service
	Lessons   *lesson.Service
	Exams     *exam.Service
	Packages  *packages.Service
	Rollouts  *rollout.Service
	Calendars *calendar.Service
	Licences  *licence.Service
	Peers     *peers.Service
	Shelf     *shelf.Service
	Tablet    *tablet.Service
	Declare   *declare.Service
	Board     *board.Service
	Live      *live.Hub
	Streams   *stream.Registry

	named    config.Serve // as flags, environment and file had it
	people   *http.Server
	devices  deviceDoor
	listener net.Listener
	// linkKey proves links of pupils' pages; browserKey makes passwords and addresses
	// of files for Safe Exam Browser. See secretKey.
	linkKey, browserKey []byte
	// workKey opens what devices hand in of examinations.
	workKey *ecdh.PrivateKey

	started  time.Time
	stopping chan struct{}
	running  sync.WaitGroup
	cancel   context.CancelFunc
	stopJobs func()
}

// New opens the store and makes the rooms. Run starts them.
func New(ctx context.Context, options Options) (*App, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Heartbeat == 0 {
		options.Heartbeat = stream.Heartbeat
	}
	c := options.Config
	s, err := store.Open(ctx, store.Options{URL: c.Database, KeyFile: c.KeyFile, Log: options.Log, Now: options.Now})
	if err != nil {
		return nil, err
	}
	named := *c
	if err := adopt(ctx, s, c); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	a := &App{Options: options, named: named, Store: s, started: options.Now(), stopping: make(chan struct{}), devices: deviceDoor{messages: newMessages()}}
	if err := a.furnish(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return a, nil
}

// furnish makes the rooms, in the order in which they need each other.
func (a *App) furnish(ctx context.Context) error {
	var err error
	if a.Issuer, err = a.Store.EnsureIssuer(ctx); err != nil {
		return fmt.Errorf("naming the installation: %w", err)
	}
	if a.Ring, err = keyring.Open(ctx, a.Store, a.Issuer, ids.New, a.Now); err != nil {
		return err
	}
	a.Enroll, err = enroll.New(ctx, a.Store, enroll.Options{
		Name: "Schulwart", DeviceURL: a.Config.DeviceURL, Pages: a.Config.PublicURL, Issuer: a.Issuer, Now: a.Now,
		LeaseKeys: func(context.Context) ([]lease.Key, error) { return a.Ring.Keys(), nil },
	})
	if err != nil {
		return err
	}
	if a.linkKey, err = a.secretKey(ctx, "pupil-links"); err != nil {
		return err
	}
	if a.browserKey, err = a.secretKey(ctx, "safe-exam-browser"); err != nil {
		return err
	}
	seed, err := a.secretKey(ctx, "exam-work")
	if err != nil {
		return err
	}
	if a.workKey, err = ecdh.X25519().NewPrivateKey(seed); err != nil {
		return fmt.Errorf("reading the key for work: %w", err)
	}
	a.Live = &live.Hub{}
	a.roomsForPeople()
	a.roomsForDevices()
	return nil
}

// roomsForPeople makes the rooms that people use.
func (a *App) roomsForPeople() {
	a.Staff = staff.New(a.Store, ids.New)
	a.Staff.Now = a.Now
	a.Sessions = staff.NewSessions(a.Store, a.Config.Secure(), a.Now)
	a.Roster = &roster.Service{Store: a.Store, NewID: ids.New, Now: a.Now, Changes: waker{a}, Doors: doors{a}}
	a.Standard = &standard.Service{Store: a.Store, NewID: ids.New, Now: a.Now, Changes: waker{a}, Atomically: a.Store.Atomically, Mail: reminders{a}}
	a.Packages = &packages.Service{Store: a.Store, NewID: ids.New, Now: a.Now, Quota: packages.Space(a.Config.AppSpace), AgentKeys: agentKeys()}
	a.Licences = &licence.Service{Store: a.Store, Changes: waker{a}, NewID: ids.New, Now: a.Now}
	a.Peers = &peers.Service{Store: a.Store, NewID: ids.New, Now: a.Now}
	a.Rollouts = &rollout.Service{Store: a.Store, Catalogue: Catalogue{a.Packages}, Licences: a.Licences, Traffic: traffic{a.Peers}, Changes: waker{a}, NewID: ids.New, Now: a.Now}
	a.Calendars = &calendar.Service{Store: a.Store, Tables: Tables{}, Changes: waker{a}}
	a.Shelf = &shelf.Service{Store: a.Store, Catalogue: Catalogue{a.Packages}, Licences: a.Licences, Changes: waker{a}, NewID: ids.New, Now: a.Now}
	a.Audit = &audit.Service{Store: a.Store, Now: a.Now, Folder: filepath.Join(a.Config.Data, "audit")}
	a.Backup = &backup.Service{Store: a.Store, KeyFile: a.Config.KeyFile, Issuer: a.Issuer, Version: version.Version, Now: a.Now}
	a.Backup.SetPlan(backup.Plan{Dir: a.Config.BackupDir, Hour: *a.Config.BackupHour})
	a.Mail = &mail.Service{Store: a.Store, Now: a.Now}
	a.Setup = a.setupRoom()
}

// roomsForDevices makes the rooms that devices use, and the ones between both.
func (a *App) roomsForDevices() {
	a.Presence = checkin.NewPresence(a.Store, a.Now)
	a.Streams = stream.New(a.Heartbeat, a.connected)
	nudger := a.Streams
	a.Command = &command.Service{Store: a.Store, Nudger: nudger, Log: a.Log, Now: a.Now}
	a.Tablet = &tablet.Service{Store: a.Store, Orders: orders{a}, Signer: a.Enroll, Reports: tabletReports{a}, Home: a.Config.PublicURL, Now: a.Now}
	a.Lessons = &lesson.Service{
		Store: a.Store, Roster: a.Roster, Timetable: a.Roster, Presence: presence{a.Presence}, Changes: waker{a}, Board: a.Live,
		Tablets: a.Tablet, NewID: ids.New, Now: a.Now,
	}
	a.Exams = a.examRoom()
	a.Command.Outcomes = []command.Outcomes{outcomes{a}}
	a.Declare = &declare.Service{
		Issuer: a.Issuer, Store: a.Store, Signer: a.Ring, Settler: settlers{a}, Deliveries: a.Lessons, Nudger: nudger, Log: a.Log, Now: a.Now,
		Profiles: declare.Profiles{DeviceURL: a.Config.DeviceURL, Sealer: a.Ring, Signer: a.Enroll},
	}
	a.Checkin = &checkin.Service{
		Store: a.Store, Presence: a.Presence, Reports: reports{a}, Synchronizer: synchronizer{a}, Board: a.Live, Wake: a.Declare.Wake, Log: a.Log, Now: a.Now,
	}
	a.Board = &board.Service{Store: a.Store, Lessons: a.Lessons, Desired: a.Declare, Presence: presence{a.Presence}, Now: a.Now}
}
