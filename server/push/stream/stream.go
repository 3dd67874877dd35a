// Package stream wakes agents over one event stream each (SSE over mutual TLS,
// HTTP/1.1). The connections are hijacked from net/http and kept in a registry
// of our own, so that an idle device costs little memory and a stopping server
// can send its devices away in good order.
package stream

import (
	"errors"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
)

// Defaults of the stream.
const (
	Heartbeat = 5 * time.Minute  // proves that the path is open
	Poll      = 60 * time.Second // pace for agents whose stream is blocked
	writeTime = 5 * time.Second  // a device that takes longer is gone
)

var (
	nudge     = []byte("data: nudge\n\n")
	heartbeat = []byte(": still here\n\n")
	goodbye   = []byte("event: bye\ndata: restart\n\n")
)

// Registry holds the open streams. Make it with New.
type Registry struct {
	mu      sync.Mutex
	open    map[org.ID]*connection
	changed func(enrolment org.ID, connected bool)
	beat    time.Duration
	closed  bool
	done    chan struct{}
	telling sync.Mutex // taken before mu
	watcher *watcher   // nil where the system has none
}

type connection struct {
	net.Conn
	enrolment org.ID
	watched   uint64     // the watcher's number of it
	mu        sync.Mutex // one writer at a time
}

var errNotWatched = errors.New("stream: this connection cannot be watched from aside")

// New returns a registry. changed hears of each device that comes or goes, one at
// a time and in order; it must not block, nor open or close streams.
func New(beat time.Duration, changed func(enrolment org.ID, connected bool)) *Registry {
	r := &Registry{open: map[org.ID]*connection{}, changed: changed, beat: beat, done: make(chan struct{})}
	r.watcher, _ = newWatcher(r.look) // without one, a goroutine waits for each stream
	go r.beatAll()
	return r
}

// Serve answers GET /stream and returns; the connection lives on. A device that
// opens a second stream loses the first.
func (r *Registry) Serve(w http.ResponseWriter, _ *http.Request, enrolment org.ID) error {
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		return errs.E(errs.Unavailable, "stream.http2")
	}
	conn, _, err := hijacker.Hijack()
	if err != nil {
		return err
	}
	loseUnheard(conn)
	c := &connection{Conn: conn, enrolment: enrolment}
	// From the moment it is listed, others may write to it: the head goes first.
	c.mu.Lock()
	if !r.add(c) {
		return conn.Close()
	}
	err = c.writeLocked(r.hello())
	c.mu.Unlock()
	if err != nil {
		r.drop(c)
		return nil
	}
	r.watch(c)
	return nil
}

// hello is the head of the answer, with the pace of polling and of heartbeats
// in seconds, and a first nudge: whatever changed before the stream was open is
// looked for at once.
func (r *Registry) hello() []byte {
	head := "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nConnection: close\r\n" +
		"Date: " + time.Now().UTC().Format(http.TimeFormat) + "\r\n" +
		"Schulwart-Poll: " + seconds(Poll) + "\r\nSchulwart-Heartbeat: " + seconds(r.beat) + "\r\n\r\n"
	return append([]byte(head), nudge...)
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

// Nudge wakes the connected ones among the devices.
func (r *Registry) Nudge(enrolments ...org.ID) {
	var reached []*connection
	r.mu.Lock()
	for _, enrolment := range enrolments {
		if c, ok := r.open[enrolment]; ok {
			reached = append(reached, c)
		}
	}
	r.mu.Unlock()
	r.send(reached, nudge)
}

// Connected reports whether a device holds a stream.
func (r *Registry) Connected(enrolment org.ID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.open[enrolment]
	return ok
}

// Count returns how many streams are open.
func (r *Registry) Count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.open)
}

// Close says goodbye to every device and closes its stream. Agents come back
// with full jitter.
func (r *Registry) Close() {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return
	}
	r.closed = true
	close(r.done)
	all := r.all()
	r.mu.Unlock()
	r.send(all, goodbye)
	for _, c := range all {
		r.drop(c)
	}
	if r.watcher != nil {
		r.watcher.close()
	}
}

// Cut closes every stream without a word, as an outage does. Devices that come
// back find the registry open.
func (r *Registry) Cut() {
	r.mu.Lock()
	all := r.all()
	r.mu.Unlock()
	for _, c := range all {
		r.drop(c)
	}
}

func (r *Registry) all() []*connection {
	all := make([]*connection, 0, len(r.open))
	for _, c := range r.open {
		all = append(all, c)
	}
	return all
}

func (r *Registry) beatAll() {
	ticker := time.NewTicker(r.beat)
	defer ticker.Stop()
	for {
		select {
		case <-r.done:
			return
		case <-ticker.C:
			r.mu.Lock()
			all := r.all()
			r.mu.Unlock()
			r.send(all, heartbeat)
		}
	}
}

// fewAtOnce is how many connections one sender writes to in a row before it
// lets another sender help: one slow device must not hold up a class.
const fewAtOnce = 16

func (r *Registry) send(to []*connection, data []byte) {
	if len(to) <= fewAtOnce {
		r.sendRow(to, data)
		return
	}
	var all sync.WaitGroup
	limit := make(chan struct{}, 64)
	for len(to) > 0 {
		row := to[:min(fewAtOnce, len(to))]
		to = to[len(row):]
		limit <- struct{}{}
		all.Go(func() {
			defer func() { <-limit }()
			r.sendRow(row, data)
		})
	}
	all.Wait()
}

func (r *Registry) sendRow(row []*connection, data []byte) {
	for _, c := range row {
		if err := c.write(data); err != nil {
			r.drop(c)
		}
	}
}

func (c *connection) write(data []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writeLocked(data)
}

func (c *connection) writeLocked(data []byte) error {
	if err := c.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	_, err := c.Write(data)
	return err
}

// watch sees when the device hangs up, so that the board knows it at once.
func (r *Registry) watch(c *connection) {
	// What came with the request lies in TLS's own buffer, where no system call
	// finds it.
	if !r.discard(c, passed) {
		return
	}
	if r.watcher == nil || r.watcher.wait(c) != nil {
		go r.listen(c)
	}
}

// look is called when something can be read. Devices say nothing on a stream;
// what they say is discarded, and the rest of a torn message is waited for.
func (r *Registry) look(c *connection) {
	if r.discard(c, time.Now().Add(writeTime)) {
		r.watch(c)
	}
}

// passed is a deadline at which a read returns what is there and waits for
// nothing.
var passed = time.Unix(1, 0)

// discard reads what there is until the deadline, and reports whether the stream
// is still open.
func (r *Registry) discard(c *connection, until time.Time) bool {
	var some [64]byte
	_ = c.SetReadDeadline(until)
	_, err := c.Read(some[:])
	for err == nil && until.Equal(passed) {
		_, err = c.Read(some[:])
	}
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		r.drop(c)
		return false
	}
	return true
}

// listen is watch for a connection that has a goroutine of its own.
func (r *Registry) listen(c *connection) {
	var one [1]byte
	_ = c.SetReadDeadline(time.Time{})
	for {
		if _, err := c.Read(one[:]); err != nil {
			r.drop(c)
			return
		}
	}
}

// add lists a connection and tells so. Coming and going are told in the order in
// which they happened, or a device could seem connected for ever.
func (r *Registry) add(c *connection) bool {
	r.telling.Lock()
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		r.telling.Unlock()
		return false
	}
	former, had := r.open[c.enrolment]
	r.open[c.enrolment] = c
	r.mu.Unlock()
	r.changed(c.enrolment, true)
	r.telling.Unlock()
	if had {
		r.drop(former)
	}
	return true
}

func (r *Registry) drop(c *connection) {
	_ = c.Conn.Close()
	if r.watcher != nil {
		r.watcher.forget(c)
	}
	r.telling.Lock()
	defer r.telling.Unlock()
	r.mu.Lock()
	current := r.open[c.enrolment] == c
	if current {
		delete(r.open, c.enrolment)
	}
	r.mu.Unlock()
	if current {
		r.changed(c.enrolment, false)
	}
}
