package linux

import (
	"context"
	"encoding/json"
	"errors"
	"path"
	"slices"
	"sort"
	"strings"
	"time"

	"schulwart.org/agent/host"
	"schulwart.org/agent/words"
)

// ExecGate is asked by the kernel before each program starts (host.ExecGate).
type ExecGate interface {
	Run(ctx context.Context, decide func(host.Execution) bool) error
	Blind() []string
	Close()
}

// AppsHelper is what the helper works with.
type AppsHelper struct {
	Gate     func(mounts ...string) (ExecGate, error)
	Files    host.Binaries
	Programs host.Programs
	Desktops host.Desktops
	Notices  host.Notices
	Lineage  func(pid int) []host.Birth
	// Own is our own program, which speaks to pupils in their name.
	Own host.FileID
}

// appsKeeper is the helper at work.
type appsKeeper struct {
	AppsHelper
	*host.Keeper
	order   appsOrder
	index   *appIndex
	built   time.Time
	gate    ExecGate
	refused chan refusal
	told    map[string]time.Time // when which refusal was told
	report  appsReport
	// closing are open programs: when they are asked to close.
	closing map[host.Birth]time.Time
	asked   map[host.Birth]bool
}

// refusal is a program that was not let start.
type refusal struct {
	uid  int
	name string
}

// The helper's rhythms.
const (
	appsRound   = 200 * time.Millisecond
	openRound   = 2 * time.Second  // between looks for open programs
	rebuildTime = 5 * time.Minute  // programs are installed now and then
	tellAgain   = 20 * time.Second // before the same refusal is told again
)

// HoldApps judges programs for as long as the order in dir says. It returns at
// once if another helper does so already.
func HoldApps(dir string, helper AppsHelper) error { return holdApps(AppsName, dir, helper) }

// HoldPrograms keeps forbidden programs from starting, in the same way.
func HoldPrograms(dir string, helper AppsHelper) error { return holdApps(ProgramsName, dir, helper) }

func holdApps(name, dir string, helper AppsHelper) error {
	lock, err := host.Keep(dir, name)
	if errors.Is(err, host.ErrHeld) {
		return nil
	}
	if err != nil {
		return err
	}
	k := &appsKeeper{AppsHelper: helper, Keeper: lock, refused: make(chan refusal, 64), told: map[string]time.Time{}, closing: map[host.Birth]time.Time{}, asked: map[host.Birth]bool{}}
	defer k.Close()
	content, _, ok := k.Order()
	if !ok {
		return nil
	}
	if err := json.Unmarshal(content, &k.order); err != nil {
		return err
	}
	if k.gate, err = helper.Gate(k.order.Mounts...); err != nil {
		return k.idle(err)
	}
	defer k.gate.Close()
	return k.judge(string(content))
}

// idle says that nothing can be judged here until the order is over, so that
// nobody starts the helper again and again.
func (k *appsKeeper) idle(fault error) error {
	for {
		if _, _, ok := k.Order(); !ok {
			return nil
		}
		if err := k.Report(appsReport{Fault: fault.Error()}); err != nil {
			return err
		}
		time.Sleep(5 * appsRound)
	}
}

// judge answers the kernel with one goroutine, and does all that may take time
// with another: whoever waits for an answer waits for nothing else.
func (k *appsKeeper) judge(content string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	k.build()
	keepers := make(chan *gatekeeper, 1)
	keepers <- newGatekeeper(k.index, time.Now, k.Lineage)
	failed := make(chan error, 1)
	go func() { failed <- k.gate.Run(ctx, k.answer(keepers)) }()
	looked := time.Time{}
	for {
		now, _, ok := k.Order()
		if !ok {
			return nil
		}
		if string(now) != content || time.Since(k.built) > rebuildTime {
			content = string(now)
			if err := json.Unmarshal(now, &k.order); err != nil {
				return err
			}
			k.build()
			replace(keepers, newGatekeeper(k.index, time.Now, k.Lineage))
			looked = time.Time{}
		}
		if time.Since(looked) > openRound {
			looked = time.Now()
			k.lookForOpen()
		}
		k.report.Judging, k.report.Blind, k.report.Unknown = true, k.gate.Blind(), k.index.unknown
		if err := k.Report(k.report); err != nil {
			return err
		}
		select {
		case err := <-failed:
			return err
		case r := <-k.refused:
			k.count(r)
			k.tellRefused(r)
		case <-time.After(appsRound):
		}
	}
}

// answer uses the newest gatekeeper that it was handed.
func (k *appsKeeper) answer(keepers <-chan *gatekeeper) func(host.Execution) bool {
	keeper := <-keepers
	return func(e host.Execution) bool {
		select {
		case next := <-keepers:
			// What descends from allowed programs goes on doing so.
			next.inside, next.traces = keeper.inside, keeper.traces
			keeper = next
		default:
		}
		v := keeper.decide(e)
		if !v.may && !v.quiet {
			select {
			case k.refused <- refusal{e.UID, v.name}:
			default:
			}
		}
		return v.may
	}
}

func replace(keepers chan *gatekeeper, next *gatekeeper) {
	select {
	case <-keepers:
	default:
	}
	keepers <- next
}

func (k *appsKeeper) build() {
	if k.order.forbids() {
		k.index = newForbiddenIndex(k.Files, k.order, k.index)
		k.built = time.Now()
		return
	}
	k.index = newAppIndex(k.Files, k.order)
	k.index.allowed[k.Own] = true
	k.built = time.Now()
}

// count keeps how often something was asked to start that may not.
func (k *appsKeeper) count(r refusal) {
	const most = 30
	if k.report.Refused == nil {
		k.report.Refused = map[string]int{}
	}
	if _, known := k.report.Refused[r.name]; known || len(k.report.Refused) < most {
		k.report.Refused[r.name]++
	}
}

// tellRefused tells the pupil why nothing opens.
func (k *appsKeeper) tellRefused(r refusal) {
	if time.Since(k.told[r.name]) < tellAgain {
		return
	}
	k.told[r.name] = time.Now()
	if k.order.forbids() {
		title, body := words.AppForbidden(words.Preferred(), r.name)
		k.tell(map[int]bool{r.uid: true}, title, body)
		return
	}
	title, body := words.AppRefused(words.Preferred(), r.name, k.order.By, k.order.Until, nil)
	k.tell(map[int]bool{r.uid: true}, title, body)
}

func (k *appsKeeper) tell(people map[int]bool, title, body string) {
	desktops, err := k.Desktops.Desktops()
	if err != nil {
		return
	}
	go func() {
		for _, d := range desktops {
			if people[d.UID] {
				// Not every desktop shows notices.
				_ = k.Notices.Notify(d, title, body)
			}
		}
	}()
}

// lookForOpen finds programs that were open before, tells their users, and asks
// the programs to close when the notice is over. A program that stays open,
// because it asks whether to save, is left alone.
func (k *appsKeeper) lookForOpen() {
	open := k.open()
	names, fresh, people := []string{}, []string{}, map[int]bool{}
	alive := map[host.Birth]bool{}
	k.report.Closing = time.Time{}
	for _, o := range open {
		if isFromMemory(o.program) && !k.order.forbids() {
			_ = k.Programs.End(o.program)
			k.tellRefused(refusal{o.program.UID, o.name})
		}
		birth := host.Birth{PID: o.program.PID, Started: o.program.Started}
		alive[birth] = true
		if !slices.Contains(names, o.name) {
			names = append(names, o.name)
		}
		at, known := k.closing[birth]
		switch {
		case !known:
			at = time.Now().Add(k.order.Notice)
			k.closing[birth] = at
			fresh, people[o.program.UID] = append(fresh, o.name), true
		case !k.asked[birth] && !time.Now().Before(at):
			k.asked[birth] = true
			_ = k.Programs.AskToEnd(o.program)
		}
		if !k.asked[birth] && (k.report.Closing.IsZero() || at.Before(k.report.Closing)) {
			k.report.Closing = at
		}
	}
	for birth := range k.closing {
		if !alive[birth] {
			delete(k.closing, birth)
			delete(k.asked, birth)
		}
	}
	sort.Strings(names)
	k.report.Open = names
	if len(fresh) > 0 && k.order.Notice > 0 {
		slices.Sort(fresh)
		title, body := words.AppsClosing(words.Preferred(), slices.Compact(fresh), k.order.Notice)
		k.tell(people, title, body)
	}
}

// isFromMemory reports whether a program lies in no file (memfd_create(2)). The
// kernel asks nobody before it starts one, so it is ended when it is seen: nothing
// that is installed starts that way, and nothing is written in it.
func isFromMemory(p host.Program) bool { return strings.HasPrefix(p.Path, "/memfd:") }

// openProgram is a program that runs although it may not start.
type openProgram struct {
	program host.Program
	name    string
}

// open lists them without those that another one of them started: a browser
// ends its own helpers.
func (k *appsKeeper) open() []openProgram {
	programs, err := k.Programs.Programs()
	if err != nil {
		return nil
	}
	found := map[int]openProgram{}
	for _, p := range programs {
		if name := k.nameOfOpen(p); name != "" {
			found[p.PID] = openProgram{p, name}
		}
	}
	var open []openProgram
	for _, o := range found {
		if _, child := found[o.program.Parent]; !child {
			open = append(open, o)
		}
	}
	sort.Slice(open, func(i, j int) bool { return open[i].program.PID < open[j].program.PID })
	return open
}

func (k *appsKeeper) nameOfOpen(p host.Program) string {
	if k.index.quiet[p.File] {
		return ""
	}
	if name := k.index.refused[p.File]; name != "" && !k.index.allowed[p.File] {
		return name
	}
	if k.order.forbids() {
		return ""
	}
	file := host.Execution{File: p.File, Owner: p.Owner, Group: p.Group, Mode: p.Mode, Device: p.Device}
	if k.index.allowed[p.File] || k.index.installed(file) {
		return ""
	}
	return path.Base(p.Path)
}
