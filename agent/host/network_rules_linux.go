package host

import (
	"github.com/google/nftables"
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
