package linux_test

import (
	"strings"
	"testing"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/enforce/linux"
	"schulwart.org/agent/host"
)

func TestNoticeIsToldOncePerSession(t *testing.T) {
	m := newMachine()
	notice := func() *linux.Notice {
		return linux.NewNotice(linux.NoticeOptions{Files: m.Files, Desktops: m.desktops, Notices: m.desktops, Clock: m})
	}
	rules := enforce.Rules{Notice: enforce.Notice{Lines: []string{"Frau Oert hat das Internet bis 10:35 Uhr ausgeschaltet."}}}
	n := notice()
	set(t, n, rules)
	set(t, n, rules)
	if shown := m.desktops.Shown(); len(shown) != 1 || !strings.Contains(shown[0], "Frau Oert") {
		t.Fatalf("told %v", shown)
	}
	// The agent was started anew: the pupil knows already.
	set(t, notice(), rules)
	if shown := m.desktops.Shown(); len(shown) != 1 {
		t.Fatalf("told again after a restart: %v", shown)
	}
	m.desktops.SetDesktops(host.Desktop{UID: 1001, Display: ":0"}, host.Desktop{UID: 1002, Display: ":1"})
	eventually(t, "who logs in later is told", func() bool {
		m.Advance(6 * time.Second)
		return len(m.desktops.Shown()) >= 2
	})
	set(t, n, nothing)
	eventually(t, "everybody is told the end", func() bool {
		return strings.Contains(strings.Join(m.desktops.Shown(), "|"), "wieder wie vorher")
	})
}
