package host

import (
	"bytes"
	"testing"
)

func TestKeyOfDisplay(t *testing.T) {
	key := []byte("sixteen bytes it")
	file := append(keyFile("7", []byte("another's key 16")), keyFile("0", key)...)
	got, err := displayKey(bytes.NewReader(file), "0")
	if err != nil || !bytes.Equal(got, key) {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := displayKey(bytes.NewReader(file), "3"); err == nil {
		t.Error("found a key that is not there")
	}
}

func FuzzKeyFile(f *testing.F) {
	f.Add(keyFile("0", []byte("sixteen bytes it")))
	f.Fuzz(func(t *testing.T, file []byte) {
		if key, err := displayKey(bytes.NewReader(file), "0"); err == nil && len(key) != 16 {
			t.Errorf("key of %d bytes", len(key))
		}
	})
}
