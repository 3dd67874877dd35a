package host

import (
	"bufio"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// Where a system keeps the name servers behind its stub: systemd-resolved
// (https://www.freedesktop.org/software/systemd/man/systemd-resolved.service.html)
// and NetworkManager (man 5 NetworkManager.conf, rc-manager).
var behindStubs = []string{
	"/run/systemd/resolve/resolv.conf",
	"/run/NetworkManager/no-stub-resolv.conf",
	"/run/NetworkManager/resolv.conf",
}

// NameServers reads resolv.conf, and what lies behind a stub.
func (n *SystemNetwork) NameServers() NameServers {
	configured := readServers("/etc/resolv.conf")
	if direct := notLoopback(configured); len(direct) > 0 {
		return NameServers{Servers: direct}
	}
	for _, file := range behindStubs {
		if direct := notLoopback(readServers(file)); len(direct) > 0 {
			return NameServers{Servers: direct}
		}
	}
	for _, stub := range configured {
		if user, ok := userOf(stub); ok {
			return NameServers{Servers: []netip.AddrPort{stub}, Stub: true, StubUser: user}
		}
	}
	return NameServers{}
}

func notLoopback(servers []netip.AddrPort) []netip.AddrPort {
	var kept []netip.AddrPort
	for _, server := range servers {
		if !server.Addr().IsLoopback() {
			kept = append(kept, server)
		}
	}
	return kept
}

func readServers(file string) []netip.AddrPort {
	var servers []netip.AddrPort
	for _, fields := range readFields(file) {
		if len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		if addr, err := netip.ParseAddr(fields[1]); err == nil {
			servers = append(servers, netip.AddrPortFrom(addr.Unmap(), 53))
		}
	}
	return servers
}

// usualTimeServers are the names that distributions ship.
var usualTimeServers = []string{
	"pool.ntp.org", "ntp.ubuntu.com", "ptb.de", "time.cloudflare.com", "time.google.com",
}

// TimeServers reads the settings of systemd-timesyncd, chrony and ntpd, and adds
// the names that distributions ship.
func (n *SystemNetwork) TimeServers() []string {
	seen := map[string]bool{}
	names := append([]string(nil), usualTimeServers...)
	for _, name := range usualTimeServers {
		seen[name] = true
	}
	add := func(name string) {
		if _, err := netip.ParseAddr(name); err == nil || seen[name] || !strings.Contains(name, ".") {
			return
		}
		seen[name] = true
		names = append(names, name)
	}
	for _, file := range configFiles("/etc/systemd/timesyncd.conf", "/etc/systemd/timesyncd.conf.d/*.conf", "/usr/lib/systemd/timesyncd.conf.d/*.conf", "/run/systemd/timesyncd.conf.d/*.conf") {
		for _, fields := range readFields(file) {
			key, first, _ := strings.Cut(fields[0], "=")
			if key != "NTP" && key != "FallbackNTP" {
				continue
			}
			for _, name := range append([]string{first}, fields[1:]...) {
				add(name)
			}
		}
	}
	for _, file := range configFiles("/etc/chrony/chrony.conf", "/etc/chrony.conf", "/etc/chrony/*.d/*", "/run/chrony-dhcp/*", "/etc/ntp.conf", "/etc/ntpsec/ntp.conf") {
		for _, fields := range readFields(file) {
			if len(fields) > 1 && (fields[0] == "server" || fields[0] == "pool" || fields[0] == "peer") {
				add(fields[1])
			}
		}
	}
	return names
}

func configFiles(patterns ...string) []string {
	var files []string
	for _, pattern := range patterns {
		found, _ := filepath.Glob(pattern)
		files = append(files, found...)
	}
	return files
}

// readFields returns the words of each line that is no comment; none of a file
// that cannot be read.
func readFields(file string) [][]string {
	open, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer open.Close()
	var lines [][]string
	scanner := bufio.NewScanner(open)
	for scanner.Scan() {
		line := strings.TrimSpace(scanner.Text())
		if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue
		}
		lines = append(lines, strings.Fields(line))
	}
	return lines
}
