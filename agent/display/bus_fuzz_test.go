package display

import (
	"bytes"
	"testing"
)

// FuzzAnswer looks whether whatever a message bus says is read within its bounds.
func FuzzAnswer(f *testing.F) {
	good := call{to: "org.freedesktop.DBus", path: "/a", face: "b.c", method: "d", signature: "s"}
	good.body.string("hello")
	f.Add(good.message(7))
	// A return for the first call, and an error for the second.
	f.Add([]byte{'l', 2, 1, 1, 0, 0, 0, 0, 9, 0, 0, 0, 8, 0, 0, 0, 5, 1, 'u', 0, 1, 0, 0, 0})
	f.Add(append([]byte{'B', 3, 1, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 22, 5, 1, 'u', 0, 0, 0, 0, 2, 4, 1, 's', 0, 0, 0, 0, 5}, "a.b.c\x00\x00\x00"...))
	f.Fuzz(func(t *testing.T, data []byte) {
		read, err := readMessage(bytes.NewReader(data))
		if err == nil && len(read.fault) > len(data) {
			t.Errorf("read more than was said: %+v", read)
		}
	})
}

func TestAnswersOfAMessageBus(t *testing.T) {
	returned := []byte{'l', 2, 1, 1, 0, 0, 0, 0, 9, 0, 0, 0, 8, 0, 0, 0, 5, 1, 'u', 0, 1, 0, 0, 0}
	if got, err := readMessage(bytes.NewReader(returned)); err != nil || got.kind != methodReturn || got.replyTo != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	refused := append([]byte{'B', 3, 1, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 22, 5, 1, 'u', 0, 0, 0, 0, 2, 4, 1, 's', 0, 0, 0, 0, 5}, "a.b.c\x00\x00\x00"...)
	if got, err := readMessage(bytes.NewReader(refused)); err != nil || got.kind != methodError || got.replyTo != 2 || got.fault != "a.b.c" {
		t.Errorf("%+v, %v", got, err)
	}
	for address, want := range map[string]string{
		"unix:path=/run/user/1000/bus": "/run/user/1000/bus", "unix:guid=1,abstract=/tmp/a%2cb": "@/tmp/a,b", "tcp:host=a": "", "unix:": "",
	} {
		if got, ok := socketOf(address); got != want || ok != (want != "") {
			t.Errorf("%s is %q, %v", address, got, ok)
		}
	}
}
