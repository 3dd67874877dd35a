package app

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	"schulwart.org/server/checkin"
	"schulwart.org/server/declare"
	"schulwart.org/server/gateway"
)

// deviceDoor is the listener for devices. It can be closed and opened again
// while people go on: the demo shows so what an outage is like.
type deviceDoor struct {
	mu       sync.Mutex
	server   *http.Server
	listener net.Listener
	messages *prometheus.CounterVec
}

// Count counts a message by its short name.
func (d *deviceDoor) Count(what string) { d.messages.WithLabelValues(what).Inc() }

func (d *deviceDoor) meter(registry *prometheus.Registry) { registry.MustRegister(d.messages) }

func newMessages() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "schulwart_device_messages_total", Help: "Messages of devices, by kind."}, []string{"what"})
}

// OpenDevices opens the listener for devices. It does nothing if it is open.
func (a *App) OpenDevices(ctx context.Context) error {
	a.devices.mu.Lock()
	defer a.devices.mu.Unlock()
	if a.devices.server != nil {
		return nil
	}
	listener, err := net.Listen("tcp", a.Config.DeviceListen)
	if err != nil {
		return fmt.Errorf("opening %s for devices: %w", a.Config.DeviceListen, err)
	}
	door := &gateway.Gateway{
		CheckIn: a.Checkin, Commands: a.Command, Enroll: a.Enroll, Declarations: declarations{a.Declare}, Stream: a.Streams, Work: examWork{a.Exams}, Packages: files{a},
		Counters: &a.devices, Console: a.Config.PublicURL, Log: a.Log, Now: a.Now,
		Proxy: gateway.Proxy{Header: a.Config.DeviceHeader, From: a.Config.Proxies()},
	}
	server := gateway.Server(dated(door.Handler(), a.Now), a.Enroll.ServerCertificate, a.Log)
	server.BaseContext = func(net.Listener) context.Context { return ctx }
	a.devices.server, a.devices.listener = server, listener
	a.running.Go(func() {
		if err := server.ServeTLS(listener, "", ""); err != nil && err != http.ErrServerClosed {
			a.Log.Error("serving devices", "error", err)
		}
	})
	a.Log.Info("open for devices", "address", listener.Addr().String(), "url", a.Config.DeviceURL)
	return nil
}

// CloseDevices closes the listener for devices and lets running requests end.
func (a *App) CloseDevices(ctx context.Context) error {
	a.devices.mu.Lock()
	defer a.devices.mu.Unlock()
	if a.devices.server == nil {
		return nil
	}
	err := a.devices.server.Shutdown(ctx)
	if err != nil {
		err = ignoreDeadline(err)
		_ = a.devices.server.Close()
	}
	a.devices.server, a.devices.listener = nil, nil
	return err
}

// Outage closes the door for devices and cuts every stream, as if the server
// had stopped.
func (a *App) Outage(ctx context.Context) error {
	a.Streams.Cut()
	return a.CloseDevices(ctx)
}

// DeviceAddress returns where devices are served; nil while the door is closed.
func (a *App) DeviceAddress() net.Addr {
	a.devices.mu.Lock()
	defer a.devices.mu.Unlock()
	if a.devices.listener == nil {
		return nil
	}
	return a.devices.listener.Addr()
}

// dated tells devices the installation's time: they set their trust by it.
func dated(next http.Handler, now func() time.Time) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", now().UTC().Format(http.TimeFormat))
		next.ServeHTTP(w, r)
	})
}

// declarations serves what declare compiled, by enrolment.
type declarations struct{ *declare.Service }

func place(e checkin.Enrolment) declare.Place {
	return declare.Place{School: e.Branch(), Device: e.Device}
}

func (d declarations) Tokens(ctx context.Context, e checkin.Enrolment) (ddm.Tokens, error) {
	return d.Service.Tokens(ctx, place(e))
}

func (d declarations) Manifest(ctx context.Context, e checkin.Enrolment) (ddm.Manifest, error) {
	return d.Service.Manifest(ctx, place(e))
}

func (d declarations) Declaration(ctx context.Context, e checkin.Enrolment, class ddm.Class, id string) (ddm.Declaration, error) {
	return d.Service.Declaration(ctx, place(e), class, id)
}

func (d declarations) Profile(ctx context.Context, school org.Branch, identifier, version, seal string) ([]byte, error) {
	return d.Service.Profile(ctx, declare.ProfileAddress{School: school, Identifier: identifier, Version: version, Seal: seal})
}
