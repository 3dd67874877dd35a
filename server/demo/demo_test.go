package demo

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"schulwart.org/server/app"
	"schulwart.org/server/config"
)

// The server looks at its configuration once more when it opens its store: what
// --lan opened on purpose must not be refused there.
func TestADemoForPhonesIsReachedFromTheNetwork(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a port that is free now
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	chosen, err := config.Parse([]string{"demo", "--lan", "--data", t.TempDir(), "--listen", address, "--device-listen", "127.0.0.1:0"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	c := &chosen.CLI.Demo
	forget, err := settle(c)
	if err != nil {
		t.Fatal(err)
	}
	defer forget()
	a, err := app.New(t.Context(), app.Options{Config: &c.Serve, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(c.PublicURL, "://"+outward()+":") {
		t.Errorf("phones are sent to %s", c.PublicURL)
	}
	answer, err := http.Get(c.PublicURL + "/healthz") //nolint:noctx // one request of a test
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("%s: %d", c.PublicURL, answer.StatusCode)
	}
}
