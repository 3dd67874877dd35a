// Package mdm is the wire form of Apple's mobile device management: what a
// device says when it checks in, what it is told to do and what it reports. Our
// own agent speaks the same messages. Apple's words are kept, so that its
// documentation can be searched:
// https://developer.apple.com/documentation/devicemanagement
//
// The package decodes and encodes; it decides nothing and asks nobody.
package mdm

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/micromdm/plist"
)

// Faults of a message that cannot be read.
var (
	ErrEmpty   = errors.New("mdm: message is empty")
	ErrPlist   = errors.New("mdm: not a property list that can be read")
	ErrType    = errors.New("mdm: unknown MessageType")
	ErrNoID    = errors.New("mdm: message names no device")
	ErrBadID   = errors.New("mdm: device is named by something that is no id")
	ErrStatus  = errors.New("mdm: unknown Status")
	ErrCommand = errors.New("mdm: not a command")
)

// Encode writes any message of this package as an XML property list, as devices
// expect it whatever they sent themselves.
func Encode(message any) ([]byte, error) {
	data, err := plist.Marshal(message)
	if err != nil {
		return nil, fmt.Errorf("encoding property list: %w", err)
	}
	return data, nil
}

// Decode reads an XML or binary property list. It returns ErrPlist for anything
// that is none, and for one that is built to exhaust its reader.
func Decode(data []byte, into any) (err error) {
	data = bytes.TrimLeft(data, " \t\r\n\ufeff")
	if len(data) == 0 {
		return ErrEmpty
	}
	// The parser trusts lengths and references inside the message; after the
	// check it cannot run away, and what still makes it panic is only garbage.
	defer func() {
		if recover() != nil {
			err = ErrPlist
		}
	}()
	if bytes.HasPrefix(data, []byte("bplist0")) {
		if err := checkBinary(data); err != nil {
			return err
		}
		err = plist.NewBinaryDecoder(bytes.NewReader(data)).Decode(into)
	} else {
		if err := checkXML(data); err != nil {
			return err
		}
		err = plist.NewXMLDecoder(bytes.NewReader(data)).Decode(into)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPlist, err)
	}
	return nil
}
