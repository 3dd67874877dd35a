//go:build !linux

package host

import "context"

// Uplink is not supported.
func Uplink(context.Context) (<-chan struct{}, error) { return nil, ErrNoNetwork }
