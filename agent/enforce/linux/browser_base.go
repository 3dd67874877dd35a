package linux

import (
	"encoding/base64"
	"encoding/pem"
	"maps"
	"strings"

	"schulwart.org/agent/enforce"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
)

// chromiumBase says in Chromium's words what the base policy says of browsers,
// certificates and the proxy.
func chromiumBase(base enforce.Base) policy {
	p := policy(catalog.ChromiumPolicy(base[catalog.Browsers.Name]))
	if roots := base[catalog.Certificates.Name].Items("roots"); len(roots) > 0 {
		list := make([]string, 0, len(roots))
		for _, root := range roots {
			if block, _ := pem.Decode([]byte(root.Text("certificate"))); block != nil {
				list = append(list, base64.StdEncoding.EncodeToString(block.Bytes))
			}
		}
		p["CACertificates"] = list
	}
	switch through := base[catalog.Proxy.Name]; {
	case through.Text("automatic") != "":
		p["ProxySettings"] = policy{"ProxyMode": "pac_script", "ProxyPacUrl": through.Text("automatic")}
	case through.Text("server") != "":
		p["ProxySettings"] = policy{"ProxyMode": "fixed_servers", "ProxyServer": through.Text("server"), "ProxyBypassList": strings.Join(append(proxyDirect(through), "<local>"), ";")}
	}
	return p
}

// firefoxBase says the same in Firefox's words.
func firefoxBase(base enforce.Base) policy {
	p := policy(catalog.FirefoxPolicy(base[catalog.Browsers.Name]))
	if roots := base[catalog.Certificates.Name].Items("roots"); len(roots) > 0 {
		paths := make([]string, len(roots))
		for i, root := range roots {
			paths[i] = rootFile(root)
		}
		p["Certificates"] = policy{"Install": paths}
	}
	switch through := base[catalog.Proxy.Name]; {
	case through.Text("automatic") != "":
		p["Proxy"] = policy{"Mode": "autoConfig", "AutoConfigURL": through.Text("automatic"), "Locked": true}
	case through.Text("server") != "":
		p["Proxy"] = policy{"Mode": "manual", "HTTPProxy": through.Text("server"), "UseHTTPProxyForAllProtocols": true, "Passthrough": strings.Join(proxyDirect(through), ","), "Locked": true}
	}
	return p
}

// over puts the policies of a mode and of the filter above those of the base. What
// both speak of, a mode says at its strictest.
func over(base, mode policy) policy {
	if len(base) == 0 {
		return mode
	}
	all := maps.Clone(base)
	maps.Copy(all, mode)
	return all
}

// firefoxLacks names what of the settings Firefox knows no policy for.
func firefoxLacks(s catalog.Settings) []string {
	var fields []string
	if downloads := s.Text("downloads"); downloads == "safe" || downloads == "blocked" {
		fields = append(fields, "downloads")
	}
	if s.On("safe-search") {
		fields = append(fields, "safe-search")
	}
	return fields
}

// Lacks says what of a family the browsers of this machine cannot do.
func (b *Browser) Lacks(family string) *ddm.Reason {
	if family != catalog.Browsers.Name {
		return nil
	}
	return b.lacks.Load()
}

func (b *Browser) lacking(base enforce.Base) *ddm.Reason {
	fields := firefoxLacks(base[catalog.Browsers.Name])
	if len(fields) == 0 {
		return nil
	}
	for _, path := range []string{"/usr/bin/firefox", "/usr/bin/firefox-esr", "/snap/bin/firefox"} {
		if exists(b.o.Tree, path) {
			return reason("browser.firefox-lacks", "fields", strings.Join(fields, ", "))
		}
	}
	return nil
}
