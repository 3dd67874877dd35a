package mdm

// FlatCheckIn is the fast reader, for the test that compares it.
func FlatCheckIn(data []byte) (CheckIn, bool) {
	var message CheckIn
	ok := flatCheckIn(data, &message)
	return message, ok
}

// FlatResult is the fast reader of reports, for the same test.
func FlatResult(data []byte) (Result, bool) {
	var result Result
	ok := flatResult(data, &result)
	return result, ok
}
