package display

import (
	"bufio"
	"encoding/json"
	"errors"
	"slices"
	"sort"
	"sync"
	"time"

	"schulwart.org/agent/host"
	"schulwart.org/agent/words"
)

// Name is what the helper that covers screens is called (host.Holds).
const Name = "screen"

// Order is what the helper is told.
type Order struct {
	By      string        `json:"by"`
	Message string        `json:"message"`
	Until   time.Time     `json:"until"`
	Total   time.Duration `json:"total"` // what the full ring stands for
	// Consoles keeps people from switching to a text console meanwhile.
	Consoles bool `json:"consoles"`
	// Displays are the only ones to cover (":0"); empty for all.
	Displays []string `json:"displays,omitempty"`
	// Code asks for the resume code of an examination; the agent whose state lies in
	// State judges it.
	Code  bool   `json:"code,omitempty"`
	State string `json:"state,omitempty"`
}

func (o Order) equal(other Order) bool {
	return o.By == other.By && o.Message == other.Message && o.Until.Equal(other.Until) && o.Total == other.Total && o.Code == other.Code
}

// Report is what the helper says of every display that it covers.
type Report map[string]Seen

// Seen is what was read back of one display.
type Seen struct {
	Covered bool   `json:"covered"` // our window is above all others
	Held    bool   `json:"held"`    // keyboard and mouse are ours
	Screens int    `json:"screens"`
	Fault   string `json:"fault,omitempty"`
}

// keeper starts a process for every display and starts it again when it ends.
type keeper struct {
	*host.Keeper
	desktops host.Desktops
	programs host.Programs
	covered  map[string]*covered
	ask      Ask
	voice    string // program that speaks; empty where there is none
}

// Ask puts a code that somebody typed to the agent whose state lies in the
// directory, and returns what to answer in words.
type Ask func(state, code string, lang words.Lang) string

// covered is one display with the process that covers it.
type covered struct {
	desktop host.Desktop
	process *host.Attached

	mu     sync.Mutex
	seen   Seen
	heard  time.Time
	speech []said     // to be read aloud
	reader bool       // a screen reader runs for whoever is at the desk
	greets bool       // and what the screen says was not read to it yet
	lang   words.Lang // in which it was typed
	asking bool
	typed  string // code that was not put to the agent yet
	// answer is what the agent said, numbered so that it is shown once.
	answer verdict
}

// verdict is what the agent said of a code.
type verdict struct {
	Number int    `json:"number"`
	Text   string `json:"text"`
}

// The keeper's rhythm, and how long a process may be silent before it is
// replaced.
const (
	keeperRound = 100 * time.Millisecond
	lookRound   = 10 // rounds between two looks for new sessions
	silence     = 3 * time.Second
)

// Hold covers the displays of people for as long as the order in dir says. It
// returns at once if another helper does so already.
func Hold(dir string, desktops host.Desktops, programs host.Programs, ask Ask) error {
	lock, err := host.Keep(dir, Name)
	if errors.Is(err, host.ErrHeld) {
		return nil
	}
	if err != nil {
		return err
	}
	k := &keeper{lock, desktops, programs, map[string]*covered{}, ask, findVoice()}
	defer k.Close()
	defer k.uncover()
	for number := 0; ; number++ {
		content, left, ok := k.Order()
		if !ok {
			return host.LockConsoles(dir, false)
		}
		var order Order
		if err := json.Unmarshal(content, &order); err != nil {
			return err
		}
		if number%lookRound == 0 {
			// A console that cannot be locked is no reason to leave screens open.
			_ = host.LockConsoles(dir, order.Consoles)
			k.find(order.Displays)
			k.readers()
		}
		if err := k.Report(k.tell(told{Order: order, Left: left, Voice: k.voice != ""})); err != nil {
			return err
		}
		time.Sleep(keeperRound)
	}
}

func (k *keeper) uncover() {
	for _, c := range k.covered {
		if c.process != nil {
			c.process.Kill()
			<-c.process.Done()
		}
	}
}

// find looks for sessions that came and went.
func (k *keeper) find(only []string) {
	desktops, err := k.desktops.Desktops()
	if err != nil {
		return
	}
	there := map[string]bool{}
	for _, d := range desktops {
		if d.Wayland || d.Display == "" || len(only) > 0 && !slices.Contains(only, d.Display) {
			continue
		}
		there[d.Display] = true
		if k.covered[d.Display] == nil {
			k.covered[d.Display] = &covered{desktop: d}
		}
	}
	for display, c := range k.covered {
		if there[display] {
			continue
		}
		if c.process != nil {
			c.process.Kill()
		}
		delete(k.covered, display)
	}
}

// tell passes the order on to every process, starting those that do not run,
// and gathers what they say.
func (k *keeper) tell(order told) Report {
	report := Report{}
	displays := make([]string, 0, len(k.covered))
	for display := range k.covered {
		displays = append(displays, display)
	}
	sort.Strings(displays)
	for _, display := range displays {
		c := k.covered[display]
		c.keep(order)
		seen, speech := c.take()
		report[display] = seen
		c.judge(k.ask, order.Order.State)
		for _, s := range speech {
			k.readAloud(c.desktop, s, order.Order)
		}
	}
	return report
}

// keep sees to the process.
func (c *covered) keep(order told) {
	if c.process != nil {
		select {
		case <-c.process.Done():
			c.process = nil
		default:
		}
	}
	if c.process != nil && c.silent() {
		c.process.Kill()
		c.process = nil
	}
	if c.process == nil {
		if err := c.start(); err != nil {
			c.mu.Lock()
			c.seen = Seen{Fault: err.Error()}
			c.mu.Unlock()
			return
		}
	}
	c.mu.Lock()
	order.Answer, order.Reader = c.answer, c.reader
	c.mu.Unlock()
	line, err := json.Marshal(order)
	if err == nil {
		// A process that has ended is noticed in the next round.
		_, _ = c.process.In.Write(append(line, '\n'))
	}
}

func (c *covered) silent() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Since(c.heard) > silence
}

func (c *covered) start() error {
	process, err := host.Attach(c.desktop, "cover")
	if err != nil {
		return err
	}
	c.process = process
	c.mu.Lock()
	c.seen, c.heard = Seen{}, time.Now()
	c.mu.Unlock()
	go c.listen(process)
	return nil
}

func (c *covered) listen(process *host.Attached) {
	lines := bufio.NewScanner(process.Out)
	for lines.Scan() {
		var word said
		if json.Unmarshal(lines.Bytes(), &word) != nil {
			continue
		}
		c.mu.Lock()
		c.heard = time.Now()
		switch {
		case word.Speak != "" && len(c.speech) < mostSpeech:
			c.speech = append(c.speech, word)
		case word.Speak != "":
		case word.Code != "":
			c.typed, c.lang = word.Code, word.Lang
		default:
			c.seen = Seen{Covered: word.Covered, Held: word.Held, Screens: word.Screens, Fault: word.Fault}
		}
		c.mu.Unlock()
	}
	c.mu.Lock()
	c.seen.Covered, c.seen.Held = false, false
	c.mu.Unlock()
	process.Done()
}

// judge puts a typed code to the agent, one at a time; whoever waits for the
// answer keeps no cover from being looked after.
func (c *covered) judge(ask Ask, state string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.typed == "" || c.asking || ask == nil {
		return
	}
	code, lang := c.typed, c.lang
	c.typed, c.asking = "", true
	go func() {
		text := ask(state, code, lang)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.asking = false
		c.answer = verdict{c.answer.Number + 1, text}
	}()
}

// mostSpeech bounds what waits to be read aloud.
const mostSpeech = 20

func (c *covered) take() (Seen, []said) {
	c.mu.Lock()
	defer c.mu.Unlock()
	speech := c.speech
	c.speech = nil
	if c.reader && c.greets && c.seen.Covered {
		c.greets = false
		speech = append([]said{{Speak: words.Preferred()}}, speech...)
	}
	return c.seen, speech
}
