package backup_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"schulwart.org/server/backup"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/store"
)

const words = "vier wörter und ein schluessel"

func installation(t *testing.T, dir string) (*store.Store, *backup.Service) {
	t.Helper()
	key := filepath.Join(dir, "key")
	s, err := store.Open(context.Background(), store.Options{URL: "sqlite:" + filepath.Join(dir, "schulwart.db"), KeyFile: key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	room := &backup.Service{Store: s, KeyFile: key, Issuer: "i", Version: "v", Now: time.Now}
	room.SetPlan(backup.Plan{Dir: filepath.Join(dir, "backups"), Hour: 2})
	return s, room
}

func operator() may.Actor {
	return may.Actor{ID: "o", Name: "Betrieb", Grants: []may.Grant{{Role: may.Operator}}, Via: "cli"}
}

func TestARestoreOnAnEmptyMachineBringsBackSealedSecrets(t *testing.T) {
	ctx := context.Background()
	s, room := installation(t, t.TempDir())
	if err := s.PutSecret(ctx, "authority", []byte("der Schlüssel der Zertifizierungsstelle")); err != nil {
		t.Fatal(err)
	}
	recipient, private, err := backup.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	if err := room.SetLock(ctx, operator(), recipient); err != nil {
		t.Fatal(err)
	}
	last, err := room.Run(ctx, operator())
	if err != nil || last.Bytes == 0 {
		t.Fatalf("%+v, %v", last, err)
	}
	data, err := os.ReadFile(filepath.Join(room.Plan().Dir, last.File))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte("SQLite")) {
		t.Error("the backup is not encrypted")
	}
	empty := t.TempDir()
	if _, err := backup.Restore(bytes.NewReader(data), private, backup.Places{Database: filepath.Join(empty, "schulwart.db"), KeyFile: filepath.Join(empty, "key")}); err != nil {
		t.Fatal(err)
	}
	again, _ := installation(t, empty)
	secret, err := again.Secret(ctx, "authority")
	if err != nil || string(secret) != "der Schlüssel der Zertifizierungsstelle" {
		t.Fatalf("%q, %v", secret, err)
	}
}

func TestARestoreTouchesNothingThatExists(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	_, room := installation(t, dir)
	var file = filepath.Join(t.TempDir(), "b.age")
	if _, err := room.WriteFile(ctx, file, words); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, err = backup.Restore(bytes.NewReader(data), words, backup.Places{Database: filepath.Join(dir, "schulwart.db"), KeyFile: filepath.Join(dir, "key")})
	if !errs.Is(err, errs.Conflict) {
		t.Errorf("onto a running installation: %v", err)
	}
	for name, broken := range map[string][]byte{"cut short": data[:len(data)/2], "damaged": flip(data), "nothing": nil, "garbage": []byte("garbage")} {
		empty := t.TempDir()
		_, err := backup.Restore(bytes.NewReader(broken), words, backup.Places{Database: filepath.Join(empty, "schulwart.db"), KeyFile: filepath.Join(empty, "key")})
		if !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
		if left, _ := os.ReadDir(empty); len(left) > 0 {
			t.Errorf("%s: left %v behind", name, left)
		}
	}
	if _, err := backup.Restore(bytes.NewReader(data), "ganz andere woerter", backup.Places{Database: filepath.Join(t.TempDir(), "a"), KeyFile: filepath.Join(t.TempDir(), "b")}); !errs.Is(err, errs.Invalid) {
		t.Errorf("wrong passphrase: %v", err)
	}
}

func flip(data []byte) []byte {
	broken := bytes.Clone(data)
	broken[len(broken)-40] ^= 1
	return broken
}

func TestANightWithoutAKeySaysSo(t *testing.T) {
	ctx := context.Background()
	_, room := installation(t, t.TempDir())
	if _, err := room.Nightly(ctx); !errs.Is(err, errs.Conflict) {
		t.Fatalf("%v", err)
	}
	state, err := room.State(ctx, operator())
	if err != nil || state.Ready || state.Last.Fault != "backup.no_key" {
		t.Errorf("%+v, %v", state, err)
	}
}
