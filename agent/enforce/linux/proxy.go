package linux

import (
	"context"
	"slices"
	"strings"

	"schulwart.org/agent/enforce"
	"schulwart.org/policies/catalog"
)

// proxy tells programs through what they reach the web: those that read their
// environment, apt, and GNOME. Browsers are told by their own driver. An
// automatic address is read by browsers and GNOME alone.
var proxy = Family{
	Of: catalog.Proxy,
	Files: func(s catalog.Settings, before Before) (map[string]File, error) {
		files := dconfFiles("proxy", proxyKeys(s))
		if files == nil {
			files = map[string]File{}
		}
		server := s.Text("server")
		if server == "" {
			return files, nil
		}
		environment, err := before(environmentFile)
		if err != nil {
			return nil, err
		}
		files[environmentFile] = File{Data: withEnvironment(environment, proxyEnvironment(s))}
		files[aptProxyFile] = File{Data: []byte(`Acquire::http::Proxy "http://` + server + `";` + "\n" + `Acquire::https::Proxy "http://` + server + `";` + "\n")}
		return files, nil
	},
	Apply: func(ctx context.Context, d *Doors, _ catalog.Settings) error {
		if !d.Commands.Has("dconf") {
			return nil
		}
		return dconfApply(ctx, d)
	},
	Look: func(ctx context.Context, d *Doors, s catalog.Settings) *enforce.Reading {
		if !d.Commands.Has("dconf") {
			return nil // nothing of GNOME's is here
		}
		return dconfLook(ctx, d, proxyKeys(s))
	},
}

const (
	environmentFile = "/etc/environment"
	aptProxyFile    = "/etc/apt/apt.conf.d/95schulwart-proxy"
)

func proxyKeys(s catalog.Settings) []dconfKey {
	const base = "/system/proxy/"
	key := func(path, value string) dconfKey { return dconfKey{base + path, value, true} }
	if address := s.Text("automatic"); address != "" {
		return []dconfKey{key("mode", "'auto'"), key("autoconfig-url", dconfText(address))}
	}
	server := s.Text("server")
	if server == "" {
		return nil
	}
	name, port := server[:strings.LastIndexByte(server, ':')], server[strings.LastIndexByte(server, ':')+1:]
	name = strings.Trim(name, "[]")
	ignored := make([]string, 0, 4)
	for _, host := range proxyDirect(s) {
		ignored = append(ignored, dconfText(host))
	}
	return []dconfKey{
		key("mode", "'manual'"), key("ignore-hosts", "["+strings.Join(ignored, ", ")+"]"),
		key("http/host", dconfText(name)), key("http/port", port), key("https/host", dconfText(name)), key("https/port", port),
	}
}

// proxyDirect are the names that are reached directly; a leading dot stands for
// everything below.
func proxyDirect(s catalog.Settings) []string {
	direct := []string{"localhost", "127.0.0.1", "::1"}
	for _, pattern := range s.List("exceptions") {
		host, exact := hostOf(pattern)
		direct = append(direct, host)
		if !exact {
			direct = append(direct, "."+host)
		}
	}
	return direct
}

func proxyEnvironment(s catalog.Settings) map[string]string {
	through, direct := "http://"+s.Text("server"), strings.Join(proxyDirect(s), ",")
	return map[string]string{
		"http_proxy": through, "https_proxy": through, "HTTP_PROXY": through, "HTTPS_PROXY": through, "no_proxy": direct, "NO_PROXY": direct,
	}
}

// withEnvironment returns the file with our variables in place of those of the
// same names (pam_env(8)).
func withEnvironment(before []byte, values map[string]string) []byte {
	var kept []string
	for line := range strings.Lines(string(before)) {
		name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		if _, ours := values[strings.TrimSpace(name)]; !ours {
			kept = append(kept, strings.TrimRight(line, "\n"))
		}
	}
	for _, name := range sorted(values) {
		kept = append(kept, name+"="+values[name])
	}
	return []byte(strings.Join(slices.Clip(kept), "\n") + "\n")
}
