package host

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

func (b *build) addSets(w Wall) {
	b.set(&nftables.Set{Name: setClosed, KeyType: nftables.TypeNFProto, HasTimeout: true}, families(w.Closed))
	filter := time.Duration(0)
	if w.Filter {
		filter = FilterLapse
	}
	b.set(&nftables.Set{Name: setFilter, KeyType: nftables.TypeNFProto, HasTimeout: true}, families(filter))
	service4 := nftables.MustConcatSetType(nftables.TypeIPAddr, nftables.TypeInetService)
	service6 := nftables.MustConcatSetType(nftables.TypeIP6Addr, nftables.TypeInetService)
	servers4, servers6 := services(w.Servers)
	b.set(&nftables.Set{Name: setServer4, KeyType: service4, Concatenation: true}, servers4)
	b.set(&nftables.Set{Name: setServer6, KeyType: service6, Concatenation: true}, servers6)
	sought4, sought6 := services(w.Sought)
	b.set(&nftables.Set{Name: setSought4, KeyType: service4, Concatenation: true}, sought4)
	b.set(&nftables.Set{Name: setSought6, KeyType: service6, Concatenation: true}, sought6)
	doh4, doh6 := elements(w.Resolvers, 0)
	b.set(&nftables.Set{Name: setDoH4, KeyType: nftables.TypeIPAddr}, doh4)
	b.set(&nftables.Set{Name: setDoH6, KeyType: nftables.TypeIP6Addr}, doh6)
	b.set(&nftables.Set{Name: setKnown4, KeyType: nftables.TypeIPAddr, HasTimeout: true, Size: admittedMost}, nil)
	b.set(&nftables.Set{Name: setKnown6, KeyType: nftables.TypeIP6Addr, HasTimeout: true, Size: admittedMost}, nil)
}

// services are elements of address and port.
func services(addrs []netip.AddrPort) (four, six []nftables.SetElement) {
	for _, one := range addrs {
		key := append(one.Addr().Unmap().AsSlice(), binary.BigEndian.AppendUint16(nil, one.Port())...)
		element := nftables.SetElement{Key: append(key, 0, 0)}
		if one.Addr().Unmap().Is4() {
			four = append(four, element)
		} else {
			six = append(six, element)
		}
	}
	return four, six
}

// families are the elements of a set that switches rules on: both families, or
// none.
func families(lasting time.Duration) []nftables.SetElement {
	if lasting <= 0 {
		return nil
	}
	// The kernel counts milliseconds; a rest below one would mean for ever.
	lasting = max(lasting, time.Millisecond)
	return []nftables.SetElement{
		{Key: []byte{unix.NFPROTO_IPV4}, Timeout: lasting},
		{Key: []byte{unix.NFPROTO_IPV6}, Timeout: lasting},
	}
}

func elements(addrs []netip.Addr, lasting time.Duration) (four, six []nftables.SetElement) {
	seen := map[netip.Addr]bool{}
	for _, addr := range addrs {
		addr = addr.Unmap().WithZone("")
		if seen[addr] || !addr.IsValid() {
			continue
		}
		seen[addr] = true
		element := nftables.SetElement{Key: addr.AsSlice(), Timeout: lasting}
		if addr.Is4() {
			four = append(four, element)
		} else {
			six = append(six, element)
		}
	}
	return four, six
}

func (b *build) set(set *nftables.Set, elements []nftables.SetElement) {
	set.Table = b.table
	b.sets[set.Name] = set
	if err := b.conn.AddSet(set, elements); err != nil && b.err == nil {
		b.err = err
	}
}
