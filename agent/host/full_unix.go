//go:build unix

package host

import (
	"errors"
	"syscall"
)

func full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// IsFull reports whether an error of Files says that the disk is full.
func IsFull(err error) bool { return full(err) || errors.Is(err, ErrFull) }
