package app_test

import (
	"bytes"
	"testing"
)

// The room of examinations has its key before it is asked for anything, another
// one than any other installation, and the same after a restart: passwords in
// files that were handed out come from it.
func TestFilesOfSafeExamBrowserHaveAKeyThatStays(t *testing.T) {
	first := bare(t.TempDir())
	keyOf := func() []byte {
		t.Helper()
		a := opened(t, first)
		defer shut(t, a)
		return a.Exams.BrowserKey
	}
	key, again := keyOf(), keyOf()
	other := opened(t, bare(t.TempDir()))
	defer shut(t, other)
	if len(key) != 32 || !bytes.Equal(key, again) || bytes.Equal(key, other.Exams.BrowserKey) {
		t.Errorf("%x, after a restart %x, elsewhere %x", key, again, other.Exams.BrowserKey)
	}
}
