package host_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"schulwart.org/agent/host"
)

func TestACommandThatHangsIsEndedWithWhatItStarted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := host.SystemCommands{}.Run(ctx, host.Command{Name: "sh", Args: []string{"-c", "sleep 60 & wait"}})
	if err == nil || time.Since(began) > 10*time.Second {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
}

func TestACommandSaysWhatWentWrong(t *testing.T) {
	out, err := host.SystemCommands{}.Run(t.Context(), host.Command{Name: "sh", Args: []string{"-c", "cat; echo first >&2; echo last >&2; exit 3"}, Input: []byte("given")})
	if err == nil || !strings.HasSuffix(err.Error(), "exit status 3: last") || string(out) != "given" {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := (host.SystemCommands{}).Run(t.Context(), host.Command{Name: "schulwart-has-no-such-program"}); !errors.Is(err, host.ErrNoCommand) {
		t.Errorf("a program that is not there: %v", err)
	}
}
