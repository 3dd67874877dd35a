package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/scripts/need"
	"schulwart.org/scripts/rig"
	"schulwart.org/server/api"
)

// shape makes the line of a device as thin as that of a school, both ways.
func shape(t testing.TB, w *rig.World, ns *rig.Namespace, routerEnd, rate string) {
	t.Helper()
	tc := need.Tool(t, "tc")
	for where, device := range map[*rig.Namespace]string{w.Router: routerEnd, ns: "eth0"} {
		out, err := exec.Command("ip", "netns", "exec", where.Name, tc, "qdisc", "add", "dev", device, "root", "tbf", "rate", rate, "burst", "64kb", "latency", "400ms").CombinedOutput()
		if err != nil {
			need.Missing(t, fmt.Sprintf("tc tbf: %v: %s", err, out))
		}
	}
}

// carried is how many bytes an interface of the device has received and sent.
func carried(t testing.TB, ns *rig.Namespace) (received, sent int64) {
	t.Helper()
	var links []struct {
		Stats64 struct{ Rx, Tx struct{ Bytes int64 } }
	}
	must(t, json.Unmarshal(made(exec.Command("ip", "-json", "-statistics", "-netns", ns.Name, "link", "show", "dev", "eth0").Output())(t), &links))
	return links[0].Stats64.Rx.Bytes, links[0].Stats64.Tx.Bytes
}

// A package of 20 MB to the 60 laptops of a school, behind a line of 20 Mbit/s, is
// carried by that line 1.3 times at the most, everything else that they say and
// hear included. The server, the loop, the fetching and the giving out are the real
// ones; only what installs is pretended.
func TestALineCarriesAPackageOnce(t *testing.T) {
	const laptops, size = 60, 20 << 20
	need.Tool(t, "tc")
	c := townOf(t, 1)
	school := c.Pupils[0]
	shape(t, c.World, school, "p0", "20mbit")
	city := c.as(cityAdm)

	control := filepath.Join(t.TempDir(), "control")
	var link struct{ URL string }
	city.want(http.StatusCreated, "POST", "/api/v1/enrolment-tokens", map[string]any{"school": c.house.school.School, "uses": laptops, "expires_in": "1h"}, &link)
	// What they store lies in memory on most machines, and is 1.2 GB at the worst.
	state := made(os.MkdirTemp("", "sw-line-"))(t)
	t.Cleanup(func() { _ = os.RemoveAll(state) })
	cmd := school.Command(theAgent(t), "simulate", "--devices", itoa(laptops), "--url", link.URL, "--seed", "3", "--speed", "6", "--state", state, "--control-file", control, "--control", "127.0.0.1:0")
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = io.Discard, t.Output(), time.Second
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Signal(os.Interrupt); _ = cmd.Wait() })
	enrolled := func() int {
		var list api.List[api.Device]
		city.want(http.StatusOK, "GET", "/api/v1/devices?limit=200", nil, &list)
		n := 0
		for _, d := range list.Items {
			if d.Enrolled {
				n++
			}
		}
		return n
	}
	await(t, "all laptops enrolled", func() bool { return enrolled() == laptops }, func() any { return enrolled() })

	pack := city.takeIn(c.house.school.Authority, "big.deb", debOf("big", "1.0", size))
	received, sent := carried(t, school)
	began := time.Now()
	r := city.rollOut(pack, org.Branch{School: c.house.school.School}, nil)
	through := func() (devices, done int) {
		var now api.Rollout
		city.want(http.StatusOK, "GET", "/api/v1/rollouts/"+r.ID.String(), nil, &now)
		return now.Rings[0].Devices, now.Rings[0].Verified + now.Rings[0].Failed
	}
	end := time.Now().Add(3 * time.Minute)
	for {
		devices, done := through()
		if devices == laptops && done == laptops {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d of %d laptops are through after 3 minutes", done, devices)
		}
		time.Sleep(500 * time.Millisecond)
	}
	took := time.Since(began)
	after, afterSent := carried(t, school)
	down, up := float64(after-received)/float64(pack.Size), float64(afterSent-sent)/float64(pack.Size)
	t.Logf("%d laptops, %d bytes: the line carried %.2f times the package down and %.2f up, in %.0f s; without each other it would be %d times", laptops, pack.Size, down, up, took.Seconds(), laptops)
	if down > 1.3 {
		t.Errorf("the line carried the package %.2f times, 1.3 is allowed", down)
	}
	if down < 1 {
		t.Errorf("the line carried it %.2f times: it did not come this way", down)
	}
	if left := made(filepath.Glob(filepath.Join(state, "*", "*.deb")))(t); len(left) > 8+laptops/10 {
		t.Errorf("%d laptops keep the file: %s", len(left), strings.Join(left, " "))
	}
}
