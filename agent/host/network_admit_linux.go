package host

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/nftables"
)

// Admit adds addresses to those whose other ports are led to the gate.
func (n *SystemNetwork) Admit(addrs []netip.Addr, lasting time.Duration) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	var fresh []netip.Addr
	for _, addr := range addrs {
		addr = addr.Unmap().WithZone("")
		// Renewing an address is worth it only when half its time is over.
		if until, ok := n.admitted[addr]; ok && until.Sub(now) > lasting/2 {
			continue
		}
		if len(n.admitted) >= admittedMost/2 {
			n.forget(now)
		}
		n.admitted[addr] = now.Add(lasting)
		fresh = append(fresh, addr)
	}
	if len(fresh) == 0 || n.reference == "" {
		return nil
	}
	conn, err := n.open()
	if err != nil {
		return err
	}
	four, six := elements(fresh, lasting)
	table := &nftables.Table{Family: nftables.TableFamilyINet, Name: tableName}
	err = errors.Join(
		addAll(conn, &nftables.Set{Table: table, Name: setKnown4, HasTimeout: true}, four),
		addAll(conn, &nftables.Set{Table: table, Name: setKnown6, HasTimeout: true}, six))
	if err != nil {
		n.drop()
		return fmt.Errorf("admitting addresses: %w", err)
	}
	if err := n.flush(conn); err != nil {
		return fmt.Errorf("admitting addresses: %w", err)
	}
	return nil
}

// forget makes room: what has expired first, then anything.
func (n *SystemNetwork) forget(now time.Time) {
	for addr, until := range n.admitted {
		if until.Before(now) {
			delete(n.admitted, addr)
		}
	}
	for addr := range n.admitted {
		if len(n.admitted) < admittedMost/4 {
			return
		}
		delete(n.admitted, addr)
	}
}

// remembered are the admitted addresses as elements of a new table.
func (n *SystemNetwork) remembered() (four, six []nftables.SetElement) {
	now := time.Now()
	for addr, until := range n.admitted {
		left := until.Sub(now)
		if left < time.Second {
			delete(n.admitted, addr)
			continue
		}
		a, b := elements([]netip.Addr{addr}, left)
		four, six = append(four, a...), append(six, b...)
	}
	return four, six
}

func addAll(conn *nftables.Conn, set *nftables.Set, elements []nftables.SetElement) error {
	// One message holds some 64 kB of attributes.
	for len(elements) > 0 {
		part := elements[:min(512, len(elements))]
		if err := conn.SetAddElements(set, part); err != nil {
			return err
		}
		elements = elements[len(part):]
	}
	return nil
}
