package app

import (
	"fmt"
	"strings"

	"schulwart.org/server/errs"
	"schulwart.org/web"
)

// Say tells a fault at the command line, in the words that the console has for
// it; its cause stands behind them. What has no words is told as it is.
func Say(err error) string {
	fault := errs.Find(err)
	if fault == nil || !web.Knows("en", "error."+fault.Key) {
		return err.Error()
	}
	words := web.Fault("en", fault.Key, fault.Args)
	if fault.Cause != nil {
		words += fmt.Sprintf(" (%v)", fault.Cause)
	}
	return strings.Replace(err.Error(), fault.Error(), words, 1)
}
