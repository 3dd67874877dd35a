package ipad

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/smallstep/pkcs7"

	"schulwart.org/policies/mdm"
)

// obey does what a command asks and returns the report.
func (d *IPad) obey(ctx context.Context, command mdm.Command) (any, error) {
	d.mu.Lock()
	d.handled = append(d.handled, command.RequestType())
	locked := d.locked
	d.mu.Unlock()
	head := mdm.Result{Enrollment: mdm.Enrollment{UDID: d.UDID}, Status: mdm.Acknowledged, CommandUUID: command.CommandUUID}
	switch command.RequestType() {
	case mdm.RequestDeviceInformation:
		return d.information(head), nil
	case mdm.RequestProfileList:
		return struct {
			mdm.Result
			mdm.ProfileListResponse
		}{head, mdm.ProfileListResponse{ProfileList: d.list()}}, nil
	case mdm.RequestInstalledApplicationList:
		return struct {
			mdm.Result
			mdm.InstalledApplicationListResponse
		}{head, mdm.InstalledApplicationListResponse{InstalledApplicationList: d.having(command)}}, nil
	case mdm.RequestDeclarativeManagement:
		return head, d.Synchronize(ctx)
	case mdm.RequestInstallProfile, mdm.RequestRemoveProfile:
		if locked {
			head.Status = mdm.NotNow
			return head, nil
		}
		if err := d.change(command); err != nil {
			head.Status = mdm.Error
			head.ErrorChain = []mdm.ErrorChainItem{{ErrorCode: 4001, ErrorDomain: "MCInstallationErrorDomain", LocalizedDescription: err.Error()}}
		}
		return head, nil
	}
	head.Status = mdm.Error
	head.ErrorChain = []mdm.ErrorChainItem{{ErrorCode: 12021, ErrorDomain: "MCMDMErrorDomain", LocalizedDescription: command.RequestType() + " ist kein gültiger Befehl."}}
	return head, nil
}

func (d *IPad) information(head mdm.Result) any {
	var answers mdm.DeviceInformationResponse
	q := &answers.QueryResponses
	q.UDID, q.SerialNumber, q.DeviceName, q.OSVersion, q.ModelName, q.Model = d.UDID, d.Serial, d.Name, "18.1", "iPad", "MK2K3FD"
	q.IsSupervised, q.BatteryLevel, q.DeviceCapacity, q.AvailableDeviceCapacity = d.Supervised, 0.83, 64, 21.5
	return struct {
		mdm.Result
		mdm.DeviceInformationResponse
	}{head, answers}
}

func (d *IPad) change(command mdm.Command) error {
	if command.RequestType() == mdm.RequestRemoveProfile {
		identifier, _ := command.Command["Identifier"].(string)
		if _, ok := d.Profile(identifier); !ok {
			return fmt.Errorf("the profile %q is not installed", identifier)
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.installed, identifier)
		return nil
	}
	payload, _ := command.Command["Payload"].([]byte)
	data, err := d.opened(payload)
	if err != nil {
		return err
	}
	profile, err := mdm.ParseProfile(data)
	if err != nil {
		return err
	}
	return d.install(profile)
}

// opened checks a profile's signature and returns what was signed.
func (d *IPad) opened(data []byte) ([]byte, error) {
	if d.Authority == nil {
		return data, nil
	}
	signed, err := pkcs7.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("reading the profile's signature: %w", err)
	}
	if err := signed.VerifyWithChain(d.Authority); err != nil {
		return nil, fmt.Errorf("checking the profile's signature: %w", err)
	}
	return signed.Content, nil
}

func (d *IPad) install(profile mdm.Profile) error {
	if !d.Supervised && profile.PayloadRemovalDisallowed {
		return errors.New("the device is not supervised")
	}
	for _, payload := range profile.PayloadContent {
		if payload["PayloadType"] != "com.apple.app.lock" {
			continue
		}
		if !d.Supervised {
			return errors.New("the device is not supervised")
		}
		app, _ := payload["App"].(map[string]any)
		identifier, _ := app["Identifier"].(string)
		d.mu.Lock()
		d.stranded = d.stranded || identifier != "com.apple.mobilesafari" && !slices.Contains(d.apps, identifier)
		d.mu.Unlock()
	}
	kept := installed{profile: profile}
	if profile.RemovalDate != nil {
		kept.until = *profile.RemovalDate
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.installed == nil {
		d.installed = map[string]installed{}
	}
	d.installed[profile.PayloadIdentifier] = kept
	return nil
}

// having lists which of the apps that the command names are installed. What comes
// with the system is not among them.
func (d *IPad) having(command mdm.Command) []mdm.InstalledApplication {
	asked, _ := command.Command["Identifiers"].([]any)
	d.mu.Lock()
	defer d.mu.Unlock()
	list := []mdm.InstalledApplication{}
	for _, app := range d.apps {
		if slices.Contains(asked, any(app)) {
			list = append(list, mdm.InstalledApplication{Identifier: app, Version: "1.0"})
		}
	}
	return list
}

// Put installs an app.
func (d *IPad) Put(app string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.apps = append(d.apps, app)
}

// Stranded reports whether the device was ever locked to an app that it had not:
// a real one is of no use then.
func (d *IPad) Stranded() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stranded
}

// Profile returns an installed profile. One whose RemovalDate has passed on the
// device's own clock is gone, whether the server lives or not.
func (d *IPad) Profile(identifier string) (mdm.Profile, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	kept, ok := d.installed[identifier]
	if ok && !kept.until.IsZero() && !d.Now().Before(kept.until) {
		delete(d.installed, identifier)
		return mdm.Profile{}, false
	}
	return kept.profile, ok
}

func (d *IPad) list() []mdm.InstalledProfile {
	d.mu.Lock()
	names := make([]string, 0, len(d.installed))
	for name := range d.installed {
		names = append(names, name)
	}
	d.mu.Unlock()
	sort.Strings(names)
	list := []mdm.InstalledProfile{}
	for _, name := range names {
		if profile, ok := d.Profile(name); ok {
			list = append(list, mdm.InstalledProfile{PayloadIdentifier: name, PayloadUUID: profile.PayloadUUID, PayloadDisplayName: profile.PayloadDisplayName, IsManaged: true})
		}
	}
	return list
}

// Handled returns the request types of the commands that came, in order.
func (d *IPad) Handled() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.handled...)
}

// Tokens returns the declarations' token that was fetched last.
func (d *IPad) Tokens() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.tokens
}

// Trust returns a pool of one authority, for Authority.
func Trust(der []byte) *x509.CertPool {
	pool := x509.NewCertPool()
	if cert, err := x509.ParseCertificate(der); err == nil {
		pool.AddCert(cert)
	}
	return pool
}
