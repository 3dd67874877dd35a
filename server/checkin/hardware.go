package checkin

import (
	"strings"

	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
)

// hardwareOf reads what a device says of itself at Authenticate. Apple sends most
// of it only where the access rights allow; our agent names its platform as
// ProductName.
func hardwareOf(message mdm.CheckIn) Hardware {
	id, _ := message.DeviceID()
	h := Hardware{
		UDID: id, Serial: Serial(message.SerialNumber), Name: bounded(message.DeviceName), System: bounded(message.OSVersion),
		Model: bounded(first(message.ModelName, message.ProductName, message.Model)), Apple: message.Topic != mdm.AgentTopic,
	}
	if !h.Apple {
		h.Model = bounded(first(message.ModelName, message.Model))
		h.Platform = org.Platform(message.ProductName)
		if !h.Platform.Agent() && h.Platform != org.MacOS {
			h.Platform = org.Linux
		}
		return h
	}
	h.Platform = org.IPadOS
	for _, name := range []string{message.ProductName, message.ModelName, message.Model} {
		if strings.Contains(name, "Mac") {
			h.Platform = org.MacOS
		}
	}
	return h
}

// noSerial are what boards say that were never given a serial number. Devices
// must not be taken for each other because of them.
var noSerial = []string{
	"to be filled by o.e.m.", "to be filled by oem", "default string", "system serial number", "chassis serial number", "serial number", "not specified", "not available",
	"not applicable", "none", "n/a", "na", "unknown", "invalid", "empty", "oem", "o.e.m.", "123456789", "1234567890", "0123456789", "xxxxxxxxxx",
}

// Serial returns a serial number as it is compared, or nothing if it names no
// single machine.
func Serial(text string) string {
	text = bounded(strings.TrimSpace(text))
	lower := strings.ToLower(text)
	for _, junk := range noSerial {
		if lower == junk {
			return ""
		}
	}
	if len(text) < 3 || strings.Trim(text, "0.-_xX ") == "" {
		return ""
	}
	return text
}

// otherMachine reports whether a serial number is surely not the enrolment's. The
// case of its letters says nothing: lists that people import have either.
func otherMachine(e Enrolment, serial string) bool {
	return e.Serial != "" && serial != "" && !strings.EqualFold(e.Serial, serial)
}

func first(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// bounded makes text of a device fit to be stored and shown: one line, at most
// 120 characters.
func bounded(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\ufffd' {
			return -1
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > 120 {
		return string(runes[:120])
	}
	return text
}
