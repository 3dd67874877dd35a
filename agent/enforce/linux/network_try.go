package linux

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/policies/ddm"
)

// Trial is one thing that was tried on the real machine, from the side of a
// program that knows nothing of us.
type Trial struct {
	Key  string // words.Text has a sentence for it
	Host string // what was tried, if anything
	OK   bool
	Took time.Duration
	Err  error // what came instead
}

// How long a rule of a trial lasts if this process dies in the middle of it, and
// what still counts as at once.
const (
	trialRelease = 20 * time.Second
	trialAtOnce  = 2 * time.Second
	trialWait    = 6 * time.Second
)

// TryNetwork applies each way of limiting the network for a moment and looks what
// is reached: site and other are host names that answer on port 443, server is
// host:port of the management server. Afterwards the rules given as former are in
// force again. Nobody else may drive the network meanwhile: a running agent would
// repair what this does.
func TryNetwork(ctx context.Context, driver enforce.Driver, site, other, server string, former enforce.Rules) []Trial {
	var trials []Trial
	try := func(key, host string, reached bool) {
		trial := Trial{Key: key, Host: host}
		start := time.Now()
		err := reach(ctx, host)
		trial.Took = time.Since(start)
		trial.OK = (err == nil) == reached && (reached || trial.Took < trialAtOnce)
		if !trial.OK {
			trial.Err = err
		}
		trials = append(trials, trial)
	}
	set := func(key string, network enforce.Network) {
		start := time.Now()
		err := driver.Set(ctx, enforce.Rules{Network: network})
		trial := Trial{Key: key, Took: time.Since(start), Err: err}
		if err == nil {
			trial.OK = driver.Check(ctx).State == ddm.PartOK
		}
		trials = append(trials, trial)
	}
	set("try.network.open", enforce.Network{})
	try("try.network.reached", site, true)
	try("try.network.reached", other, true)
	set("try.network.offline", enforce.Network{Reach: enforce.Never, Release: trialRelease})
	try("try.network.refused", site, false)
	try("try.network.server", server, true)
	set("try.network.sites", enforce.Network{Reach: enforce.Only, Allow: []string{site}, Release: trialRelease})
	try("try.network.reached", site, true)
	try("try.network.refused", other, false)
	try("try.network.server", server, true)
	set("try.network.filter", enforce.Network{Deny: []string{other}})
	try("try.network.reached", site, true)
	try("try.network.refused", other, false)
	set("try.network.open", enforce.Network{})
	try("try.network.reached", other, true)

	start := time.Now()
	err := driver.Set(context.WithoutCancel(ctx), former)
	return append(trials, Trial{Key: "try.network.former", OK: err == nil, Took: time.Since(start), Err: err})
}

// reach connects as a browser does, by name, and speaks TLS far enough for the
// other side to have answered.
func reach(ctx context.Context, host string) error {
	ctx, cancel := context.WithTimeout(ctx, trialWait)
	defer cancel()
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = host, "443"
	}
	// Whether the certificate is good is not the question here, and nothing is
	// sent over the connection.
	dialer := tls.Dialer{Config: &tls.Config{ServerName: name, InsecureSkipVerify: true}} //nolint:gosec
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(name, port))
	if err != nil {
		return err
	}
	return conn.Close()
}
