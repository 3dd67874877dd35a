package host

import (
	"errors"
	"fmt"
	"net/netip"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/google/nftables"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// SystemNetwork is the network of this machine: nftables for packets, netlink
// for connections. It is safe for concurrent use. It does not notice when its
// process moves to another network namespace.
type SystemNetwork struct {
	mu        sync.Mutex
	conn      *nftables.Conn // kept open, since closing a netlink socket takes milliseconds
	counter   *netlink.Conn  // the same, for asking how often rules changed
	reference string         // our table as the kernel showed it after SetWall
	intact    uint32         // generation at which the table was last seen intact
	admitted  map[netip.Addr]time.Time
	filter    bool
	timeless  bool // this kernel knows no times of its own for some packets
	owned     ownAddresses
}

// NewNetwork returns the network of this machine. Nothing is touched before
// SetWall.
func NewNetwork() *SystemNetwork { return &SystemNetwork{admitted: map[netip.Addr]time.Time{}} }

// Close gives up the connection to the kernel. Rules stay as they are.
func (n *SystemNetwork) Close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.drop()
}

func (n *SystemNetwork) drop() {
	if n.conn != nil {
		_ = n.conn.CloseLasting()
		n.conn = nil
	}
	if n.counter != nil {
		_ = n.counter.Close()
		n.counter = nil
	}
}

// open returns the connection to the kernel. After an error it is opened anew,
// since answers of the failed exchange may still lie in it.
func (n *SystemNetwork) open() (*nftables.Conn, error) {
	if n.conn != nil {
		return n.conn, nil
	}
	conn, err := nftables.New(nftables.AsLasting(), nftables.WithSockOptions(func(c *netlink.Conn) error {
		// A whole table is acknowledged at once, rule by rule.
		return errors.Join(c.SetReadBuffer(1<<20), c.SetWriteBuffer(1<<20))
	}))
	if err != nil {
		return nil, fmt.Errorf("opening netlink: %w", err)
	}
	n.conn = conn
	return conn, nil
}

func (n *SystemNetwork) flush(conn *nftables.Conn) error {
	err := conn.Flush()
	if err != nil {
		n.drop()
	}
	return err
}

// SetWall replaces our table in one transaction.
func (n *SystemNetwork) SetWall(wall Wall) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if wall.Zero() {
		conn, err := n.open()
		if err != nil {
			return err
		}
		return n.remove(conn)
	}
	err := n.put(wall, !n.timeless)
	if err != nil && !n.timeless && n.put(wall, false) == nil {
		// CONFIG_NF_CONNTRACK_TIMEOUT is not everywhere.
		n.timeless, err = true, nil
	}
	return err
}

// put writes a wall that is not empty.
func (n *SystemNetwork) put(wall Wall, times bool) error {
	conn, err := n.open()
	if err != nil {
		return err
	}
	built := wall.write(conn, times)
	if built.err != nil {
		n.drop()
		return fmt.Errorf("building packet rules: %w", built.err)
	}
	four, six := n.remembered()
	if err := errors.Join(addAll(conn, built.sets[setKnown4], four), addAll(conn, built.sets[setKnown6], six)); err != nil {
		n.drop()
		return fmt.Errorf("building packet rules: %w", err)
	}
	if err := n.flush(conn); err != nil {
		return fmt.Errorf("setting packet rules: %w", err)
	}
	n.filter = wall.Filter
	return n.remember(built)
}

// remember keeps what the kernel shows of the table that was just set, as the
// measure for ReadWall, after comparing it with what was meant.
func (n *SystemNetwork) remember(built *build) error {
	n.reference, n.intact = "", 0
	before, err := n.generation()
	if err != nil {
		return err
	}
	shown, err := n.dump()
	if err != nil {
		return fmt.Errorf("reading packet rules back: %w", err)
	}
	after, err := n.generation()
	if err != nil {
		return err
	}
	for chain, rules := range built.rules {
		if got, ok := shown.rules[chain]; !ok || got != rules {
			return fmt.Errorf("reading packet rules back: chain %s has %d rules of %d", chain, got, rules)
		}
	}
	n.reference = shown.text
	if before == after {
		n.intact = after
	}
	return nil
}

func (n *SystemNetwork) remove(conn *nftables.Conn) error {
	n.reference, n.intact, n.filter = "", 0, false
	clear(n.admitted)
	tables, err := conn.ListTablesOfFamily(nftables.TableFamilyINet)
	if err != nil {
		n.drop()
		return fmt.Errorf("listing tables: %w", err)
	}
	for _, table := range tables {
		if table.Name == tableName {
			conn.DelTable(&nftables.Table{Family: nftables.TableFamilyINet, Name: tableName})
			if err := n.flush(conn); err != nil && !errors.Is(err, unix.ENOENT) {
				return fmt.Errorf("removing packet rules: %w", err)
			}
		}
	}
	return nil
}

// ReadWall compares what stands with what SetWall left. While nobody changed
// any rules of the system since the last look, one question suffices.
func (n *SystemNetwork) ReadWall() (WallState, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	conn, err := n.open()
	if err != nil {
		return WallState{}, err
	}
	generation, err := n.generation()
	if err != nil {
		return WallState{}, err
	}
	var state WallState
	if generation != 0 && generation == n.intact {
		state = WallState{Present: true, Intact: true}
	} else {
		shown, err := n.dump()
		if err != nil {
			return WallState{}, fmt.Errorf("reading packet rules: %w", err)
		}
		state = WallState{Present: shown.present, Intact: shown.present && n.reference != "" && shown.text == n.reference}
		if state.Intact {
			n.intact = generation
		}
	}
	if !state.Present {
		return state, nil
	}
	state.Closed = n.left(conn, setClosed)
	state.Filter = n.left(conn, setFilter)
	return state, nil
}

// left returns how long a set still switches its rules on: the shorter time of
// its two elements, zero if one is missing.
func (n *SystemNetwork) left(conn *nftables.Conn, name string) time.Duration {
	table := &nftables.Table{Family: nftables.TableFamilyINet, Name: tableName}
	found, err := conn.GetSetElements(&nftables.Set{Table: table, Name: name})
	if err != nil {
		n.drop()
		return 0
	}
	if len(found) != 2 {
		return 0
	}
	return min(found[0].Expires, found[1].Expires)
}

type shown struct {
	present bool
	rules   map[string]int
	text    string
}

// dump reads our table from the kernel in a form that can be compared.
func (n *SystemNetwork) dump() (shown, error) {
	s := shown{rules: map[string]int{}}
	conn, err := n.open()
	if err != nil {
		return s, err
	}
	chains, err := conn.ListChainsOfTableFamily(nftables.TableFamilyINet)
	if err != nil {
		n.drop()
		return s, err
	}
	var lines []string
	for _, chain := range chains {
		if chain.Table.Name != tableName {
			continue
		}
		s.present = true
		lines = append(lines, "chain "+chain.Name+" "+hookOf(chain))
		rules, err := conn.GetRules(chain.Table, chain)
		if err != nil {
			n.drop()
			return s, err
		}
		s.rules[chain.Name] = len(rules)
		for i, rule := range rules {
			line := fmt.Sprintf("rule %s %03d", chain.Name, i)
			for _, e := range rule.Exprs {
				line += fmt.Sprintf(" %T%+v", e, e)
			}
			lines = append(lines, line)
		}
	}
	for _, name := range []string{setServer4, setServer6, setSought4, setSought6, setDoH4, setDoH6} {
		if !s.present {
			break
		}
		found, err := conn.GetSetElements(&nftables.Set{Table: &nftables.Table{Family: nftables.TableFamilyINet, Name: tableName}, Name: name})
		if err != nil {
			// The set is gone: that is a difference, not a fault.
			lines = append(lines, "no set "+name)
			n.drop()
			if conn, err = n.open(); err != nil {
				return s, err
			}
			continue
		}
		for _, element := range found {
			lines = append(lines, fmt.Sprintf("element %s %x", name, element.Key))
		}
	}
	sort.Strings(lines)
	s.text = strings.Join(lines, "\n")
	return s, nil
}

func hookOf(chain *nftables.Chain) string {
	text := string(chain.Type)
	if chain.Hooknum != nil && chain.Priority != nil {
		text += fmt.Sprintf(" hook %d priority %d", *chain.Hooknum, *chain.Priority)
	}
	if chain.Policy != nil {
		text += fmt.Sprintf(" policy %d", *chain.Policy)
	}
	return text
}

// generation returns the number that the kernel raises with every change of any
// packet rule (NFT_MSG_GETGEN). Elements that expire do not raise it.
func (n *SystemNetwork) generation() (uint32, error) {
	if n.counter == nil {
		conn, err := netlink.Dial(unix.NETLINK_NETFILTER, nil)
		if err != nil {
			return 0, fmt.Errorf("opening netlink: %w", err)
		}
		n.counter = conn
	}
	replies, err := n.counter.Execute(netlink.Message{
		Header: netlink.Header{Type: unix.NFNL_SUBSYS_NFTABLES<<8 | unix.NFT_MSG_GETGEN, Flags: netlink.Request},
		Data:   []byte{unix.AF_UNSPEC, unix.NFNETLINK_V0, 0, 0},
	})
	if err != nil {
		n.drop()
		return 0, fmt.Errorf("asking how often rules changed: %w", err)
	}
	if len(replies) == 0 || len(replies[0].Data) < 4 {
		return 0, errors.New("asking how often rules changed: no answer")
	}
	attrs, err := netlink.NewAttributeDecoder(replies[0].Data[4:])
	if err != nil {
		return 0, fmt.Errorf("reading how often rules changed: %w", err)
	}
	attrs.ByteOrder = bigEndian
	for attrs.Next() {
		if attrs.Type() == unix.NFTA_GEN_ID {
			return attrs.Uint32(), nil
		}
	}
	return 0, attrs.Err()
}

// Beat renews the filter's time. Its two elements are replaced, since kernels
// before 6.12 do not prolong one.
func (n *SystemNetwork) Beat() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.filter {
		return nil
	}
	conn, err := n.open()
	if err != nil {
		return err
	}
	set := &nftables.Set{Table: &nftables.Table{Family: nftables.TableFamilyINet, Name: tableName}, Name: setFilter, HasTimeout: true}
	conn.FlushSet(set)
	if err := conn.SetAddElements(set, families(FilterLapse)); err != nil {
		n.drop()
		return fmt.Errorf("renewing the filter: %w", err)
	}
	if err := n.flush(conn); err != nil {
		return fmt.Errorf("renewing the filter: %w", err)
	}
	return nil
}
