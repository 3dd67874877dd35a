package mdm

import (
	"bytes"
	"encoding/base64"
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
	dataOpen    = []byte("<data>")
	dataClose   = []byte("</data>")
	plistOpen   = []byte("<plist version=\"1.0\">")
	plistClose  = []byte("</plist>")
)

// flatCheckIn reads the messages that devices send most, DeclarativeManagement
// with a list of strings and at most one report, ten times faster than the
// general parser. It returns false for anything else, and for whatever it is not
// sure of; the general parser then decides.
func flatCheckIn(data []byte, into *CheckIn) bool {
	return flat(data, into.put) && into.MessageType == DeclarativeManagement
}

// flatResult is the same for requests for a command, and for reports on one that
// has nothing to tell.
func flatResult(data []byte, into *Result) bool { return flat(data, into.put) }

// flat reads a dictionary of plain values and hands each over; put refuses keys
// and values that are not plain.
func flat(data []byte, put func(key string, value []byte, binary bool) bool) bool {
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
			return ok && len(bytes.Trim(end, " \t\r\n")) == 0
		}
		var key, value []byte
		if key, rest, ok = element(rest, keyOpen, keyClose); !ok {
			return false
		}
		value, tail, ok := element(rest, stringOpen, stringClose)
		binary := !ok
		if binary {
			if value, tail, ok = element(rest, dataOpen, dataClose); !ok {
				return false
			}
		}
		if rest = tail; !put(string(key), value, binary) {
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

func (c *CheckIn) put(key string, value []byte, binary bool) bool {
	if binary != (key == "Data") {
		return false
	}
	switch key {
	case "MessageType":
		c.MessageType = MessageType(value)
	case "UDID":
		c.UDID = string(value)
	case "EnrollmentID":
		c.EnrollmentID = string(value)
	case "Endpoint":
		c.Endpoint = string(value)
	case "Data":
		if c.Data != nil || len(value) == 0 {
			return false
		}
		var err error
		c.Data, err = base64.StdEncoding.Strict().DecodeString(string(value))
		return err == nil
	default:
		return false
	}
	return true
}

func (r *Result) put(key string, value []byte, binary bool) bool {
	switch {
	case binary:
		return false
	case key == "Status":
		r.Status = Status(value)
	case key == "UDID":
		r.UDID = string(value)
	case key == "EnrollmentID":
		r.EnrollmentID = string(value)
	case key == "CommandUUID":
		r.CommandUUID = string(value)
	case key == "RequestType":
		r.RequestType = string(value)
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
