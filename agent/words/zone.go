package words

import (
	"bytes"
	"encoding/binary"
	"sync"
	"time"
)

// berlin is Germany's rule as POSIX writes it; in force since 1996.
const berlin = "CET-1CEST,M3.5.0,M10.5.0/3"

// Germany is the zone of schools, also on machines without a zone database.
var Germany = sync.OnceValue(func() *time.Location {
	if loc, err := time.LoadLocation("Europe/Berlin"); err == nil {
		return loc
	}
	loc, err := time.LoadLocationFromTZData("Europe/Berlin", zoneFile(berlin))
	if err != nil {
		return time.FixedZone("CET", 3600)
	}
	return loc
})

// Clock writes a time as a clock shows it: "10:35". A nil location is Germany.
func Clock(at time.Time, loc *time.Location) string {
	if loc == nil {
		loc = Germany()
	}
	return at.In(loc).Format("15:04")
}

// zoneFile returns the smallest TZif file (RFC 8536) that carries a rule: one
// type of local time, no transitions, the rule in the footer.
func zoneFile(rule string) []byte {
	const abbreviation = "CET\x00"
	var block bytes.Buffer
	block.WriteString("TZif2")
	block.Write(make([]byte, 15))
	for _, count := range []uint32{0, 0, 0, 0, 1, uint32(len(abbreviation))} {
		_ = binary.Write(&block, binary.BigEndian, count)
	}
	_ = binary.Write(&block, binary.BigEndian, int32(3600))
	block.Write([]byte{0, 0})
	block.WriteString(abbreviation)
	// The second block, for 64-bit times, is the same: there are no times.
	file := append(block.Bytes(), block.Bytes()...)
	return append(file, "\n"+rule+"\n"...)
}
