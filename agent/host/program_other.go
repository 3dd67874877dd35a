//go:build !unix

package host

import "errors"

// Become does not exist here.
func Become(string) error { return errors.ErrUnsupported }

// RootOnly is false: this cannot be told here yet.
func RootOnly(string) bool { return false }
