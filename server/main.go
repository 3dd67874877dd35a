// Command schulwart is the server: it keeps what the devices of schools should
// have, brings it to them, and shows people what is so.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"schulwart.org/policies/version"
	"schulwart.org/server/app"
	"schulwart.org/server/config"
	"schulwart.org/server/demo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch err := run(ctx, os.Args[1:]); {
	case err == nil, errors.Is(err, config.ErrHelp):
	case errors.Is(err, app.ErrChanges):
		stop()
		os.Exit(2)
	default:
		fmt.Fprintf(os.Stderr, "schulwart: %s\n", app.Say(err))
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	chosen, err := config.Parse(args, os.Stdout)
	if err != nil {
		return err
	}
	terminal := app.Terminal{In: os.Stdin, Out: os.Stdout}
	switch chosen.Name {
	case "serve":
		return app.Serve(ctx, chosen.Place, logger(chosen.Place), os.Stdout)
	case "demo":
		return demo.Run(ctx, &chosen.CLI.Demo, logger(chosen.Place), os.Stdout)
	case "user":
		return app.User(ctx, &chosen.CLI.User, terminal)
	case "token":
		return app.Token(ctx, &chosen.CLI.Token, terminal)
	case "backup":
		return app.WriteBackup(ctx, &chosen.CLI.Backup, terminal)
	case "restore":
		return app.Restore(ctx, &chosen.CLI.Restore, terminal)
	case "export":
		return app.Export(ctx, &chosen.CLI.Export, terminal)
	case "plan":
		return app.PlanTree(ctx, &chosen.CLI.Plan, terminal)
	case "apply":
		return app.ApplyTree(ctx, &chosen.CLI.Apply, terminal)
	case "template key":
		return app.TemplateKey(&chosen.CLI.Template.Key, terminal)
	case "template pack":
		return app.TemplatePack(&chosen.CLI.Template.Pack, terminal)
	case "template inspect":
		return app.TemplateInspect(&chosen.CLI.Template.Inspect, terminal)
	case "verify":
		return app.Verify(ctx, &chosen.CLI.Verify, terminal)
	}
	fmt.Println("schulwart", version.String())
	return nil
}

func logger(c *config.Serve) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // config has checked it
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}
