//go:build !linux && !darwin

package setup

import "errors"

// disk is not known here; the check of the backup folder does without it.
func disk(string, string) (int64, bool, error) { return 0, false, errors.ErrUnsupported }
