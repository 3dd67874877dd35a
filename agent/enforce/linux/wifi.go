package linux

import (
	"context"
	"fmt"
	"path"
	"strconv"
	"strings"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/policies/catalog"
)

// wifi gives NetworkManager a connection for each network.
// https://networkmanager.dev/docs/api/latest/nm-settings-keyfile.html
var wifi = Family{
	Of:       catalog.WiFi,
	Possible: needs("nmcli"),
	Files: func(s catalog.Settings, _ Before) (map[string]File, error) {
		files := map[string]File{}
		for _, network := range s.Items("networks") {
			files[path.Join(connectionDir, "schulwart-"+short(network.Text("name"))+".nmconnection")] = File{Data: connection(network), Mode: 0o600}
		}
		return files, nil
	},
	Apply: func(ctx context.Context, d *Doors, _ catalog.Settings) error {
		if !managerRuns(ctx, d) {
			return nil // it reads them when it starts
		}
		_, err := d.Commands.Run(ctx, host.Command{Name: "nmcli", Args: []string{"connection", "reload"}})
		return err
	},
	Look: func(ctx context.Context, d *Doors, s catalog.Settings) *enforce.Reading {
		if !managerRuns(ctx, d) {
			r := notPossible("wifi.not-running")
			return &r
		}
		known, err := d.Commands.Run(ctx, host.Command{Name: "nmcli", Args: []string{"-t", "-f", "UUID", "connection", "show"}})
		if err != nil {
			return differs("wifi.gone", "name", "")
		}
		for _, network := range s.Items("networks") {
			if !strings.Contains(string(known), connectionID(network)) {
				return differs("wifi.gone", "name", network.Text("name"))
			}
		}
		return nil
	},
}

const connectionDir = "/etc/NetworkManager/system-connections"

// managerRuns reports whether NetworkManager is there to ask.
func managerRuns(ctx context.Context, d *Doors) bool {
	out, err := d.Commands.Run(ctx, host.Command{Name: "nmcli", Args: []string{"-t", "-f", "RUNNING", "general"}})
	return err == nil && strings.TrimSpace(string(out)) == "running"
}

// connectionID is the UUID of a network's connection, the same on every device.
func connectionID(network catalog.Settings) string {
	h := strings.TrimPrefix(hashOf([]byte("schulwart wifi "+network.Text("name"))), "sha256:")
	return fmt.Sprintf("%s-%s-5%s-8%s-%s", h[:8], h[8:12], h[13:16], h[17:20], h[20:32])
}

func connection(network catalog.Settings) []byte {
	auto, set := network.Bool("auto-join")
	var b strings.Builder
	fmt.Fprintf(&b, "[connection]\nid=%s\nuuid=%s\ntype=wifi\nautoconnect=%t\n\n", keyText(network.Text("name")), connectionID(network), auto || !set)
	fmt.Fprintf(&b, "[wifi]\nmode=infrastructure\nssid=%s\nhidden=%t\n\n", keyBytes(network.Text("name")), network.On("hidden"))
	if network.Text("security") != "open" {
		management := map[string]string{"wpa2": "wpa-psk", "wpa3": "sae"}[network.Text("security")]
		fmt.Fprintf(&b, "[wifi-security]\nkey-mgmt=%s\npsk=%s\n\n", management, keyText(network.Text("password")))
	}
	b.WriteString("[ipv4]\nmethod=auto\n\n[ipv6]\nmethod=auto\n")
	return []byte(b.String())
}

// keyText writes a text as GKeyFile reads it.
func keyText(text string) string {
	text = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(text)
	if trimmed := strings.TrimLeft(text, " "); trimmed != text {
		text = strings.Repeat(`\s`, len(text)-len(trimmed)) + trimmed
	}
	return text
}

// keyBytes writes the bytes of a network's name as numbers, which no letter in it
// can break.
func keyBytes(text string) string {
	var list strings.Builder
	for _, b := range []byte(text) {
		list.WriteString(strconv.Itoa(int(b)) + ";")
	}
	return list.String()
}
