//go:build unix

package host

import (
	"os/exec"
	"syscall"
)

// wholeGroup lets a program that takes too long end with everything that it
// started.
func wholeGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
