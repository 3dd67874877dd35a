package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"schulwart.org/server/config"
)

// simulator is the process that pretends to be devices.
type simulator struct {
	process *exec.Cmd
	client  http.Client

	mu      sync.Mutex
	address string
}

// startSimulator starts schulwart-agent simulate and learns where its control
// is.
func startSimulator(ctx context.Context, c *config.DemoCommand, world World, log *slog.Logger) (*simulator, error) {
	program := c.Agent
	if program == "" {
		program = beside("schulwart-agent")
	}
	if _, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("the demo needs the program schulwart-agent: %w; name it with --agent", err)
	}
	s := &simulator{client: http.Client{Timeout: 5 * time.Second}}
	if c.Devices == 0 {
		return s, nil
	}
	plan := filepath.Join(c.Data, "simulated.json")
	if err := world.writePlan(plan); err != nil {
		return nil, fmt.Errorf("planning simulated devices: %w", err)
	}
	s.process = exec.CommandContext(ctx, program, "simulate", "--plan", plan,
		"--lag", "--drop", "--tamper", "--control", "127.0.0.1:0", "--state", filepath.Join(c.Data, "simulated"))
	// It ends in good order, also when somebody presses Ctrl-C at the terminal.
	s.process.Cancel = func() error { return s.process.Process.Signal(os.Interrupt) }
	s.process.WaitDelay = 5 * time.Second
	said, err := s.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.process.Stderr = os.Stderr
	if err := s.process.Start(); err != nil {
		return nil, fmt.Errorf("starting simulated devices: %w", err)
	}
	go s.listen(said, log)
	return s, nil
}

func (s *simulator) listen(said io.Reader, log *slog.Logger) {
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "control "); ok {
			s.mu.Lock()
			s.address = address
			s.mu.Unlock()
			continue
		}
		log.Debug("simulated devices", "said", lines.Text())
	}
}

func (s *simulator) stop() error {
	if s.process == nil {
		return nil
	}
	_ = s.process.Process.Signal(os.Interrupt)
	err := s.process.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) || errors.Is(err, context.Canceled) {
		return nil // told to end
	}
	return err
}

var errNotYet = errors.New("demo: the simulated devices are still starting")

// ask talks to the control. into may be nil.
func (s *simulator) ask(ctx context.Context, method, path string, order, into any) error {
	s.mu.Lock()
	address := s.address
	s.mu.Unlock()
	if address == "" {
		return errNotYet
	}
	var body io.Reader
	if order != nil {
		data, err := json.Marshal(order)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, address+path, body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := s.client.Do(request)
	if err != nil {
		return fmt.Errorf("asking the simulated devices: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 1000))
		return fmt.Errorf("asking the simulated devices: %s: %s", answer.Status, text)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(answer.Body).Decode(into)
}

// view is a simulated device, as far as the stage shows it.
type view struct {
	Name      string  `json:"name"`
	Serial    string  `json:"serial"`
	On        bool    `json:"on"`
	Cut       bool    `json:"cut"`
	ClockMove float64 `json:"clock_moved_seconds"`
	Pupil     struct {
		Internet string    `json:"internet"`
		Screen   *struct{} `json:"screen"`
	} `json:"pupil"`
	Status *struct {
		Time   time.Time `json:"time"`
		Leases []struct {
			ID      string    `json:"id"`
			Kind    string    `json:"kind"`
			Phase   string    `json:"phase"`
			By      string    `json:"by"`
			Until   time.Time `json:"until"`
			Sites   []string  `json:"sites"`
			Apps    []string  `json:"apps"`
			Message string    `json:"message"`
		} `json:"leases"`
	} `json:"status"`
}
