package web

import "time"

// EyesPage answers: does a second person look before anything of the standard
// holds? Form field: on=1|0.
type EyesPage struct {
	Frame
	Place      PolicyPlace // an authority, or the operator
	Above      []PolicyPlace
	On         bool
	AskedBy    string // who wants to do without; "" for nobody
	AskedAt    time.Time
	MayChange  bool
	MayConfirm bool // this person is the second one
	Problem    *Problem
}
