package gate

import (
	"net/netip"

	"schulwart.org/policies/lease"
)

// resolverNames are public services that answer names over HTTPS, and the names
// by which browsers ask whether they may use one ("canary": an answer of no such
// name switches it off in Firefox, and private relays on Apple's systems).
// https://support.mozilla.org/kb/canary-domain-use-application-dnsnet
var resolverNames = []string{
	"use-application-dns.net", "mask.icloud.com", "mask-h2.icloud.com",
	"dns.google", "dns64.dns.google", "8888.google",
	"cloudflare-dns.com", "one.one.one.one", "cloudflare-gateway.com",
	"quad9.net", "doh.opendns.com", "doh.familyshield.opendns.com", "dns.umbrella.com",
	"nextdns.io", "adguard-dns.com", "dns.adguard.com", "cleanbrowsing.org",
	"controld.com", "dns.mullvad.net", "doh.mullvad.net", "doh.dns.sb", "dns0.eu",
	"dnsforge.de", "doh.ffmuc.net", "dns.digitale-gesellschaft.ch", "doh.applied-privacy.net",
	"dns.alidns.com", "doh.pub", "doh.360.cn", "doh.libredns.gr", "doh.tiar.app",
	"doh.li", "dns.switch.ch", "anycast.uncensoreddns.org", "ordns.he.net",
}

func isResolver(name string) bool { return lease.MatchAny(resolverNames, name) }

// KnownResolvers are the addresses of the largest of these services. Programs
// with such an address built in need no name.
var KnownResolvers = []netip.Addr{
	netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("8.8.4.4"),
	netip.MustParseAddr("2001:4860:4860::8888"), netip.MustParseAddr("2001:4860:4860::8844"),
	netip.MustParseAddr("1.1.1.1"), netip.MustParseAddr("1.0.0.1"),
	netip.MustParseAddr("1.1.1.2"), netip.MustParseAddr("1.0.0.2"),
	netip.MustParseAddr("1.1.1.3"), netip.MustParseAddr("1.0.0.3"),
	netip.MustParseAddr("2606:4700:4700::1111"), netip.MustParseAddr("2606:4700:4700::1001"),
	netip.MustParseAddr("9.9.9.9"), netip.MustParseAddr("149.112.112.112"),
	netip.MustParseAddr("9.9.9.10"), netip.MustParseAddr("9.9.9.11"),
	netip.MustParseAddr("2620:fe::fe"), netip.MustParseAddr("2620:fe::9"),
	netip.MustParseAddr("208.67.222.222"), netip.MustParseAddr("208.67.220.220"),
	netip.MustParseAddr("2620:119:35::35"), netip.MustParseAddr("2620:119:53::53"),
	netip.MustParseAddr("94.140.14.14"), netip.MustParseAddr("94.140.15.15"),
	netip.MustParseAddr("2a10:50c0::ad1:ff"), netip.MustParseAddr("2a10:50c0::ad2:ff"),
	netip.MustParseAddr("194.242.2.2"), netip.MustParseAddr("194.242.2.3"),
	netip.MustParseAddr("2a07:e340::2"), netip.MustParseAddr("2a07:e340::3"),
	netip.MustParseAddr("185.222.222.222"), netip.MustParseAddr("45.11.45.11"),
	netip.MustParseAddr("193.110.81.0"), netip.MustParseAddr("185.253.5.0"),
	netip.MustParseAddr("185.228.168.168"), netip.MustParseAddr("185.228.169.168"),
	netip.MustParseAddr("76.76.2.0"), netip.MustParseAddr("76.76.10.0"),
	netip.MustParseAddr("223.5.5.5"), netip.MustParseAddr("223.6.6.6"),
}
