package console_test

import (
	"bufio"
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/lease"
	"schulwart.org/server/lesson"
	"schulwart.org/web"
)

func TestAModeInTwoTaps(t *testing.T) {
	h := newHouse(t)
	teacher := h.as("oert@gym.example")
	board := web.To(web.PathBoard, h.class.String())

	day := teacher.get(web.PathHome)
	if day.path != web.PathDay {
		t.Fatalf("a teacher begins at %s", day.path)
	}
	day.has(t, board) // one tap: the class

	empty := teacher.get(board)
	empty.has(t, "7b", "GYM-0001", `name="kind" value="offline"`)
	running := teacher.post(web.To(web.PathModeStart, h.class.String()), "kind", "offline") // two taps
	if running.status != http.StatusOK || running.path != board {
		t.Fatalf("after starting: %d at %s", running.status, running.path)
	}
	// The lesson ends at 10:35 of school time, and so does the mode.
	running.has(t, "Internet aus bis 10:35", "geplant")
	running.lacks(t, "⟦")

	h.readBack(h.devices[:6]...)
	teacher.get(board).has(t, "aktiv")
}

func TestEndingOffersTenSecondsOfUndo(t *testing.T) {
	h := newHouse(t)
	teacher := h.as("oert@gym.example")
	group := h.class.String()
	teacher.post(web.To(web.PathModeStart, group), "kind", "offline")
	h.readBack(h.devices[:6]...)
	mode := h.runningMode()

	ended := teacher.post(web.To(web.PathModeEnd, group, mode))
	ended.has(t, `name="token" value="`+mode+`"`, "Internet aus beendet")
	ended.lacks(t, "Internet aus bis 10:35")
	teacher.get(web.To(web.PathBoard, group)).lacks(t, `name="token"`) // said once

	teacher.post(web.To(web.PathUndo, group), "token", mode).has(t, "Internet aus bis 10:35")

	// For two of six it has ended, for the others it goes on: the offer says so.
	some := teacher.post(web.To(web.PathModeEnd, group, mode), "device", h.devices[0].String(), "device", h.devices[1].String())
	some.has(t, "Internet aus für 2 Geräte beendet.", "Internet aus bis 10:35")
	if again := teacher.post(web.To(web.PathModeEnd, group, mode)); again.status != http.StatusOK {
		t.Fatalf("ending again: %d", again.status)
	}
	if twice := teacher.post(web.To(web.PathModeEnd, group, mode)); twice.status != http.StatusOK {
		t.Fatalf("ending twice: %d", twice.status)
	}
}

func TestEndingForTickedDevicesOnly(t *testing.T) {
	h := newHouse(t)
	teacher := h.as("oert@gym.example")
	group := h.class.String()
	teacher.post(web.To(web.PathModeStart, group), "kind", "offline")
	h.readBack(h.devices[:6]...)
	mode := h.runningMode()
	h.clock.move(time.Second)
	teacher.post(web.To(web.PathModeEnd, group, mode), "device", h.devices[0].String(), "device", h.devices[1].String()).has(t, "Internet aus bis 10:35")
	h.readBack(h.devices[:6]...)
	_, lines, err := h.lessons.Find(context.Background(), h.actor("oert@gym.example"), h.modeID(mode))
	must(t, err)
	over := 0
	for _, line := range lines {
		if line.State == "ended" {
			over++
		}
	}
	if over != 2 {
		t.Errorf("%d devices are released, not 2", over)
	}
}

// A mode for later lies on the devices while another one holds: the board and
// the list of devices tell of the one that holds.
func TestAModePlannedForLaterDoesNotCoverTheOneThatHolds(t *testing.T) {
	h := newHouse(t)
	oert := h.as("oert@gym.example")
	_, err := h.lessons.Start(t.Context(), h.actor("oert@gym.example"), lesson.Request{Group: h.class, Kind: lease.Focus, Apps: []string{"libreoffice"}, Starts: h.clock.now().Add(time.Hour), Minutes: 20})
	must(t, err)
	board, states := web.To(web.PathBoard, h.class.String()), regexp.MustCompile(`<span class="number">\d+</span> \w+`)
	h.readBack(h.devices[:6]...)
	if got := states.FindAllString(oert.get(board).body, -1); len(got) != 1 || !strings.Contains(got[0], ">6</span> zugestellt") {
		t.Errorf("with what is planned alone, the board counts %v", got)
	}
	oert.post(web.To(web.PathModeStart, h.class.String()), "kind", "offline")
	h.readBack(h.devices[:6]...)
	if got := states.FindAllString(oert.get(board).body, -1); len(got) != 1 || !strings.Contains(got[0], ">6</span> aktiv") {
		t.Errorf("with a mode that holds, the board counts %v", got)
	}
	h.as("admin@gym.example").get(web.With(web.PathDevices, "state", "active")).has(t, "GYM-0001")
}

func TestAColleaguesClassSaysWhose(t *testing.T) {
	h := newHouse(t)
	colleague := h.as("blum@gym.example")
	group := h.class.String()
	colleague.get(web.To(web.PathBoard, group)).lacks(t, `value="offline"`)
	refused := colleague.post(web.To(web.PathModeStart, group), "kind", "offline")
	if refused.status != http.StatusUnprocessableEntity {
		t.Errorf("starting in a colleague's class: %d", refused.status)
	}
	taken := colleague.post(web.PathSubstitute, "group", group)
	if taken.path != web.To(web.PathBoard, group) {
		t.Fatalf("after taking the class: %s", taken.path)
	}
	taken.has(t, `value="offline"`)
	colleague.post(web.To(web.PathModeStart, group), "kind", "offline").has(t, "Internet aus bis")
	h.as("oert@gym.example").get(web.To(web.PathBoard, group)).has(t, "Herr Blum")
}

func TestASetThatAColleagueHolds(t *testing.T) {
	h := newHouse(t)
	set := h.set.String()
	first, second := h.as("oert@gym.example"), h.as("blum@gym.example")
	if a := first.post(web.PathBorrow, "group", set); a.path != web.To(web.PathBoard, set) {
		t.Fatalf("borrowing leads to %s", a.path)
	}
	held := second.post(web.PathBorrow, "group", set)
	if held.status != http.StatusUnprocessableEntity {
		t.Errorf("borrowing what is held: %d", held.status)
	}
	held.has(t, "Frau Oert", `name="takeover"`)
	if a := second.post(web.PathBorrow, "group", set, "takeover", "1"); a.path != web.To(web.PathBoard, set) {
		t.Errorf("taking over leads to %s", a.path)
	}
	// A scanned code brings the set to the top.
	second.get(web.With(web.PathBorrow, "set", set)).has(t, "Koffer B")
}

func TestAListAndAFormThatFails(t *testing.T) {
	h := newHouse(t)
	teacher := h.as("oert@gym.example")
	group := h.class.String()
	failed := teacher.post(web.To(web.PathModeStart, group), "kind", "sites", "minutes", "30", "sites", "")
	if failed.status != http.StatusUnprocessableEntity {
		t.Errorf("sites without sites: %d", failed.status)
	}
	failed.has(t, `name="sites"`)
	wrong := teacher.post(web.To(web.PathModeStart, group), "kind", "sites", "minutes", "30", "sites", "not a host")
	wrong.has(t, "not a host") // what was typed stays
	if saved := teacher.post(web.PathSiteNew, "name", "Bruchrechnen", "hosts", "geogebra.org\nhttps://de.serlo.org/mathe"); saved.path != web.PathSites {
		t.Fatalf("after saving a list: %s", saved.path)
	}
	lists, err := h.roster.SiteLists(context.Background(), h.actor("oert@gym.example"))
	must(t, err)
	started := teacher.post(web.To(web.PathModeStart, group), "kind", "sites", "minutes", "30", "list", lists[0].ID.String())
	started.has(t, "geogebra.org")
	tooLong := teacher.post(web.To(web.PathModeStart, group), "kind", "offline", "minutes", "300")
	if tooLong.status != http.StatusUnprocessableEntity {
		t.Errorf("five hours: %d", tooLong.status)
	}
	tooLong.has(t, "90")
}

func TestLikeLastLesson(t *testing.T) {
	h := newHouse(t)
	teacher := h.as("oert@gym.example")
	group := h.class.String()
	teacher.post(web.To(web.PathModeStart, group), "kind", "sites", "minutes", "20", "sites", "geogebra.org")
	teacher.post(web.To(web.PathModeEnd, group, h.runningMode()))
	h.clock.move(24 * time.Hour)
	teacher.get(web.To(web.PathBoard, group)).has(t, `name="last"`)
	teacher.post(web.To(web.PathModeStart, group), "last", "1").has(t, "geogebra.org")
}

func TestAbsentDevicesAreTickedOff(t *testing.T) {
	h := newHouse(t)
	teacher := h.as("oert@gym.example")
	group := h.class.String()
	teacher.post(web.To(web.PathAbsent, group), "device", h.devices[2].String(), "absent", "1").has(t, "abwesend")
	teacher.post(web.To(web.PathModeStart, group), "kind", "offline")
	_, lines, err := h.lessons.Find(context.Background(), h.actor("oert@gym.example"), h.modeID(h.runningMode()))
	must(t, err)
	if len(lines) != 5 {
		t.Errorf("%d devices have the mode, not 5", len(lines))
	}
}

func TestTheStreamSendsWhatChanged(t *testing.T) {
	h := newHouse(t)
	teacher := h.as("oert@gym.example")
	group := h.class.String()
	events := h.listen(t, teacher, web.To(web.PathBoardLive, group))
	teacher.post(web.To(web.PathModeStart, group), "kind", "offline")
	first := next(t, events)
	for _, part := range []string{`id="modes"`, `id="summary"`, "hx-swap-oob"} {
		if !strings.Contains(first, part) {
			t.Errorf("the start brings no %s", part)
		}
	}
	for len(events) > 0 {
		<-events
	}
	h.readBack(h.devices[3])
	changed := next(t, events)
	if !strings.Contains(changed, `id="tile-`+h.devices[3].String()) || strings.Contains(changed, `id="tile-`+h.devices[4].String()) {
		t.Errorf("one device's answer redraws other tiles: %s", changed)
	}
	if strings.Contains(changed, "⟦") {
		t.Errorf("words are missing: %s", changed)
	}
}

func TestAStreamEndsWithTheRight(t *testing.T) {
	h := newHouse(t)
	if a := h.browser().get(web.To(web.PathBoardLive, h.class.String())); a.path == web.To(web.PathBoardLive, h.class.String()) {
		t.Errorf("a stranger reads a class's stream: %d", a.status)
	}
	if a := h.as("hotline@example.org").get(web.To(web.PathBoardLive, "no-such-group")); a.status != http.StatusNotFound {
		t.Errorf("a group that is none: %d", a.status)
	}
}

func TestRehearsalOnAPretendDevice(t *testing.T) {
	h := newHouse(t)
	teacher := h.as("oert@gym.example")
	teacher.get(web.PathRehearsal).has(t, `value="offline"`)
	teacher.post(web.To(web.PathModeStart, "probe"), "kind", "offline").has(t, "Internet aus bis 10:35")
	h.clock.move(700 * time.Millisecond)
	teacher.get(web.PathRehearsal).has(t, "zugestellt")
	h.clock.move(time.Second)
	applied := teacher.get(web.PathRehearsal)
	applied.has(t, "aktiv")
	teacher.get(web.PathRehearsalScreen).has(t, "Frau Oert")
	teacher.post(web.To(web.PathModeEnd, "probe", "x"))
	h.clock.move(2 * time.Second)
	teacher.get(web.PathRehearsal).has(t, "Geschafft")
	if n := storeCount(t, h, "SELECT COUNT(*) FROM modes"); n != "0" {
		t.Errorf("the rehearsal left %s modes", n)
	}
}

// listen reads a stream in the background and hands over each event's data.
func (h *house) listen(t *testing.T, b *browser, path string) <-chan string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+path, nil)
	must(t, err)
	response, err := b.http.Do(request)
	must(t, err)
	t.Cleanup(func() { cancel(); _ = response.Body.Close() })
	if kind := response.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Fatalf("the stream is %q", kind)
	}
	events := make(chan string, 16)
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 4<<20)
	go func() {
		var event strings.Builder
		for lines.Scan() {
			if line, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				event.WriteString(line + "\n")
			} else if lines.Text() == "" && event.Len() > 0 {
				if event.String() != "1\n" { // a beat
					events <- event.String()
				}
				event.Reset()
			}
		}
	}()
	return events
}

func next(t *testing.T, events <-chan string) string {
	t.Helper()
	select {
	case event := <-events:
		return event
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came")
		return ""
	}
}

func TestTenMinutesMore(t *testing.T) {
	h := newHouse(t)
	teacher := h.as("oert@gym.example")
	group := h.class.String()
	teacher.post(web.To(web.PathModeStart, group), "kind", "offline").has(t, "bis 10:35")
	h.readBack(h.devices[:6]...)
	h.clock.move(time.Minute)
	teacher.post(web.To(web.PathModeExtend, group, h.runningMode()), "minutes", "10").has(t, "bis 10:45")
	h.readBack(h.devices[:6]...)
	teacher.get(web.To(web.PathBoard, group)).has(t, `<span class="number">6</span> aktiv`)
	// Beyond the longest length nothing is moved, and the page says why.
	for range 5 {
		teacher.post(web.To(web.PathModeExtend, group, h.runningMode()), "minutes", "10")
	}
	long := teacher.post(web.To(web.PathModeExtend, group, h.runningMode()), "minutes", "10")
	if long.status != http.StatusUnprocessableEntity {
		t.Errorf("beyond 90 minutes: %d", long.status)
	}
	long.has(t, "90 Minuten")
}

// Seen: devices that answered within the stream's pause left a summary on the
// page that said "planned" for good.
func TestAnAnswerFasterThanTheStreamIsStillShown(t *testing.T) {
	h := newHouse(t)
	teacher := h.as("oert@gym.example")
	group := h.class.String()
	teacher.post(web.To(web.PathModeStart, group), "kind", "offline")
	h.readBack(h.devices[:6]...)
	events := h.listen(t, teacher, web.To(web.PathBoardLive, group))
	_, err := h.lessons.Extend(context.Background(), h.actor("oert@gym.example"), h.modeID(h.runningMode()), 10)
	must(t, err)
	h.readBack(h.devices[:6]...) // before the stream has looked
	for event := next(t, events); ; event = next(t, events) {
		if strings.Contains(event, `id="modes"`) {
			if !strings.Contains(event, `id="summary"`) || strings.Count(event, `id="tile-`) != 6 {
				t.Errorf("with the mode come no summary and tiles: %s", event)
			}
			return
		}
	}
}

// Seen: what happened between a page and the opening of its stream stayed
// unknown to the page.
func TestAStreamTellsWhatHappenedBeforeItOpened(t *testing.T) {
	h := newHouse(t)
	teacher := h.as("oert@gym.example")
	group := h.class.String()
	running := teacher.post(web.To(web.PathModeStart, group), "kind", "offline")
	_, rest, found := strings.Cut(running.body, `data-stream="`)
	path, _, _ := strings.Cut(rest, `"`)
	if !found || !strings.Contains(path, "print=") {
		t.Fatalf("the page asks for its stream at %q", path)
	}
	h.readBack(h.devices[:6]...)
	first := next(t, h.listen(t, teacher, path))
	if !strings.Contains(first, `id="summary"`) || !strings.Contains(first, "aktiv") {
		t.Errorf("the page stays behind: %s", first)
	}
}

// The sentence on the first page must be able to be false: a laptop in contact that
// does not say that its mode has ended is counted and named; one without contact,
// and the half minute in which an end is on its way, are not.
func TestALockPastItsEndOnALaptopInContactIsNamed(t *testing.T) {
	h := newHouse(t)
	admin := h.as("admin@gym.example")
	h.as("oert@gym.example").post(web.To(web.PathModeStart, h.class.String()), "kind", "offline", "minutes", "45")
	h.readBack(h.devices[:2]...)
	first, err := h.lessons.Leases(t.Context(), h.school, h.devices[0])
	must(t, err)
	second, err := h.lessons.Leases(t.Context(), h.school, h.devices[1])
	must(t, err)
	const fine = "Keine Sperre läuft länger als vereinbart"
	admin.get(web.PathSchool).has(t, fine)
	h.clock.move(45*time.Minute + 10*time.Second)
	admin.get(web.PathSchool).has(t, fine)
	h.clock.move(time.Minute)
	admin.get(web.PathSchool).lacks(t, fine)
	admin.get(web.With(web.PathDevices, "state", "overdue")).has(t, "GYM-0001", "GYM-0002")
	h.presence.gone[first[0].Lease.Enrolment] = h.clock.now()
	left := admin.get(web.With(web.PathDevices, "state", "overdue"))
	left.has(t, "GYM-0002")
	left.lacks(t, "GYM-0001")
	must(t, h.lessons.Reported(t.Context(), h.school, h.devices[1], []ddm.LeaseStatus{{ID: second[0].Lease.ID.String(), Rev: second[0].Lease.Rev, Phase: ddm.LeaseEnded, Since: h.clock.now()}}))
	admin.get(web.PathSchool).has(t, fine)
}
