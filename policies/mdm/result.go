package mdm

import (
	"bytes"
)

// Status is how a command ended, or that the device asks for one.
type Status string

// Apple's five values.
const (
	Idle               Status = "Idle"
	Acknowledged       Status = "Acknowledged"
	Error              Status = "Error"
	CommandFormatError Status = "CommandFormatError"
	NotNow             Status = "NotNow"
)

// Result is what a device reports of a command, and its request for the next.
// https://developer.apple.com/documentation/devicemanagement/implementing-device-management
type Result struct {
	Enrollment
	Status      Status
	CommandUUID string           `plist:",omitempty"`
	RequestType string           `plist:",omitempty"` // often missing: a report is known by its CommandUUID
	ErrorChain  []ErrorChainItem `plist:",omitempty"`

	// Raw is the whole report. Details are read from it by those who asked.
	Raw []byte `plist:"-"`
	// Salvaged says that the report is no readable property list, and that only
	// its CommandUUID could be found. Status is then Error.
	Salvaged bool `plist:"-"`
}

// ErrorChainItem is one link of the reason why a command failed.
type ErrorChainItem struct {
	ErrorCode            int
	ErrorDomain          string `plist:",omitempty"`
	LocalizedDescription string `plist:",omitempty"`
	USEnglishDescription string `plist:",omitempty"`
}

// resultHead is a result without the parts that devices get wrong.
type resultHead struct {
	Enrollment
	Status      Status
	CommandUUID string
}

// ParseResult reads a report. One whose details cannot be read still yields its
// CommandUUID, so that it never blocks the queue behind it. Its faults are
// ErrEmpty, ErrPlist, ErrStatus, ErrNoID and ErrBadID.
func ParseResult(data []byte) (Result, error) {
	var result Result
	if !flatResult(data, &result) {
		result = Result{}
		if err := Decode(data, &result); err != nil {
			var head resultHead
			if Decode(data, &head) != nil {
				return salvage(data, err)
			}
			result = Result{Enrollment: head.Enrollment, Status: head.Status, CommandUUID: head.CommandUUID}
		}
	}
	result.Raw = data
	switch result.Status {
	case Idle:
	case Acknowledged, Error, CommandFormatError, NotNow:
		if result.CommandUUID == "" {
			return Result{}, ErrStatus
		}
	default:
		return Result{}, ErrStatus
	}
	if _, err := result.ID(); err != nil {
		return Result{}, err
	}
	return result, nil
}

// salvage finds the command that a broken report is about.
func salvage(data []byte, cause error) (Result, error) {
	if !bytes.Contains(data, []byte("<key>Status</key>")) {
		return Result{}, cause
	}
	id, ok := commandInText(data)
	if !ok {
		return Result{}, cause
	}
	return Result{Status: Error, CommandUUID: id, Raw: data, Salvaged: true}, nil
}

// commandInText finds an id of a command in what is no property list.
func commandInText(data []byte) (string, bool) {
	for {
		_, after, found := bytes.Cut(data, []byte("<key>CommandUUID</key>"))
		if !found {
			return "", false
		}
		data = after
		value, opens := bytes.CutPrefix(bytes.TrimLeft(data, " \t\r\n\f"), []byte("<string>"))
		if !opens {
			continue
		}
		id, _, closes := bytes.Cut(value, []byte("</string>"))
		if closes && len(id) > 0 && len(id) <= 64 && !bytes.ContainsFunc(id, unnamed) {
			return string(id), true
		}
	}
}

// unnamed reports whether a letter stands in no id of a command.
func unnamed(r rune) bool {
	return !(r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '.' || r == '_' || r == '-')
}

// DeviceInformationResponse holds the answers to DeviceInformation that we ask for.
type DeviceInformationResponse struct {
	QueryResponses struct {
		DeviceName              string  `plist:",omitempty"`
		OSVersion               string  `plist:",omitempty"`
		BuildVersion            string  `plist:",omitempty"`
		ModelName               string  `plist:",omitempty"`
		Model                   string  `plist:",omitempty"`
		ProductName             string  `plist:",omitempty"`
		SerialNumber            string  `plist:",omitempty"`
		UDID                    string  `plist:",omitempty"`
		IsSupervised            bool    `plist:",omitempty"`
		BatteryLevel            float64 `plist:",omitempty"` // 0 to 1
		AvailableDeviceCapacity float64 `plist:",omitempty"` // GB
		DeviceCapacity          float64 `plist:",omitempty"` // GB
	}
}

// ProfileListResponse answers ProfileList.
type ProfileListResponse struct {
	ProfileList []InstalledProfile
}

// InstalledProfile is a profile that the device has.
type InstalledProfile struct {
	PayloadIdentifier  string
	PayloadUUID        string
	PayloadDisplayName string `plist:",omitempty"`
	IsManaged          bool   `plist:",omitempty"`
}

// InstalledApplicationListResponse answers InstalledApplicationList.
type InstalledApplicationListResponse struct {
	InstalledApplicationList []InstalledApplication
}

// InstalledApplication is an app that the device has.
type InstalledApplication struct {
	Identifier string `plist:",omitempty"`
	Name       string `plist:",omitempty"`
	Version    string `plist:",omitempty"`
	Installing bool   `plist:",omitempty"`
}

// Into reads details of the report.
func (r Result) Into(details any) error { return Decode(r.Raw, details) }
