package main

import (
	"errors"
	"fmt"

	"schulwart.org/agent/control"
	"schulwart.org/agent/host"
	"schulwart.org/agent/identity"
	"schulwart.org/agent/words"
)

// enroll takes the device in. The running service goes on with the new identity at
// once; without one, the next start does.
func enroll(at *place, args []string) error {
	link, err := identity.ParseLink(args[0])
	if err != nil {
		return err
	}
	files, err := host.OpenDir(at.state)
	if err != nil {
		return err
	}
	id, err := identity.Enrol(at.ctx, files, host.NewMachine(at.state), link)
	if err != nil {
		return err
	}
	fmt.Println(words.Text(at.lang, "enrol.done", map[string]string{"school": id.School}))
	_, err = control.Ask(at.ctx, at.state, control.Request{Ask: control.AskReload})
	if errors.Is(err, control.ErrNotRunning) {
		fmt.Println(words.Text(at.lang, "enrol.not-running", nil))
		return nil
	}
	return err
}

// explain says a fault in words where there are some.
func explain(lang words.Lang, err error) string {
	for fault, key := range map[error]string{
		identity.ErrLink: "fault.link", identity.ErrInsecure: "fault.insecure", identity.ErrFingerprint: "fault.fingerprint",
		identity.ErrToken: "fault.token", identity.ErrNone: "status.unenrolled", identity.ErrClone: "fault.clone",
		control.ErrNotRunning: "fault.not-running", control.ErrDenied: "fault.denied", control.ErrBusy: "fault.busy",
	} {
		if errors.Is(err, fault) {
			return words.Text(lang, key, nil)
		}
	}
	var refused identity.Refused
	if errors.As(err, &refused) {
		if refused.Reason == "" {
			return words.Text(lang, "fault.token", nil)
		}
		return words.Text(lang, "refused."+refused.Reason, nil)
	}
	return err.Error()
}
