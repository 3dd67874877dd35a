package display

import (
	"os"
	"path"
	"slices"

	"schulwart.org/agent/host"
)

// findVoice returns the program that speaks for screen readers on Linux, offline;
// empty where it is not installed.
func findVoice() string {
	const voice = "/usr/bin/spd-say"
	if _, err := os.Stat(voice); err != nil {
		return ""
	}
	return voice
}

// readers notes for whom a screen reader runs: those people do not see that there
// is a button.
func (k *keeper) readers() {
	programs, err := k.programs.Programs()
	if err != nil {
		return
	}
	for _, c := range k.covered {
		reads := k.voice != "" && slices.ContainsFunc(programs, func(p host.Program) bool { return p.UID == c.desktop.UID && isReader(p) })
		c.mu.Lock()
		c.greets = c.greets || reads && !c.reader
		c.reader = reads
		c.mu.Unlock()
	}
}

// isReader reports whether a program is the screen reader of Linux desktops, which
// is a text that Python runs.
func isReader(p host.Program) bool {
	const orca = "orca"
	return path.Base(p.Path) == orca || slices.ContainsFunc(p.Args[:min(len(p.Args), 3)], func(arg string) bool { return path.Base(arg) == orca })
}

// readAloud lets the session speak a word, or everything that the screen says.
func (k *keeper) readAloud(d host.Desktop, s said, order Order) {
	sentences := s.Say
	if sentences == "" {
		text := textOf(s.Speak, order)
		sentences = text.Title + " " + text.Who + " " + text.Until + " " + text.Safe + " " + order.Message
	}
	// A session without a voice stays silent; the text is on the screen.
	_ = k.programs.Launch(host.Launch{UID: d.UID, GID: d.GID, Groups: d.Groups, Path: k.voice, Args: []string{"-l", string(s.Speak), "--", sentences}, Env: d.Env, Dir: "/"})
}
