package console_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"schulwart.org/scripts/need"
	"schulwart.org/server/store/storetest"
	"schulwart.org/web"
)

// The console in a real browser: the teacher's walk on a phone, and axe on every
// page, light and dark, German and English. SCHULWART_SHOTS names a folder for
// pictures.
func TestTheConsoleInABrowser(t *testing.T) {
	node := need.Tool(t, "node")
	need.Tool(t, "chromium")
	modules := os.Getenv("NODE_MODULES")
	if modules == "" {
		modules = filepath.Join("..", "..", "scripts", "node_modules")
	}
	if _, err := os.Stat(filepath.Join(modules, "playwright-core")); err != nil {
		need.Missing(t, "playwright-core (npm ci in scripts, or NODE_MODULES)")
	}
	modules, err := filepath.Abs(modules)
	must(t, err)

	h := newHouse(t)
	values := h.addresses()
	h.endAll()
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() { defer close(done); h.comeAlive(stop) }()
	defer func() { close(stop); <-done }()

	plan, err := json.Marshal(map[string]any{
		"base": h.server.URL, "password": password, "class": h.class, "devices": len(h.devices[:6]), "pages": h.shownPages(values),
		"logins": map[string]string{"teacher": "oert@gym.example", "colleague": "blum@gym.example", "admin": "admin@gym.example", "helpdesk": "hotline@example.org", "operator": "betrieb@example.org"},
	})
	must(t, err)
	command := exec.CommandContext(t.Context(), node, filepath.Join("..", "..", "scripts", "browser", "console.mjs"))
	command.Env = append(os.Environ(), "NODE_MODULES="+modules, "CONSOLE_PLAN="+string(plan))
	if shots := os.Getenv("SCHULWART_SHOTS"); shots != "" {
		command.Args = append(command.Args, "--shots", shots)
	}
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	err = command.Run()
	t.Log(said.String())
	if err != nil {
		t.Fatal(err)
	}
}

// comeAlive lets the clock run and the devices answer, as if they were there.
func (h *house) comeAlive(stop <-chan struct{}) {
	h.clock.run()
	for {
		select {
		case <-stop:
			return
		case <-time.After(150 * time.Millisecond):
		}
		open := storetest.Ask(h.t, h.store, `SELECT COUNT(*) FROM leases WHERE reported_rev < rev`)
		if open != "0" {
			h.readBack(h.devices...)
		}
	}
}

// endAll ends what addresses started, so that the walk begins with a quiet
// class.
func (h *house) endAll() {
	h.as("oert@gym.example").post(web.To(web.PathModeEnd, h.class.String(), h.runningMode()))
	h.clock.move(3 * time.Minute)
	h.readBack(h.devices...)
}

// shownPages lists the pages that are looked at, each as the person who uses it.
func (h *house) shownPages(values map[string]string) []map[string]string {
	pages := []map[string]string{}
	add := func(who, name, path string) {
		pages = append(pages, map[string]string{"as": who, "name": name, "path": path})
	}
	add("", "login", web.PathLogin)
	add("", "invite-code", web.PathInviteCode)
	add("", "reset", web.PathReset)
	add("", "token-link", fill(web.PathTokenLink, values))
	add("", "offline", web.PathOffline)
	add("", "not-there", "/nichts")
	add("teacher", "day", web.PathDay)
	add("teacher", "choose", web.PathChoose)
	add("teacher", "substitute", web.PathSubstitute)
	add("teacher", "borrow", web.PathBorrow)
	add("teacher", "lessons", web.PathLessons)
	add("teacher", "board", web.To(web.PathBoard, h.class.String()))
	add("teacher", "mode-sites", web.To(web.PathModeForm, h.class.String(), "sites"))
	add("teacher", "mode-focus", web.To(web.PathModeForm, h.class.String(), "focus"))
	add("teacher", "mode-screen", web.To(web.PathModeForm, h.class.String(), "screen"))
	add("teacher", "rehearsal", web.PathRehearsal)
	add("teacher", "sites", web.PathSites)
	add("teacher", "site", fill(web.PathSite, values))
	add("teacher", "exam-new", web.PathExamNew)
	add("teacher", "exam", fill(web.PathExam, values))
	add("teacher", "exam-ready", fill(web.PathExamReady, values))
	add("teacher", "exam-evidence", fill(web.PathExamEvidence, values))
	add("admin", "extra", web.PathExtra)
	add("teacher", "account", web.PathAccount)
	add("teacher", "help", web.PathHelp)
	add("admin", "school", web.PathSchool)
	add("admin", "settings", web.PathSettings)
	add("admin", "devices", web.PathDevices)
	add("admin", "device", fill(web.PathDevice, values))
	add("admin", "retire", fill(web.PathDeviceRetire, values))
	add("admin", "groups", web.PathGroups)
	add("admin", "group", fill(web.PathGroup, values))
	add("admin", "set", web.To(web.PathGroup, h.set.String()))
	add("admin", "group-edit", fill(web.PathGroupEdit, values))
	add("admin", "group-devices", fill(web.PathGroupDevices, values))
	add("admin", "people", web.PathPeople)
	add("admin", "person", fill(web.PathPerson, values))
	add("admin", "invite", web.PathPersonInvite)
	add("admin", "tokens", web.PathTokens)
	add("admin", "token", fill(web.PathToken, values))
	add("admin", "token-new", web.PathTokenNew)
	add("admin", "token-sheet", fill(web.PathTokenSheet, values))
	add("admin", "import", web.PathImport)
	add("admin", "import-step", fill(web.PathImportStep, values))
	add("admin", "audit", web.PathAudit)
	add("helpdesk", "helpdesk", web.PathHelpdesk)
	add("helpdesk", "call", fill(web.PathCall, values))
	add("operator", "schools", web.PathSchools)
	add("operator", "school-new", web.PathSchoolNew)
	add("operator", "authority-new", web.PathAuthorityNew)
	add("operator", "operations", web.PathOperations)
	add("operator", "programs", web.PathPrograms)
	return pages
}
