//go:build !linux

package stream

// watcher is for systems on which nobody runs ten thousand streams: there, a
// goroutine waits for each.
type watcher struct{}

func newWatcher(func(*connection)) (*watcher, error) { return nil, errNotWatched }

func (*watcher) wait(*connection) error { return errNotWatched }
func (*watcher) forget(*connection)     {}
func (*watcher) close()                 {}
