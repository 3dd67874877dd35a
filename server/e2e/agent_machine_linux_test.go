package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"schulwart.org/agent/service"
	"schulwart.org/policies/agentfile"
	"schulwart.org/policies/agentfile/agentfiletest"
	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/scripts/need"
	"schulwart.org/scripts/rig"
	"schulwart.org/server/api"
	"schulwart.org/server/may"
	"schulwart.org/server/staff"
)

const operatorLogin = "betrieb@stadt.example"

// hireOperator takes in somebody who runs the installation.
func (h *house) hireOperator() {
	h.t.Helper()
	seed := staff.Seed{Name: "Herr Jonas Brandt", Login: operatorLogin, Password: password, Grants: []may.Grant{{Role: may.Operator}}}
	made(h.app.Staff.Create(context.Background(), may.System("e2e", org.Branch{}), seed))(h.t)
}

// booted is a pupil's machine in which a real systemd starts the agent.
type booted struct {
	t      testing.TB
	dir    string
	nspawn *exec.Cmd
	leader string
	said   bytes.Buffer
}

// boots starts a bare Debian in the network of a pupil's machine.
func boots(t testing.TB, ns *rig.Namespace, agent string) *booted {
	t.Helper()
	need.Tool(t, "systemd-nspawn")
	lower := rig.Debian(t)
	b := &booted{t: t, dir: t.TempDir()}
	for _, dir := range []string{"upper/usr/bin", "upper/etc/systemd/system/multi-user.target.wants", "upper/etc/systemd/system/timers.target.wants", "upper/etc/systemd/system/schulwart-agent-sweep.timer.d", "work", "merged"} {
		must(t, os.MkdirAll(filepath.Join(b.dir, dir), 0o755))
	}
	b.write("/etc/resolv.conf", "nameserver "+ns.Resolver.String()+"\noptions timeout:2 attempts:1\n")
	b.write("/etc/machine-id", "")
	copyFile(t, agent, filepath.Join(b.dir, "upper/usr/bin/schulwart-agent"))
	for _, unit := range service.Units {
		b.write("/etc/systemd/system/"+unit, string(made(service.Unit(unit, "/usr/bin/schulwart-agent", agentState))(t)))
	}
	// Twice a minute would be minutes of waiting.
	b.write("/etc/systemd/system/schulwart-agent-sweep.timer.d/test.conf", "[Timer]\nOnBootSec=\nOnUnitActiveSec=\nOnBootSec=2s\nOnUnitActiveSec=2s\nAccuracySec=100ms\n")
	for wants, unit := range map[string]string{"multi-user": service.Units[0], "timers": service.Units[2]} {
		must(t, os.Symlink("/etc/systemd/system/"+unit, filepath.Join(b.dir, "upper/etc/systemd/system", wants+".target.wants", unit)))
	}
	script := `set -e
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/merged"
exec systemd-nspawn --quiet --boot --directory="$2/merged" --machine=sw-agent-$3 --register=no --keep-unit --capability=all --system-call-filter="fanotify_init fanotify_mark" --resolv-conf=off --timezone=off --link-journal=no --console=pipe --kill-signal=SIGRTMIN+4`
	b.nspawn = exec.Command("nsenter", "--net="+ns.Path(), "unshare", "--mount", "--propagation", "private", "--fork", "--kill-child=SIGKILL", "sh", "-c", script, "sh", lower, b.dir, strconv.Itoa(os.Getpid()))
	b.nspawn.Stdout, b.nspawn.Stderr = &b.said, &b.said
	b.nspawn.WaitDelay = 5 * time.Second
	must(t, b.nspawn.Start())
	t.Cleanup(b.off)
	await(t, "the system to come up", func() bool {
		b.leader = ""
		if pid := childOf(childOf(b.nspawn.Process.Pid)); pid > 0 {
			b.leader = strconv.Itoa(pid)
		}
		out, _ := b.try("systemctl", "is-active", "basic.target")
		return out == "active"
	}, func() any { return b.said.String() })
	return b
}

func (b *booted) write(path, content string) {
	b.t.Helper()
	must(b.t, os.WriteFile(filepath.Join(b.dir, "upper", path), []byte(content), 0o644))
}

// off cuts the power.
func (b *booted) off() {
	if b.nspawn == nil {
		return
	}
	if b.t.Failed() {
		out, _ := b.try("journalctl", "--no-pager", "-n", "150", "-u", "schulwart-agent*")
		slots, _ := b.try("cat", agentState+"/agent/slots.json")
		b.t.Logf("the machine said:\n%s\n%s", out, slots)
	}
	_ = b.nspawn.Process.Kill()
	if out, err := exec.Command("kill", "-9", b.leader).CombinedOutput(); err != nil {
		b.t.Logf("%s", out)
	}
	_ = b.nspawn.Wait()
	b.nspawn = nil
}

func (b *booted) try(args ...string) (string, error) {
	if b.leader == "" {
		return "", os.ErrProcessDone
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"-t", b.leader, "-m", "-u", "-i", "-n", "-p", "-C", "--"}, args...)...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}
	cmd.Dir = "/"
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (b *booted) do(args ...string) string {
	b.t.Helper()
	out, err := b.try(args...)
	if err != nil {
		b.t.Fatalf("%v: %v: %s", args, err, out)
	}
	return out
}

// runs is the version of the agent that answers, empty while none does.
func (b *booted) runs() string {
	out, err := b.try("sh", "-c", `schulwart-agent status --json --state `+agentState+` | sed -n 's/^ *"version": "\(.*\)",\?$/\1/p' | head -n 1`)
	if err != nil {
		return ""
	}
	return out
}

// agents counts agents that keep the device.
func (b *booted) agents() int {
	out, _ := b.try("sh", "-c", "pgrep -fc 'agent[^ ]* run --stat[e]'; true")
	n, _ := strconv.Atoi(out)
	return n
}

// stamped builds an agent of a version that trusts the signer.
func stamped(t testing.TB, version string, signer agentfiletest.Signer) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "agent")
	cmd := exec.Command("go", "build", "-trimpath", "-tags", "nomsgpack", "-ldflags", "-s -w -X schulwart.org/policies/version.Version="+version+" -X schulwart.org/policies/agentfile.Trusted="+signer.Public(), "-o", path, "schulwart.org/agent")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// awaitLong is await for what takes restarts and turns of minutes.
func awaitLong(t testing.TB, what string, is func() bool, now func() any) {
	t.Helper()
	for end := time.Now().Add(4 * time.Minute); !is(); time.Sleep(500 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for: %s\nnow: %+v", what, now())
		}
	}
}

// The agent is rolled out by the real server to a real one under a real systemd:
// one that crashes and one that never finds the server return by themselves and are
// told as failed; a good one proves itself, is killed in the midst of it, and goes
// back when the rollout is taken back.
func TestTheAgentItselfComesAndReturns(t *testing.T) {
	signer := agentfiletest.New("a key outside the server")
	c := townOf(t, 1)
	older := stamped(t, "0.1.0", signer)
	newer := made(os.ReadFile(stamped(t, "0.4.0", signer)))(t)
	silent := made(os.ReadFile(built(t, "silent", "schulwart.org/server/e2e/silent", "")))(t)
	b := boots(t, c.Pupils[0], older)
	awaitLong(t, "the agent to run", func() bool { return b.runs() == "0.1.0" }, func() any { return b.said.String() })
	b.do("schulwart-agent", "enroll", "--state", agentState, c.link)

	admin, city := c.as(operatorLogin), c.as(cityAdm)
	authority, today := c.house.school.Authority, time.Now()
	city.want(http.StatusOK, "PUT", "/api/v1/calendars/"+authority.String(), map[string]any{"breaks": []any{map[string]any{
		"name": "Ferien", "first": today.AddDate(0, 0, -2).Format(time.DateOnly), "last": today.AddDate(0, 0, 2).Format(time.DateOnly),
	}}}, nil)
	file := func(by agentfiletest.Signer, version, floor string, program []byte) []byte {
		return by.File(agentfile.Manifest{Version: version, OS: "linux", Arch: runtime.GOARCH, Floor: floor, Expires: today.AddDate(0, 3, 0).UTC().Truncate(time.Second)}, program)
	}
	takeIn := func(version string, data []byte) api.App {
		t.Helper()
		return admin.takeIn("", "schulwart-agent-"+version+".swagent", data)
	}
	wanted := func(app api.App, rings ...any) map[string]any {
		return map[string]any{"package": app.ID, "target": map[string]any{"level": "authority", "id": authority}, "rings": rings, "gates": map[string]any{"verified": 1, "failed_percent": 100}}
	}
	room := map[string]any{"kind": "group", "place": c.house.class}
	roll := func(app api.App) (now api.Rollout) {
		t.Helper()
		city.want(http.StatusCreated, "POST", "/api/v1/rollouts", wanted(app, room, map[string]any{"kind": "all"}), &now)
		return now
	}
	device := func(r api.Rollout) api.RolloutDevice {
		var devices api.List[api.RolloutDevice]
		city.want(http.StatusOK, "GET", "/api/v1/rollouts/"+r.ID.String()+"/devices", nil, &devices)
		if len(devices.Items) != 1 {
			return api.RolloutDevice{}
		}
		return devices.Items[0]
	}
	returns := func(r api.Rollout, reason string) {
		t.Helper()
		awaitLong(t, reason, func() bool {
			d := device(r)
			return d.Outcome == rollout.OutcomeFailed && d.Reason == reason && d.Present == "0.1.0" && b.runs() == "0.1.0"
		}, func() any { return fmt.Sprintf("%+v, runs %s", device(r), b.runs()) })
		if n := b.agents(); n != 1 {
			t.Errorf("%d agents run", n)
		}
	}

	step(t, "a plan that does not begin in one room is refused", func() {
		app := takeIn("0.2.0", file(signer, "0.2.0", "0.1.0", []byte("#!/bin/sh\nexit 1\n")))
		if status, text := city.do("POST", "/api/v1/rollouts/preview", wanted(app, map[string]any{"kind": "all"}), nil); status != http.StatusUnprocessableEntity && status != http.StatusBadRequest || !strings.Contains(text, "rollout.agent_first_room") {
			t.Errorf("%d %s", status, text)
		}
		step(t, "one that crashes", func() { returns(roll(app), "package.agent-crash") })
	})
	step(t, "one that cannot be started", func() {
		returns(roll(takeIn("0.2.1", file(signer, "0.2.1", "0.1.0", []byte("\x7fELFnot a program")))), "package.agent-start")
	})
	step(t, "one that never finds the server", func() {
		returns(roll(takeIn("0.2.2", file(signer, "0.2.2", "0.1.0", silent))), "package.agent-silent")
	})
	step(t, "one that a strange key signed", func() {
		returns(roll(takeIn("0.2.3", file(agentfiletest.New("another"), "0.2.3", "0.1.0", silent))), "package.agent-stranger")
	})
	step(t, "one for which the device is too old, and one that is older", func() {
		returns(roll(takeIn("0.3.0", file(signer, "0.3.0", "0.2.0", silent))), "package.agent-floor")
		returns(roll(takeIn("0.0.9", file(signer, "0.0.9", "0.0.1", silent))), "package.agent-older")
	})
	var good api.Rollout
	step(t, "a good one, killed while it is on trial", func() {
		good = roll(takeIn("0.4.0", file(signer, "0.4.0", "0.1.0", newer)))
		awaitLong(t, "the trial to begin", func() bool {
			out, _ := b.try("grep", "-c", `"trial"`, agentState+"/agent/slots.json")
			return out == "1" || b.runs() == "0.4.0"
		}, func() any { return fmt.Sprintf("%+v", device(good)) })
		_, _ = b.try("systemctl", "kill", "--kill-whom=main", "-s", "KILL", "schulwart-agent.service")
		awaitLong(t, "0.4.0 to be verified", func() bool {
			d := device(good)
			return d.Outcome == rollout.OutcomeVerified && d.Present == "0.4.0" && b.runs() == "0.4.0"
		}, func() any { return fmt.Sprintf("%+v, runs %s", device(good), b.runs()) })
		if n := b.agents(); n != 1 {
			t.Errorf("%d agents run", n)
		}
	})
	step(t, "taken back, the former one runs", func() {
		city.want(http.StatusOK, "POST", "/api/v1/rollouts/"+good.ID.String()+"/rollback", nil, nil)
		awaitLong(t, "0.1.0 to be back", func() bool { return b.runs() == "0.1.0" }, func() any { return fmt.Sprintf("%+v, runs %s", device(good), b.runs()) })
		awaitLong(t, "the trial to be over", func() bool {
			out, _ := b.try("grep", "-c", `"trial"`, agentState+"/agent/slots.json")
			return out == "0" && device(good).Outcome == rollout.OutcomeVerified
		}, func() any { return fmt.Sprintf("%+v", device(good)) })
	})
}
