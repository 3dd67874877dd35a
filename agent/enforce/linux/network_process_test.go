package linux_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/enforce/linux"
	"schulwart.org/agent/host"
	"schulwart.org/scripts/rig"
)

// agentProcess is the real driver in a process of its own, as it is on a device:
// inside the device's namespace with every thread, and possible to kill.
type agentProcess struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

type order struct {
	Do    string // set, check, close, watch, prove
	Rules enforce.Network
	At    netip.AddrPort // of prove
}

type outcome struct {
	Error   string
	Reading enforce.Reading
	Took    time.Duration
	Trials  int
}

const processVariable = "SCHULWART_TEST_NETWORK_PROCESS"

// TestNetworkProcess is the body of that process; as a test it does nothing.
func TestNetworkProcess(*testing.T) {
	servers := os.Getenv(processVariable)
	if servers == "" {
		return
	}
	var pins []netip.Addr
	for _, pin := range strings.Fields(os.Getenv(processVariable + "_PINS")) {
		pins = append(pins, netip.MustParseAddr(pin))
	}
	driver := linux.NewNetwork(host.NewNetwork(), linux.NetworkOptions{
		Server: strings.Fields(servers), Pins: pins, Clock: host.NewClock(""),
	})
	news, err := driver.Watch(context.Background())
	if err != nil {
		panic(err)
	}
	lines := bufio.NewScanner(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var o order
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			panic(err)
		}
		var answer outcome
		start := time.Now()
		switch o.Do {
		case "set":
			err = driver.Set(context.Background(), enforce.Rules{Network: o.Rules})
		case "check":
			answer.Reading, err = driver.Check(context.Background()), nil
		case "drain":
			for drained := false; !drained; {
				select {
				case <-news:
				case <-time.After(50 * time.Millisecond):
					drained = true
				}
			}
		case "watch":
			select {
			case <-news:
			case <-time.After(5 * time.Second):
				answer.Error = "no news"
			}
		case "try":
			for _, trial := range linux.TryNetwork(context.Background(), driver, "lernen.example", "spiel.example", "schulwart.example:443", enforce.Rules{Network: o.Rules}) {
				if !trial.OK {
					answer.Error += fmt.Sprintf("%+v\n", trial)
				}
				answer.Trials++
			}
		case "prove":
			driver.Proven(o.At)
		case "close":
			err = driver.Close()
		}
		answer.Took = time.Since(start)
		if err != nil {
			answer.Error = err.Error()
		}
		if err := answers.Encode(answer); err != nil {
			panic(err)
		}
	}
	os.Exit(0)
}

// startAgent runs the driver in a device's namespace.
func startAgent(t *testing.T, pupil *rig.Namespace, servers string, pins ...string) *agentProcess {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := pupil.Command(self, "-test.run=^TestNetworkProcess$")
	cmd.Env = append(os.Environ(), processVariable+"="+servers, processVariable+"_PINS="+strings.Join(pins, " "))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	a := &agentProcess{t: t, cmd: cmd, in: in, out: bufio.NewScanner(out)}
	t.Cleanup(a.kill)
	return a
}

func (a *agentProcess) ask(o order) outcome {
	a.t.Helper()
	data, err := json.Marshal(o)
	if err != nil {
		a.t.Fatal(err)
	}
	if _, err := a.in.Write(append(data, '\n')); err != nil {
		a.t.Fatal(err)
	}
	if !a.out.Scan() {
		a.t.Fatalf("the agent's process ended: %v", a.out.Err())
	}
	var answer outcome
	if err := json.Unmarshal(a.out.Bytes(), &answer); err != nil {
		a.t.Fatalf("%v: %s", err, a.out.Bytes())
	}
	if answer.Error != "" {
		a.t.Fatalf("%s: %s", o.Do, answer.Error)
	}
	return answer
}

func (a *agentProcess) set(rules enforce.Network) time.Duration {
	a.t.Helper()
	return a.ask(order{Do: "set", Rules: rules}).Took
}

func (a *agentProcess) check() enforce.Reading {
	a.t.Helper()
	return a.ask(order{Do: "check"}).Reading
}

// kill ends the process as a crash would.
func (a *agentProcess) kill() {
	if a.cmd.ProcessState == nil {
		_ = a.cmd.Process.Kill()
		_ = a.cmd.Wait()
	}
}
