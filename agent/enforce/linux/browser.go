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
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
)

// BrowserOptions are what a browser driver works with.
type BrowserOptions struct {
	Tree     host.Tree // where the browsers' policy files lie
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
	kept   *browserKept
	wanted map[string][]byte // nil before the first Set
	// resuming is true while a file lies there only so that pages come back.
	resuming bool
	network  enforce.Network
	round    int // counts calls of Set
	due      restart
}

const browserKeptName = "browser.json"

// browserKept survives everything: what was there before us, and since when
// which rules lie in the files.
type browserKept struct {
	// Foreign is the content that a file had before our first touch; a nil content
	// stands for no file.
	Foreign map[string]*string `json:"foreign"`
	// Ours is the content that we wrote last.
	Ours map[string]string `json:"ours"`
	// Made are directories that did not exist before us.
	Made  []string       `json:"made"`
	Since []browserSince `json:"since"`
}

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
	return &Browser{o: o}
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
	b.network = rules.Network
	b.round++
	if err := b.lay(false); err != nil {
		return err
	}
	if err := b.since(rulesOf(rules.Network)); err != nil {
		return err
	}
	if rules.Network.Reach == enforce.Open && b.staleFirefox() {
		if err := b.lay(true); err != nil {
			return err
		}
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
		foreign, err := b.foreign(firefoxFile)
		if err != nil {
			return err
		}
		wanted[firefoxFile] = encodePolicy(mergeFirefox(foreign, firefoxResume()))
	}
	if err := b.write(wanted); err != nil {
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
	if b.due.cancel != nil {
		b.due.cancel()
		b.due = restart{}
	}
	return b.resumed()
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
func (b *Browser) files(n enforce.Network) (map[string][]byte, error) {
	wanted := map[string][]byte{}
	if p := chromiumPolicy(n, b.o.Home); p != nil {
		for _, file := range chromiumFiles {
			wanted[file] = encodePolicy(p)
		}
	}
	if p := firefoxPolicy(n, b.o.Home); p != nil {
		foreign, err := b.foreign(firefoxFile)
		if err != nil {
			return nil, err
		}
		wanted[firefoxFile] = encodePolicy(mergeFirefox(foreign, p))
	}
	return wanted, nil
}

// foreign returns what the file says without us.
func (b *Browser) foreign(file string) ([]byte, error) {
	if saved, ok := b.kept.Foreign[file]; ok {
		if saved == nil {
			return nil, nil
		}
		return []byte(*saved), nil
	}
	return b.read(file)
}

// read returns the content, nil if there is no file.
func (b *Browser) read(file string) ([]byte, error) {
	data, err := b.o.Tree.Read(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading browser policy: %w", err)
	}
	if data == nil {
		data = []byte{}
	}
	return data, nil
}

func policyFiles() []string { return append(clone(chromiumFiles), firefoxFile) }

// write brings every file to what is wanted. If one cannot be written, those
// before it go back.
func (b *Browser) write(wanted map[string][]byte) error {
	former := map[string][]byte{}
	for _, file := range policyFiles() {
		current, err := b.read(file)
		if err != nil {
			return errors.Join(err, b.back(former))
		}
		want, claimed := wanted[file]
		if claimed && bytes.Equal(current, want) && b.touched(file) || !claimed && !b.touched(file) {
			continue
		}
		former[file] = current
		if claimed {
			err = b.claim(file, current, want)
		} else {
			err = b.release(file, current)
		}
		if err != nil {
			return errors.Join(err, b.back(former))
		}
	}
	if len(wanted) > 0 {
		return nil
	}
	return b.tidy()
}

func (b *Browser) touched(file string) bool {
	_, ok := b.kept.Foreign[file]
	return ok
}

// claim writes ours. What was there before is on disk before the first touch.
func (b *Browser) claim(file string, current, want []byte) error {
	if !b.touched(file) {
		b.kept.Foreign[file] = text(current)
	}
	former, had := b.kept.Ours[file]
	b.kept.Ours[file] = string(want)
	if err := b.save(); err != nil {
		// Without a durable memory of what was there, nothing is touched.
		if had {
			b.kept.Ours[file] = former
		} else {
			delete(b.kept.Ours, file)
			delete(b.kept.Foreign, file)
		}
		return err
	}
	made, err := b.o.Tree.Write(file, want)
	b.kept.Made = append(b.kept.Made, made...)
	if err != nil {
		return fmt.Errorf("writing browser policy: %w", err)
	}
	if len(made) > 0 {
		return b.save()
	}
	return nil
}

// release gives the file back, unless somebody else has written it since: then
// it is theirs already.
func (b *Browser) release(file string, current []byte) error {
	saved := b.kept.Foreign[file]
	if current != nil && string(current) == b.kept.Ours[file] {
		if err := b.put(file, saved); err != nil {
			return err
		}
	}
	delete(b.kept.Foreign, file)
	delete(b.kept.Ours, file)
	return b.save()
}

func (b *Browser) put(file string, content *string) error {
	var err error
	if content == nil {
		err = b.o.Tree.Remove(file)
	} else {
		_, err = b.o.Tree.Write(file, []byte(*content))
	}
	if err != nil {
		return fmt.Errorf("restoring browser policy: %w", err)
	}
	return nil
}

func (b *Browser) back(former map[string][]byte) error {
	var failed error
	for file, content := range former {
		failed = errors.Join(failed, b.put(file, text(content)))
	}
	return failed
}

// tidy removes directories that we made, innermost first, where they are empty.
func (b *Browser) tidy() error {
	if len(b.kept.Made) == 0 {
		return nil
	}
	for i := len(b.kept.Made) - 1; i >= 0; i-- {
		_ = b.o.Tree.Remove(b.kept.Made[i])
	}
	b.kept.Made = nil
	return b.save()
}

// since notes from when on which rules lie in the files.
func (b *Browser) since(rules string) error {
	now := b.o.Clock.Read()
	history, changed := b.kept.Since, false
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
	b.kept.Since = history
	return b.save()
}

func (b *Browser) load() error {
	if b.kept != nil {
		return nil
	}
	kept := &browserKept{}
	data, err := b.o.Files.Read(browserKeptName)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading saved browser policies: %w", err)
	}
	if err == nil {
		if err := json.Unmarshal(data, kept); err != nil {
			return fmt.Errorf("reading saved browser policies: %w", err)
		}
	}
	if kept.Foreign == nil {
		kept.Foreign = map[string]*string{}
	}
	if kept.Ours == nil {
		kept.Ours = map[string]string{}
	}
	b.kept = kept
	return nil
}

func (b *Browser) save() error {
	data, err := json.Marshal(b.kept)
	if err != nil {
		return fmt.Errorf("encoding saved browser policies: %w", err)
	}
	if err := b.o.Files.Write(browserKeptName, data); err != nil {
		return fmt.Errorf("saving browser policies: %w", err)
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
	for _, file := range policyFiles() {
		want, claimed := b.wanted[file]
		current, err := b.read(file)
		if err != nil || claimed && !bytes.Equal(current, want) || !claimed && b.touched(file) {
			return deviating("browser.changed", "file", file)
		}
		if other := b.overriding(file, want); other != "" {
			return deviating("browser.foreign", "file", other)
		}
	}
	return b.running()
}

// overriding finds a foreign file beside ours that says otherwise: of files in
// one directory, Chromium lets the last in alphabetical order win.
func (b *Browser) overriding(file string, want []byte) string {
	if want == nil || file == firefoxFile {
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

func text(content []byte) *string {
	if content == nil {
		return nil
	}
	text := string(content)
	return &text
}
