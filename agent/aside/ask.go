package aside

import (
	"context"
	"time"

	"schulwart.org/agent/control"
	"schulwart.org/agent/words"
)

// askAgent puts a code that was typed on a covered screen to the running agent.
// An agent that was killed is back within moments, so it is asked for a while.
func askAgent(state, code string, lang words.Lang) string {
	ctx, cancel := context.WithTimeout(context.Background(), 12*time.Second)
	defer cancel()
	if state == "" {
		state = stateDir
	}
	for {
		answer, err := control.Ask(ctx, state, control.Request{Ask: control.AskRelease, Code: code})
		if err == nil && answer.Outcome != nil {
			return words.Text(lang, answer.Outcome.Key, answer.Outcome.Args)
		}
		select {
		case <-ctx.Done():
			return words.Text(lang, "release.unheard", nil)
		case <-time.After(500 * time.Millisecond):
		}
	}
}
