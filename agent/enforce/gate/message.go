package gate

import (
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Sizes of messages: what every client takes in a packet, what passes every
// network unbroken, and what TCP carries (RFC 1035, RFC 9715).
const (
	minMessage    = 512
	packetMessage = 1232
	maxMessage    = 65535
)

const opQuery = 0

// readQuery reads a query; ok is false for what is none, or answers. A fault says
// that the rest of it cannot be read; then the query has a head alone.
func readQuery(data []byte) (query *dnsmessage.Message, ok bool, fault error) {
	query = new(dnsmessage.Message)
	if fault = query.Unpack(data); fault == nil {
		return query, !query.Response, nil
	}
	var parser dnsmessage.Parser
	head, err := parser.Start(data)
	return &dnsmessage.Message{Header: head}, err == nil && !head.Response, fault
}

// plainName is a name in small letters without its last dot. Letters beyond ASCII
// are no letters to DNS (RFC 4343), and stay as they are.
func plainName(name dnsmessage.Name) string {
	data := []byte(strings.TrimSuffix(name.String(), "."))
	for i, b := range data {
		if 'A' <= b && b <= 'Z' {
			data[i] = b + 'a' - 'A'
		}
	}
	return string(data)
}

// options returns the pseudo record of a message (RFC 6891), nil where it has
// none.
func options(message *dnsmessage.Message) (*dnsmessage.ResourceHeader, *dnsmessage.OPTResource) {
	for i := range message.Additionals {
		if opt, ok := message.Additionals[i].Body.(*dnsmessage.OPTResource); ok {
			return &message.Additionals[i].Header, opt
		}
	}
	return nil, nil
}

func wantsSignatures(query *dnsmessage.Message) bool {
	header, _ := options(query)
	return header != nil && header.DNSSECAllowed()
}

// packetSize is what the asker takes in one packet.
func packetSize(query *dnsmessage.Message) int {
	header, _ := options(query)
	if header == nil {
		return minMessage
	}
	return max(minMessage, min(int(header.Class), packetMessage))
}

// withOptions adds the pseudo record.
func withOptions(message *dnsmessage.Message, signatures bool) {
	var header dnsmessage.ResourceHeader
	if header.SetEDNS0(packetMessage, message.RCode, signatures) == nil {
		message.Additionals = append(message.Additionals, dnsmessage.Resource{Header: header, Body: &dnsmessage.OPTResource{}})
	}
}

// respond is an answer with nothing in it.
func respond(query *dnsmessage.Message, code dnsmessage.RCode) *dnsmessage.Message {
	answer := &dnsmessage.Message{Header: dnsmessage.Header{
		ID: query.ID, Response: true, OpCode: query.OpCode, RecursionDesired: query.RecursionDesired, RecursionAvailable: true,
		CheckingDisabled: query.CheckingDisabled, RCode: code,
	}}
	if len(query.Questions) > 0 {
		answer.Questions = query.Questions[:1:1]
	}
	if header, _ := options(query); header != nil {
		withOptions(answer, header.DNSSECAllowed())
	}
	return answer
}

// passOn is the answer that was got elsewhere, for who asked.
func passOn(query, got *dnsmessage.Message) *dnsmessage.Message {
	answer := respond(query, got.RCode)
	answer.Authoritative, answer.AuthenticData = got.Authoritative, got.AuthenticData
	answer.Answers, answer.Authorities = got.Answers, got.Authorities
	for _, additional := range got.Additionals {
		if additional.Header.Type != dnsmessage.TypeOPT {
			answer.Additionals = append(answer.Additionals, additional)
		}
	}
	return answer
}

// packed writes a message in no more than size bytes: first what is an extra
// goes, then the answer, with the mark that there is more over TCP. It is nil
// for what cannot be written.
func packed(message *dnsmessage.Message, size int) []byte {
	data, err := message.Pack()
	if err == nil && len(data) <= size {
		return data
	}
	short := *message
	short.Authorities, short.Additionals = nil, nil
	for _, additional := range message.Additionals {
		if additional.Header.Type == dnsmessage.TypeOPT {
			short.Additionals = append(short.Additionals, additional)
		}
	}
	if data, err = short.Pack(); err == nil && len(data) <= size {
		return data
	}
	short.Answers, short.Truncated = nil, true
	if data, err = short.Pack(); err != nil || len(data) > size {
		return nil
	}
	return data
}

// addresses returns those of an answer, and the shortest time to live.
func addresses(message *dnsmessage.Message) ([]netip.Addr, time.Duration) {
	var addrs []netip.Addr
	ttl := uint32(3600)
	for _, resource := range message.Answers {
		ttl = min(ttl, resource.Header.TTL)
		switch body := resource.Body.(type) {
		case *dnsmessage.AResource:
			addrs = append(addrs, netip.AddrFrom4(body.A))
		case *dnsmessage.AAAAResource:
			addrs = append(addrs, netip.AddrFrom16(body.AAAA).Unmap())
		}
	}
	return addrs, time.Duration(ttl) * time.Second
}
