package mdm

import "maps"

// Request types of commands, as Apple names them.
const (
	RequestInstallProfile           = "InstallProfile"
	RequestRemoveProfile            = "RemoveProfile"
	RequestProfileList              = "ProfileList"
	RequestCertificateList          = "CertificateList"
	RequestDeviceInformation        = "DeviceInformation"
	RequestSecurityInfo             = "SecurityInfo"
	RequestRestrictions             = "Restrictions"
	RequestInstalledApplicationList = "InstalledApplicationList"
	RequestManagedApplicationList   = "ManagedApplicationList"
	RequestDeviceLock               = "DeviceLock"
	RequestEraseDevice              = "EraseDevice"
	RequestClearPasscode            = "ClearPasscode"
	RequestEnableLostMode           = "EnableLostMode"
	RequestDisableLostMode          = "DisableLostMode"
	RequestRestartDevice            = "RestartDevice"
	RequestShutDownDevice           = "ShutDownDevice"
	RequestDeclarativeManagement    = "DeclarativeManagement"
)

// Command tells a device to do something once.
// https://developer.apple.com/documentation/devicemanagement/commands-and-queries
type Command struct {
	CommandUUID string
	Command     Request
}

// Request is a command's content; RequestType is one of its keys.
type Request map[string]any

// NewCommand makes a command without an id; the queue gives it one.
func NewCommand(requestType string, fields Request) Command {
	request := Request{"RequestType": requestType}
	maps.Copy(request, fields)
	return Command{Command: request}
}

// RequestType returns what is asked for, empty if the command is none.
func (c Command) RequestType() string {
	name, _ := c.Command["RequestType"].(string)
	return name
}

// InstallProfile installs a profile, or replaces the one of its identifier.
func InstallProfile(profile []byte) Command {
	return NewCommand(RequestInstallProfile, Request{"Payload": profile})
}

// RemoveProfile removes the profile of the identifier. A device that has none
// answers with Error, which is as good.
func RemoveProfile(identifier string) Command {
	return NewCommand(RequestRemoveProfile, Request{"Identifier": identifier})
}

// ProfileList asks which of our profiles are installed.
func ProfileList() Command { return NewCommand(RequestProfileList, Request{"ManagedOnly": true}) }

// InstalledApplicationList asks which of the apps are installed; all if none is
// named.
func InstalledApplicationList(identifiers ...string) Command {
	if len(identifiers) == 0 {
		return NewCommand(RequestInstalledApplicationList, nil)
	}
	return NewCommand(RequestInstalledApplicationList, Request{"Identifiers": identifiers})
}

// Queries are what a school needs to know of an iPad.
var Queries = []string{"UDID", "SerialNumber", "DeviceName", "OSVersion", "BuildVersion", "ModelName", "Model", "ProductName", "IsSupervised", "BatteryLevel", "DeviceCapacity", "AvailableDeviceCapacity"}

// DeviceInformation asks for properties of the device, Queries if none is named.
func DeviceInformation(queries ...string) Command {
	if len(queries) == 0 {
		queries = Queries
	}
	return NewCommand(RequestDeviceInformation, Request{"Queries": queries})
}

// Synchronize tells the device to fetch its declarations. tokens is the answer of
// the endpoint tokens as JSON, or nil to let the device ask.
func Synchronize(tokens []byte) Command {
	if len(tokens) == 0 {
		return NewCommand(RequestDeclarativeManagement, nil)
	}
	return NewCommand(RequestDeclarativeManagement, Request{"Data": tokens})
}

// Inventory reports whether the command only asks. Two that ask for the same
// are one.
func (c Command) Inventory() bool {
	switch c.RequestType() {
	case RequestProfileList, RequestCertificateList, RequestDeviceInformation, RequestSecurityInfo, RequestRestrictions, RequestInstalledApplicationList, RequestManagedApplicationList, RequestDeclarativeManagement:
		return true
	}
	return false
}

// Pressing reports whether the command overtakes all others: it protects a
// device that is lost.
func (c Command) Pressing() bool {
	switch c.RequestType() {
	case RequestDeviceLock, RequestEraseDevice, RequestEnableLostMode, RequestDisableLostMode, RequestClearPasscode:
		return true
	}
	return false
}

// ParseCommand reads what a server told the device to do. Its faults are
// ErrEmpty, ErrPlist and ErrCommand.
func ParseCommand(data []byte) (Command, error) {
	var command Command
	if err := Decode(data, &command); err != nil {
		return Command{}, err
	}
	if command.CommandUUID == "" || command.RequestType() == "" {
		return Command{}, ErrCommand
	}
	return command, nil
}
