package host

import (
	"os"
	"testing"

	"schulwart.org/scripts/need"
)

func TestInterpreterOfPrograms(t *testing.T) {
	shell, err := os.ReadFile("/bin/sh")
	if err != nil {
		need.Missing(t, "/bin/sh")
	}
	for name, c := range map[string]struct {
		head []byte
		want string
	}{
		"script":              {[]byte("#!/usr/bin/python3 -u\nprint(1)\n"), "/usr/bin/python3"},
		"script with a blank": {[]byte("#! /bin/sh\n"), "/bin/sh"},
		"nothing after":       {[]byte("#!\n"), ""},
		"text":                {[]byte("hello"), ""},
		"empty":               {nil, ""},
		"cut off":             {shell[:64], ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := interpreterOf(c.head); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if loader := interpreterOf(shell[:headSize]); loader == "" {
		t.Error("the shell's loader was not found")
	} else if _, err := os.Stat(loader); err != nil {
		t.Errorf("loader %q: %v", loader, err)
	}
}

// A person decides what lies at the beginning of a file that they start.
func FuzzInterpreter(f *testing.F) {
	if shell, err := os.ReadFile("/bin/sh"); err == nil {
		f.Add(shell[:headSize])
	}
	f.Add([]byte("#!/bin/sh\n"))
	f.Fuzz(func(t *testing.T, head []byte) {
		if name := interpreterOf(head); len(name) > len(head) {
			t.Errorf("longer than its file: %q", name)
		}
	})
}
