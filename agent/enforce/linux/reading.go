package linux

import (
	"schulwart.org/agent/enforce"
	"schulwart.org/policies/ddm"
)

func asWanted() enforce.Reading { return enforce.Reading{State: ddm.PartOK} }

func pending(key string, pairs ...string) enforce.Reading {
	return enforce.Reading{State: ddm.PartPending, Reason: reason(key, pairs...)}
}

func deviating(key string, pairs ...string) enforce.Reading {
	return enforce.Reading{State: ddm.PartDeviating, Reason: reason(key, pairs...)}
}

func notPossible(key string, pairs ...string) enforce.Reading {
	return enforce.Reading{State: ddm.PartNotPossible, Reason: reason(key, pairs...)}
}

// reason makes a reason; arguments come in pairs of name and value.
func reason(key string, pairs ...string) *ddm.Reason {
	r := &ddm.Reason{Code: key}
	for i := 0; i+1 < len(pairs); i += 2 {
		if r.Details == nil {
			r.Details = map[string]string{}
		}
		r.Details[pairs[i]] = pairs[i+1]
	}
	return r
}
