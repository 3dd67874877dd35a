package linux

import (
	"schulwart.org/policies/catalog"
)

// vpn forbids lending out the network, and ends tunnels that are not an
// administrator's. NetworkManager asks polkit only whether somebody may change
// connections at all, so connections of people are told apart by whom they belong
// to: nobody but administrators makes one for all.
var vpn = Family{
	Of:       catalog.VPN,
	Possible: needs("NetworkManager", "nmcli"),
	Files: func(s catalog.Settings, _ Before) (map[string]File, error) {
		rule := ""
		if off(s, "hotspot") {
			rule += `	if (action.id.indexOf("org.freedesktop.NetworkManager.wifi.share.") == 0) return polkit.Result.NO;
`
		}
		if off(s, "setup") {
			rule += `	if (action.id == "org.freedesktop.NetworkManager.settings.modify.system" && !subject.isInGroup("sudo")) return polkit.Result.NO;
`
		}
		if rule == "" {
			return nil, nil
		}
		files := polkitFile("vpn", rule)
		if off(s, "setup") {
			files[tunnelScript] = File{Data: []byte(tunnelText), Mode: 0o755}
		}
		return files, nil
	},
}

// tunnelScript is run by NetworkManager whenever a connection came up
// (NetworkManager-dispatcher(8)).
const (
	tunnelScript = "/etc/NetworkManager/dispatcher.d/10-schulwart-vpn"
	tunnelText   = `#!/bin/sh
# The school forbids VPN connections of one's own.
case "$2" in up|vpn-up) ;; *) exit 0 ;; esac
[ -n "$CONNECTION_UUID" ] || exit 0
case "$(nmcli -g connection.type connection show uuid "$CONNECTION_UUID")" in
vpn|wireguard|tun) ;;
*) exit 0 ;;
esac
# One that belongs to somebody is not an administrator's.
[ -n "$(nmcli -g connection.permissions connection show uuid "$CONNECTION_UUID")" ] || exit 0
nmcli connection down uuid "$CONNECTION_UUID"
`
)
