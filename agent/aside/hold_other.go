//go:build !linux

package aside

import "errors"

func hold(string, string) error { return errors.New("this system has no helpers") }
