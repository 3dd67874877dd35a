package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"time"
)

// measureClick measures what needs a house full of devices: memory for each that
// is connected, the way from a click to the read-back of a class, one change for
// everybody, and a restart.
func (b *bench) measureClick() error {
	folder := filepath.Join(b.folder, "click")
	server, err := b.startServer(folder)
	if err != nil {
		return err
	}
	defer func() { server.stop() }()
	class, err := b.devicesAt(server.Class, classSize, 2)
	if err != nil {
		return err
	}
	defer class.stop()
	if _, err := server.waitStreams(classSize); err != nil {
		return err
	}
	if err := b.fill(server); err != nil {
		return err
	}
	others, err := b.devicesAt(server.Others, b.devices, 1)
	if err != nil {
		return err
	}
	defer others.stop()
	if _, err := server.waitStreams(classSize + b.devices); err != nil {
		return err
	}
	b.memoryOf(server)
	if err := b.clicks(server); err != nil {
		return err
	}
	if err := b.everybody(server); err != nil {
		return err
	}
	return b.restart(&server, folder)
}

// empty is the server's memory before the others came.
var empty int64

func (b *bench) fill(server remoteServer) error {
	err := server.order(http.MethodGet, "/memory", nil, nil)
	empty = resident(server.pid())
	return err
}

func (b *bench) memoryOf(server remoteServer) {
	time.Sleep(15 * time.Second) // request connections close after ten seconds
	_ = server.order(http.MethodGet, "/memory", nil, nil)
	each := float64(resident(server.pid())-empty) / float64(b.devices) / 1000
	row("memory per connected idle agent", fmt.Sprintf("%.1f kB", each), "≤ 25 kB", fmt.Sprintf("growth of the server's resident memory over %d agents, after a collection", b.devices))
}

func (b *bench) clicks(server remoteServer) error {
	var all, last []time.Duration
	used := cpu(server.pid())
	for range b.rounds {
		var times []time.Duration
		if err := server.order(http.MethodPost, "/click", nil, &times); err != nil {
			return err
		}
		all = append(all, times...)
		last = append(last, percentile(times, 1))
		time.Sleep(500 * time.Millisecond) // let the end be read back
	}
	used = cpu(server.pid()) - used
	row("click → device has read back (durable)", fmt.Sprintf("p50 %d ms, p99 %d ms", percentile(all, 0.5).Milliseconds(), percentile(all, 0.99).Milliseconds()), "p99 ≤ 100 ms",
		fmt.Sprintf("%d clicks on %d devices, %d others connected, all processes on these cores", b.rounds, classSize, b.devices))
	row("click → all of the class", fmt.Sprintf("median %d ms", percentile(last, 0.5).Milliseconds()), "", "the slowest device of each click; drivers are pretended ones")
	row("server CPU per click and end", fmt.Sprintf("%d ms", used.Milliseconds()/int64(b.rounds)), "", "both ways, 30 devices, from /proc")
	return nil
}

func (b *bench) everybody(server remoteServer) error {
	used := cpu(server.pid())
	var took time.Duration
	if err := server.order(http.MethodPost, "/all", nil, &took); err != nil {
		return err
	}
	used = cpu(server.pid()) - used
	n := b.devices + classSize
	row(fmt.Sprintf("one change for %d devices", n), fmt.Sprintf("%.1f s, %.1f CPU-s", took.Seconds(), used.Seconds()), "≤ 5 s for 10,000",
		"base filter of the authority → the last device's report is durable; the simulated devices share these cores")
	return nil
}

func (b *bench) restart(server *remoteServer, folder string) error {
	_ = server.Process.Kill()
	_ = server.Wait()
	began := time.Now()
	fresh, err := b.startServer(folder)
	if err != nil {
		return err
	}
	*server = fresh
	if _, err := fresh.waitStreams(classSize + b.devices); err != nil {
		return err
	}
	row(fmt.Sprintf("kill -9 and restart with %d connected", b.devices+classSize), fmt.Sprintf("%.1f s, %.1f CPU-s", time.Since(began).Seconds(), cpu(fresh.pid()).Seconds()), "≤ 60 s for 10,000", "until every agent holds its stream again, full jitter included")
	return nil
}
