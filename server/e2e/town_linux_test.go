package e2e

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"schulwart.org/agent/reconcile"
	"schulwart.org/policies/lease"
	"schulwart.org/policies/org"
	"schulwart.org/scripts/need"
	"schulwart.org/scripts/rig"
	"schulwart.org/server/config"
	"schulwart.org/server/lesson"
)

// programs are built once, as people get them.
var programs struct {
	sync.Mutex
	dir   string
	built map[string]error
}

// built builds one of our programs, with more tags if any are given, and
// returns where it lies.
func built(t testing.TB, name, from, tags string) string {
	t.Helper()
	programs.Lock()
	defer programs.Unlock()
	if programs.dir == "" {
		programs.dir = made(os.MkdirTemp("", "sw-programs-"))(t)
		programs.built = map[string]error{}
	}
	path := filepath.Join(programs.dir, name)
	if _, done := programs.built[name]; !done {
		cmd := exec.Command("go", "build", "-tags", strings.TrimSpace("nomsgpack "+tags), "-o", path, from)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		if err != nil {
			err = errors.New(string(out) + err.Error())
		}
		programs.built[name] = err
	}
	must(t, programs.built[name])
	return path
}

func theServer(t testing.TB) string { return built(t, "schulwart", "schulwart.org/server", "") }
func theAgent(t testing.TB) string  { return built(t, "schulwart-agent", "schulwart.org/agent", "") }

// movableAgent is the agent whose wall clock can be moved.
func movableAgent(t testing.TB) string {
	return built(t, "schulwart-agent-e2e", "schulwart.org/agent", "e2e")
}

func TestMain(m *testing.M) {
	code := m.Run()
	if programs.dir != "" {
		_ = os.RemoveAll(programs.dir)
	}
	os.Exit(code)
}

// town is the world with the real server in it, as a process, and a teacher at
// another device of the school.
type town struct {
	t testing.TB
	*rig.World
	house  *house // what was planted; its app does not run
	config *config.Serve
	desk   *rig.Namespace // the teacher's
	client *http.Client

	server *exec.Cmd
	ended  chan struct{}
	link   string // enrols into 7b
	spares string // enrols into the school, and into no group
}

// newTown plants a school and starts the server. There is one pupil's machine.
func newTown(t testing.TB) *town { return townOf(t, 1) }

// townOf is newTown with places for more machines.
func townOf(t testing.TB, pupils int) *town {
	t.Helper()
	if !need.Required() {
		need.Missing(t, "SCHULWART_REQUIRE_ALL=1: minutes over network namespaces, as make e2e runs them")
	}
	need.Tool(t, "nft")
	w := rig.New(t, rig.Pupils(pupils+1))
	c := &town{t: t, World: w, desk: w.Pupils[pupils]}
	dir := t.TempDir()
	chain, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, w, chain, key)
	c.config = &config.Serve{
		Data: filepath.Join(dir, "data"), Listen: "[::]:443", DeviceListen: "[::]:8443", PublicURL: "https://" + rig.ServerName, DeviceURL: "https://" + rig.ServerName + ":8443",
		Certificate: chain, PrivateKey: key, Timezone: "Europe/Berlin",
	}
	must(t, c.config.Settle())
	c.plant()
	c.client = &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: w.CA.Pool},
		DialContext:     func(ctx context.Context, _, addr string) (net.Conn, error) { return c.desk.Dial(ctx, addr, rig.Ask{}) },
	}}
	c.start()
	t.Cleanup(func() { c.stop(os.Interrupt) })
	return c
}

// plant fills the empty installation before the server starts on it. Both
// listeners are on loopback for this moment, and nobody comes.
func (c *town) plant() {
	c.t.Helper()
	quiet := *c.config
	quiet.Listen, quiet.DeviceListen = "127.0.0.1:0", "127.0.0.1:0"
	c.house = &house{t: c.t, config: &quiet}
	c.house.open()
	c.house.furnish(c.house.app)
	c.house.hireCity()
	c.house.hireOperator()
	c.link, c.spares = c.house.link(c.house.class, 10), c.house.link("", 10)
	c.house.close()
}

func writeCertificate(t testing.TB, w *rig.World, chain, key string) {
	t.Helper()
	cert := made(w.CA.Certificate(rig.ServerName))(t)
	var text []byte
	for _, der := range cert.Certificate {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	der := made(x509.MarshalPKCS8PrivateKey(cert.PrivateKey))(t)
	must(t, os.WriteFile(chain, text, 0o644))
	must(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
}

// start starts the server and waits until it is ready.
func (c *town) start() {
	c.t.Helper()
	s := c.config
	cmd := c.Server.Command(theServer(c.t), "serve", "--data", s.Data, "--listen", s.Listen, "--device-listen", s.DeviceListen, "--public-url", s.PublicURL, "--device-url", s.DeviceURL,
		"--certificate", s.Certificate, "--private-key", s.PrivateKey, "--log-level", "error")
	cmd.Stdout, cmd.Stderr = io.Discard, c.t.Output()
	cmd.WaitDelay = time.Second
	must(c.t, cmd.Start())
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	c.server, c.ended = cmd, ended
	await(c.t, "the server to be ready", func() bool {
		response, err := c.client.Get(s.PublicURL + "/readyz")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

// stop ends the server by a signal and waits for it.
func (c *town) stop(how os.Signal) {
	c.t.Helper()
	if c.server == nil {
		return
	}
	_ = c.server.Process.Signal(how)
	select {
	case <-c.ended:
	case <-time.After(15 * time.Second):
		c.t.Error("the server does not end")
		_ = c.server.Process.Signal(syscall.SIGKILL)
	}
	c.server = nil
	c.client.CloseIdleConnections()
}

// as signs in at the program interface, from the teacher's device.
func (c *town) as(login string) *program { return signIn(c.t, c.config.PublicURL, c.client, login) }

// laptop is a pupil's machine with the real agent, enrolled.
func (c *town) laptop(agent string) *machine {
	c.t.Helper()
	m := newMachine(c.t, c.World, c.Pupils[0], agent)
	c.enrol(m)
	return m
}

func (c *town) enrol(m *machine) { c.enrolBy(m, c.link) }

func (c *town) enrolBy(m *machine, link string) {
	c.t.Helper()
	m.watch()
	if out, err := m.command("schulwart-agent", "enroll", "--state", agentState, link).CombinedOutput(); err != nil {
		c.t.Fatalf("enrolling: %v: %s\n%s", err, out, m.log())
	}
	await(c.t, "the stream", func() bool { return m.status().Link == "stream" }, func() any { return m.log() })
	c.t.Cleanup(func() {
		if c.t.Failed() {
			c.t.Logf("the agent said:\n%s", m.log())
		}
	})
}

// status is what schulwart-agent status --json says; empty while it says
// nothing.
func (m *machine) status() (s reconcile.Status) {
	m.t.Helper()
	out, err := m.command("schulwart-agent", "status", "--json", "--state", agentState).Output()
	if err == nil {
		must(m.t, json.Unmarshal(out, &s))
	}
	return s
}

// mode starts a mode by the program interface and waits until it holds.
func (c *town) mode(p *program, kind lease.Kind, until time.Time) org.ID {
	c.t.Helper()
	o := order{"target": in(c.house.class), "kind": kind, "until": until}
	if kind == lease.Sites {
		o["sites"] = []string{"lernen.example", "shared-good.example"}
	}
	mode := p.start(o)
	p.reaches(mode.ID, lesson.Active, 1)
	return mode.ID
}

// reach is what comes of a page now, from the pupil's side.
func (m *machine) reach(host string) rig.Outcome {
	return m.world.Get(m.Namespace, "https://"+host+"/").Outcome
}

// open and shut wait until the pupil reaches a page, or is refused at once.
func (m *machine) opens(host string) {
	m.t.Helper()
	await(m.t, host+" to be reached", func() bool { return m.reach(host) == rig.OK }, func() any { return m.reach(host) })
}

func (m *machine) shut(host string) {
	m.t.Helper()
	if got := m.world.Get(m.Namespace, "https://"+host+"/"); !got.Outcome.Blocked() || got.Took > 2*time.Second {
		m.t.Errorf("%s is %v", host, got)
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

func netAddr(addr netip.Addr, port uint16) netip.AddrPort { return netip.AddrPortFrom(addr, port) }

// teacher is a teacher's browser with the console.
type teacher struct {
	t     testing.TB
	in    io.WriteCloser
	out   *bufio.Scanner
	shots string
}

// teacher opens a browser on the teacher's device and signs in.
func (c *town) teacher() *teacher {
	c.t.Helper()
	node := need.Tool(c.t, "node")
	need.Tool(c.t, "chromium")
	modules := os.Getenv("NODE_MODULES")
	if modules == "" {
		modules = made(filepath.Abs(filepath.Join("..", "..", "scripts", "node_modules")))(c.t)
	}
	if _, err := os.Stat(filepath.Join(modules, "playwright-core")); err != nil {
		need.Missing(c.t, "playwright-core (npm ci in scripts, or NODE_MODULES)")
	}
	cmd := c.desk.Command(node, made(filepath.Abs(filepath.Join("..", "..", "scripts", "browser", "teacher.mjs")))(c.t))
	cmd.Env = append(os.Environ(), "NODE_MODULES="+modules, "TEACHER="+c.config.PublicURL, "HOME="+c.t.TempDir())
	cmd.Stderr = c.t.Output()
	cmd.WaitDelay = time.Second
	b := &teacher{t: c.t, shots: os.Getenv("SCHULWART_SHOTS")}
	if b.shots == "" {
		b.shots = c.t.TempDir()
	}
	must(c.t, os.MkdirAll(b.shots, 0o755))
	c.t.Logf("pictures of the board lie in %s", b.shots)
	b.in = made(cmd.StdinPipe())(c.t)
	out := made(cmd.StdoutPipe())(c.t)
	b.out = bufio.NewScanner(out)
	b.out.Buffer(nil, 1<<20)
	must(c.t, cmd.Start())
	c.t.Cleanup(func() {
		_ = b.in.Close()
		timer := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
		_ = cmd.Wait()
	})
	b.do(order{"do": "login", "email": oert, "password": password}, nil)
	b.do(order{"do": "board", "group": c.house.class}, nil)
	return b
}

// do gives one order; into may be nil.
func (b *teacher) do(o order, into any) {
	b.t.Helper()
	data := made(json.Marshal(o))(b.t)
	made(b.in.Write(append(data, '\n')))(b.t)
	if !b.out.Scan() {
		b.t.Fatalf("the teacher's browser ended: %v", b.out.Err())
	}
	var answer struct {
		OK    json.RawMessage
		Fault string
	}
	must(b.t, json.Unmarshal(b.out.Bytes(), &answer))
	if answer.Fault != "" {
		b.shot("fault")
		b.t.Fatalf("the teacher's browser: %s", answer.Fault)
	}
	if into != nil {
		must(b.t, json.Unmarshal(answer.OK, into))
	}
}

// shot keeps a picture of the page.
func (b *teacher) shot(name string) {
	b.t.Helper()
	data := made(json.Marshal(order{"do": "shot", "file": filepath.Join(b.shots, name+".png")}))(b.t)
	made(b.in.Write(append(data, '\n')))(b.t)
	b.out.Scan()
}

// tile waits until every tile of the board says the word, without reloading.
func (b *teacher) tile(word string) {
	b.t.Helper()
	type tile struct{ Name, State string }
	var tiles []tile
	await(b.t, "the board to say "+word, func() bool {
		tiles = nil
		b.do(order{"do": "tiles"}, &tiles)
		for _, one := range tiles {
			if !strings.Contains(one.State, word) {
				return false
			}
		}
		return len(tiles) > 0
	}, func() any { return tiles })
}
