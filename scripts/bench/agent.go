package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// measureAgent measures what the agent costs a laptop: its size, its memory and
// its processor time while nothing happens, and how long a mode takes on the
// device once its declaration is there.
func (b *bench) measureAgent() error {
	info, err := os.Stat(b.agent)
	if err != nil {
		return err
	}
	row("agent, size on disk", fmt.Sprintf("%.2f MB", float64(info.Size())/1e6), "≤ 10 MB", "stripped, linux on this processor")
	server, err := b.startServer(filepath.Join(b.folder, "agent"))
	if err != nil {
		return err
	}
	defer server.stop()
	one, err := b.devicesAt([]string{server.Class}, 1, 3)
	if err != nil {
		return err
	}
	defer one.stop()
	if _, err := server.waitStreams(1); err != nil {
		return err
	}
	time.Sleep(5 * time.Second)
	const watch = 30 * time.Second
	used := cpu(one.pid())
	time.Sleep(watch)
	used = cpu(one.pid()) - used
	row("agent, resident memory", fmt.Sprintf("%.1f MB", float64(resident(one.pid()))/1e6), "≤ 15 MB", "the real loop with one pretended machine")
	row("agent, idle", fmt.Sprintf("%.2f %% CPU", 100*used.Seconds()/watch.Seconds()), "≤ 0.1 % CPU", "the same over 30 s; the real drivers are not in it")
	if err := b.applyTime(); err != nil {
		return err
	}
	return b.cutTime()
}

// cutTime runs the driver's test of open downloads and sockets, which tells how
// long each lived on after a mode was ordered.
func (b *bench) cutTime() error {
	run := exec.Command("go", "test", "-tags", "nomsgpack", "-count", "1", "-v", "-run", "^TestEstablishedConnectionsAreCut$", "./agent/enforce/linux/")
	said, err := run.CombinedOutput()
	var took []time.Duration
	for line := range strings.Lines(string(said)) {
		if _, after, ok := strings.Cut(strings.TrimSpace(line), " cut after "); ok {
			if lived, err := time.ParseDuration(after); err == nil {
				took = append(took, lived)
			}
		}
	}
	if err != nil || len(took) == 0 {
		row("established connections cut", "not measured", "≤ 100 ms", "needs root and network namespaces")
		return nil //nolint:nilerr // a figure that is missing, said so
	}
	row("established connections cut, the slowest of "+strconv.Itoa(len(took)), fmt.Sprintf("%.1f ms", slices.Max(took).Seconds()*1000), "≤ 100 ms", "from Set to the reset, downloads and idle sockets, IPv4 and IPv6")
	return nil
}

// applyTime runs the network driver's own benchmark against a real kernel, where
// namespaces are to be had.
func (b *bench) applyTime() error {
	if os.Geteuid() != 0 {
		row("mode applied on the device (network part)", "not measured", "≤ 20 ms", "needs root, for a network namespace")
		return nil
	}
	run := exec.Command("go", "test", "-tags", "nomsgpack", "-run", "^$", "-bench", "BenchmarkNetworkSet", "-benchtime", "50x", "./agent/enforce/linux/")
	said, err := run.CombinedOutput()
	if err != nil {
		row("mode applied on the device (network part)", "not measured", "≤ 20 ms", "its benchmark did not run here")
		return nil //nolint:nilerr // a figure that is missing, said so
	}
	for line := range strings.Lines(string(said)) {
		if strings.HasPrefix(line, "BenchmarkNetworkSet") {
			fields := strings.Fields(line)
			row("mode applied: "+strings.TrimPrefix(fields[0], "BenchmarkNetworkSet"), strings.Join(fields[2:], " "), "≤ 20 ms", "from Set to read-back, real nftables in a namespace")
		}
	}
	return nil
}
