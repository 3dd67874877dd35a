package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// stopTime is how long requests may take to finish when the server stops.
const stopTime = 10 * time.Second

// Start opens the listeners and starts what runs in the background. It returns
// when both doors are open.
func (a *App) Start(ctx context.Context) error {
	ctx, a.cancel = context.WithCancel(ctx)
	background := func(run func(context.Context)) {
		a.running.Go(func() { run(ctx) })
	}
	background(a.Declare.Run)
	background(func(ctx context.Context) { a.Presence.Run(ctx, a.Log) })
	// After an absence examinations wait for no minute to begin: in an interruption,
	// laptops may be out of them that belong in.
	background(func(ctx context.Context) {
		if err := a.Exams.Tick(ctx); err != nil && ctx.Err() == nil {
			a.Log.Error("bringing examinations to devices at the start", "error", err)
		}
	})
	var err error
	if a.stopJobs, err = schedule(ctx, a.jobs(), a.Store, a.Config.Zone(), a.Now, a.Log); err != nil {
		return fmt.Errorf("starting jobs: %w", err)
	}
	if err := a.OpenDevices(ctx); err != nil {
		return err
	}
	return a.openPeople(ctx)
}

// Run starts the app and stops it in good order when the context ends.
func (a *App) Run(ctx context.Context) error {
	if err := a.Start(context.WithoutCancel(ctx)); err != nil {
		return errors.Join(err, a.Close())
	}
	<-ctx.Done()
	return a.Close()
}

// openPeople opens the listener for people and programs.
func (a *App) openPeople(ctx context.Context) error {
	listener, err := net.Listen("tcp", a.Config.Listen)
	if err != nil {
		return fmt.Errorf("opening %s for people: %w", a.Config.Listen, err)
	}
	a.listener = listener
	gin.SetMode(gin.ReleaseMode)
	a.people = &http.Server{
		Handler: a.peopleHandler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx }, ErrorLog: quiet(a.Log),
	}
	secure, err := a.peopleTLS()
	if err != nil {
		return err
	}
	a.running.Go(func() {
		var err error
		if secure != nil {
			a.people.TLSConfig = secure
			err = a.people.ServeTLS(listener, "", "")
		} else {
			err = a.people.Serve(listener)
		}
		if err != nil && !errors.Is(err, http.ErrServerClosed) {
			a.Log.Error("serving people", "error", err)
		}
	})
	a.Log.Info("open for people", "address", listener.Addr().String(), "url", a.Config.PublicURL)
	return nil
}

// Close stops in good order: no new work, goodbye to the streams, running
// requests to their end, the database last.
func (a *App) Close() error {
	close(a.stopping)
	stop, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	var faults []error
	if a.people != nil {
		faults = append(faults, ignoreDeadline(a.people.Shutdown(stop)))
	}
	faults = append(faults, a.CloseDevices(stop))
	a.Streams.Close()
	if a.stopJobs != nil {
		a.stopJobs()
	}
	if a.cancel != nil {
		a.cancel()
	}
	a.running.Wait()
	return errors.Join(append(faults, a.Store.Close())...)
}

// ignoreDeadline forgives requests that did not finish in time: they are cut.
func ignoreDeadline(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// Address returns where people are served, once it is open.
func (a *App) Address() net.Addr { return a.listener.Addr() }
