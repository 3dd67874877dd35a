package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"schulwart.org/server/api"
)

// A laptop that cannot keep a policy says so, the console has why and since when,
// and it is over by itself as soon as the laptop can. Nothing of it is pretended:
// the folder of Chromium's policies is read-only for a while.
func TestALaptopThatCannotKeepAPolicySaysSinceWhen(t *testing.T) {
	c := townOf(t, 1)
	m := c.laptop(theAgent(t))
	m.sh("mkdir -p /etc/chromium && mount -t tmpfs -o ro tmpfs /etc/chromium")
	admin := c.as(schoolAdm)
	var devices struct{ Items []api.Device }
	admin.want(http.StatusOK, "GET", "/api/v1/devices?group="+c.house.class.String(), nil, &devices)
	if len(devices.Items) != 1 {
		t.Fatalf("devices of the class: %+v", devices.Items)
	}
	var draft api.Draft
	admin.want(http.StatusCreated, "POST", "/api/v1/drafts", order{
		"place": order{"level": "school", "id": c.house.school.School}, "title": "Privates Surfen", "says": order{"browsers": order{"settings": order{"private-mode": false}}},
	}, &draft)
	admin.want(http.StatusOK, "POST", "/api/v1/drafts/"+draft.ID.String()+"/publish", order{}, nil)
	private := func() (found api.Effective) {
		var list api.EffectiveList
		admin.want(http.StatusOK, "GET", "/api/v1/devices/"+devices.Items[0].ID.String()+"/effective", nil, &list)
		for _, one := range list.Items {
			if one.Family == "browsers" && one.Setting == "private-mode" {
				found = one
			}
		}
		return found
	}
	began := time.Now()
	await(t, "the drift to be told", func() bool { return private().Drift != nil }, func() any { return private() })
	drift := *private().Drift
	if private().Reported != "deviating" || drift.Since == nil || len(drift.Reasons) == 0 {
		t.Errorf("the drift: %+v", drift)
	}
	t.Logf("told %v after the publication", time.Since(began).Round(time.Millisecond))
	began = time.Now()
	m.sh("umount /etc/chromium")
	await(t, "the policy to hold", func() bool { return private().Reported == "active" }, func() any { return private() })
	t.Logf("it holds %v after the folder can be written", time.Since(began).Round(time.Millisecond))
	if left := private().Drift; left != nil {
		t.Errorf("a drift that is over: %+v", left)
	}
	if kept := m.sh("cat /etc/chromium/policies/managed/*"); !strings.Contains(kept, "IncognitoModeAvailability") {
		t.Errorf("Chromium's policies: %s", kept)
	}
}
