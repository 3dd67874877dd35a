package gate

import (
	"errors"
	"net/netip"
	"strings"
)

// Faults of what a client said first.
var (
	errMore  = errors.New("gate: hello is not complete")
	errHello = errors.New("gate: not a TLS hello")
)

// hello is what a TLS ClientHello says openly.
type hello struct {
	// name is the server name as asked for (RFC 6066), lower case, empty if there
	// is none. With an encrypted hello it is the outer name; the inner one can lie
	// only with the servers of the outer, to which the connection goes.
	name string
}

// parseHello reads a ClientHello from the first bytes of a connection. It may be
// spread over several records and many reads: errMore asks for more bytes.
func parseHello(data []byte) (hello, error) {
	message, err := handshake(data)
	if err != nil {
		return hello{}, err
	}
	return readHello(message)
}

// handshake puts the first handshake message together (RFC 8446, section 5.1).
func handshake(data []byte) ([]byte, error) {
	var message []byte
	for {
		if len(data) < 5 {
			if len(data) > 0 && data[0] != 22 {
				return nil, errHello
			}
			return nil, errMore
		}
		length := int(data[3])<<8 | int(data[4])
		// Every version of the record layer starts with 3.
		if data[0] != 22 || data[1] != 3 || length == 0 || length > 1<<14 {
			return nil, errHello
		}
		if len(data) < 5+length {
			message = append(message, data[5:]...)
			return nil, incomplete(message)
		}
		message = append(message, data[5:5+length]...)
		data = data[5+length:]
		if len(message) < 4 {
			continue
		}
		if err := incomplete(message); err != errMore {
			return nil, err
		}
		if size := sizeOf(message); len(message) >= 4+size {
			return message[4 : 4+size], nil
		}
	}
}

func sizeOf(message []byte) int {
	return int(message[1])<<16 | int(message[2])<<8 | int(message[3])
}

// incomplete says whether waiting for the rest of a message makes sense.
func incomplete(message []byte) error {
	if len(message) > 0 && message[0] != 1 {
		return errHello
	}
	if len(message) >= 4 && sizeOf(message) > maxHello {
		return errHello
	}
	return errMore
}

// readHello reads the body of a ClientHello (RFC 8446, section 4.1.2).
func readHello(body []byte) (hello, error) {
	r := reader{body}
	r.skip(2 + 32)    // version, random
	r.skip(r.uint(1)) // session id
	r.skip(r.uint(2)) // cipher suites
	r.skip(r.uint(1)) // compression methods
	if r.failed() {
		return hello{}, errHello
	}
	if len(r.data) == 0 {
		return hello{}, nil // no extensions, as old clients do
	}
	extensions := reader{r.take(r.uint(2))}
	var found hello
	named := false
	for !extensions.failed() && len(extensions.data) > 0 {
		kind := extensions.uint(2)
		content := extensions.take(extensions.uint(2))
		if extensions.failed() {
			return hello{}, errHello
		}
		if kind != 0 {
			continue
		}
		// Two names would let one be checked and the other be served.
		if named {
			return hello{}, errHello
		}
		named = true
		name, err := readServerName(content)
		if err != nil {
			return hello{}, err
		}
		found.name = name
	}
	if r.failed() || extensions.failed() {
		return hello{}, errHello
	}
	return found, nil
}

func readServerName(content []byte) (string, error) {
	r := reader{content}
	list := reader{r.take(r.uint(2))}
	kind := list.uint(1)
	name := list.take(list.uint(2))
	if r.failed() || list.failed() || len(r.data) > 0 || len(list.data) > 0 || kind != 0 {
		return "", errHello
	}
	host, _, ok := hostName(string(name))
	if !ok {
		return "", errHello
	}
	return host, nil
}

// reader takes numbers and strings from the front. After a fault its data is nil
// and everything it returns is empty.
type reader struct{ data []byte }

func (r *reader) failed() bool { return r.data == nil }

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.data) || r.data == nil {
		r.data = nil
		return nil
	}
	taken := r.data[:n:n]
	r.data = r.data[n:]
	return taken
}

func (r *reader) skip(n int) { r.take(n) }

func (r *reader) uint(bytes int) int {
	taken := r.take(bytes)
	if len(taken) != bytes {
		return -1
	}
	value := 0
	for _, b := range taken {
		value = value<<8 | int(b)
	}
	return value
}

// hostName brings a name as clients write it ("Example.org.:80") into the form
// in which names are compared. literal says that it is an address and no name;
// ok is false for what is neither.
func hostName(text string) (name string, literal, ok bool) {
	text = strings.ToLower(text)
	if rest, found := strings.CutPrefix(text, "["); found {
		inside, after, closed := strings.Cut(rest, "]")
		_, err := netip.ParseAddr(inside)
		return "", true, closed && err == nil && (after == "" || isPort(after))
	}
	if _, err := netip.ParseAddr(text); err == nil {
		return "", true, true
	}
	if host, port, found := strings.Cut(text, ":"); found {
		if !isPort(":" + port) {
			return "", false, false
		}
		text = host
	}
	if _, err := netip.ParseAddr(text); err == nil {
		return "", true, true
	}
	text = strings.TrimSuffix(text, ".")
	if text == "" || len(text) > 253 || !nameCharacters(text) {
		return "", false, false
	}
	return text, false, true
}

func isPort(text string) bool {
	if len(text) < 1 || len(text) > 6 || text[0] != ':' {
		return false
	}
	for _, digit := range text[1:] {
		if digit < '0' || digit > '9' {
			return false
		}
	}
	return true
}

// nameCharacters allows what is found in host names in practice, and nothing
// that another program could read differently.
func nameCharacters(text string) bool {
	for _, label := range strings.Split(text, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
				return false
			}
		}
	}
	return true
}

// speaksHTTP reports whether the first bytes can be a request line.
func speaksHTTP(data []byte) bool {
	for i, c := range data {
		switch {
		case c >= 'A' && c <= 'Z' && i < 16:
		case c == ' ':
			return i > 0
		default:
			return false
		}
	}
	return true
}
