package main

import (
	"log/slog"
	"net/url"
	"slices"

	"schulwart.org/agent/host"
	"schulwart.org/agent/identity"
	"schulwart.org/agent/words"
)

// driverOptions are what drivers learn at set-up.
type driverOptions struct {
	state   string // directory of the agent's state
	files   host.Files
	clock   host.Clock
	log     *slog.Logger
	servers []string // "host:port" that stay reachable in every mode
	pages   []string // the same, of the pages that pupils read
	home    []string // host names whose pages stay reachable in every mode
}

// optionsFor reads from the identity where the device's server is. Without one,
// drivers can still take back what they did.
func optionsFor(state string, files host.Files, clock host.Clock, id *identity.Identity, log *slog.Logger) driverOptions {
	o := driverOptions{state: state, files: files, clock: clock, log: log}
	if id == nil {
		return o
	}
	for address, list := range map[string]*[]string{id.DeviceURL: &o.servers, id.Pages: &o.pages} {
		if host, port, ok := hostPort(address); ok {
			*list = append(*list, joinPort(host, port))
			o.home = append(o.home, host)
		}
	}
	slices.Sort(o.home)
	return o
}

// hostPort reads an address of the server.
func hostPort(address string) (host, port string, ok bool) {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Hostname() == "" {
		return "", "", false
	}
	port = parsed.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[parsed.Scheme]
	}
	return parsed.Hostname(), port, port != ""
}

// deviceLang is the language of sentences for pupils. The covered screen speaks
// six at once; schools of other countries are not served yet.
const deviceLang = words.German
