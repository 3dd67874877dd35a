package host

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const nobody = 65534

// Attach starts our own program with access to the desktop's display. The key
// goes along in memory: neither a file nor the command line shows it.
func Attach(d Desktop, args ...string) (*Attached, error) {
	// The running program itself, also after an update has replaced its file.
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Args[0] = "schulwart-agent"
	cmd.Dir = "/"
	cmd.Env = []string{"DISPLAY=" + d.Display, "XAUTHORITY=/dev/null"}
	number := strings.TrimPrefix(d.Display, ":")
	if key := findKey(d, number); key != nil {
		file, err := inMemory(keyFile(number, key))
		if err != nil {
			return nil, err
		}
		defer file.Close()
		cmd.ExtraFiles = []*os.File{file}
		cmd.Env[1] = "XAUTHORITY=/proc/self/fd/3"
	}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	a := &Attached{cmd: cmd}
	var err error
	if a.In, err = cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("attaching to display: %w", err)
	}
	if a.Out, err = cmd.StdoutPipe(); err != nil {
		return nil, fmt.Errorf("attaching to display: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("attaching to display: %w", err)
	}
	return a, nil
}

// inMemory returns a file that nobody may read anew through /proc/self/fd.
func inMemory(content []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("key", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("keeping key to display: %w", err)
	}
	file := os.NewFile(uintptr(fd), "key")
	if _, err := file.Write(content); err == nil {
		_, err = file.Seek(0, io.SeekStart)
		if err == nil {
			return file, nil
		}
	}
	file.Close()
	return nil, errors.New("keeping key to display: no memory")
}

// findKey asks the display server's own file first: a person may remove theirs.
func findKey(d Desktop, number string) []byte {
	files := serverKeys(d.Display)
	if d.Authority != "" {
		files = append(files, d.Authority)
	}
	for _, name := range files {
		if key := readKey(name, number); key != nil {
			return key
		}
	}
	return nil
}

// readKey reads no more than a key file can hold, and waits for no pipe that
// somebody laid in its place.
func readKey(name, number string) []byte {
	file, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	content, err := io.ReadAll(io.LimitReader(file, 64<<10))
	if err != nil {
		return nil
	}
	key, err := displayKey(bytes.NewReader(content), number)
	if err != nil {
		return nil
	}
	return key
}

var servers = map[string]bool{"Xorg": true, "X": true, "Xvfb": true, "Xephyr": true, "Xnest": true, "Xvnc": true, "Xtigervnc": true}

// serverKeys finds the key files of the servers that run for a display.
func serverKeys(display string) []string {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var files []string
	for _, entry := range entries {
		if _, err := strconv.Atoi(entry.Name()); err != nil {
			continue
		}
		line, err := os.ReadFile("/proc/" + entry.Name() + "/cmdline")
		if err != nil {
			continue
		}
		args := strings.Split(string(line), "\x00")
		if !servers[filepath.Base(args[0])] {
			continue
		}
		file, fits := "", false
		for i, arg := range args {
			fits = fits || arg == display
			if arg == "-auth" && i+1 < len(args) {
				file = args[i+1]
			}
		}
		if fits && file != "" {
			files = append(files, file)
		}
	}
	return files
}
