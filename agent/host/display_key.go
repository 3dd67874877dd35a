package host

import (
	"encoding/binary"
	"errors"
	"io"
)

// cookieName is the only kind of key to a display in use (Xsecurity(7)).
const cookieName = "MIT-MAGIC-COOKIE-1"

// displayKey finds the key to a display of this machine in an Xauthority file.
// The file was written by people's programs and is believed in nothing but the
// key itself.
func displayKey(file io.Reader, number string) ([]byte, error) {
	for {
		var family uint16
		if err := binary.Read(file, binary.BigEndian, &family); err != nil {
			return nil, errors.New("no key to the display")
		}
		var fields [4][]byte // address, display, name, key
		for i := range fields {
			var length uint16
			if err := binary.Read(file, binary.BigEndian, &length); err != nil {
				return nil, err
			}
			fields[i] = make([]byte, length)
			if _, err := io.ReadFull(file, fields[i]); err != nil {
				return nil, err
			}
		}
		const local, wild = 256, 65535
		fits := len(fields[1]) == 0 || string(fields[1]) == number
		if fits && (family == local || family == wild) && string(fields[2]) == cookieName && len(fields[3]) == 16 {
			return fields[3], nil
		}
	}
}

// keyFile is an Xauthority file that fits any address.
func keyFile(number string, key []byte) []byte {
	file := []byte{0xFF, 0xFF, 0, 0}
	for _, field := range [][]byte{[]byte(number), []byte(cookieName), key} {
		file = binary.BigEndian.AppendUint16(file, uint16(len(field)))
		file = append(file, field...)
	}
	return file
}
