// Package aside runs the programs that stand beside the agent and outlive it:
// whoever covers a screen or watches the start of programs must not fall with
// the agent. They are hidden commands of the same binary; people never type
// them.
package aside

import (
	"fmt"
	"os"

	"schulwart.org/agent/display"
)

// stateDir is where the package keeps the agent's state.
const stateDir = "/var/lib/schulwart-agent"

// Run runs the hidden command that the arguments (without the program's name)
// ask for, and returns its exit code. mine is false if they ask for none.
func Run(args []string) (code int, mine bool) {
	if len(args) == 0 {
		return 0, false
	}
	var err error
	switch {
	case args[0] == "hold" && len(args) == 3:
		err = hold(args[1], args[2])
	case args[0] == "cover" && len(args) == 1:
		err = display.Cover(os.Stdin, os.Stdout)
	case args[0] == "desk" && len(args) == 1:
		err = display.Desk(os.Stdin, os.Stdout)
	case args[0] == "notify" && len(args) == 1:
		err = display.Notify(os.Stdin)
	case args[0] == "now" && len(args) == 1:
		err = now(stateDir)
	case args[0] == "try" && len(args) == 3:
		err = try(args[1], args[2])
	default:
		return 0, false
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "schulwart-agent "+args[0]+":", err)
		return 1, true
	}
	return 0, true
}
