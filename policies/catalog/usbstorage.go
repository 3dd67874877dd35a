package catalog

import "schulwart.org/policies/org"

// USBStorage is what happens with sticks and disks that somebody plugs in.
var USBStorage = Family{
	Name: "usb-storage", Topic: TopicDevice,
	Fields: []Field{
		{Name: "access", Kind: Choice, Merge: Strictest, Stricter: Later, Choices: []string{"allowed", "read-only", "blocked"}},
	},
	Platforms:  map[org.Platform]Ability{org.Linux: Unverified, org.Windows: Unverified, org.MacOS: NotPossible, org.IPadOS: Unverified},
	Supervised: []org.Platform{org.IPadOS},
	Apple: func(s Settings, platform org.Platform) []ApplePayload {
		if s.Text("access") != "blocked" || platform != org.IPadOS {
			return nil
		}
		return []ApplePayload{{Type: "com.apple.applicationaccess", Content: map[string]any{"allowFilesUSBDriveAccess": false, "allowUSBRestrictedMode": true}}}
	},
	Windows: func(s Settings) WindowsForm {
		const removable = `SOFTWARE\Policies\Microsoft\Windows\RemovableStorageDevices\{53f5630d-b6bf-11d0-94f2-00a0c91efb8b}`
		switch s.Text("access") {
		case "blocked":
			return WindowsForm{Registry: []RegistryValue{registry(removable, "Deny_Read", true), registry(removable, "Deny_Write", true)}}
		case "read-only":
			return WindowsForm{Registry: []RegistryValue{registry(removable, "Deny_Write", true)}}
		}
		return WindowsForm{}
	},
}
