package main

import (
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"
)

// mostPerProcess is how many devices one process pretends to be: each holds two
// connections while it speaks, and systems bound how many files a process opens.
const mostPerProcess = 3 * schoolSize

// crowd is a house full of devices: a class, and many others.
type crowd struct {
	server  remoteServer
	folder  string
	class   process
	others  []process
	devices int // others that are asked for
}

func (c *crowd) all() int { return c.devices + classSize }

func (c *crowd) stop() {
	for _, p := range c.others {
		p.stop()
	}
	c.class.stop()
	c.server.stop()
}

// measureClick measures what needs a house full of devices: memory for each that
// is connected, the way from a click to the read-back of a class, one change for
// everybody, and a restart.
func (b *bench) measureClick() error {
	c := &crowd{folder: filepath.Join(b.folder, "click"), devices: b.devices}
	var err error
	if c.server, err = b.startServer(c.folder); err != nil {
		return err
	}
	defer c.stop()
	if c.class, err = b.devicesAt([]string{c.server.Class}, classSize, 2); err != nil {
		return err
	}
	if _, err := c.server.waitStreams(classSize); err != nil {
		return err
	}
	if err := b.fill(c); err != nil {
		return err
	}
	if b.rounds > 0 {
		if err := b.profiled(c.server, "click", func() error { return b.clicks(c) }); err != nil {
			return err
		}
	}
	for range b.changes {
		if err := b.profiled(c.server, "all", func() error { return b.everybody(c) }); err != nil {
			return err
		}
	}
	if err := b.restart(c); err != nil {
		return err
	}
	return b.leave(c)
}

// fill lets the others come, and measures what each costs.
func (b *bench) fill(c *crowd) error {
	before, empty, err := c.server.memory()
	if err != nil {
		return err
	}
	began, used := time.Now(), cpu(c.server.pid())
	for left, schools := c.devices, c.server.Others; left > 0; left -= mostPerProcess {
		links := schools[:min(len(schools), mostPerProcess/schoolSize)]
		schools = schools[len(links):]
		p, err := b.devicesAt(links, min(left, mostPerProcess), 10+len(schools))
		if err != nil {
			return err
		}
		c.others = append(c.others, p)
	}
	err = b.profiled(c.server, "enrol", func() error { _, err := c.server.waitStreams(c.all()); return err })
	if err != nil {
		return err
	}
	used = cpu(c.server.pid()) - used
	row(fmt.Sprintf("%d devices enrol", c.devices), fmt.Sprintf("%.0f s, %.1f CPU-s", time.Since(began).Seconds(), used.Seconds()), "",
		fmt.Sprintf("certificate, first declarations, first report, stream; %d processes of simulated devices on these cores", len(c.others)))
	time.Sleep(15 * time.Second) // request connections close after ten seconds
	if err := b.profiled(c.server, "idle-streams", func() error { return nil }); err != nil {
		return err
	}
	after, full, err := c.server.memory()
	if err != nil {
		return err
	}
	each := func(grown float64) string { return fmt.Sprintf("%.1f", grown/float64(c.devices)/1000) }
	row("memory grown while they enrolled, per agent", each(float64(full-empty))+" kB", "",
		fmt.Sprintf("resident memory over %d agents, after a collection; objects %s (with gaps %s), stacks %s, all of Go %s; the rest is the database's, whose page caches fill up to a bound", c.devices,
			each(float64(after.Heap)-float64(before.Heap)), each(float64(after.Spans)-float64(before.Spans)), each(float64(after.Stacks)-float64(before.Stacks)), each(float64(after.Go)-float64(before.Go))))
	return nil
}

func (b *bench) clicks(c *crowd) error {
	var all, last []time.Duration
	used := cpu(c.server.pid())
	for range b.rounds {
		var times []time.Duration
		if err := c.server.order(http.MethodPost, "/click", nil, &times); err != nil {
			return err
		}
		all = append(all, times...)
		last = append(last, percentile(times, 1))
		time.Sleep(500 * time.Millisecond) // let the end be read back
	}
	used = cpu(c.server.pid()) - used
	row("click → device has read back (durable)", fmt.Sprintf("p50 %d ms, p99 %d ms", percentile(all, 0.5).Milliseconds(), percentile(all, 0.99).Milliseconds()), "p99 ≤ 100 ms",
		fmt.Sprintf("%d clicks on %d devices, %d others connected, all processes on these cores", b.rounds, classSize, c.devices))
	row("click → all of the class", fmt.Sprintf("median %d ms, p99 %d ms", percentile(last, 0.5).Milliseconds(), percentile(last, 0.99).Milliseconds()), "p99 ≤ 100 ms", "the slowest device of each click; drivers are pretended ones")
	row("server CPU per click and end", fmt.Sprintf("%d ms", used.Milliseconds()/int64(b.rounds)), "", "both ways, 30 devices, from /proc")
	return nil
}

func (b *bench) everybody(c *crowd) error {
	used, simulated := cpu(c.server.pid()), c.simulatedCPU()
	var took time.Duration
	if err := c.server.order(http.MethodPost, "/all", nil, &took); err != nil {
		return err
	}
	used, simulated = cpu(c.server.pid())-used, c.simulatedCPU()-simulated
	row(fmt.Sprintf("one change for %d devices", c.all()), fmt.Sprintf("%.1f s, %.2f CPU-s", took.Seconds(), used.Seconds()), "≤ 5 s, 2 CPU-s for 10,000",
		fmt.Sprintf("base filter of the authority → the last device's report is durable; %.2f ms of server per device; the simulated devices use %.1f CPU-s of these cores beside it", float64(used.Microseconds())/1000/float64(c.all()), simulated.Seconds()))
	return nil
}

func (c *crowd) simulatedCPU() time.Duration {
	used := cpu(c.class.pid())
	for _, p := range c.others {
		used += cpu(p.pid())
	}
	return used
}

// restart kills the server while a mode holds, and looks whether everybody is
// back and the mode still stands.
func (b *bench) restart(c *crowd) error {
	var holding []string
	if err := c.server.order(http.MethodPost, "/hold", nil, &holding); err != nil {
		return err
	}
	_ = c.server.Process.Kill()
	_ = c.server.Wait()
	began := time.Now()
	fresh, err := b.startServer(c.folder)
	if err != nil {
		return err
	}
	c.server = fresh
	if _, err := fresh.waitStreams(c.all()); err != nil {
		return err
	}
	took, used := time.Since(began), cpu(fresh.pid())
	var held int
	if err := fresh.order(http.MethodPost, "/held", url.Values{"devices": {strings.Join(holding, " ")}}, &held); err != nil {
		return err
	}
	row(fmt.Sprintf("kill -9 and restart with %d connected", c.all()), fmt.Sprintf("%.1f s, %.1f CPU-s", took.Seconds(), used.Seconds()), "≤ 60 s for 10,000",
		fmt.Sprintf("until every agent holds its stream again, full jitter included; %d of %d leases of a running mode still read back as active", held, len(holding)))
	return nil
}

// leave measures what a connected agent costs by what is given back when all but
// the class hang up: no cache of the database is in it, and nothing that is kept
// of devices that are known.
func (b *bench) leave(c *crowd) error {
	time.Sleep(15 * time.Second) // request connections close after ten seconds
	before, full, err := c.server.memory()
	if err != nil {
		return err
	}
	for _, p := range c.others {
		p.stop()
	}
	c.others = nil
	for range 600 {
		var open int
		if err := c.server.order(http.MethodGet, "/streams", nil, &open); err != nil {
			return err
		}
		if open <= classSize {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	time.Sleep(time.Second) // let handlers end
	after, empty, err := c.server.memory()
	if err != nil {
		return err
	}
	each := func(given float64) string { return fmt.Sprintf("%.1f", given/float64(c.devices)/1000) }
	row("memory per connected idle agent", each(float64(full-empty))+" kB", "≤ 25 kB",
		fmt.Sprintf("resident memory that is given back when %d agents hang up, after a restart and a collection; objects %s, with gaps between them %s", c.devices,
			each(float64(before.Heap)-float64(after.Heap)), each(float64(before.Spans)-float64(after.Spans))))
	return nil
}
