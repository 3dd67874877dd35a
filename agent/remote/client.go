// Package remote carries words between the device and its server: Apple's
// messages over mutual TLS, and one event stream that wakes the device. It
// decides nothing; what it brings and takes stands in the Device interface.
package remote

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"schulwart.org/agent/identity"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/mdm"
)

// Fault is the server's word that it does not answer as asked.
type Fault struct {
	Status int
	Reason string        // of mdm.RefusalHeader
	After  time.Duration // Retry-After, zero if it named none
}

func (f Fault) Error() string { return fmt.Sprintf("remote: server answers %d %s", f.Status, f.Reason) }

// reasonOf returns for what reason the server refused, empty if it did not.
func reasonOf(err error) string {
	var fault Fault
	var refused identity.Refused
	switch {
	case errors.As(err, &fault):
		return fault.Reason
	case errors.As(err, &refused):
		return refused.Reason
	}
	return ""
}

// largest is more than any answer of a server of ours.
const largest = 4 << 20

// client speaks as one device.
type client struct {
	id   *identity.Identity
	http *http.Client
	// heard is told the server's time after each answer.
	heard func(time.Time)
}

// newClient returns a client whose idle connections end before the server would
// end them: a request into a closing connection is a needless fault.
//
// proven, if not nil, is told the address behind each connection on which the
// server showed a certificate of the device's authority.
func newClient(id *identity.Identity, now func() time.Time, heard func(time.Time), proven func(netip.AddrPort)) *client {
	// The server's heartbeats show that a path lives; probes of our own every few
	// seconds, as is usual, would be most of an idle day's traffic.
	dialer := &net.Dialer{Timeout: 15 * time.Second, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Minute, Interval: 15 * time.Second, Count: 4}}
	config := id.TLS(now)
	// Used where no proxy lies between: behind one, the address is the proxy's.
	direct := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := secure(ctx, dialer, config, network, addr)
		if err == nil && proven != nil {
			if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
				proven(tcp.AddrPort())
			}
		}
		return conn, err
	}
	return &client{id: id, heard: heard, http: &http.Client{Transport: &http.Transport{
		TLSClientConfig: config, DialContext: dialer.DialContext, DialTLSContext: direct, Proxy: http.ProxyFromEnvironment,
		TLSHandshakeTimeout: handshakePatience, ResponseHeaderTimeout: 60 * time.Second,
		MaxIdleConnsPerHost: 1, IdleConnTimeout: 8 * time.Second, DisableCompression: true,
		ReadBufferSize: 2 << 10, WriteBufferSize: 2 << 10,
	}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

const handshakePatience = 15 * time.Second

// secure connects and returns after the server has proved who it is.
func secure(ctx context.Context, dialer *net.Dialer, config *tls.Config, network, addr string) (net.Conn, error) {
	name, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	raw, err := dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	named := config.Clone()
	named.ServerName = name
	conn := tls.Client(raw, named)
	ctx, cancel := context.WithTimeout(ctx, handshakePatience)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return conn, nil
}

// Content types of Apple's messages.
const (
	checkInType = "application/x-apple-aspen-mdm-checkin"
	resultType  = "application/x-apple-aspen-mdm"
)

// put sends a message and returns the answer's body.
func (c *client) put(ctx context.Context, contentType string, message any) ([]byte, error) {
	answer, _, err := c.exchange(ctx, contentType, message)
	return answer, err
}

// exchange is put that returns the answer's head, too.
func (c *client) exchange(ctx context.Context, contentType string, message any) ([]byte, http.Header, error) {
	body, err := mdm.Encode(message)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, c.id.DeviceURL+"/mdm", bytes.NewReader(body))
	if err != nil {
		return nil, nil, fmt.Errorf("sending message: %w", err)
	}
	request.Header.Set("Content-Type", contentType)
	sent := time.Now()
	response, err := c.http.Do(request)
	if err != nil {
		return nil, nil, fmt.Errorf("sending message: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, largest))
	if err != nil {
		return nil, nil, fmt.Errorf("reading answer: %w", err)
	}
	if response.StatusCode == http.StatusOK || reasonIn(response) != "" {
		c.listen(response, time.Since(sent))
	}
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusNoContent {
		return nil, nil, faultOf(response)
	}
	return answer, response.Header, nil
}

func reasonIn(response *http.Response) string { return response.Header.Get(mdm.RefusalHeader) }

func faultOf(response *http.Response) Fault {
	fault := Fault{Status: response.StatusCode, Reason: reasonIn(response)}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
		fault.After = min(time.Duration(seconds)*time.Second, longestBackoff)
	}
	return fault
}

// listen takes the server's time from an answer. The header counts whole
// seconds; an answer that was long under way tells no time.
func (c *client) listen(response *http.Response, underWay time.Duration) {
	at, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil || underWay > 2*time.Second {
		return
	}
	c.heard(at.Add(500*time.Millisecond + underWay/2))
}

// checkIn sends one of the messages without an answer.
func (c *client) checkIn(ctx context.Context, message mdm.CheckIn) error {
	message.UDID = c.id.UDID
	message.Topic = c.id.Topic
	_, err := c.put(ctx, checkInType, message)
	return err
}

// ddm asks an endpoint of declarative management.
func (c *client) ddm(ctx context.Context, endpoint string, data []byte) ([]byte, error) {
	return c.put(ctx, checkInType, c.asks(endpoint, data))
}

func (c *client) asks(endpoint string, data []byte) mdm.CheckIn {
	return mdm.CheckIn{MessageType: mdm.DeclarativeManagement, Enrollment: mdm.Enrollment{UDID: c.id.UDID}, Endpoint: endpoint, Data: data}
}

func (c *client) tokens(ctx context.Context) (string, error) {
	data, err := c.ddm(ctx, mdm.EndpointTokens, nil)
	if err != nil {
		return "", err
	}
	var tokens ddm.SyncTokens
	if err := json.Unmarshal(data, &tokens); err != nil {
		return "", fmt.Errorf("reading tokens: %w", err)
	}
	if tokens.SyncTokens.DeclarationsToken == "" {
		return "", errors.New("reading tokens: there is none")
	}
	return tokens.SyncTokens.DeclarationsToken, nil
}

func (c *client) manifest(ctx context.Context) (ddm.Manifest, error) {
	data, err := c.ddm(ctx, mdm.EndpointItems, nil)
	if err != nil {
		return ddm.Manifest{}, err
	}
	return parseManifest(data)
}

func parseManifest(data []byte) (ddm.Manifest, error) {
	var manifest ddm.Manifest
	if err := json.Unmarshal(data, &manifest); err != nil {
		return ddm.Manifest{}, fmt.Errorf("reading manifest: %w", err)
	}
	if manifest.DeclarationsToken == "" {
		return ddm.Manifest{}, errors.New("reading manifest: it has no token")
	}
	return manifest, nil
}

func (c *client) declaration(ctx context.Context, class ddm.Class, id string) (ddm.Declaration, error) {
	data, err := c.ddm(ctx, mdm.EndpointDeclaration+string(class)+"/"+id, nil)
	if err != nil {
		return ddm.Declaration{}, err
	}
	var declaration ddm.Declaration
	if err := json.Unmarshal(data, &declaration); err != nil {
		return ddm.Declaration{}, fmt.Errorf("reading declaration: %w", err)
	}
	return declaration, nil
}

// report tells the server how the device is. quiet says that no commands wait,
// as far as the server said.
func (c *client) report(ctx context.Context, status ddm.StatusReport) (quiet bool, err error) {
	data, err := json.Marshal(status)
	if err != nil {
		return false, fmt.Errorf("encoding report: %w", err)
	}
	_, head, err := c.exchange(ctx, checkInType, c.asks(mdm.EndpointStatus, data))
	return head.Get(mdm.CommandsHeader) == mdm.NoCommands, err
}
