package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Command is a program of the system to run as root.
type Command struct {
	Name  string // "update-ca-certificates"; found where the system keeps programs
	Args  []string
	Input []byte
	Env   []string // beside PATH, HOME and LC_ALL=C.UTF-8
}

// ErrNoCommand says that the system has no program of that name.
var ErrNoCommand = errors.New("host: program is not installed")

// Commands runs programs of the system and waits for them.
type Commands interface {
	// Has reports whether the system has the program.
	Has(name string) bool
	// Run returns what the program printed. It ends the program, and what that
	// started, when the context does, and after CommandTime if the context has no
	// earlier end. An error is ErrNoCommand, or says how the program ended and the
	// last line of its complaint.
	Run(ctx context.Context, c Command) ([]byte, error)
}

// CommandTime is how long a program may take unless its caller says otherwise.
const CommandTime = 30 * time.Second

// commandDirs are where a system keeps programs that only root may change.
var commandDirs = []string{"/usr/sbin", "/usr/bin", "/sbin", "/bin"}

// SystemCommands runs programs of this machine.
type SystemCommands struct{}

// Has looks where the system keeps programs.
func (SystemCommands) Has(name string) bool { return commandPath(name) != "" }

func commandPath(name string) string {
	for _, dir := range commandDirs {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path
		}
	}
	return ""
}

// Run runs the program with nothing of our environment.
func (SystemCommands) Run(ctx context.Context, c Command) ([]byte, error) {
	path := commandPath(c.Name)
	if path == "" {
		return nil, fmt.Errorf("%w: %s", ErrNoCommand, c.Name)
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, CommandTime)
		defer cancel()
	}
	cmd := exec.CommandContext(ctx, path, c.Args...)
	cmd.Dir, cmd.Env = "/", append([]string{"PATH=" + strings.Join(commandDirs, ":"), "HOME=/root", "LC_ALL=C.UTF-8"}, c.Env...)
	if c.Input != nil {
		cmd.Stdin = bytes.NewReader(c.Input)
	}
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.WaitDelay = time.Second
	wholeGroup(cmd)
	if err := cmd.Run(); err != nil {
		return out.Bytes(), fmt.Errorf("running %s: %w: %s", c.Name, err, lastLine(said.Bytes()))
	}
	return out.Bytes(), nil
}

// lastLine is where programs say what went wrong.
func lastLine(said []byte) string {
	said = bytes.TrimSpace(said)
	return string(said[bytes.LastIndexByte(said, '\n')+1:])
}
