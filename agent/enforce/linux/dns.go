package linux

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/policies/catalog"
)

// nameService tells whoever keeps the machine's name servers which ones to ask:
// NetworkManager, systemd-resolved, or nobody, in which case resolv.conf is ours.
var nameService = Family{
	Of: catalog.DNS,
	FilesOn: func(d *Doors, s catalog.Settings, _ Before) (map[string]File, error) {
		switch servers, search := s.List("servers"), s.List("search"); {
		case len(servers) == 0:
			return nil, nil
		case byManager(d):
			return map[string]File{dnsManagerFile: {Data: managerNames(servers, search)}}, nil
		case byResolved(d):
			return map[string]File{dnsResolvedFile: {Data: resolvedNames(servers, search)}}, nil
		default:
			return map[string]File{resolvFile: {Data: plainNames(servers, search)}}, nil
		}
	},
	Apply: func(ctx context.Context, d *Doors, _ catalog.Settings) error {
		switch {
		case byManager(d) && managerRuns(ctx, d):
			_, err := d.Commands.Run(ctx, host.Command{Name: "nmcli", Args: []string{"general", "reload"}})
			return err
		case byResolved(d) && booted(d):
			_, err := d.Commands.Run(ctx, host.Command{Name: "systemctl", Args: []string{"try-restart", "systemd-resolved.service"}})
			return err
		}
		return nil
	},
	Look: func(_ context.Context, d *Doors, s catalog.Settings) *enforce.Reading {
		wanted := s.List("servers")
		asked, err := askedServers(d.Tree)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return differs("family.changed", "file", resolvFile)
		}
		if len(wanted) > 0 && !slices.Equal(asked, wanted) {
			return differs("dns.others", "servers", strings.Join(asked, ", "))
		}
		return nil
	},
}

const (
	resolvFile      = "/etc/resolv.conf"
	stubBehindFile  = "/run/systemd/resolve/resolv.conf"
	dnsManagerFile  = "/etc/NetworkManager/conf.d/90-schulwart-dns.conf"
	dnsResolvedFile = "/etc/systemd/resolved.conf.d/90-schulwart.conf"
)

// byManager reports whether NetworkManager keeps the name servers.
func byManager(d *Doors) bool {
	return d.Commands.Has("nmcli") && (exists(d.Tree, "/run/NetworkManager") || exists(d.Tree, "/etc/systemd/system/multi-user.target.wants/NetworkManager.service"))
}

func byResolved(d *Doors) bool {
	if status, err := d.Tree.Status(resolvFile); err == nil && strings.Contains(status.Link, "systemd/resolve") {
		return true
	}
	return exists(d.Tree, "/run/systemd/resolve")
}

func exists(tree host.Disk, path string) bool {
	_, err := tree.Status(path)
	return err == nil
}

// managerNames stands above what every connection brings along
// (NetworkManager.conf(5)).
func managerNames(servers, search []string) []byte {
	text := "[global-dns]\n"
	if len(search) > 0 {
		text += "searches=" + strings.Join(plainHosts(search), ",") + "\n"
	}
	return []byte(text + "\n[global-dns-domain-*]\nservers=" + strings.Join(servers, ",") + "\n")
}

// resolvedNames lets the servers answer for all names ("~."), not only where a
// connection has none of its own (resolved.conf(5)).
func resolvedNames(servers, search []string) []byte {
	return []byte("[Resolve]\nDNS=" + strings.Join(servers, " ") + "\nDomains=" + strings.Join(append(plainHosts(search), "~."), " ") + "\n")
}

func plainNames(servers, search []string) []byte {
	text := ""
	if len(search) > 0 {
		text = "search " + strings.Join(plainHosts(search), " ") + "\n"
	}
	for _, server := range servers {
		text += "nameserver " + server + "\n"
	}
	return []byte(text)
}

func plainHosts(patterns []string) []string {
	hosts := make([]string, len(patterns))
	for i, pattern := range patterns {
		hosts[i], _ = hostOf(pattern)
	}
	return hosts
}

// askedServers are those that programs ask, or those behind the stub that they
// ask.
func askedServers(tree host.Tree) ([]string, error) {
	servers, err := serversIn(tree, resolvFile)
	if len(servers) == 1 && servers[0] == "127.0.0.53" {
		return serversIn(tree, stubBehindFile)
	}
	return servers, err
}

func serversIn(tree host.Tree, file string) ([]string, error) {
	data, err := tree.Read(file)
	var servers []string
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) == 2 && fields[0] == "nameserver" {
			servers = append(servers, fields[1])
		}
	}
	slices.Sort(servers)
	return servers, err
}
