package app_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"schulwart.org/server/app"
	"schulwart.org/server/config"
)

// Whoever restores at night reads a sentence, not a key.
func TestARestoreThatIsRefusedSaysWhy(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	database := write("schulwart.db", "something")
	restore := &config.RestoreCommand{From: write("old.backup.age", "no backup"), PassphraseFile: write("words", "ein langer Satz")}
	restore.Serve.Data, restore.Serve.Database, restore.Serve.KeyFile = dir, "sqlite:"+database, filepath.Join(dir, "key")
	err := app.Restore(t.Context(), restore, app.Terminal{Out: io.Discard})
	if got, want := app.Say(err), "There is something here already: "+database+"."; !strings.HasPrefix(got, want) || strings.Contains(got, "restore.not_empty") {
		t.Errorf("said %q, want %q …", got, want)
	}
	if err := os.Remove(database); err != nil {
		t.Fatal(err)
	}
	err = app.Restore(t.Context(), restore, app.Terminal{Out: io.Discard})
	if got := app.Say(err); err == nil || strings.Contains(got, "restore.") {
		t.Errorf("said %q", got)
	}
}
