package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a child of the bench.
type process struct{ *exec.Cmd }

func start(program string, args ...string) (process, error) {
	p := process{exec.Command(program, args...)}
	p.Stderr = os.Stderr
	// A bench that is killed leaves nothing running.
	p.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return p, p.Start()
}

func (p process) pid() int { return p.Process.Pid }

func (p process) stop() {
	_ = p.Process.Signal(os.Interrupt)
	_ = p.Wait()
}

// remoteServer is the measured server, seen from outside.
type remoteServer struct {
	process
	Place
}

// startServer starts the server on the folder and waits until it is open.
func (b *bench) startServer(folder string) (remoteServer, error) {
	self, err := os.Executable()
	if err != nil {
		return remoteServer{}, err
	}
	place := filepath.Join(folder, "place.json")
	_ = os.Remove(place)
	p, err := start(self, "-serve", folder, "-devices", strconv.Itoa(b.devices))
	if err != nil {
		return remoteServer{}, err
	}
	s := remoteServer{process: p}
	for range 600 {
		if data, err := os.ReadFile(place); err == nil {
			return s, json.Unmarshal(data, &s.Place)
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.stop()
	return s, errors.New("the server did not open")
}

// doorClient keeps a connection for each of the bench's clients: what the door
// itself costs the server shall stay small.
var doorClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * clients}}

// order asks the server's door; into may be nil.
func (s remoteServer) order(method, path string, form url.Values, into any) error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, s.Orders+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := doorClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, data)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(data, into)
}

// waitStreams waits until so many devices hold a stream.
func (s remoteServer) waitStreams(n int) (time.Duration, error) {
	began := time.Now()
	for {
		var open int
		if err := s.order(http.MethodGet, "/streams", nil, &open); err != nil {
			return 0, err
		}
		if open >= n {
			return time.Since(began), nil
		}
		if time.Since(began) > time.Minute+time.Duration(n)*100*time.Millisecond {
			return 0, fmt.Errorf("%d of %d devices are connected", open, n)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// memory returns what the server holds after a collection, and its resident
// memory.
func (s remoteServer) memory() (Memory, int64, error) {
	var m Memory
	err := s.order(http.MethodGet, "/memory", nil, &m)
	return m, resident(s.pid()), err
}

// devicesAt starts simulated devices that come by links, shared out in order.
// Seeds keep the serial numbers of several processes apart.
func (b *bench) devicesAt(links []string, n, seed int) (process, error) {
	args := []string{"simulate", "--devices", strconv.Itoa(n), "--seed", strconv.Itoa(seed)}
	for _, link := range links {
		args = append(args, "--url", link)
	}
	return start(b.agent, args...)
}
