package aside

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"schulwart.org/agent/display"
)

// try looks at one thing as a program does that knows nothing of us, for the
// self-test, which runs it in a pupil's name.
func try(what, argument string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 6*time.Second)
	defer cancel()
	switch what {
	case "reach":
		return reach(ctx, argument)
	case "covered":
		covered, err := display.LooksCovered(argument)
		if err != nil {
			return err
		}
		fmt.Println(covered)
		return nil
	}
	return fmt.Errorf("nothing is called %q", what)
}

// reach connects as a browser does, by name, far enough for the other side to
// have answered.
func reach(ctx context.Context, host string) error {
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
