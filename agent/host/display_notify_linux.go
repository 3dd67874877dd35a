package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// notifyWait is how long a desktop may take to show a text.
const notifyWait = 5 * time.Second

// Notify shows the text through the message bus of the session. A bus answers
// its own person only, so a process of theirs does the asking: our program,
// with a hidden command.
func (SystemDesktops) Notify(d Desktop, title, body string) error {
	input, err := json.Marshal(map[string]string{"title": title, "body": body})
	if err != nil {
		return fmt.Errorf("showing notice: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), notifyWait)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/proc/self/exe", "notify")
	cmd.Args[0] = "schulwart-agent"
	cmd.Dir = "/"
	cmd.Env = d.Env
	cmd.Stdin = bytes.NewReader(input)
	var said bytes.Buffer
	cmd.Stderr = &said
	if d.UID != os.Geteuid() {
		groups := make([]uint32, len(d.Groups))
		for i, gid := range d.Groups {
			groups[i] = uint32(gid)
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(d.UID), Gid: uint32(d.GID), Groups: groups}}
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("showing notice: %w", errors.Join(err, errors.New(strings.TrimSpace(said.String()))))
	}
	return nil
}
