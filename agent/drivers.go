package main

import (
	"log/slog"
	"net/url"

	"schulwart.org/agent/host"
	"schulwart.org/agent/identity"
	"schulwart.org/agent/words"
)

// driverOptions are what drivers learn at set-up.
type driverOptions struct {
	files   host.Files
	clock   host.Clock
	log     *slog.Logger
	servers []string // "host:port" that stay reachable in every mode
	home    []string // host names whose pages stay reachable in every mode
}

// optionsFor reads from the identity where the device's server is. Without one,
// drivers can still take back what they did.
func optionsFor(files host.Files, clock host.Clock, id *identity.Identity, log *slog.Logger) driverOptions {
	o := driverOptions{files: files, clock: clock, log: log}
	if id == nil {
		return o
	}
	for _, address := range []string{id.DeviceURL, id.Issuer} {
		parsed, err := url.Parse(address)
		if err != nil || parsed.Hostname() == "" {
			continue
		}
		port := parsed.Port()
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[parsed.Scheme]
		}
		if port == "" {
			continue
		}
		o.servers = append(o.servers, joinPort(parsed.Hostname(), port))
		o.home = append(o.home, parsed.Hostname())
	}
	return o
}

// deviceLang is the language of sentences for pupils. The covered screen speaks
// six at once; schools of other countries are not served yet.
const deviceLang = words.German
