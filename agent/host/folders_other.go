//go:build !linux

package host

// SystemFolders returns nil: on this system no folder is looked after yet.
func SystemFolders() Folders { return nil }
