package linux

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
)

// BrowserOptions are what a browser driver works with.
type BrowserOptions struct {
	Tree     host.Disk // where the browsers' policy files lie
	Files    host.Files
	Programs host.Programs
	Desktops host.Desktops
	Notices  host.Notices
	Clock    host.Clock
	// Home are hosts that stay reachable in every mode: the pages of the server.
	Home []string
	// Linger is how long a browser may take to read its policies after it was
	// started again; half a minute where it is zero.
	Linger time.Duration
	// Notice is how long pupils are told before their browser restarts; a minute
	// where it is zero, at once where it is negative.
	Notice time.Duration
}

// Browser writes policies for browsers, and restarts those that would go on with
// old ones: a running browser reads new policies now and then, if at all. It is
// the slow layer, which shows a page that explains; packets are stopped by the
// network part at once.
type Browser struct {
	o BrowserOptions

	mu     sync.Mutex
	owned  owned
	since  []browserSince  // nil before the first Set
	wanted map[string]File // nil before the first Set
	// resuming is true while a file lies there only so that pages come back.
	resuming bool
	network  enforce.Network
	base     enforce.Base
	exam     *enforce.Exam
	lacks    atomic.Pointer[ddm.Reason] // what the base policy wants and Firefox cannot
	round    int                        // counts calls of Set
	due      restart
}

const (
	browserKeptName  = "browser.json"
	browserSinceName = "browser-since.json"
)

// browserSince says that browsers started from this instant on read these rules.
type browserSince struct {
	Boot  string        `json:"boot"`
	From  time.Duration `json:"from"` // host.Reading.Elapsed
	Rules string        `json:"rules"`
}

// NewBrowser returns the driver of the browser part.
func NewBrowser(o BrowserOptions) *Browser {
	if o.Notice == 0 {
		o.Notice = time.Minute
	}
	if o.Linger == 0 {
		o.Linger = 30 * time.Second
	}
	return &Browser{o: o, owned: owned{tree: o.Tree, files: o.Files, name: browserKeptName}}
}

// Part is the browser.
func (b *Browser) Part() catalog.Part { return catalog.Browser }

// Set writes the files, all or none, and arranges restarts.
func (b *Browser) Set(ctx context.Context, rules enforce.Rules) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.load(); err != nil {
		return err
	}
	b.network, b.base, b.exam = rules.Network, rules.Base, rules.Exam
	b.lacks.Store(b.lacking(rules.Base))
	b.round++
	if err := b.lay(false); err != nil {
		return err
	}
	if err := b.noteSince(rulesIn(rules)); err != nil {
		return err
	}
	if rules.Network.Reach == enforce.Open && b.staleFirefox() {
		if err := b.lay(true); err != nil {
			return err
		}
	}
	if rules.Exam != nil && rules.Exam.Page != "" {
		// The examination's own browser is new, and others are closed with it.
		b.cancelRestart()
		return nil
	}
	b.arrange(rules.Network.Reach != enforce.Open)
	return nil
}

// lay writes the files for the network's rules, and with resume what brings
// pages back besides.
func (b *Browser) lay(resume bool) error {
	wanted, err := b.files(b.network)
	if err != nil {
		return err
	}
	if _, claimed := wanted[firefoxFile]; resume && !claimed {
		foreign, err := b.owned.foreign(firefoxFile)
		if err != nil {
			return err
		}
		wanted[firefoxFile] = File{Data: encodePolicy(mergeFirefox(foreign, firefoxResume()))}
	}
	if _, err := b.owned.set(wanted); err != nil {
		return err
	}
	b.wanted, b.resuming = wanted, resume
	return nil
}

// Close takes away what lies there only for a restart that this process will not
// live to see. What holds stays.
func (b *Browser) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cancelRestart()
	return b.resumed()
}

func (b *Browser) cancelRestart() {
	if b.due.cancel != nil {
		b.due.cancel()
		b.due = restart{}
	}
}

// resumed ends what lay there only so that pages come back.
func (b *Browser) resumed() error {
	if !b.resuming {
		return nil
	}
	return b.lay(false)
}

// rulesOf names what a running browser must know. The base filter alone is no
// reason to disturb anybody: the network part refuses its hosts.
func rulesOf(n enforce.Network) string {
	if n.Reach == enforce.Open {
		return ""
	}
	return ddm.Hash(append([]string{string(n.Reach)}, n.Allow...)...)
}

// files returns the content that each policy file shall have; a file that shall
// be as if we had never been here is missing.
func (b *Browser) files(n enforce.Network) (map[string]File, error) {
	wanted := map[string]File{}
	if p := narrower(over(chromiumBase(b.base), chromiumPolicy(n, b.o.Home)), chromiumExam(b.exam, b.o.Home)); len(p) > 0 {
		for _, file := range chromiumFiles {
			wanted[file] = File{Data: encodePolicy(p)}
		}
	}
	if p := narrower(over(firefoxBase(b.base), firefoxPolicy(n, b.o.Home)), firefoxExam(b.exam, b.o.Home)); len(p) > 0 {
		foreign, err := b.owned.foreign(firefoxFile)
		if err != nil {
			return nil, err
		}
		wanted[firefoxFile] = File{Data: encodePolicy(mergeFirefox(foreign, p))}
	}
	return wanted, nil
}

// noteSince notes from when on which rules lie in the files.
func (b *Browser) noteSince(rules string) error {
	now := b.o.Clock.Read()
	history, changed := b.since, false
	last := browserSince{}
	if len(history) > 0 {
		last = history[len(history)-1]
	}
	if last.Boot != now.Boot {
		// The files of the last run were there when this run's first browser started.
		last = browserSince{Boot: now.Boot, Rules: last.Rules}
		history, changed = []browserSince{last}, true
	}
	if last.Rules != rules {
		history, changed = append(history, browserSince{now.Boot, now.Elapsed, rules}), true
	}
	if !changed {
		return nil
	}
	const most = 32
	if len(history) > most {
		history = history[len(history)-most:]
	}
	data, err := json.Marshal(history)
	if err != nil {
		return fmt.Errorf("encoding since when browsers know: %w", err)
	}
	if err := b.o.Files.Write(browserSinceName, data); err != nil {
		return fmt.Errorf("saving since when browsers know: %w", err)
	}
	b.since = history
	return nil
}

func (b *Browser) load() error {
	if err := b.owned.load(); err != nil || b.since != nil {
		return err
	}
	data, err := b.o.Files.Read(browserSinceName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(data, &b.since)
	}
	if err != nil {
		return fmt.Errorf("reading since when browsers know: %w", err)
	}
	return nil
}

// Check reads every file back and looks at running browsers.
func (b *Browser) Check(ctx context.Context) enforce.Reading {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.wanted == nil {
		return deviating("browser.unset")
	}
	if file := b.owned.differs(b.wanted); file != "" {
		return deviating("browser.changed", "file", file)
	}
	for _, file := range chromiumFiles {
		if other := b.overriding(file, b.wanted[file].Data); other != "" {
			return deviating("browser.foreign", "file", other)
		}
	}
	return b.running()
}

// overriding finds a foreign file beside ours that says otherwise: of files in
// one directory, Chromium lets the last in alphabetical order win.
func (b *Browser) overriding(file string, want []byte) string {
	if want == nil {
		return ""
	}
	var ours policy
	if json.Unmarshal(want, &ours) != nil {
		return ""
	}
	dir, own := path.Split(file)
	for _, name := range b.o.Tree.List(dir) {
		if name <= own {
			continue
		}
		data, err := b.o.Tree.Read(dir + name)
		var theirs policy
		if err != nil || json.Unmarshal(data, &theirs) != nil {
			continue
		}
		for key, value := range theirs {
			if _, claimed := ours[key]; claimed && !equalJSON(value, ours[key]) {
				return dir + name
			}
		}
	}
	return ""
}

func equalJSON(a, b any) bool {
	left, _ := json.Marshal(a)
	right, _ := json.Marshal(b)
	return bytes.Equal(left, right)
}
