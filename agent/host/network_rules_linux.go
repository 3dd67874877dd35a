package host

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Names of our table and its sets. Whether a rule holds is a question of a set
// whose elements carry a timeout: when they are gone, the rule matches nothing,
// and the kernel needs nobody for that.
const (
	tableName  = "schulwart"
	setClosed  = "closed"
	setFilter  = "filter"
	setServer4 = "server4"
	setServer6 = "server6"
	setSought4 = "sought4"
	setSought6 = "sought6"
	setDoH4    = "resolver4"
	setDoH6    = "resolver6"
	setKnown4  = "admitted4"
	setKnown6  = "admitted6"
)

// gateMark is the firewall mark of the gate's own sockets. Setting it takes
// CAP_NET_ADMIN, which pupils do not have.
const gateMark = 0x53cb1a27

// admittedMost bounds what names can put into the kernel.
const admittedMost = 8192

// systemUsers are the user ids below those of people (login.defs, UID_MIN).
const systemUsers = 1000

var (
	reg1 uint32 = unix.NFT_REG_1
	// A concatenation lies in consecutive 32-bit registers.
	reg32 = func(n uint32) uint32 { return unix.NFT_REG32_00 + n }
)

type build struct {
	conn  *nftables.Conn
	table *nftables.Table
	sets  map[string]*nftables.Set
	rules map[string]int // per chain, to compare with what the kernel shows
	times bool           // questions for names have a time of their own
	err   error
}

// write queues the whole table for one transaction. Times are what not every
// kernel has.
func (w Wall) write(conn *nftables.Conn, times bool) *build {
	b := &build{conn: conn, times: times, sets: map[string]*nftables.Set{}, rules: map[string]int{}}
	b.table = &nftables.Table{Family: nftables.TableFamilyINet, Name: tableName}
	// Adding first makes deleting succeed where nothing stood.
	conn.AddTable(b.table)
	conn.DelTable(b.table)
	conn.AddTable(b.table)
	b.addSets(w)
	b.addTimes()

	closed, filtered := b.chain("closed"), b.chain("filtered")
	closedNames, filteredNames := b.chain("closed-names"), b.chain("filtered-names")
	resolvers := b.chain("resolvers")
	closedInput := b.chain("closed-input")

	// Before addresses are rewritten: those that answer names over HTTPS.
	before := b.base("before", nftables.ChainHookOutput, nftables.ChainPriorityMangle, nftables.ChainTypeFilter)
	b.both(before, jump(resolvers.Name))
	b.brief(before)
	// Where connections are led to the gate. The server comes first: a redirect
	// must never stand between the agent and it.
	lead := b.base("lead", nftables.ChainHookOutput, nftables.ChainPriorityNATDest, nftables.ChainTypeNAT)
	b.rule(lead, ours(), accept())
	b.servers(lead)
	b.stub(lead, w)
	b.rule(lead, inSet(b, setClosed), goTo(closedNames.Name))
	b.rule(lead, inSet(b, setFilter), goTo(filteredNames.Name))
	output := b.base("output", nftables.ChainHookOutput, nftables.ChainPriorityFilter, nftables.ChainTypeFilter)
	b.rule(output, inSet(b, setClosed), goTo(closed.Name))
	b.rule(output, inSet(b, setFilter), goTo(filtered.Name))
	// What comes in, so that a stream ends that needs no answer.
	input := b.base("input", nftables.ChainHookInput, nftables.ChainPriorityFilter, nftables.ChainTypeFilter)
	b.rule(input, inSet(b, setClosed), goTo(closedInput.Name))
	if w.Strict {
		b.rule(input, inSet(b, setFilter), goTo(closedInput.Name))
	}
	// A virtual machine or a shared connection is no way out.
	forward := b.base("forward", nftables.ChainHookForward, nftables.ChainPriorityFilter, nftables.ChainTypeFilter)
	b.rule(forward, inSet(b, setClosed), l4proto(unix.IPPROTO_TCP), refuseTCP())
	b.rule(forward, inSet(b, setClosed), refuse())

	b.writeClosed(closed, w)
	b.writeClosedNames(closedNames, w.Web, w)
	b.writeClosedInput(closedInput)
	if w.Strict {
		b.rule(forward, inSet(b, setFilter), l4proto(unix.IPPROTO_TCP), refuseTCP())
		b.rule(forward, inSet(b, setFilter), refuse())
		b.writeClosed(filtered, w)
		b.writeClosedNames(filteredNames, true, w)
	} else {
		b.writeFiltered(filtered, w)
		b.writeFilteredNames(filteredNames, w)
	}
	b.writeResolvers(resolvers)
	return b
}

// questionTime is how long the kernel remembers where a question for a name was
// led, seconds. The gate answers within five. Without a bound of ours it is half a
// minute (two after an answer), and a program that asks from the same port again
// would be led to a gate that is dead although the rules have lapsed.
const questionTime = 6

const (
	times4 = "names4"
	times6 = "names6"
)

func (b *build) addTimes() {
	if !b.times {
		return
	}
	for name, proto := range map[string]uint16{times4: unix.NFPROTO_IPV4, times6: unix.NFPROTO_IPV6} {
		b.conn.AddObj(&nftables.NamedObj{Table: b.table, Name: name, Type: nftables.ObjTypeCtTimeout, Obj: &expr.CtTimeout{
			L3Proto: proto, L4Proto: unix.IPPROTO_UDP,
			Policy: expr.CtStatePolicyTimeout{expr.CtStateUDPUNREPLIED: questionTime, expr.CtStateUDPREPLIED: questionTime},
		}})
	}
}

// brief lets the kernel forget soon where questions for names were led.
func (b *build) brief(chain *nftables.Chain) {
	if !b.times {
		return
	}
	for _, one := range []struct {
		name  string
		proto byte
	}{{times4, unix.NFPROTO_IPV4}, {times6, unix.NFPROTO_IPV6}} {
		family := []expr.Any{&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: reg1}, equal(one.proto)}
		b.rule(chain, family, l4proto(unix.IPPROTO_UDP), dport(53), []expr.Any{&expr.Objref{Type: int(nftables.ObjTypeCtTimeout), Name: one.name}})
	}
}

func (b *build) writeClosed(chain *nftables.Chain, w Wall) {
	// Loopback and own addresses first: our own resets travel to them.
	b.local(chain, accept())
	b.rule(chain, ours(), accept())
	b.servers(chain)
	b.stub(chain, w)
	b.essentials(chain)
	// The other side may know that a connection is over.
	b.rule(chain, l4proto(unix.IPPROTO_TCP), tcpFlag(0x04), accept())
	b.rule(chain, l4proto(unix.IPPROTO_TCP), refuseTCP())
	b.rule(chain, refuse())
}

// essentials are what a device needs to stay a device of its network: time for
// system users only (else it is a tunnel), addresses, neighbours.
func (b *build) essentials(chain *nftables.Chain) {
	b.rule(chain, l4proto(unix.IPPROTO_UDP), dport(123), ownerBelow(systemUsers), accept())
	b.rule(chain, l4proto(unix.IPPROTO_UDP), sport(68), dport(67), accept())
	b.rule(chain, l4proto(unix.IPPROTO_UDP), sport(546), dport(547), accept())
	for _, kind := range []byte{133, 135, 136, 131, 132, 143} { // RFC 4861, RFC 3810
		b.rule(chain, l4proto(unix.IPPROTO_ICMPV6), icmpType(kind), accept())
	}
}

func (b *build) writeClosedNames(chain *nftables.Chain, web bool, w Wall) {
	b.names(chain, w.NamesPort)
	b.local(chain, back())
	if !web {
		return
	}
	for _, port := range []uint16{80, 443} {
		b.rule(chain, l4proto(unix.IPPROTO_TCP), dport(port), redirect(w.WebPort))
	}
	b.rule(chain, l4proto(unix.IPPROTO_TCP), daddrIn(b, 4, setKnown4), redirect(w.WebPort))
	b.rule(chain, l4proto(unix.IPPROTO_TCP), daddrIn(b, 6, setKnown6), redirect(w.WebPort))
}

func (b *build) writeClosedInput(chain *nftables.Chain) {
	b.rule(chain, metaName(expr.MetaKeyIIFNAME, "lo"), accept())
	for _, port := range []uint16{53, 67, 123, 547} {
		b.rule(chain, l4proto(unix.IPPROTO_UDP), sport(port), accept())
	}
	b.rule(chain, l4proto(unix.IPPROTO_UDP), drop())
}

func (b *build) writeFiltered(chain *nftables.Chain, w Wall) {
	b.local(chain, accept())
	b.rule(chain, ours(), accept())
	b.servers(chain)
	b.stub(chain, w)
	b.rule(chain, l4proto(unix.IPPROTO_TCP), tcpFlag(0x04), accept())
	// Names and web traffic have been led to the gate by now. What still goes
	// past it is older than the filter.
	for _, port := range []uint16{53, 80, 443, 853} {
		b.rule(chain, l4proto(unix.IPPROTO_TCP), dport(port), refuseTCP())
	}
	for _, port := range []uint16{53, 443, 853} {
		b.rule(chain, l4proto(unix.IPPROTO_UDP), dport(port), refuse())
	}
}

func (b *build) writeFilteredNames(chain *nftables.Chain, w Wall) {
	b.names(chain, w.NamesPort)
	b.local(chain, back())
	for _, port := range []uint16{80, 443} {
		b.rule(chain, l4proto(unix.IPPROTO_TCP), dport(port), redirect(w.WebPort))
	}
}

func (b *build) writeResolvers(chain *nftables.Chain) {
	b.rule(chain, ours(), back())
	b.servers(chain)
	for _, known := range []struct {
		family int
		set    string
	}{{4, setDoH4}, {6, setDoH6}} {
		b.rule(chain, l4proto(unix.IPPROTO_TCP), dport(443), daddrIn(b, known.family, known.set), refuseTCP())
		b.rule(chain, l4proto(unix.IPPROTO_UDP), dport(443), daddrIn(b, known.family, known.set), refuse())
	}
}

// names leads name service to the gate, also what goes to a stub on loopback.
func (b *build) names(chain *nftables.Chain, port uint16) {
	for _, proto := range []byte{unix.IPPROTO_UDP, unix.IPPROTO_TCP} {
		b.rule(chain, l4proto(proto), dport(53), redirect(port))
	}
}

func (b *build) local(chain *nftables.Chain, verdict []expr.Any) {
	b.rule(chain, metaName(expr.MetaKeyOIFNAME, "lo"), verdict)
	b.rule(chain, toLocal(), verdict)
}

func (b *build) servers(chain *nftables.Chain) {
	b.rule(chain, l4proto(unix.IPPROTO_TCP), daddrPortIn(b, 4, setServer4), accept())
	b.rule(chain, l4proto(unix.IPPROTO_TCP), daddrPortIn(b, 6, setServer6), accept())
	b.rule(chain, l4proto(unix.IPPROTO_TCP), daddrPortIn(b, 4, setSought4), owner(0), accept())
	b.rule(chain, l4proto(unix.IPPROTO_TCP), daddrPortIn(b, 6, setSought6), owner(0), accept())
}

// stub lets a local name server ask for names outside, where it is the only one
// that the gate can ask. Whoever asks the stub is led to the gate all the same.
func (b *build) stub(chain *nftables.Chain, w Wall) {
	if w.StubUser == nil {
		return
	}
	for _, proto := range []byte{unix.IPPROTO_UDP, unix.IPPROTO_TCP} {
		for _, port := range []uint16{53, 853} {
			b.rule(chain, awayFromLoopback(), l4proto(proto), dport(port), owner(*w.StubUser), accept())
		}
	}
}

// both adds a rule for each of the two states in which we say anything.
func (b *build) both(chain *nftables.Chain, verdict []expr.Any) {
	b.rule(chain, inSet(b, setClosed), verdict)
	b.rule(chain, inSet(b, setFilter), verdict)
}

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

func (b *build) chain(name string) *nftables.Chain {
	b.rules[name] = 0
	return b.conn.AddChain(&nftables.Chain{Name: name, Table: b.table})
}

func (b *build) base(name string, hook *nftables.ChainHook, priority *nftables.ChainPriority, kind nftables.ChainType) *nftables.Chain {
	b.rules[name] = 0
	policy := nftables.ChainPolicyAccept
	return b.conn.AddChain(&nftables.Chain{Name: name, Table: b.table, Hooknum: hook, Priority: priority, Type: kind, Policy: &policy})
}

func (b *build) rule(chain *nftables.Chain, parts ...[]expr.Any) {
	var exprs []expr.Any
	for _, part := range parts {
		exprs = append(exprs, part...)
	}
	b.rules[chain.Name]++
	b.conn.AddRule(&nftables.Rule{Table: b.table, Chain: chain, Exprs: exprs})
}

func inSet(b *build, name string) []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: reg1}, lookup(b, name, reg1)}
}

func lookup(b *build, name string, register uint32) expr.Any {
	return &expr.Lookup{SourceRegister: register, SetName: name, SetID: b.sets[name].ID}
}

func l4proto(proto byte) []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: reg1}, equal(proto)}
}

func ours() []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyMARK, Register: reg1}, equal(binaryutil.NativeEndian.PutUint32(gateMark)...)}
}

func metaName(key expr.MetaKey, name string) []expr.Any {
	padded := make([]byte, unix.IFNAMSIZ)
	copy(padded, name)
	return []expr.Any{&expr.Meta{Key: key, Register: reg1}, equal(padded...)}
}

func awayFromLoopback() []expr.Any {
	match := metaName(expr.MetaKeyOIFNAME, "lo")
	match[1].(*expr.Cmp).Op = expr.CmpOpNeq
	return match
}

func toLocal() []expr.Any {
	return []expr.Any{
		&expr.Fib{Register: reg1, ResultADDRTYPE: true, FlagDADDR: true},
		equal(binaryutil.NativeEndian.PutUint32(unix.RTN_LOCAL)...),
	}
}

func ownerBelow(uid uint32) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeySKUID, Register: reg1},
		&expr.Byteorder{SourceRegister: reg1, DestRegister: reg1, Op: expr.ByteorderHton, Len: 4, Size: 4},
		&expr.Cmp{Op: expr.CmpOpLt, Register: reg1, Data: binaryutil.BigEndian.PutUint32(uid)},
	}
}

func owner(uid uint32) []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeySKUID, Register: reg1}, equal(binaryutil.NativeEndian.PutUint32(uid)...)}
}

func sport(port uint16) []expr.Any { return transport(0, port) }

func dport(port uint16) []expr.Any { return transport(2, port) }

func transport(offset uint32, port uint16) []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: reg1, Base: expr.PayloadBaseTransportHeader, Offset: offset, Len: 2},
		equal(binaryutil.BigEndian.PutUint16(port)...),
	}
}

func icmpType(kind byte) []expr.Any {
	return []expr.Any{&expr.Payload{DestRegister: reg1, Base: expr.PayloadBaseTransportHeader, Offset: 0, Len: 1}, equal(kind)}
}

func tcpFlag(flag byte) []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: reg1, Base: expr.PayloadBaseTransportHeader, Offset: 13, Len: 1},
		&expr.Bitwise{SourceRegister: reg1, DestRegister: reg1, Len: 1, Mask: []byte{flag}, Xor: []byte{0}},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: reg1, Data: []byte{0}},
	}
}

func daddr(family int, register uint32) []expr.Any {
	proto, offset, length := byte(unix.NFPROTO_IPV4), uint32(16), uint32(4)
	if family == 6 {
		proto, offset, length = unix.NFPROTO_IPV6, 24, 16
	}
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: reg1}, equal(proto),
		&expr.Payload{DestRegister: register, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: length},
	}
}

func daddrIn(b *build, family int, set string) []expr.Any {
	return append(daddr(family, reg1), lookup(b, set, reg1))
}

func daddrPortIn(b *build, family int, set string) []expr.Any {
	words := uint32(1)
	if family == 6 {
		words = 4
	}
	port := &expr.Payload{DestRegister: reg32(words), Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2}
	return append(daddr(family, reg32(0)), port, lookup(b, set, reg32(0)))
}

func equal(data ...byte) expr.Any { return &expr.Cmp{Op: expr.CmpOpEq, Register: reg1, Data: data} }

func accept() []expr.Any { return []expr.Any{&expr.Verdict{Kind: expr.VerdictAccept}} }
func drop() []expr.Any   { return []expr.Any{&expr.Verdict{Kind: expr.VerdictDrop}} }
func back() []expr.Any   { return []expr.Any{&expr.Verdict{Kind: expr.VerdictReturn}} }

func jump(chain string) []expr.Any {
	return []expr.Any{&expr.Verdict{Kind: expr.VerdictJump, Chain: chain}}
}

func goTo(chain string) []expr.Any {
	return []expr.Any{&expr.Verdict{Kind: expr.VerdictGoto, Chain: chain}}
}

func redirect(port uint16) []expr.Any {
	return []expr.Any{
		&expr.Immediate{Register: reg1, Data: binaryutil.BigEndian.PutUint16(port)},
		&expr.Redir{RegisterProtoMin: reg1, Flags: unix.NF_NAT_RANGE_PROTO_SPECIFIED},
	}
}

// Nobody waits for a timeout: TCP is reset, the rest told "administratively
// prohibited" (RFC 1812, RFC 4443).
func refuseTCP() []expr.Any { return []expr.Any{&expr.Reject{Type: unix.NFT_REJECT_TCP_RST}} }

func refuse() []expr.Any {
	return []expr.Any{&expr.Reject{Type: unix.NFT_REJECT_ICMPX_UNREACH, Code: unix.NFT_REJECT_ICMPX_ADMIN_PROHIBITED}}
}
