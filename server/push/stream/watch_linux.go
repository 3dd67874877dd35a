package stream

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// watcher tells when something can be read from a connection: that the device
// hung up, nearly always. One goroutine waits for all of them (epoll), because
// one for each would cost more than half as much again as the connection itself.
type watcher struct {
	epoll    *os.File // in the runtime's own poller, so that waiting for it takes no thread
	raw      syscall.RawConn
	readable func(*connection)

	mu      sync.Mutex
	last    uint64
	waiting map[uint64]*connection
}

func newWatcher(readable func(*connection)) (*watcher, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("watching streams: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("watching streams: %w", err)
	}
	w := &watcher{epoll: os.NewFile(uintptr(fd), "epoll"), readable: readable, waiting: map[uint64]*connection{}}
	if w.raw, err = w.epoll.SyscallConn(); err != nil {
		w.close()
		return nil, fmt.Errorf("watching streams: %w", err)
	}
	go w.run()
	return w, nil
}

// wait calls readable once, when there is something to read from the connection.
// The descriptor is taken out by the kernel when the connection is closed; then
// forget it.
func (w *watcher) wait(c *connection) error {
	plain, ok := plainOf(c.Conn).(syscall.Conn)
	if !ok {
		return errNotWatched
	}
	raw, err := plain.SyscallConn()
	if err != nil {
		return err
	}
	event, op := w.enlist(c)
	var fault error
	err = w.raw.Control(func(epoll uintptr) {
		fault = raw.Control(func(fd uintptr) { err = unix.EpollCtl(int(epoll), op, int(fd), &event) })
	})
	return errors.Join(err, fault)
}

// enlist puts the connection on the list, under a number of our own: descriptors
// are given again.
func (w *watcher) enlist(c *connection) (event unix.EpollEvent, op int) {
	w.mu.Lock()
	op = unix.EPOLL_CTL_MOD
	if c.watched == 0 {
		op = unix.EPOLL_CTL_ADD
		w.last++
		c.watched = w.last
	}
	w.waiting[c.watched] = c
	w.mu.Unlock()
	return unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLONESHOT, Fd: int32(uint32(c.watched)), Pad: int32(c.watched >> 32), //nolint:gosec // two halves of a number
	}, op
}

func (w *watcher) forget(c *connection) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.waiting, c.watched)
}

func (w *watcher) run() {
	var events [128]unix.EpollEvent
	for {
		n := 0
		var fault error
		err := w.raw.Read(func(fd uintptr) bool {
			n, fault = unix.EpollWait(int(fd), events[:], 0)
			return n > 0 || fault != nil && !errors.Is(fault, unix.EINTR)
		})
		if err != nil || fault != nil {
			return // closed
		}
		for _, event := range events[:max(n, 0)] {
			w.mu.Lock()
			c := w.waiting[uint64(uint32(event.Fd))|uint64(uint32(event.Pad))<<32] //nolint:gosec // two halves of a number
			w.mu.Unlock()
			if c != nil {
				go w.readable(c)
			}
		}
	}
}

func (w *watcher) close() { _ = w.epoll.Close() }

func plainOf(conn net.Conn) net.Conn {
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok {
		return secure.NetConn()
	}
	return conn
}
