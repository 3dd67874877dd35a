package web

// stepState reads the zero value as open.
func stepState(s StepState) StepState {
	if s == "" {
		return StepOpen
	}
	return s
}
