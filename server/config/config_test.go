package config

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRunsWithoutAnySetting(t *testing.T) {
	chosen, err := Parse([]string{"serve"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if chosen.Name != "serve" || chosen.Place.Database != "sqlite:data/schulwart.db" || chosen.Place.DeviceURL != "https://127.0.0.1:8443" || chosen.Place.PublicURL != "http://127.0.0.1:8080" {
		t.Errorf("%s %+v", chosen.Name, chosen.Place)
	}
}

// What the devices of a demo tell when they enrol pushed address and logins off
// the screen.
func TestADemoIsQuietUnlessAsked(t *testing.T) {
	for level, line := range map[string][]string{
		"warn": {"demo"}, "debug": {"demo", "--log-level", "debug"}, "info": {"serve"},
	} {
		chosen, err := Parse(line, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if chosen.Place.LogLevel != level {
			t.Errorf("%v logs %s", line, chosen.Place.LogLevel)
		}
	}
}

func TestTellsAllFaultsTogether(t *testing.T) {
	_, err := Parse([]string{"serve", "--listen", "0.0.0.0:80", "--device-url", "http://x", "--timezone", "Mars/Base", "--certificate", "/nowhere"}, io.Discard)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, part := range []string{"--device-url", "--timezone", "--private-key", "--certificate"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not name %s", err, part)
		}
	}
}

func TestPlainHTTPIsForLoopbackOnly(t *testing.T) {
	if _, err := Parse([]string{"serve", "--listen", "0.0.0.0:80"}, io.Discard); err == nil {
		t.Error("plain HTTP for everybody was accepted")
	}
	if _, err := Parse([]string{"serve", "--listen", "0.0.0.0:80", "--proxy", "10.0.0.0/24", "--public-url", "https://s.example"}, io.Discard); err != nil {
		t.Errorf("behind a named proxy: %v", err)
	}
}

func TestFlagBeatsEnvironmentBeatsFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(file, []byte("data: from-file\nlisten: 127.0.0.1:1111\ndevice-listen: 127.0.0.1:2222\nproxy: [10.0.0.1, 10.0.0.2]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SCHULWART_LISTEN", "127.0.0.1:3333")
	chosen, err := Parse([]string{"--config", file, "serve", "--data", "from-flag"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	got := chosen.Place
	if got.Data != "from-flag" || got.Listen != "127.0.0.1:3333" || got.DeviceListen != "127.0.0.1:2222" || len(got.Proxy) != 2 {
		t.Errorf("%+v", got)
	}
}

func TestAnUnknownKeyInTheFileIsTold(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(file, []byte("liste: 127.0.0.1:1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Parse([]string{"--config", file, "serve"}, io.Discard); err == nil || !strings.Contains(err.Error(), "liste") {
		t.Errorf("error %v", err)
	}
}

func TestWhatWasChosenAtTheSetUpFillsWhatNobodyNamed(t *testing.T) {
	chosen, err := Parse([]string{"serve", "--device-url", "https://geraete.example"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	c := chosen.Place
	err = c.Adopt(Kept{PublicURL: "https://schulwart.example/", DeviceURL: "https://anders.example", Proxy: "10.0.0.5", BackupDir: "/srv/backup"})
	if err != nil {
		t.Fatal(err)
	}
	if c.PublicURL != "https://schulwart.example" || c.DeviceURL != "https://geraete.example" || c.BackupDir != "/srv/backup" || len(c.Proxy) != 1 {
		t.Errorf("%+v", c)
	}
	if err := c.Adopt(Kept{PublicURL: "nonsense"}); err == nil {
		t.Error("an address that is none was taken over")
	}
}
