package host

import (
	"io"
	"os/exec"
	"sync"
)

// Attached is a process of our own program that may draw on one display and
// nothing else: it runs as nobody, so the person at the desk cannot end it.
type Attached struct {
	In  io.WriteCloser
	Out io.ReadCloser

	cmd  *exec.Cmd
	once sync.Once
	done chan struct{}
}

// Done is closed when the process has ended.
func (a *Attached) Done() <-chan struct{} {
	a.once.Do(func() {
		a.done = make(chan struct{})
		go func() {
			_ = a.cmd.Wait()
			close(a.done)
		}()
	})
	return a.done
}

// Kill ends it at once.
func (a *Attached) Kill() { _ = a.cmd.Process.Kill() }
