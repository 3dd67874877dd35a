package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"

	"schulwart.org/agent/control"
	"schulwart.org/agent/device"
	"schulwart.org/agent/host"
	"schulwart.org/agent/identity"
	"schulwart.org/agent/reconcile"
	"schulwart.org/agent/words"
	"schulwart.org/policies/ddm"
)

// statusCommand shows what holds. Without the service, what is stored is shown,
// to root.
func statusCommand(flags *flag.FlagSet) action {
	programs := flags.Bool("json", false, "for programs")
	return func(at *place, _ []string) error { return showStatus(at, *programs) }
}

func showStatus(at *place, programs bool) error {
	status, err := status(at)
	if err != nil {
		return err
	}
	if programs {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(status)
	}
	printStatus(os.Stdout, at.lang, status)
	return nil
}

func status(at *place) (reconcile.Status, error) {
	answer, err := control.Ask(at.ctx, at.state, control.Request{Ask: control.AskStatus})
	if err == nil && answer.Status != nil {
		return *answer.Status, nil
	}
	if !errors.Is(err, control.ErrNotRunning) {
		return reconcile.Status{}, err
	}
	files := host.LookDir(at.state)
	id, opened := identity.Peek(files)
	if errors.Is(opened, os.ErrPermission) {
		return reconcile.Status{}, err
	}
	if opened != nil {
		return reconcile.Status{}, opened
	}
	return device.Stored(files, host.NewClock(at.state), id, at.lang)
}

func printStatus(out io.Writer, lang words.Lang, s reconcile.Status) {
	say := func(indent, key string, args map[string]string) {
		fmt.Fprintln(out, indent+words.Text(lang, key, args))
	}
	if !s.Running {
		say("", "status.not-running", nil)
	}
	if !s.Enrolled {
		say("", "status.unenrolled", nil)
		return
	}
	say("", "status.school", map[string]string{"name": s.School})
	if len(s.Leases) == 0 {
		say("", "status.nothing", nil)
	}
	for _, l := range s.Leases {
		printLease(out, lang, l)
	}
	if s.Filter > 0 {
		say("", "status.filter", map[string]string{"count": strconv.Itoa(s.Filter)})
	}
	if s.Running {
		if s.Agrees {
			say("", "status.agrees", nil)
		} else {
			say("", "status.disagrees", nil)
		}
	}
	for _, part := range s.Parts {
		printPart(out, lang, part)
	}
	if s.Challenge != "" {
		say("", "status.challenge", map[string]string{"number": s.Challenge})
	}
	for _, refused := range s.Refused {
		fmt.Fprintln(out, "  "+refused.ID+": "+because(lang, refused.Reason))
	}
	for _, fault := range s.Faults {
		fmt.Fprintln(out, "! "+because(lang, &fault))
	}
	if s.Contact.IsZero() {
		say("", "status.no-contact", nil)
	} else {
		say("", "status.contact", map[string]string{"at": s.Contact.In(words.Germany()).Format("2.1. 15:04:05")})
	}
	say("", "clock."+string(s.Clock), nil)
}

func printLease(out io.Writer, lang words.Lang, l reconcile.StatusLease) {
	fmt.Fprintln(out, "• "+words.Text(lang, "kind."+string(l.Kind), nil)+" ("+words.Text(lang, "phase."+string(l.Phase), nil)+"): "+l.Words)
	if l.Phase == ddm.LeaseWaiting {
		fmt.Fprintln(out, "  "+words.Text(lang, "status.waiting", map[string]string{"at": words.Clock(l.From, nil)}))
	}
	if l.Message != "" {
		fmt.Fprintln(out, "  „"+l.Message+"“")
	}
	if l.Reason != "" {
		fmt.Fprintln(out, "  "+l.Reason)
	}
}

func printPart(out io.Writer, lang words.Lang, part ddm.Part) {
	line := "  " + words.Text(lang, "part."+part.Name, nil) + ": " + words.Text(lang, "state."+string(part.State), nil)
	if part.Reason != nil {
		line += " – " + because(lang, part.Reason)
	}
	fmt.Fprintln(out, line)
}

func because(lang words.Lang, reason *ddm.Reason) string {
	if reason == nil {
		return ""
	}
	text := words.Text(lang, reason.Code, reason.Details)
	if text == reason.Code && reason.Description != "" {
		return reason.Description
	}
	return text
}

// releaseCommand ends a mode by its code; without a code it shows what to tell
// whoever has one.
func releaseCommand(flags *flag.FlagSet) action {
	lease := flags.String("lease", "", "only this mode, by its id")
	return func(at *place, args []string) error {
		if len(args) == 0 {
			return showStatus(at, false)
		}
		return release(at, args[0], *lease)
	}
}

func release(at *place, code, lease string) error {
	answer, err := control.Ask(at.ctx, at.state, control.Request{Ask: control.AskRelease, Code: code, Lease: lease})
	if err != nil {
		return err
	}
	if answer.Outcome == nil {
		return errors.New("the agent gave no answer")
	}
	fmt.Println(words.Text(at.lang, answer.Outcome.Key, answer.Outcome.Args))
	if answer.Outcome.Key != "release.done" {
		return exitCode(2)
	}
	return nil
}
