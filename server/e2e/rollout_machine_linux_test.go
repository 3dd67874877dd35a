package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/rollout"
	"schulwart.org/scripts/need"
	"schulwart.org/server/api"
)

// debian builds a real package with a script that leaves a line each time it
// runs and takes its time.
func debian(t testing.TB, version string, takes string) []byte {
	t.Helper()
	root := t.TempDir()
	must(t, os.Chmod(root, 0o755))
	for _, dir := range []string{"DEBIAN", "opt/schulwart-test-app"} {
		must(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	for name, content := range map[string]string{
		"DEBIAN/control":                 "Package: schulwart-test-app\nVersion: " + version + "\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: for a test\n",
		"DEBIAN/postinst":                "#!/bin/sh\necho " + version + " >>/opt/schulwart-test-app.log\nsleep " + takes + "\n",
		"opt/schulwart-test-app/version": version,
	} {
		must(t, os.WriteFile(filepath.Join(root, name), []byte(content), 0o755))
	}
	file := filepath.Join(t.TempDir(), "app.deb")
	if out, err := exec.Command("dpkg-deb", "--root-owner-group", "--build", root, file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return made(os.ReadFile(file))(t)
}

// A package comes from its upload to a laptop: the real server, the real agent and
// the real apt. The agent is killed while apt works, and the device goes back to
// the version before with one call.
func TestAPackageComesToALaptopAndGoesBack(t *testing.T) {
	for _, tool := range []string{"apt-get", "dpkg-deb"} {
		need.Tool(t, tool)
	}
	c := townOf(t, 1)
	m := c.laptop(theAgent(t))
	city := c.as(cityAdm)
	// Whatever day it is, it is one without lessons.
	authority, today := c.house.school.Authority, time.Now()
	city.want(http.StatusOK, "PUT", "/api/v1/calendars/"+authority.String(), map[string]any{"breaks": []any{map[string]any{
		"name": "Ferien", "first": today.AddDate(0, 0, -2).Format(time.DateOnly), "last": today.AddDate(0, 0, 2).Format(time.DateOnly),
	}}}, nil)
	one, two := city.takeIn(authority, "app_1.0_all.deb", debian(t, "1.0", "0")), city.takeIn(authority, "app_2.0_all.deb", debian(t, "2.0", "3"))
	roll := func(app api.App) (now api.Rollout) {
		t.Helper()
		city.want(http.StatusCreated, "POST", "/api/v1/rollouts", map[string]any{
			"package": app.ID, "target": map[string]any{"level": "authority", "id": authority}, "rings": []any{map[string]any{"kind": "all"}}, "gates": map[string]any{"verified": 1, "failed_percent": 10},
		}, &now)
		return now
	}
	figures := func(id string) (now api.Rollout) {
		city.want(http.StatusOK, "GET", "/api/v1/rollouts/"+id, nil, &now)
		return now
	}
	there := func() string {
		return strings.TrimSpace(m.sh("cat /opt/schulwart-test-app/version 2>/dev/null || true"))
	}
	verified := func(id, version string) {
		t.Helper()
		await(t, version+" to be read back", func() bool {
			now := figures(id)
			return len(now.Rings) == 1 && now.Rings[0].Verified == 1
		}, func() any { return m.log() })
		if got := there(); got != version {
			t.Errorf("the device says %s is there, and there is %q", version, got)
		}
	}

	step(t, "the first version", func() { verified(roll(one).ID.String(), "1.0") })
	var second api.Rollout
	step(t, "the agent is killed while apt works on the second", func() {
		second = roll(two)
		await(t, "apt to work", func() bool { return strings.Contains(m.sh("cat /opt/schulwart-test-app.log"), "2.0") }, func() any { return m.log() })
		m.kill()
		verified(second.ID.String(), "2.0")
		if ran := strings.Count(m.sh("cat /opt/schulwart-test-app.log"), "2.0"); ran > 2 {
			t.Errorf("its script ran %d times", ran)
		}
	})
	step(t, "back to the version before", func() {
		city.want(http.StatusOK, "POST", "/api/v1/rollouts/"+second.ID.String()+"/rollback", nil, nil)
		await(t, "1.0 to be back", func() bool { return there() == "1.0" }, func() any { return m.log() })
		await(t, "it to be read back", func() bool {
			var devices api.List[api.RolloutDevice]
			city.want(http.StatusOK, "GET", "/api/v1/rollouts/"+second.ID.String()+"/devices", nil, &devices)
			return len(devices.Items) == 1 && devices.Items[0].Present == "1.0"
		}, func() any { return m.log() })
		if now := figures(second.ID.String()); now.State != rollout.RolledBack {
			t.Errorf("it is %s", now.State)
		}
	})
}
