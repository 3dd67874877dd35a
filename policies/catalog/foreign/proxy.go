package foreign

import (
	"strconv"
	"strings"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/org"
)

var proxy = Forms{
	Apple: func(s catalog.Settings, platform org.Platform) []ApplePayload {
		content := map[string]any{}
		switch {
		case s.Text("automatic") != "":
			content["ProxyType"], content["ProxyPACURL"] = "Auto", s.Text("automatic")
		case s.Text("server") != "":
			host, port := splitEndpoint(s.Text("server"))
			content["ProxyType"], content["ProxyServer"], content["ProxyServerPort"] = "Manual", host, port
		default:
			return nil
		}
		// A device that cannot find the proxy must still find its server.
		content["ProxyPACFallbackAllowed"], content["ProxyCaptiveLoginAllowed"] = true, true
		return []ApplePayload{{"com.apple.proxy.http.global", content}}
	},
	Windows: func(s catalog.Settings) WindowsForm {
		const settings = `SOFTWARE\Policies\Microsoft\Windows\CurrentVersion\Internet Settings`
		var form WindowsForm
		switch {
		case s.Text("automatic") != "":
			form.Registry = append(form.Registry, registry(settings, "AutoConfigURL", s.Text("automatic")))
		case s.Text("server") != "":
			form.Registry = append(form.Registry, registry(settings, "ProxyEnable", true), registry(settings, "ProxyServer", s.Text("server")),
				registry(settings, "ProxyOverride", join(append(wildcards(s.List("exceptions")), "<local>"), ";")))
		default:
			return form
		}
		form.Registry = append(form.Registry, registry(settings, "ProxySettingsPerUser", false))
		return form
	},
}

// splitEndpoint splits what the form Endpoint made of a host and port.
func splitEndpoint(endpoint string) (host string, port int) {
	at := strings.LastIndexByte(endpoint, ':')
	port, _ = strconv.Atoi(endpoint[at+1:])
	return strings.Trim(endpoint[:at], "[]"), port
}

// wildcards writes host patterns as Windows reads them.
func wildcards(hosts []string) []string {
	var list []string
	for _, host := range hosts {
		if host[0] == '=' {
			list = append(list, host[1:])
		} else {
			list = append(list, host, "*."+host)
		}
	}
	return list
}

// bare returns host patterns as plain names.
func bare(hosts []string) []string {
	list := make([]string, len(hosts))
	for i, host := range hosts {
		list[i] = strings.TrimPrefix(host, "=")
	}
	return list
}

func join(list []string, by string) string { return strings.Join(list, by) }
