package host

import (
	"errors"
	"syscall"
)

// ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL.
func full(err error) bool {
	return errors.Is(err, syscall.Errno(112)) || errors.Is(err, syscall.Errno(39))
}

// IsFull reports whether an error of Files says that the disk is full.
func IsFull(err error) bool { return full(err) || errors.Is(err, ErrFull) }
