// Command schulwart-agent keeps a device as its school wants it, and lets it go
// when the time is over.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"schulwart.org/agent/aside"
	"schulwart.org/agent/words"
	"schulwart.org/policies/version"
)

func main() {
	// Helpers are hidden commands of the same program; people never type them.
	if code, mine := aside.Run(os.Args[1:]); mine {
		os.Exit(code)
	}
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	at := &place{ctx: ctx, lang: words.Preferred(), log: logger()}
	err := dispatch(at, args)
	var quiet exitCode
	switch {
	case err == nil:
		return 0
	case errors.As(err, &quiet):
		return int(quiet)
	}
	fmt.Fprintln(os.Stderr, "schulwart-agent:", explain(at.lang, err))
	return 1
}

// place is where a command runs.
type place struct {
	ctx   context.Context
	state string
	lang  words.Lang
	log   *slog.Logger
}

// exitCode ends a command that has said already what was to say.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit %d", int(c)) }

// logger writes for the journal, which knows the time by itself.
func logger() *slog.Logger {
	options := &slog.HandlerOptions{}
	if os.Getenv("JOURNAL_STREAM") != "" {
		options.ReplaceAttr = func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}

func joinPort(host, port string) string { return net.JoinHostPort(host, port) }

func showVersion(*place, []string) error {
	fmt.Println("schulwart-agent", version.String())
	return nil
}
