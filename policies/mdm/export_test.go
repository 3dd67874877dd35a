package mdm

// FlatCheckIn is the fast reader, for the test that compares it.
func FlatCheckIn(data []byte) (CheckIn, bool) {
	var message CheckIn
	ok := flatCheckIn(data, &message)
	return message, ok
}
