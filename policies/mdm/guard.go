package mdm

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Bounds of a property list that we read. Real messages are nested five deep;
// a long list of apps has some ten thousand values.
const (
	deepest   = 32
	mostNodes = 200_000
)

var (
	errDeep   = fmt.Errorf("%w: nested too deep", ErrPlist)
	errBroken = fmt.Errorf("%w: broken off", ErrPlist)
	errLarge  = fmt.Errorf("%w: too many values", ErrPlist)
)

// checkXML bounds the nesting without parsing. Where a closing tag may only
// look like one (comments, CDATA, quotes) it is not counted, so the result is
// never too small; messages of devices have none of these.
func checkXML(data []byte) error {
	tricky := bytes.Contains(data, []byte("<!-")) || bytes.Contains(data, []byte("<![")) || bytes.Count(data, []byte("<!")) > 1 || bytes.Count(data, []byte("<?")) > 1
	depth, nodes := 0, 0
	for i := 0; i < len(data); i++ {
		if data[i] != '<' {
			continue
		}
		end := bytes.IndexByte(data[i:], '>')
		if end < 2 {
			if end < 0 {
				return errBroken
			}
			continue
		}
		tag := data[i+1 : i+end]
		switch {
		case tag[0] == '!' || tag[0] == '?':
		case tag[0] == '/':
			if !tricky && depth > 0 {
				depth--
			}
		case tag[len(tag)-1] == '/' && bytes.IndexByte(tag, '"') < 0 && bytes.IndexByte(tag, '\'') < 0:
			nodes++
		default:
			nodes++
			depth++
		}
		if depth > deepest && !(tricky && depth <= 4*deepest) {
			return errDeep
		}
		if nodes > mostNodes {
			return errLarge
		}
	}
	return nil
}

// binaryList is the frame of a binary property list; see CFBinaryPlistTrailer
// in Apple's CoreFoundation.
type binaryList struct {
	data               []byte
	offsetSize         int
	refSize            int
	count, root, table uint64
	nodes              int
}

// checkBinary walks the objects as the parser will, and refuses lists that
// refer to themselves, repeat themselves without end or claim more than is
// there.
func checkBinary(data []byte) error {
	if len(data) < 8+32 {
		return errBroken
	}
	trailer := data[len(data)-32:]
	list := binaryList{
		data: data, offsetSize: int(trailer[6]), refSize: int(trailer[7]),
		count: binary.BigEndian.Uint64(trailer[8:]), root: binary.BigEndian.Uint64(trailer[16:]), table: binary.BigEndian.Uint64(trailer[24:]),
	}
	size := uint64(len(data))
	if list.offsetSize < 1 || list.offsetSize > 8 || list.refSize < 1 || list.refSize > 8 || list.count > size || list.table > size || list.table+list.count*uint64(list.offsetSize) > size {
		return errBroken
	}
	return list.check(list.root, 0)
}

func (l *binaryList) check(index uint64, depth int) error {
	l.nodes++
	if depth > deepest {
		return errDeep
	}
	if l.nodes > mostNodes {
		return errLarge
	}
	if index >= l.count {
		return errBroken
	}
	at := l.number(l.table+index*uint64(l.offsetSize), l.offsetSize)
	size := uint64(len(l.data))
	if at >= size {
		return errBroken
	}
	marker := l.data[at]
	count, at, err := l.length(at)
	if err != nil {
		return err
	}
	refs := uint64(0)
	switch marker >> 4 {
	case 0x4, 0x5:
		return l.fits(at, count)
	case 0x6:
		return l.fits(at, 2*count)
	case 0xa:
		refs = count
	case 0xd:
		refs = 2 * count
	}
	if err := l.fits(at, refs*uint64(l.refSize)); err != nil {
		return err
	}
	for i := range refs {
		if err := l.check(l.number(at+i*uint64(l.refSize), l.refSize), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// length reads how many items the object at the offset has, and where they
// begin.
func (l *binaryList) length(at uint64) (count, begins uint64, err error) {
	low := l.data[at] & 0x0f
	if kind := l.data[at] >> 4; kind < 0x4 || low != 0x0f {
		return uint64(low), at + 1, nil
	}
	if at+1 >= uint64(len(l.data)) {
		return 0, 0, errBroken
	}
	size := 1 << (l.data[at+1] & 0x0f)
	if size > 8 || l.fits(at+2, uint64(size)) != nil {
		return 0, 0, errBroken
	}
	count = l.number(at+2, size)
	if count > uint64(len(l.data)) {
		return 0, 0, errBroken
	}
	return count, at + 2 + uint64(size), nil
}

func (l *binaryList) fits(at, length uint64) error {
	if size := uint64(len(l.data)); at > size || length > size-at {
		return errBroken
	}
	return nil
}

func (l *binaryList) number(at uint64, size int) uint64 {
	var n uint64
	for _, b := range l.data[at : at+uint64(size)] {
		n = n<<8 | uint64(b)
	}
	return n
}
