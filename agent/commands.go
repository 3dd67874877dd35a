package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// command is one word of the command line. The standard library's flags are
// enough here; a larger parser would be a fifth of the binary.
type command struct {
	name string
	args string // as the usage shows them
	help string
	// most is how many arguments it takes besides flags, and least how many it
	// needs.
	least, most int
	// prepare declares flags and returns what to run.
	prepare func(flags *flag.FlagSet) action
}

type action func(at *place, args []string) error

func plain(run action) func(*flag.FlagSet) action {
	return func(*flag.FlagSet) action { return run }
}

// commandList is the command line; see DESIGN, "Commands and addresses".
var commandList = []command{
	{"enroll", "URL", "take this device in, by the link from the console", 1, 1, plain(enroll)},
	{"run", "", "keep this device as the school wants it (the service)", 0, 0, plain(runAgent)},
	{"status", "[--json]", "show what holds, why, until when, and whether it was read back", 0, 0, statusCommand},
	{"release", "[CODE] [--lease ID]", "end a mode by its release code", 0, 1, releaseCommand},
	{"sweep", "", "release what has ended, also if the service is dead", 0, 0, plain(sweep)},
	{"selftest", "[--site HOST] [--other HOST]", "try each kind of mode for seconds and look at the effect", 0, 0, selftestCommand},
	{"simulate", "--devices N --url LINK", "pretend to be many devices", 0, 0, simulateCommand},
	{"install", "", "make the agent a service of this system", 0, 0, plain(install)},
	{"uninstall", "[--keep-service]", "take everything back, say goodbye, remove the service", 0, 0, uninstallCommand},
	{"version", "", "show version and commit", 0, 0, plain(showVersion)},
}

// errUsage ends a command line that nobody can follow; the usage was shown.
const errUsage = exitCode(64)

// dispatch finds the command and its flags. --state may stand anywhere.
func dispatch(at *place, args []string) error {
	at.state = os.Getenv("SCHULWART_STATE")
	if at.state == "" {
		at.state = defaultState
	}
	flags := newFlags(at, "")
	if err := flags.Parse(args); err != nil {
		return usage(os.Stderr, err)
	}
	rest := flags.Args()
	if len(rest) == 0 || rest[0] == "help" {
		return usage(os.Stdout, nil)
	}
	for _, c := range commandList {
		if c.name == rest[0] {
			return c.run(at, rest[1:])
		}
	}
	return usage(os.Stderr, fmt.Errorf("there is no command %q", rest[0]))
}

func (c command) run(at *place, args []string) error {
	flags := newFlags(at, c.name)
	do := c.prepare(flags)
	given, err := parseAnywhere(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		return c.usage(os.Stdout, flags, nil)
	}
	if err != nil {
		return c.usage(os.Stderr, flags, err)
	}
	if len(given) < c.least || len(given) > c.most {
		return c.usage(os.Stderr, flags, errors.New("this does not fit"))
	}
	return do(at, given)
}

func newFlags(at *place, name string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&at.state, "state", at.state, "directory in which the device's state lies (SCHULWART_STATE)")
	return flags
}

// parseAnywhere reads flags before, between and after arguments.
func parseAnywhere(flags *flag.FlagSet, args []string) ([]string, error) {
	var given []string
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		args = flags.Args()
		if len(args) == 0 {
			return given, nil
		}
		given, args = append(given, args[0]), args[1:]
	}
}

func usage(out io.Writer, fault error) error {
	if errors.Is(fault, flag.ErrHelp) {
		out, fault = os.Stdout, nil
	}
	if fault != nil {
		fmt.Fprintln(out, "schulwart-agent:", fault)
	}
	fmt.Fprintln(out, "Keeps a device as its school wants it, and lets it go when the time is over.\n\nUsage: schulwart-agent [--state DIR] COMMAND")
	for _, c := range commandList {
		fmt.Fprintf(out, "  %-34s %s\n", strings.TrimSpace(c.name+" "+c.args), c.help)
	}
	if fault != nil {
		return errUsage
	}
	return nil
}

func (c command) usage(out io.Writer, flags *flag.FlagSet, fault error) error {
	if fault != nil {
		fmt.Fprintln(out, "schulwart-agent "+c.name+":", fault)
	}
	fmt.Fprintln(out, "Usage: schulwart-agent "+strings.TrimSpace(c.name+" "+c.args)+"\n"+c.help)
	flags.SetOutput(out)
	flags.PrintDefaults()
	if fault != nil {
		return errUsage
	}
	return nil
}
