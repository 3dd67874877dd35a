package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"schulwart.org/agent/remote/remotetest"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
)

// sealedLog is every line that the server has of a lease, each once.
func sealedLog(server *remotetest.Server, udid, id string) []ddm.Sealed {
	d, _ := server.Look(udid)
	var log []ddm.Sealed
	seen := map[string]bool{}
	for _, report := range d.Reports {
		for _, line := range report.StatusItems.Agent.Sealed {
			if line.Lease == id && !seen[line.Seal] {
				seen[line.Seal] = true
				log = append(log, line)
			}
		}
	}
	return log
}

func count(log []ddm.Sealed, what ddm.Deed) (n int) {
	for _, line := range log {
		if line.What == what {
			n++
		}
	}
	return n
}

// cable pulls the cable or puts it in again: the way to the server, which is the
// loopback link here, and the way out, of which the kernel tells the agent.
func cable(t *testing.T, state string) {
	t.Helper()
	commands := [][]string{{"link", "set", "lo", state}, {"link", "set", "out", state}}
	if state == "up" {
		commands = append(commands, []string{"route", "add", "default", "dev", "out"})
	}
	for _, args := range commands {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("cable %s: ip %v: %v: %s", state, args, err, out)
		}
	}
}

// throughAnExam: armed while there is a network; begun and ended without any, with
// the wall clock moved a day ahead and a day back, and the agent killed three
// times. The device's own log proves it afterwards.
func (a *try) throughAnExam(server *remotetest.Server, udid string) {
	t := a.t
	if out, err := exec.Command("ip", "link", "add", "out", "type", "veth", "peer", "name", "wall").CombinedOutput(); err != nil {
		t.Fatalf("a way out: %v: %s", err, out)
	}
	if out, err := exec.Command("ip", "link", "set", "wall", "up").CombinedOutput(); err != nil {
		t.Fatalf("a way out: %v: %s", err, out)
	}
	cable(t, "up")
	l := remotetest.NewLease(udid, "x", lease.Exam, time.Minute)
	l.NotBefore = time.Now().UTC().Truncate(time.Second).Add(6 * time.Second)
	l.Expires = l.NotBefore.Add(14 * time.Second)
	// What is open touches nothing of the machine that this test runs on.
	l.Rules = lease.Rules{Exam: &lease.Examination{Title: "Mathe", USB: true, Printing: true, Capture: true, Virtual: true}}
	server.Give(udid, l)
	remotetest.Await(t, "the armed device", func() bool { return phase(server, udid, "x") == ddm.LeaseWaiting })
	if a.closed() {
		t.Error("closed before the exam")
	}
	cable(t, "down")
	shift := filepath.Join(os.Getenv("SCHULWART_STATE"), "wall-shift")
	if err := os.WriteFile(shift, []byte("24h"), 0o600); err != nil {
		t.Fatal(err)
	}
	remotetest.Await(t, "the start without a server", a.closed)
	if err := os.WriteFile(shift, []byte("-24h"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		a.kill()
		if !a.closed() {
			t.Error("killing the agent opened the network")
		}
		a.start()
		remotetest.Await(t, "the agent", func() bool { s := a.status(); return s.Running && len(s.Leases) == 1 })
		if !a.closed() {
			t.Error("starting the agent opened the network")
		}
	}
	_ = os.Remove(shift)
	remotetest.Await(t, "the end without a server", func() bool { return !a.closed() })
	cable(t, "up")
	remotetest.Await(t, "the stream", func() bool { return a.status().Link == "stream" })
	remotetest.Await(t, "the log", func() bool { return count(sealedLog(server, udid, "x"), ddm.DeedEnded) == 1 })
	remotetest.Await(t, "the word on the end", func() bool { return phase(server, udid, "x") == ddm.LeaseEnded })
	log := sealedLog(server, udid, "x")
	if !ddm.Unbroken(ddm.Sealed{}, log) {
		t.Errorf("the log is broken: %+v", log)
	}
	for _, line := range log {
		t.Logf("%s %s %v", line.At.Format(time.TimeOnly+".000"), line.What, line.Args)
	}
	if count(log, ddm.DeedArmed) != 1 || count(log, ddm.DeedStarted) != 1 || count(log, ddm.DeedRestarted) != 3 {
		t.Error("the log does not tell what happened")
	}
	at := func(what ddm.Deed) time.Time {
		return log[slices.IndexFunc(log, func(line ddm.Sealed) bool { return line.What == what })].At
	}
	if late := at(ddm.DeedStarted).Sub(l.NotBefore); late < 0 || late > time.Second {
		t.Errorf("the log proves a start %s late", late)
	}
	if late := at(ddm.DeedEnded).Sub(l.Expires); late < 0 || late > 2*time.Second {
		t.Errorf("the log proves an end %s late", late)
	}
}
