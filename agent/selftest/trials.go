package selftest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
)

// atOnce is what still counts as refused and not as a timeout.
const atOnce = 2 * time.Second

func (r *run) network(ctx context.Context, driver enforce.Driver) {
	never := enforce.Rules{Network: enforce.Network{Reach: enforce.Never, Release: release, Until: time.Now().Add(release)}}
	only := enforce.Rules{Network: enforce.Network{Reach: enforce.Only, Allow: []string{r.Site}, Release: release, Until: time.Now().Add(release)}}
	if !r.holds(ctx, driver, "try.network.open", enforce.Rules{}) {
		return
	}
	r.reached(ctx, r.Site)
	r.reached(ctx, r.Other)
	if r.holds(ctx, driver, "try.network.offline", never) {
		r.refused(ctx, r.Site)
		r.server(ctx)
	}
	if r.holds(ctx, driver, "try.network.sites", only) {
		r.reached(ctx, r.Site)
		r.refused(ctx, r.Other)
		r.server(ctx)
	}
	if r.holds(ctx, driver, "try.network.open", enforce.Rules{}) {
		r.reached(ctx, r.Other)
	}
}

func (r *run) reached(ctx context.Context, name string) {
	began := time.Now()
	r.add(catalog.Network, "try.network.reached", began, r.Machine.Reach(ctx, name), "host", name)
}

func (r *run) refused(ctx context.Context, name string) {
	began := time.Now()
	err := r.Machine.Reach(ctx, name)
	var fault error
	switch took := time.Since(began); {
	case err == nil:
		fault = errors.New("was reached")
	case took > atOnce:
		fault = fmt.Errorf("only after %s: %w", took.Round(time.Millisecond), err)
	}
	r.add(catalog.Network, "try.network.refused", began, fault, "host", name)
}

func (r *run) server(ctx context.Context) {
	if r.Server == "" {
		return
	}
	began := time.Now()
	r.add(catalog.Network, "try.network.server", began, r.Machine.Reach(ctx, r.Server), "host", r.Server)
}

// nowhere is a name that never exists (RFC 6761): a browser under policy says
// that the page is blocked, any other that it is not found.
const nowhere = "http://schulwart.invalid/"

// blockedPage is what Chromium says about an address that a policy blocks; with
// --dump-dom it says so among its complaints and shows nothing.
const blockedPage = "ERR_BLOCKED_BY_ADMINISTRATOR"

func (r *run) browser(ctx context.Context, driver enforce.Driver) {
	rules := enforce.Rules{Network: enforce.Network{Reach: enforce.Never, Release: release, Until: time.Now().Add(release)}}
	if !r.holds(ctx, driver, "try.browser.written", rules) {
		return
	}
	if !r.page(ctx, "try.browser.blocked", true) {
		return
	}
	if r.holds(ctx, driver, "try.browser.removed", enforce.Rules{}) {
		r.page(ctx, "try.browser.open", false)
	}
}

func (r *run) page(ctx context.Context, key string, blocked bool) bool {
	began := time.Now()
	text, err := r.Machine.Page(ctx, nowhere)
	if errors.Is(err, ErrNoBrowser) {
		r.skip(catalog.Browser, key, NotTried, nil)
		return false
	}
	if err == nil && strings.Contains(text, blockedPage) != blocked {
		err = fmt.Errorf("blocked by policy: %v", !blocked)
	}
	r.add(catalog.Browser, key, began, err)
	return true
}

func (r *run) screen(ctx context.Context, driver enforce.Driver) {
	desktops, err := r.Machine.Desktops()
	if err != nil {
		r.add(catalog.Screen, "try.screen.covered", time.Now(), err)
		return
	}
	rules := enforce.Rules{Screen: &enforce.Screen{By: "Schulwart", Message: "", Until: time.Now().Add(release), Release: release}}
	if !r.holds(ctx, driver, "try.screen.set", rules) {
		return
	}
	var looked bool
	for _, d := range desktops {
		if d.Wayland || d.Display == "" {
			continue
		}
		looked = true
		r.looks(ctx, "try.screen.covered", d, true)
	}
	if !looked {
		r.skip(catalog.Screen, "try.screen.none", NotTried, &ddm.Reason{Code: "screen.no-session"})
		return
	}
	if !r.holds(ctx, driver, "try.screen.free", enforce.Rules{}) {
		return
	}
	for _, d := range desktops {
		if !d.Wayland && d.Display != "" {
			r.looks(ctx, "try.screen.uncovered", d, false)
		}
	}
}

func (r *run) looks(ctx context.Context, key string, d host.Desktop, want bool) {
	began := time.Now()
	covered, err := r.Machine.Covered(ctx, d)
	if err == nil && covered != want {
		err = fmt.Errorf("pixels say covered: %v", covered)
	}
	r.add(catalog.Screen, key, began, err, "display", d.Display)
}

// The programs that are tried: one of the system, and a pupil's copy of it.
const systemProgram = "/bin/true"

func (r *run) apps(ctx context.Context, driver enforce.Driver) {
	copied, remove, err := r.Machine.Copy(systemProgram)
	if err != nil {
		r.add(catalog.Apps, "try.apps.copy-starts", time.Now(), err)
		return
	}
	defer remove()
	r.starts(ctx, "try.apps.copy-starts", copied, true)
	// Nothing is named, so nothing that a menu offers may start.
	rules := enforce.Rules{Apps: &enforce.Apps{By: "Schulwart", Until: time.Now().Add(release), Release: release}}
	if !r.holds(ctx, driver, "try.apps.set", rules) {
		return
	}
	r.starts(ctx, "try.apps.copy-refused", copied, false)
	r.starts(ctx, "try.apps.system", systemProgram, true)
	if r.holds(ctx, driver, "try.apps.free", enforce.Rules{}) {
		r.starts(ctx, "try.apps.copy-starts", copied, true)
	}
}

func (r *run) starts(ctx context.Context, key, path string, want bool) {
	began := time.Now()
	err := r.Machine.Start(ctx, path)
	switch {
	case want:
		r.add(catalog.Apps, key, began, err)
	case errors.Is(err, host.ErrRefused):
		r.add(catalog.Apps, key, began, nil)
	case err == nil:
		r.add(catalog.Apps, key, began, errors.New("it started"))
	default:
		r.add(catalog.Apps, key, began, err)
	}
}
