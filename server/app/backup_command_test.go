package app_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"schulwart.org/server/app"
	"schulwart.org/server/backup"
	"schulwart.org/server/config"
	"schulwart.org/server/setup"
)

// The command uses the key and folder that the set-up keeps, and asks nobody;
// what it wrote opens with the private key alone.
func TestABackupByHandTakesTheKeyThatTheSetUpChose(t *testing.T) {
	data, folder := t.TempDir(), t.TempDir()
	recipient, private, err := backup.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	a := opened(t, bare(data))
	save(t, a, setup.StepBackup, setup.Forms{Backup: setup.Backup{Directory: folder, Recipient: recipient, Hour: 4}})
	shut(t, a)
	write := func(name, text string) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	run := func(c *config.BackupCommand, data string) (said, file string, err error) {
		c.Serve = *bare(data)
		if err := c.Settle(); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		err = app.WriteBackup(t.Context(), c, app.Terminal{In: strings.NewReader(""), Out: &out})
		file, _, _ = strings.Cut(out.String(), ",")
		return out.String(), file, err
	}
	restores := func(file, key string) error {
		empty := t.TempDir()
		c := &config.RestoreCommand{Serve: *bare(empty), From: file, PassphraseFile: write("key", key)}
		if err := c.Settle(); err != nil {
			t.Fatal(err)
		}
		return app.Restore(t.Context(), c, app.Terminal{In: strings.NewReader(""), Out: io.Discard})
	}

	said, file, err := run(&config.BackupCommand{}, data)
	if err != nil || strings.Contains(said, "Passphrase") || filepath.Dir(file) != folder {
		t.Fatalf("said %q, %v; want a file in %s", said, err, folder)
	}
	if err := restores(file, private); err != nil {
		t.Errorf("with the private key: %v", err)
	}

	// A file that is named goes before the key.
	elsewhere := filepath.Join(t.TempDir(), "one.age")
	if said, _, err = run(&config.BackupCommand{To: elsewhere, PassphraseFile: write("words", "ein langer Satz")}, data); err != nil {
		t.Fatalf("said %q, %v", said, err)
	}
	if err := restores(elsewhere, private); err == nil {
		t.Error("the private key opened what was written for a passphrase")
	}
	if err := restores(elsewhere, "ein langer Satz"); err != nil {
		t.Errorf("with the passphrase: %v", err)
	}

	// Without a key it asks, and nobody answers here.
	if said, _, err = run(&config.BackupCommand{}, t.TempDir()); err == nil || !strings.Contains(said, "Passphrase") {
		t.Errorf("without a key: said %q, %v", said, err)
	}
}
