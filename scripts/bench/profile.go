package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
)

// Memory is what the measured server holds after a collection, in bytes.
type Memory struct {
	Heap   uint64 // objects that are in use
	Stacks uint64 // of goroutines
	Go     uint64 // all that Go's runtime holds and has not given back
	Spans  uint64 // what objects lie in, gaps included
}

// tidied collects, gives back what is free, and returns what is left.
func tidied() Memory {
	runtime.GC()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return Memory{Heap: m.HeapAlloc, Stacks: m.StackInuse, Go: m.Sys - m.HeapReleased, Spans: m.HeapInuse}
}

// profile begins to record where CPU time goes, or ends it and writes what the
// heap holds beside it if file is empty.
func (m *measured) profile(file string) error {
	if file == "" {
		pprof.StopCPUProfile()
		return nil
	}
	into, err := os.Create(file + ".cpu")
	if err != nil {
		return err
	}
	heap, err := os.Create(file + ".heap")
	if err != nil {
		return err
	}
	defer heap.Close()
	if err := pprof.Lookup("heap").WriteTo(heap, 0); err != nil {
		return err
	}
	return pprof.StartCPUProfile(into) // closed with the process
}

// profiled runs one part of the bench, and keeps the server's profiles of it
// where the flag says so.
func (b *bench) profiled(server remoteServer, name string, run func() error) error {
	if b.profiles == "" {
		return run()
	}
	if err := server.order(http.MethodPost, "/profile", url.Values{"file": {filepath.Join(b.profiles, name)}}, nil); err != nil {
		return err
	}
	if err := run(); err != nil {
		return err
	}
	return server.order(http.MethodPost, "/profile", nil, nil)
}
