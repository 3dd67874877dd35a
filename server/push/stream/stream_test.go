package stream_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/scripts/need"
	"schulwart.org/server/errs"
	"schulwart.org/server/push/stream"
)

// house is a real TLS server with a registry behind it, and what the registry
// told of devices that come and go.
type house struct {
	*httptest.Server
	registry *stream.Registry

	mu   sync.Mutex
	told []string
}

func open(t *testing.T, beat time.Duration) *house {
	t.Helper()
	h := &house{}
	h.registry = stream.New(beat, func(enrolment org.ID, connected bool) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.told = append(h.told, fmt.Sprint(enrolment, " ", connected))
	})
	h.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h.registry.Serve(w, r, org.ID(r.URL.Query().Get("device"))); err != nil {
			t.Errorf("serving a stream: %v", err)
		}
	}))
	t.Cleanup(func() { h.registry.Close(); h.Close() })
	return h
}

func (h *house) heard() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.told...)
}

// device is a device's end of a stream.
type device struct {
	net.Conn
	lines *bufio.Reader
	head  http.Header
}

// connect opens a stream as an agent does, and reads the head of the answer.
func (h *house) connect(t *testing.T, enrolment string) *device {
	t.Helper()
	conn, err := tls.Dial("tcp", h.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET /stream?device=%s HTTP/1.1\r\nHost: schulwart.example\r\nAccept: text/event-stream\r\n\r\n", enrolment)
	d := &device{Conn: conn, lines: bufio.NewReader(conn)}
	response, err := http.ReadResponse(d.lines, nil)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("answered %s, %s", response.Status, response.Header.Get("Content-Type"))
	}
	d.head = response.Header
	return d
}

// line returns the next line with content, "" when the server hung up.
func (d *device) line() string {
	for {
		line, err := d.lines.ReadString('\n')
		if line = strings.TrimSpace(line); line != "" || err != nil {
			return line
		}
	}
}

func (d *device) expect(t *testing.T, lines ...string) {
	t.Helper()
	for _, want := range lines {
		if got := d.line(); got != want {
			t.Fatalf("the device read %q, want %q", got, want)
		}
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestANudgeArrives(t *testing.T) {
	h := open(t, time.Minute)
	a, b := h.connect(t, "a"), h.connect(t, "b")
	a.expect(t, "data: nudge") // whatever changed before is looked for at once
	b.expect(t, "data: nudge")
	if a.head.Get("Schulwart-Poll") != "60" || a.head.Get("Schulwart-Heartbeat") != "60" {
		t.Errorf("paces: %v", a.head)
	}
	if h.registry.Count() != 2 || !h.registry.Connected("a") || h.registry.Connected("c") {
		t.Errorf("%d streams are known", h.registry.Count())
	}
	h.registry.Nudge("a", "c")
	a.expect(t, "data: nudge")
	h.registry.Nudge("b")
	b.expect(t, "data: nudge") // and not two: the nudge of a was not for b
}

func TestHangingUpIsSeen(t *testing.T) {
	h := open(t, time.Minute)
	a := h.connect(t, "a")
	a.expect(t, "data: nudge")
	a.Close()
	until(t, "the registry sees that the device hung up", func() bool { return !h.registry.Connected("a") })
	until(t, "it tells so", func() bool { return len(h.heard()) == 2 })
	if got := h.heard(); got[0] != "a true" || got[1] != "a false" {
		t.Errorf("told %v", got)
	}
	h.registry.Nudge("a")
}

func TestASecondStreamReplacesTheFirst(t *testing.T) {
	h := open(t, time.Minute)
	first := h.connect(t, "a")
	first.expect(t, "data: nudge")
	second := h.connect(t, "a")
	second.expect(t, "data: nudge")
	first.expect(t, "")
	h.registry.Nudge("a")
	second.expect(t, "data: nudge")
	if h.registry.Count() != 1 {
		t.Errorf("%d streams for one device", h.registry.Count())
	}
	for _, told := range h.heard() {
		if told == "a false" {
			t.Error("told that the device left, while its second stream is open")
		}
	}
}

func TestCloseSaysGoodbye(t *testing.T) {
	h := open(t, time.Minute)
	devices := []*device{h.connect(t, "a"), h.connect(t, "b"), h.connect(t, "c")}
	for _, d := range devices {
		d.expect(t, "data: nudge")
	}
	h.registry.Close()
	h.registry.Close()
	for _, d := range devices {
		d.expect(t, "event: bye", "data: restart", "")
	}
	if h.registry.Count() != 0 {
		t.Errorf("%d streams after the end", h.registry.Count())
	}
	late, err := tls.Dial("tcp", h.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	fmt.Fprint(late, "GET /stream?device=late HTTP/1.1\r\nHost: x\r\n\r\n")
	_ = late.SetReadDeadline(time.Now().Add(5 * time.Second))
	if n, err := late.Read(make([]byte, 1)); err == nil {
		t.Errorf("a device that comes after the end is served %d bytes", n)
	}
}

func TestTheHeartbeatProvesThePath(t *testing.T) {
	h := open(t, 20*time.Millisecond)
	a := h.connect(t, "a")
	a.expect(t, "data: nudge", ": still here", ": still here")
}

func TestHTTP2IsRefused(t *testing.T) {
	registry := stream.New(time.Minute, func(org.ID, bool) {})
	defer registry.Close()
	if err := registry.Serve(httptest.NewRecorder(), nil, "a"); !errs.Is(err, errs.Unavailable) {
		t.Errorf("%v", err)
	}
}

// Devices that come, are nudged, are replaced and hang up all at once: every
// answer begins with its head, and in the end the registry and what it told
// agree.
func TestTheHeadComesFirstWhateverHappens(t *testing.T) {
	h := open(t, time.Minute)
	stop := make(chan struct{})
	var nudges sync.WaitGroup
	nudges.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				h.registry.Nudge("a", "b", "c")
			}
		}
	})
	for round := range 15 {
		d := h.connect(t, string(rune('a'+round%3)))
		d.expect(t, "data: nudge")
		if round%2 == 0 {
			d.Close()
		}
	}
	close(stop)
	nudges.Wait()
	until(t, "what was told and what is known agree", func() bool {
		last := map[string]bool{}
		for _, told := range h.heard() {
			name, connected, _ := strings.Cut(told, " ")
			last[name] = connected == "true"
		}
		for name, connected := range last {
			if h.registry.Connected(org.ID(name)) != connected {
				return false
			}
		}
		return true
	})
}

func TestANudgeReachesAWholeClass(t *testing.T) {
	h := open(t, time.Minute)
	var ids []org.ID
	var class []*device
	for i := range 40 { // more than one sender takes at once
		id := fmt.Sprint("d", i)
		class = append(class, h.connect(t, id))
		ids = append(ids, org.ID(id))
	}
	h.registry.Nudge(ids...)
	for _, d := range class {
		d.expect(t, "data: nudge", "data: nudge")
	}
}

// What a device says on its stream is for nobody, and must not be the end of it:
// neither words, nor half a message, nor what came together with the request.
func TestADeviceThatSpeaksOnItsStreamKeepsIt(t *testing.T) {
	h := open(t, time.Minute)
	a := h.connect(t, "a")
	a.expect(t, "data: nudge")
	for range 3 {
		if _, err := fmt.Fprint(a.Conn, strings.Repeat("hello? ", 3000)); err != nil {
			t.Fatal(err)
		}
		h.registry.Nudge("a")
		a.expect(t, "data: nudge")
	}
	conn, err := tls.Dial("tcp", h.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprint(conn, "GET /stream?device=b HTTP/1.1\r\nHost: schulwart.example\r\n\r\nand something behind it")
	b := &device{Conn: conn, lines: bufio.NewReader(conn)}
	if _, err := http.ReadResponse(b.lines, nil); err != nil {
		t.Fatal(err)
	}
	b.expect(t, "data: nudge")
	h.registry.Nudge("b")
	b.expect(t, "data: nudge")
	if _, err := conn.NetConn().Write([]byte{23, 3, 3, 0, 80, 1, 2, 3}); err != nil { // a record that stays torn
		t.Fatal(err)
	}
	h.registry.Nudge("b")
	b.expect(t, "data: nudge")
	if err := conn.NetConn().Close(); err != nil {
		t.Fatal(err)
	}
	until(t, "the registry sees that the device is gone, half a message or not", func() bool { return !h.registry.Connected("b") })
	if !h.registry.Connected("a") {
		t.Error("the device that spoke lost its stream")
	}
}

// Hundreds that come and go leave nothing behind: no goroutine for each while
// they stay, none after they went.
func TestStreamsTakeNoGoroutineEach(t *testing.T) {
	if runtime.GOOS != "linux" {
		need.Missing(t, "Linux: elsewhere a goroutine waits for each stream")
	}
	h := open(t, time.Minute)
	before := runtime.NumGoroutine()
	var class []*device
	for i := range 200 {
		class = append(class, h.connect(t, fmt.Sprint("d", i)))
	}
	until(t, "the handlers end", func() bool { return runtime.NumGoroutine() < before+100 })
	for _, d := range class {
		d.Close()
	}
	until(t, "everybody is gone", func() bool { return h.registry.Count() == 0 })
	until(t, "nobody waits", func() bool { return runtime.NumGoroutine() < before+20 })
}
