package display

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// The message bus of a session, as far as one call needs it: programs' libraries
// for it weigh more than all our drawing.
// https://dbus.freedesktop.org/doc/dbus-specification.html

var (
	errBus     = errors.New("message bus speaks otherwise")
	errAddress = errors.New("message bus has no address that is known here")
)

const longestMessage = 1 << 20 // what we ask for is answered in bytes

// bus is a connection to a message bus.
type bus struct {
	conn   net.Conn
	in     *bufio.Reader
	serial uint32
}

// dialBus connects to the first address that works, as the user of this process.
func dialBus(addresses string, deadline time.Time) (*bus, error) {
	fault := errAddress
	for _, address := range strings.Split(addresses, ";") {
		path, ok := socketOf(address)
		if !ok {
			continue
		}
		conn, err := (&net.Dialer{Deadline: deadline}).Dial("unix", path)
		if err != nil {
			fault = err
			continue
		}
		_ = conn.SetDeadline(deadline)
		b := &bus{conn: conn, in: bufio.NewReader(conn)}
		if err := b.greet(); err != nil {
			_ = conn.Close()
			fault = err
			continue
		}
		return b, nil
	}
	return nil, fault
}

// socketOf reads "unix:path=/run/user/1000/bus,guid=…".
func socketOf(address string) (path string, ok bool) {
	rest, ok := strings.CutPrefix(address, "unix:")
	if !ok {
		return "", false
	}
	for _, pair := range strings.Split(rest, ",") {
		key, value, _ := strings.Cut(pair, "=")
		value, err := url.PathUnescape(value)
		switch {
		case err != nil:
		case key == "path":
			return value, true
		case key == "abstract":
			return "@" + value, true
		}
	}
	return "", false
}

// greet says who we are; the bus looks whether that is so (SASL EXTERNAL).
func (b *bus) greet() error {
	user := hex.EncodeToString([]byte(strconv.Itoa(os.Getuid())))
	if _, err := io.WriteString(b.conn, "\x00AUTH EXTERNAL "+user+"\r\n"); err != nil {
		return err
	}
	line, err := b.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(string(line), "OK ") {
		return errBus
	}
	if _, err := io.WriteString(b.conn, "BEGIN\r\n"); err != nil {
		return err
	}
	const name = "org.freedesktop.DBus"
	return b.call(call{to: name, path: "/org/freedesktop/DBus", face: name, method: "Hello"})
}

func (b *bus) close() { _ = b.conn.Close() }

// call is one call of a method.
type call struct {
	to, path, face, method string
	signature              string
	body                   wire
}

// call returns after the answer came, with the error that it names.
func (b *bus) call(c call) error {
	b.serial++
	if _, err := b.conn.Write(c.message(b.serial)); err != nil {
		return err
	}
	for {
		answer, err := readMessage(b.in)
		if err != nil {
			return err
		}
		if answer.replyTo != b.serial {
			continue // a signal, such as that we have a name now
		}
		switch answer.kind {
		case methodReturn:
			return nil
		case methodError:
			return fmt.Errorf("message bus: %s", answer.fault)
		}
	}
}

// Kinds of messages, and the fields of their heads.
const (
	methodCall, methodReturn, methodError = 1, 2, 3

	fieldPath, fieldInterface, fieldMember, fieldError = 1, 2, 3, 4
	fieldReplySerial, fieldDestination, fieldSignature = 5, 6, 8
)

func (c call) message(serial uint32) []byte {
	var fields wire
	field := func(number byte, kind, value string) {
		fields.align(8)
		fields.byte(number)
		fields.signature(kind)
		if kind == "g" {
			fields.signature(value)
		} else {
			fields.string(value)
		}
	}
	field(fieldPath, "o", c.path)
	field(fieldInterface, "s", c.face)
	field(fieldMember, "s", c.method)
	field(fieldDestination, "s", c.to)
	if c.signature != "" {
		field(fieldSignature, "g", c.signature)
	}
	head := wire{'l', methodCall, 0, 1}
	head.uint32(uint32(len(c.body)))
	head.uint32(serial)
	head.uint32(uint32(len(fields)))
	head = append(head, fields...) // they begin at a multiple of 8
	head.align(8)
	return append(head, c.body...)
}

// wire is what is written, each value at a multiple of its size.
type wire []byte

func (w *wire) align(n int) {
	for len(*w)%n != 0 {
		*w = append(*w, 0)
	}
}

func (w *wire) byte(b byte) { *w = append(*w, b) }

func (w *wire) uint32(n uint32) {
	w.align(4)
	*w = binary.LittleEndian.AppendUint32(*w, n)
}

func (w *wire) string(s string) {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
	w.uint32(uint32(len(s)))
	*w = append(append(*w, s...), 0)
}

func (w *wire) signature(s string) {
	*w = append(append(append(*w, byte(len(s))), s...), 0)
}

// answer is what matters of a message that was read.
type answer struct {
	kind    byte
	replyTo uint32
	fault   string // name of the error
}

// readMessage reads one message and forgets its content.
func readMessage(in io.Reader) (answer, error) {
	var head [16]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return answer{}, err
	}
	var order binary.ByteOrder = binary.LittleEndian
	if head[0] == 'B' {
		order = binary.BigEndian
	}
	body, size := order.Uint32(head[4:]), order.Uint32(head[12:])
	if head[3] != 1 || body > longestMessage || size > longestMessage {
		return answer{}, errBus
	}
	fields := make([]byte, (size+7)&^7)
	if _, err := io.ReadFull(in, fields); err != nil {
		return answer{}, err
	}
	if _, err := io.CopyN(io.Discard, in, int64(body)); err != nil {
		return answer{}, err
	}
	a := answer{kind: head[1]}
	if !a.read(fields[:size], order) {
		return answer{}, errBus
	}
	return a, nil
}

// read takes in the fields of a head: an array of numbers with variants.
func (a *answer) read(data []byte, order binary.ByteOrder) bool {
	at := 0
	for at = (at + 7) &^ 7; at < len(data); at = (at + 7) &^ 7 {
		if at+4 > len(data) || data[at+1] != 1 {
			return false // all fields have types of one letter
		}
		number, kind := data[at], data[at+2]
		at += 4
		size := 0
		switch kind {
		case 'g':
			if at >= len(data) {
				return false
			}
			size, at = int(data[at])+1, at+1
		case 's', 'o', 'u':
			at = (at + 3) &^ 3
			if at+4 > len(data) {
				return false
			}
			value := order.Uint32(data[at:])
			at += 4
			if number == fieldReplySerial && kind == 'u' {
				a.replyTo = value
			}
			if kind != 'u' {
				if value > longestMessage {
					return false
				}
				size = int(value) + 1
			}
		default:
			return false
		}
		if at+size > len(data) {
			return false
		}
		if number == fieldError && kind == 's' {
			a.fault = string(data[at : at+size-1])
		}
		at += size
	}
	return true
}
