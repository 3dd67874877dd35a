// Package config reads what an operator may set, from flags, from SCHULWART_…
// variables and from a YAML file, checks it once and tells all faults together.
// Rooms get values, never the Config.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Serve is what a running server needs to know. Every field is a flag, an
// environment variable SCHULWART_<FLAG> and a key of the YAML file.
type Serve struct {
	Data         string   `help:"Folder of the database, the key file and backups." default:"data" env:"SCHULWART_DATA" placeholder:"DIR"`
	Listen       string   `help:"Address for people and programs. Plain HTTP on loopback or behind --proxy only." default:"127.0.0.1:8080" env:"SCHULWART_LISTEN"`
	DeviceListen string   `help:"Address for devices, always TLS." default:"127.0.0.1:8443" env:"SCHULWART_DEVICE_LISTEN"`
	PublicURL    string   `help:"Address under which people reach the console." env:"SCHULWART_PUBLIC_URL" placeholder:"URL"`
	DeviceURL    string   `help:"Address under which devices reach the server." env:"SCHULWART_DEVICE_URL" placeholder:"URL"`
	Database     string   `help:"sqlite:FILE or postgres://…; the default is SQLite in the data folder." env:"SCHULWART_DATABASE" placeholder:"URL"`
	KeyFile      string   `help:"File with the key that seals secrets; the default is in the data folder." env:"SCHULWART_KEY_FILE" type:"path" placeholder:"FILE"`
	Certificate  string   `help:"Own TLS certificate for --listen (PEM, whole chain)." env:"SCHULWART_CERTIFICATE" placeholder:"FILE"`
	PrivateKey   string   `help:"Its private key (PEM)." env:"SCHULWART_PRIVATE_KEY" placeholder:"FILE"`
	ACME         bool     `name:"acme" help:"Get the certificate for --listen from an ACME authority." env:"SCHULWART_ACME"`
	ACMEEmail    string   `name:"acme-email" help:"Where the ACME authority writes when something is wrong." env:"SCHULWART_ACME_EMAIL" placeholder:"ADDRESS"`
	ACMEURL      string   `name:"acme-url" help:"Directory of the ACME authority; empty for the usual one." env:"SCHULWART_ACME_URL" placeholder:"URL"`
	Proxy        []string `help:"Addresses of reverse proxies that are believed about who asks." env:"SCHULWART_PROXY" placeholder:"ADDRESS"`
	DeviceHeader string   `help:"Header in which a TLS proxy (--proxy) hands on the certificate of a device." env:"SCHULWART_DEVICE_HEADER" placeholder:"NAME"`
	Timezone     string   `help:"School time where an authority has none of its own." default:"Europe/Berlin" env:"SCHULWART_TIMEZONE"`
	BackupDir    string   `help:"Folder for nightly backups; the default is in the data folder." env:"SCHULWART_BACKUP_DIR" placeholder:"DIR"`
	BackupHour   *int     `help:"Hour of school time in which the nightly backup begins, 0 to 23; the default is 2." env:"SCHULWART_BACKUP_HOUR" placeholder:"HOUR"`
	AppSpace     int      `help:"Gigabytes that the files of apps of one authority may have, and those of the operator; 0 for the default, 50." env:"SCHULWART_APP_SPACE" placeholder:"GB"`
	LogLevel     string   `help:"debug, info, warn or error." enum:"debug,info,warn,error" default:"${log_level=info}" env:"SCHULWART_LOG_LEVEL"`
	LogFormat    string   `help:"text or json." enum:"text,json" default:"text" env:"SCHULWART_LOG_FORMAT"`
	left         left     // what nobody named
	open         bool     // to a whole network in plain HTTP, see Open
	MetricsToken string   `help:"Bearer token that /metrics asks for; without one it answers on loopback only." env:"SCHULWART_METRICS_TOKEN" placeholder:"SECRET"`
}

// left notes which values were left to the defaults, so that what was chosen at
// the set-up can take their place. Flags, environment and file win.
type left struct{ publicURL, deviceURL, backupDir, backupHour bool }

// Kept is what somebody chose at the set-up; empty values were never chosen.
type Kept struct {
	PublicURL, DeviceURL    string
	Certificate, PrivateKey string
	ACME                    bool
	ACMEEmail               string
	Proxy                   string
	BackupDir               string
	BackupHour              int // counts where BackupDir was chosen
}

// Adopt takes over what was chosen at the set-up, where nothing else was said,
// and checks everything again.
func (s *Serve) Adopt(k Kept) error {
	if s.left.publicURL && k.PublicURL != "" {
		s.PublicURL = strings.TrimRight(k.PublicURL, "/")
	}
	if s.left.deviceURL && k.DeviceURL != "" {
		s.DeviceURL = strings.TrimRight(k.DeviceURL, "/")
	}
	s.BackupDir, s.BackupHour = s.Backups(k)
	if !s.TLS() && len(s.Proxy) == 0 {
		s.Certificate, s.PrivateKey, s.ACME = k.Certificate, k.PrivateKey, k.ACME
		if s.ACMEEmail == "" {
			s.ACMEEmail = k.ACMEEmail
		}
		if k.Proxy != "" {
			s.Proxy = []string{k.Proxy}
		}
	}
	return errors.Join(s.faults()...)
}

// Backups returns folder and hour of nightly backups with what was chosen at the
// set-up, where nothing else was said.
func (s *Serve) Backups(k Kept) (folder string, hour *int) {
	folder, hour = s.BackupDir, s.BackupHour
	if k.BackupDir == "" {
		return folder, hour
	}
	if s.left.backupDir {
		folder = k.BackupDir
	}
	if s.left.backupHour {
		hour = &k.BackupHour
	}
	return folder, hour
}

// usualHour is the hour of the nightly backup where nobody names one.
const usualHour = 2

// Settle fills in what follows from other values and checks everything. The
// error names every fault, one a line.
func (s *Serve) Settle() error {
	if s.Database == "" {
		s.Database = "sqlite:" + filepath.Join(s.Data, "schulwart.db")
	}
	if s.KeyFile == "" {
		s.KeyFile = filepath.Join(s.Data, "key")
	}
	s.left = left{publicURL: s.PublicURL == "", deviceURL: s.DeviceURL == "", backupDir: s.BackupDir == "", backupHour: s.BackupHour == nil}
	if s.BackupDir == "" {
		s.BackupDir = filepath.Join(s.Data, "backups")
	}
	if s.BackupHour == nil {
		hour := usualHour
		s.BackupHour = &hour
	}
	if s.PublicURL == "" {
		s.PublicURL = address(s.Listen, s.TLS())
	}
	if s.DeviceURL == "" {
		s.DeviceURL = address(s.DeviceListen, true)
	}
	s.PublicURL, s.DeviceURL = strings.TrimRight(s.PublicURL, "/"), strings.TrimRight(s.DeviceURL, "/")
	return errors.Join(s.faults()...)
}

// TLS reports whether people reach this process by TLS.
func (s *Serve) TLS() bool { return s.Certificate != "" || s.ACME }

// Secure reports whether people come by TLS at all, here or at a proxy.
func (s *Serve) Secure() bool { return s.TLS() || strings.HasPrefix(s.PublicURL, "https://") }

// Open lets people come by plain HTTP from the whole network, to the port of
// Listen. It is for demonstrations alone: they have nothing to hide, and a phone
// believes no certificate that they could show.
func (s *Serve) Open(host string) error {
	_, port, err := net.SplitHostPort(s.Listen)
	if err != nil {
		return err
	}
	s.Listen, s.PublicURL, s.open = net.JoinHostPort("", port), "http://"+net.JoinHostPort(host, port), true
	return nil
}

// Zone returns school time.
func (s *Serve) Zone() *time.Location {
	zone, err := time.LoadLocation(s.Timezone)
	if err != nil {
		return time.UTC // Settle refused it
	}
	return zone
}

func (s *Serve) faults() []error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	for flag, value := range map[string]string{"listen": s.Listen, "device-listen": s.DeviceListen} {
		if _, _, err := net.SplitHostPort(value); err != nil {
			fault("--%s %q: needs a host and a port, like 127.0.0.1:8080", flag, value)
		}
	}
	if !s.TLS() && len(s.Proxy) == 0 && !loopback(s.Listen) && !s.open {
		fault("--listen %s: plain HTTP is for loopback only; name a certificate (--certificate, --private-key), --acme, or the proxy in front (--proxy)", s.Listen)
	}
	if (s.Certificate == "") != (s.PrivateKey == "") {
		fault("--certificate and --private-key go together")
	}
	if s.ACME && s.Certificate != "" {
		fault("--acme and --certificate: choose one")
	}
	for flag, value := range map[string]string{"public-url": s.PublicURL, "device-url": s.DeviceURL} {
		u, err := url.Parse(value)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			fault("--%s %q: needs a whole address, like https://schulwart.example", flag, value)
		} else if flag == "device-url" && u.Scheme != "https" {
			fault("--device-url %q: devices come by https only", value)
		}
	}
	for _, proxy := range s.Proxy {
		if _, err := netip.ParseAddr(proxy); err != nil {
			if _, err := netip.ParsePrefix(proxy); err != nil {
				fault("--proxy %q: needs an address or a network, like 10.0.0.5 or 10.0.0.0/24", proxy)
			}
		}
	}
	if s.DeviceHeader != "" && len(s.Proxy) == 0 {
		fault("--device-header: name the proxy that sets it (--proxy); from anybody else it is not believed")
	}
	if s.AppSpace < 0 {
		fault("--app-space %d: needs a number of gigabytes", s.AppSpace)
	}
	if s.BackupHour != nil && (*s.BackupHour < 0 || *s.BackupHour > 23) {
		fault("--backup-hour %d: needs an hour from 0 to 23", *s.BackupHour)
	}
	if _, err := time.LoadLocation(s.Timezone); err != nil {
		fault("--timezone %q: is not known; try Europe/Berlin", s.Timezone)
	}
	if !strings.HasPrefix(s.Database, "sqlite:") && !strings.HasPrefix(s.Database, "postgres:") && !strings.HasPrefix(s.Database, "postgresql:") {
		fault("--database %q: needs sqlite:FILE or postgres://…", s.Database)
	}
	for flag, file := range map[string]string{"certificate": s.Certificate, "private-key": s.PrivateKey} {
		if file == "" {
			continue
		}
		if _, err := os.Stat(file); err != nil {
			fault("--%s: %w", flag, err)
		}
	}
	return faults
}

// Proxies returns the networks whose word on who asks is believed.
func (s *Serve) Proxies() []netip.Prefix {
	var networks []netip.Prefix
	for _, text := range s.Proxy {
		if network, err := netip.ParsePrefix(text); err == nil {
			networks = append(networks, network)
		} else if address, err := netip.ParseAddr(text); err == nil {
			networks = append(networks, netip.PrefixFrom(address, address.BitLen()))
		}
	}
	return networks
}

func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return true // told already
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

func address(listen string, secure bool) string {
	if secure {
		return "https://" + listen
	}
	return "http://" + listen
}
