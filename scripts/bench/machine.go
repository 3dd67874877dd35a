package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// describeMachine prints what the figures depend on.
func describeMachine(folder string) {
	fmt.Printf("machine: %d cores, %s, %s, %s/%s; fsync %s (median of 50)\n\n", runtime.NumCPU(), model(), memory(), runtime.GOOS, runtime.GOARCH, fsyncTime(folder))
	row("what", "measured", "budget", "how")
}

func model() string {
	data, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(data)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

func memory() string {
	data, _ := os.ReadFile("/proc/meminfo")
	fields := strings.Fields(string(data))
	if len(fields) < 2 {
		return "unknown memory"
	}
	kb, _ := strconv.Atoi(fields[1])
	return fmt.Sprintf("%d GiB", (kb+1<<19)>>20)
}

func fsyncTime(folder string) time.Duration {
	file, err := os.Create(filepath.Join(folder, "fsync"))
	if err != nil {
		return 0
	}
	defer file.Close()
	var times []time.Duration
	for range 50 {
		began := time.Now()
		_, _ = file.Write(make([]byte, 4096))
		_ = file.Sync()
		times = append(times, time.Since(began))
	}
	slices.Sort(times)
	return times[len(times)/2].Round(10 * time.Microsecond)
}

// clockTick is how the kernel counts CPU time in /proc: hundredths of a second
// on every system that we meet.
const clockTick = 10 * time.Millisecond

// cpu returns the CPU time that a process has used.
func cpu(pid int) time.Duration {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name may hold spaces; what follows the last bracket does not.
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * clockTick
}

// resident returns the bytes of memory that a process holds.
func resident(pid int) int64 {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return kb << 10
		}
	}
	return 0
}

func percentile(times []time.Duration, p float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[min(len(times)-1, int(float64(len(times))*p))]
}
