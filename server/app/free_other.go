//go:build !unix

package app

// free is not known here.
func free(string) int64 { return -1 }
