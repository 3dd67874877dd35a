package catalog

import (
	"crypto/x509"
	"encoding/pem"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// clean returns a text as the form wants it, or the key of what is wrong.
func (f Form) clean(text string) (clean, fault string) {
	if f != Prose && f != Certificate {
		text = strings.TrimSpace(text)
		if strings.ContainsAny(text, "\r\n\x00") {
			return "", "policy.not_line"
		}
	}
	switch f {
	case Host:
		return cleanHost(text)
	case Address:
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" {
			return "", "policy.not_address"
		}
		return addr.Unmap().String(), ""
	case Endpoint:
		return cleanEndpoint(text)
	case URL:
		return cleanURL(text, "policy.not_url", "https")
	case Link:
		return cleanURL(text, "policy.not_link", "https", "http")
	case Printer:
		return cleanURL(text, "policy.not_printer", "ipp", "ipps", "socket", "lpd")
	case Certificate:
		return cleanCertificate(text)
	case Prose:
		return strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")), ""
	case Password:
		return text, ""
	case Color:
		text = strings.ToLower(text)
	case Day:
		if _, err := time.Parse(time.DateOnly, text); err != nil {
			return "", "policy.not_day"
		}
	}
	if !f.matches(text) {
		return "", "policy.not_" + strings.ReplaceAll(string(f), "-", "_")
	}
	return text, ""
}

func cleanHost(text string) (string, string) {
	text = strings.ToLower(text)
	exact := strings.HasPrefix(text, "=")
	name := strings.TrimPrefix(text, "=")
	if !exact {
		name = strings.TrimPrefix(strings.TrimPrefix(name, "*."), ".")
	}
	name = strings.TrimSuffix(name, ".")
	if !isName(name) {
		return "", "policy.not_host"
	}
	if exact {
		return "=" + name, ""
	}
	return name, ""
}

// isName reports whether DNS could answer for the name (RFC 1123), with at least
// two labels and no number as the last one.
func isName(name string) bool {
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	last := labels[len(labels)-1]
	return len(labels) > 1 && len(name) <= 253 && strings.Trim(last, "0123456789") != ""
}

func cleanEndpoint(text string) (string, string) {
	at := strings.LastIndexByte(text, ':')
	if at < 0 {
		return "", "policy.not_endpoint"
	}
	host, port := strings.ToLower(text[:at]), text[at+1:]
	n, err := strconv.Atoi(port)
	if err != nil || n < 1 || n > 65535 {
		return "", "policy.not_endpoint"
	}
	if addr, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return netip.AddrPortFrom(addr.Unmap(), uint16(n)).String(), ""
	}
	if !isName(host) {
		return "", "policy.not_endpoint"
	}
	return host + ":" + strconv.Itoa(n), ""
}

func cleanURL(text, fault string, schemes ...string) (string, string) {
	parsed, err := url.Parse(text)
	if err != nil || parsed.Host == "" || parsed.User != nil {
		return "", fault
	}
	for _, scheme := range schemes {
		if parsed.Scheme == scheme {
			return parsed.String(), ""
		}
	}
	return "", fault
}

func cleanCertificate(text string) (string, string) {
	block, rest := pem.Decode([]byte(strings.TrimSpace(text)))
	if block == nil || block.Type != "CERTIFICATE" || strings.TrimSpace(string(rest)) != "" {
		return "", "policy.not_certificate"
	}
	if _, err := x509.ParseCertificate(block.Bytes); err != nil {
		return "", "policy.not_certificate"
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: block.Bytes})), ""
}
