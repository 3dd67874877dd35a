package foreign

import (
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/org"
)

var usbStorage = Forms{
	Apple: func(s catalog.Settings, platform org.Platform) []ApplePayload {
		if s.Text("access") != "blocked" || platform != org.IPadOS {
			return nil
		}
		return []ApplePayload{{Type: "com.apple.applicationaccess", Content: map[string]any{"allowFilesUSBDriveAccess": false, "allowUSBRestrictedMode": true}}}
	},
	Windows: func(s catalog.Settings) WindowsForm {
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
