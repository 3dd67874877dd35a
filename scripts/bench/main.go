// Command bench measures the budgets of the design on this machine, on loopback:
// a real server in a process of its own, simulated devices in others, and
// clients that speak the wire. It prints CPU per operation and ratios, with the
// machine and its fsync time beside them; it passes and fails nothing, because
// machines differ and are shared.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	devices := flag.Int("devices", 5000, "connected devices beside the class")
	rounds := flag.Int("rounds", 20, "clicks")
	checks := flag.Int("checks", 50000, "idle check-ins")
	commands := flag.Int("commands", 3000, "command round trips")
	changes := flag.Int("changes", 3, "changes for everybody")
	profiles := flag.String("profiles", "", "folder for profiles of the server, by part")
	rows := flag.Int("rows", 60000, "devices in the search")
	agent := flag.String("agent", "bin/schulwart-agent", "the agent's program")
	only := flag.String("only", "", "one of click, idle, search, standard, rollout, site, agent")
	serve := flag.String("serve", "", "internal: folder of the server to be measured")
	flag.Parse()
	if *serve != "" {
		exitOn(runServer(*serve, *devices))
		return
	}
	folder, err := os.MkdirTemp("", "schulwart-bench-")
	exitOn(err)
	defer os.RemoveAll(folder) //nolint:errcheck // a temporary folder
	b := &bench{folder: folder, agent: absolute(*agent), devices: *devices, rounds: *rounds, checks: *checks, commands: *commands, rows: *rows, changes: *changes}
	if *profiles != "" {
		b.profiles = absolute(*profiles)
		exitOn(os.MkdirAll(b.profiles, 0o755)) //nolint:gosec // profiles are no secret
	}
	describeMachine(folder)
	for _, part := range []struct {
		name string
		run  func() error
	}{{"agent", b.measureAgent}, {"search", b.measureSearch}, {"standard", b.measureStandard}, {"rollout", b.measureRollout}, {"site", b.measureSite}, {"idle", b.measureIdle}, {"click", b.measureClick}} {
		if *only != "" && *only != part.name {
			continue
		}
		if err := part.run(); err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s: %v\n", part.name, err)
			os.Exit(1)
		}
	}
}

// bench is one run.
type bench struct {
	folder, agent                           string
	profiles                                string
	devices, rounds, checks, commands, rows int
	changes                                 int
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func absolute(path string) string {
	whole, err := filepath.Abs(path)
	exitOn(err)
	return whole
}

// row prints one figure with its budget and how it was measured.
func row(what, figure, budget, method string) {
	fmt.Printf("%-46s %-24s %-22s %s\n", what, figure, budget, method)
}
