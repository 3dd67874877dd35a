package aside

import (
	"context"
	"strings"
	"time"

	"schulwart.org/agent/control"
	"schulwart.org/agent/display"
	"schulwart.org/agent/words"
)

// now shows on the desktop of whoever asks what holds, who set it and until
// when: the menu entry "Was gilt hier?".
func now(state string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	lang := words.Preferred()
	text := words.Text(lang, "status.not-running", nil)
	if answer, err := control.Ask(ctx, state, control.Request{Ask: control.AskStatus}); err == nil && answer.Status != nil {
		text = words.Text(lang, "status.nothing", nil)
		var lines []string
		for _, l := range answer.Status.Leases {
			lines = append(lines, l.Words)
		}
		if len(lines) > 0 {
			text = strings.Join(lines, "\n")
		}
	}
	return display.Show(words.Text(lang, "status.title", nil), text)
}
