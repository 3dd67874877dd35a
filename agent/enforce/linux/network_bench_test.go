package linux_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/enforce/linux"
	"schulwart.org/agent/host"
	"schulwart.org/scripts/need"
)

const benchVariable = "SCHULWART_BENCH_NETWORK"

// BenchmarkNetworkSet measures what a device needs from rules to read-back, for
// a change each time. It runs in a network namespace of its own, made by
// unshare(1) and gone with it.
func BenchmarkNetworkSet(b *testing.B) {
	if os.Getenv(benchVariable) == "" {
		need.Root(b)
		unshare := need.Tool(b, "unshare")
		cmd := exec.Command(unshare, "--net", "--", os.Args[0], "-test.run=^$", "-test.bench=^BenchmarkNetworkSet$", "-test.benchtime=40x")
		cmd.Env = append(os.Environ(), benchVariable+"=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		for _, line := range strings.Split(string(out), "\n") {
			if strings.HasPrefix(line, "BenchmarkNetworkSet") {
				b.Log(line)
			}
		}
		return
	}
	for name, rules := range map[string]enforce.Network{"offline": offline, "sites": only, "open": open} {
		b.Run(name, func(b *testing.B) {
			driver := linux.NewNetwork(host.NewNetwork(), linux.NetworkOptions{Server: []string{"192.0.2.10:443"}, Clock: host.NewClock("")})
			defer driver.Close()
			var longest time.Duration
			for i := range b.N {
				from := deny
				if i%2 == 0 {
					from = only
				}
				b.StopTimer()
				if err := driver.Set(b.Context(), enforce.Rules{Network: from}); err != nil {
					b.Fatal(err)
				}
				// A mode comes alone: the kernel frees the former rules in peace.
				time.Sleep(50 * time.Millisecond)
				start := time.Now()
				b.StartTimer()
				rules.Release += 10 * time.Second
				if err := driver.Set(b.Context(), enforce.Rules{Network: rules}); err != nil {
					b.Fatal(err)
				}
				if got := driver.Check(b.Context()); got.State != "ok" {
					reading, _ := json.Marshal(got)
					b.Fatalf("read back %s", reading)
				}
				longest = max(longest, time.Since(start))
			}
			b.ReportMetric(float64(longest.Microseconds())/1000, "ms-longest")
		})
	}
}
