package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	"schulwart.org/agent/host"
	"schulwart.org/agent/identity"
	"schulwart.org/policies/mdm"
)

// clients is how many devices ask side by side.
const clients = 8

// machine is the hardware that a client pretends to be.
type machine struct{ serial string }

// Hardware is part of host.Machine.
func (m machine) Hardware() host.Hardware {
	return host.Hardware{Platform: "linux", Serial: m.serial, MachineID: m.serial, Model: "bench"}
}

// Condition is part of host.Machine.
func (m machine) Condition() host.Condition { return host.Condition{} }

func (machine) Versions([]string) map[string]string { return nil }

// Note is part of host.Machine.
func (m machine) Note(string) {}

// client is an enrolled device that speaks the wire and does nothing else.
type client struct {
	id     *identity.Identity
	serial string
	device string // its id at the server
	http   *http.Client
}

func enrol(link identity.Link, n int) (*client, error) {
	c := &client{serial: fmt.Sprintf("BENCH%04d", n)}
	var err error
	if c.id, err = identity.Enrol(context.Background(), &host.FakeFiles{}, machine{c.serial}, link); err != nil {
		return nil, err
	}
	c.http = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		TLSClientConfig: c.id.TLS(time.Now), TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}, MaxIdleConnsPerHost: 1,
	}}
	who := mdm.Enrollment{UDID: c.id.UDID}
	for _, message := range []mdm.CheckIn{
		{MessageType: mdm.Authenticate, Enrollment: who, Topic: c.id.Topic, SerialNumber: c.serial},
		{MessageType: mdm.TokenUpdate, Enrollment: who, Topic: c.id.Topic, PushMagic: "bench", Token: []byte("bench")},
	} {
		body, err := mdm.Encode(message)
		if err != nil {
			return nil, err
		}
		if _, err := c.put(body); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *client) put(body []byte) ([]byte, error) {
	request, err := http.NewRequest(http.MethodPut, c.id.DeviceURL+"/mdm", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, data)
	}
	return data, err
}

// measureIdle measures what a device costs that has nothing to do, and what a
// command costs.
func (b *bench) measureIdle() error {
	server, err := b.startServer(filepath.Join(b.folder, "idle"))
	if err != nil {
		return err
	}
	defer server.stop()
	link, err := identity.ParseLink(server.Class)
	if err != nil {
		return err
	}
	devices := make([]*client, clients)
	for i := range devices {
		if devices[i], err = enrol(link, i); err != nil {
			return err
		}
		if err := server.order(http.MethodGet, "/device?serial="+devices[i].serial, nil, &devices[i].device); err != nil {
			return err
		}
	}
	if err := b.profiled(server, "check-ins", func() error { return b.checkIns(server, devices) }); err != nil {
		return err
	}
	return b.profiled(server, "commands", func() error { return b.roundTrips(server, devices) })
}

func (b *bench) checkIns(server remoteServer, devices []*client) error {
	each := b.checks / len(devices)
	used, began := cpu(server.pid()), time.Now()
	err := together(devices, func(c *client) error {
		body, err := mdm.Encode(mdm.CheckIn{MessageType: mdm.DeclarativeManagement, Enrollment: mdm.Enrollment{UDID: c.id.UDID}, Endpoint: mdm.EndpointTokens})
		if err != nil {
			return err
		}
		for range each {
			if _, err := c.put(body); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	used = cpu(server.pid()) - used
	n := each * len(devices)
	row("idle check-in (tokens, unchanged)", fmt.Sprintf("%.3f CPU-s per 1,000", used.Seconds()/float64(n)*1000), "≤ 0.03 CPU-s", fmt.Sprintf("%d over kept mutual TLS, %.0f/s, server's CPU from /proc", n, float64(n)/time.Since(began).Seconds()))
	return nil
}

// roundTrips measures commands from the queue to the report. They are queued
// through the bench's own door; what the door costs without queueing is measured
// and taken off.
func (b *bench) roundTrips(server remoteServer, devices []*client) error {
	door, err := b.perThousand(server, devices, func(c *client, _ int) error {
		return server.order(http.MethodPost, "/nothing", url.Values{"device": {c.device}}, nil)
	})
	if err != nil {
		return err
	}
	for round, name := range []string{"command round trip, durable", "the same with as many finished before"} {
		each, err := b.perThousand(server, devices, func(c *client, i int) error {
			return c.roundTrip(server, fmt.Sprint(round, ":", i))
		})
		if err != nil {
			return err
		}
		row(name, fmt.Sprintf("%.3f CPU-s per 1,000", each-door), "≤ 0.2 CPU-s",
			fmt.Sprintf("%d times queue, Idle → command, Acknowledged → nothing more, two requests over mutual TLS and three commits; %d clients; without the bench's own door for queueing, %.3f", b.commands, len(devices), door))
	}
	return nil
}

// perThousand lets each device do something many times, and returns the CPU
// time of the server for a thousand times, in seconds.
func (b *bench) perThousand(server remoteServer, devices []*client, do func(c *client, i int) error) (float64, error) {
	each := b.commands / len(devices)
	used := cpu(server.pid())
	err := together(devices, func(c *client) error {
		for i := range each {
			if err := do(c, i); err != nil {
				return err
			}
		}
		return nil
	})
	used = cpu(server.pid()) - used
	return used.Seconds() / float64(each*len(devices)) * 1000, err
}

// roundTrip queues a command, fetches it and acknowledges it.
func (c *client) roundTrip(server remoteServer, about string) error {
	if err := server.order(http.MethodPost, "/command", url.Values{"device": {c.device}, "about": {about}}, nil); err != nil {
		return err
	}
	idle, err := mdm.Encode(mdm.Result{Enrollment: mdm.Enrollment{UDID: c.id.UDID}, Status: mdm.Idle})
	if err != nil {
		return err
	}
	answer, err := c.put(idle)
	if err != nil {
		return err
	}
	command, err := mdm.ParseCommand(answer)
	if err != nil {
		return fmt.Errorf("no command came: %w", err)
	}
	done, err := mdm.Encode(mdm.Result{Enrollment: mdm.Enrollment{UDID: c.id.UDID}, Status: mdm.Acknowledged, CommandUUID: command.CommandUUID})
	if err != nil {
		return err
	}
	_, err = c.put(done)
	return err
}

func together(devices []*client, do func(*client) error) error {
	var all sync.WaitGroup
	faults := make(chan error, len(devices))
	for _, c := range devices {
		all.Go(func() {
			if err := do(c); err != nil {
				faults <- err
			}
		})
	}
	all.Wait()
	close(faults)
	return <-faults
}
