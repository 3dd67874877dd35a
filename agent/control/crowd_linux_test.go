package control

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"schulwart.org/scripts/need"
)

// Seen: sixteen connections of one pupil that said nothing, and neither root nor
// anybody else was answered.
func TestSilentConnectionsOfOnePupilBlockNobodyElse(t *testing.T) {
	need.Root(t)
	dir := serve(t, &deaf{})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	// Who connects is told by the thread's user; the thread ends with the goroutine.
	asUser := func(uid int, do func()) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			runtime.LockOSThread()
			if _, _, errno := syscall.RawSyscall(syscall.SYS_SETREUID, ^uintptr(0), uintptr(uid), 0); errno != 0 {
				t.Error(errno)
				return
			}
			do()
		}()
		<-done
	}
	path := filepath.Join(dir, SocketName)
	asUser(60001, func() {
		for range 16 {
			if conn, err := net.Dial("unix", path); err == nil {
				t.Cleanup(func() { _ = conn.Close() })
			}
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	ask := func() error {
		conn, err := net.Dial("unix", path)
		if err != nil {
			return err
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(2 * time.Second))
		_, err = exchange(conn, Request{Ask: AskStatus})
		return err
	}
	if _, err := Ask(ctx, dir, Request{Ask: AskStatus}); err != nil {
		t.Errorf("root is not answered: %v", err)
	}
	asUser(60002, func() {
		if err := ask(); err != nil {
			t.Errorf("another pupil is not answered: %v", err)
		}
	})
	asUser(60001, func() {
		if err := ask(); err == nil {
			t.Error("the pupil himself got a fourth place")
		}
	})
	for uid := range uint32(6) {
		asUser(61000+int(uid), func() {
			for range 3 {
				if conn, err := net.Dial("unix", path); err == nil {
					t.Cleanup(func() { _ = conn.Close() })
				}
			}
		})
	}
	if _, err := Ask(ctx, dir, Request{Ask: AskStatus}); err != nil {
		t.Errorf("root is not answered beside seven silent users: %v", err)
	}
}
