//go:build !linux

package host

import (
	"context"
	"errors"
	"net"
	"os"
)

// Lock takes the file for this process by opening it for writing; on these
// systems no driver enforces, so nothing is lost by a looser lock.
func Lock(path string) (release func(), ok bool, err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, false, err
	}
	return func() { _ = file.Close() }, true, nil
}

// PeerUser is false: nobody can be told apart here yet.
func PeerUser(net.Conn) (uid uint32, ok bool) { return 0, false }

// Systemctl does not exist here.
func Systemctl(context.Context, ...string) error {
	return errors.New("systemd does not exist on this system")
}

// HasSystemd is false.
func HasSystemd() bool { return false }
