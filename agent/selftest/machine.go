package selftest

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"schulwart.org/agent/host"
)

// real is the machine that we stand on.
type real struct {
	desktops host.Desktops
	pupil    int
}

// stranger is a user id of a person that no machine has: nothing on the device
// is theirs.
const stranger = 60577

// Real returns this machine, seen by whoever is logged in, or by a stranger if
// nobody is.
func Real(desktops host.Desktops) Machine {
	m := real{desktops, stranger}
	if all, err := desktops.Desktops(); err == nil && len(all) > 0 {
		m.pupil = all[0].UID
	}
	return m
}

func (m real) Desktops() ([]host.Desktop, error) { return m.desktops.Desktops() }

func (m real) Reach(ctx context.Context, name string) error {
	_, err := host.RunSelfAs(ctx, m.pupil, "try", "reach", name)
	return err
}

func (m real) Start(ctx context.Context, path string, args ...string) error {
	_, err := host.RunAs(ctx, m.pupil, path, args...)
	return err
}

func (m real) Copy(path string) (string, func(), error) { return host.CopyFor(m.pupil, path) }

func (real) Covered(_ context.Context, d host.Desktop) (bool, error) {
	process, err := host.Attach(d, "try", "covered", d.Display)
	if err != nil {
		return false, err
	}
	line, err := bufio.NewReader(process.Out).ReadString('\n')
	<-process.Done()
	if err != nil {
		return false, fmt.Errorf("looking at the screen: %w", err)
	}
	return strings.TrimSpace(line) == "true", nil
}

// chromiums are the names of Chromium's program.
var chromiums = []string{"/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"}

func (m real) Page(ctx context.Context, address string) (string, error) {
	browser := host.Readable(chromiums)
	if browser == "" {
		return "", ErrNoBrowser
	}
	profile, remove, err := host.DirFor(m.pupil)
	if err != nil {
		return "", err
	}
	defer remove()
	// It shows one page that does not exist and is gone, so it needs no walls
	// around itself.
	text, err := host.RunAs(ctx, m.pupil, browser, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+profile, "--disable-background-networking", "--timeout=8000", "--dump-dom", address)
	return string(text), err
}
