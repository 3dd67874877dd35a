package linux

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/agent/words"
	"schulwart.org/policies/catalog"
)

// NoticeOptions are what the notice works with.
type NoticeOptions struct {
	Files    host.Files
	Desktops host.Desktops
	Notices  host.Notices
	Clock    host.Clock
}

// Notice tells pupils what holds, who set it and until when, once for each
// session: also to those who log in later, and not again because the agent was
// started anew. It enforces nothing, so it never deviates.
type Notice struct {
	o NoticeOptions

	mu   sync.Mutex
	kept *noticeKept
	stop context.CancelFunc // of the watch for later sessions
}

const noticeKeptName = "notice.json"

// noticeKept is what was told to whom.
type noticeKept struct {
	Boot string   `json:"boot"`
	Text string   `json:"text"`
	Told []string `json:"told"` // sessions
}

// NewNotice returns the driver of notices. Its part is no part of any mode.
func NewNotice(o NoticeOptions) *Notice { return &Notice{o: o} }

// Part is called "notice".
func (*Notice) Part() catalog.Part { return "notice" }

// laterRound is how often the notice looks for sessions that began later.
const laterRound = 5 * time.Second

// Set tells every session what it has not been told.
func (n *Notice) Set(_ context.Context, rules enforce.Rules) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.load()
	text := strings.Join(rules.Notice.Lines, "\n")
	if text != n.kept.Text {
		n.over(text)
		n.kept.Text, n.kept.Told = text, nil
		n.save()
	}
	if n.stop != nil {
		n.stop()
		n.stop = nil
	}
	if text == "" {
		return nil
	}
	n.tell()
	ctx, cancel := context.WithCancel(context.Background())
	n.stop = cancel
	go n.watch(ctx)
	return nil
}

// over says that everything is as before, to those who had been told otherwise.
func (n *Notice) over(next string) {
	if next != "" || n.kept.Text == "" {
		return
	}
	for _, d := range n.desktops() {
		if n.told(d) {
			_ = n.o.Notices.Notify(d, "Schulwart", words.Over(words.Preferred()))
		}
	}
}

func (n *Notice) watch(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.o.Clock.After(laterRound):
		}
		n.mu.Lock()
		if ctx.Err() == nil {
			n.tell()
		}
		n.mu.Unlock()
	}
}

func (n *Notice) tell() {
	changed := false
	for _, d := range n.desktops() {
		if n.told(d) {
			continue
		}
		// A desktop that is still coming up is asked again in the next round.
		if n.o.Notices.Notify(d, "Schulwart", n.kept.Text) == nil {
			n.kept.Told = append(n.kept.Told, sessionOf(d))
			changed = true
		}
	}
	if changed {
		n.save()
	}
}

func (n *Notice) desktops() []host.Desktop {
	desktops, err := n.o.Desktops.Desktops()
	if err != nil {
		return nil
	}
	return desktops
}

func (n *Notice) told(d host.Desktop) bool {
	for _, session := range n.kept.Told {
		if session == sessionOf(d) {
			return true
		}
	}
	return false
}

func sessionOf(d host.Desktop) string {
	for _, entry := range d.Env {
		if id, ok := strings.CutPrefix(entry, "XDG_SESSION_ID="); ok {
			return strconv.Itoa(d.UID) + "/" + id
		}
	}
	return strconv.Itoa(d.UID) + d.Display
}

// load forgets what was told before the system's last start: those sessions are
// gone.
func (n *Notice) load() {
	boot := n.o.Clock.Read().Boot
	if n.kept != nil && n.kept.Boot == boot {
		return
	}
	n.kept = &noticeKept{}
	if data, err := n.o.Files.Read(noticeKeptName); err == nil {
		_ = json.Unmarshal(data, n.kept)
	}
	if n.kept.Boot != boot {
		n.kept = &noticeKept{Boot: boot}
	}
}

// save may fail on a full disk: then somebody is told twice, at worst.
func (n *Notice) save() {
	if data, err := json.Marshal(n.kept); err == nil {
		_ = n.o.Files.Write(noticeKeptName, data)
	}
}

// Check has nothing to read back: a notice is an offer.
func (*Notice) Check(context.Context) enforce.Reading { return asWanted() }
