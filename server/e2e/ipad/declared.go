package ipad

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/mdm"
)

// declared is what the device took from a declaration.
type declared struct {
	token, address string
	signed         []byte // the profile as it came
	profile        string // its identifier
	payload        json.RawMessage
}

// heed does what a declaration says, and says what became of it.
func (d *IPad) heed(ctx context.Context, declaration ddm.Declaration) ddm.DeclarationState {
	state := ddm.DeclarationState{Identifier: declaration.Identifier, ServerToken: declaration.ServerToken, Valid: ddm.Valid, Active: true}
	took := declared{token: declaration.ServerToken, payload: declaration.Payload}
	if err := d.legacy(ctx, declaration, &took); err != nil {
		state.Valid, state.Active = ddm.Invalid, false
		state.Reasons = []ddm.Reason{{Code: "Error.ConfigurationCannotBeApplied", Description: err.Error()}}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, reason := range state.Reasons {
		d.faults = append(d.faults, declaration.Identifier+": "+reason.Description)
	}
	if d.declared == nil {
		d.declared = map[string]declared{}
	}
	d.declared[declaration.Identifier] = took
	return state
}

// legacy fetches and installs the profile that a declaration names, if it names
// one. A device that has the version already does not fetch it again.
func (d *IPad) legacy(ctx context.Context, declaration ddm.Declaration, took *declared) error {
	if declaration.Type != ddm.TypeLegacyProfile {
		return nil
	}
	var payload struct{ ProfileURL string }
	if err := json.Unmarshal(declaration.Payload, &payload); err != nil {
		return err
	}
	if !strings.HasPrefix(payload.ProfileURL, "https://") {
		return fmt.Errorf("ProfileURL is %q", payload.ProfileURL)
	}
	d.mu.Lock()
	known := d.declared[declaration.Identifier]
	d.mu.Unlock()
	if known.token == declaration.ServerToken {
		*took = known
		return nil
	}
	data, err := d.get(ctx, payload.ProfileURL, "application/x-apple-aspen-config")
	if err != nil {
		return fmt.Errorf("fetching profile: %w", err)
	}
	content, err := d.opened(data)
	if err != nil {
		return err
	}
	profile, err := mdm.ParseProfile(content)
	if err != nil {
		return err
	}
	took.address, took.signed, took.profile = payload.ProfileURL, data, profile.PayloadIdentifier
	return d.install(profile)
}

// leave removes what came with declarations that are no longer there.
func (d *IPad) leave(kept map[string]bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for identifier, took := range d.declared {
		if !kept[identifier] {
			delete(d.installed, took.profile)
			delete(d.declared, identifier)
		}
	}
}

// Declared returns the payload of a declaration that the device has, and, if it
// names a profile, from where that came and as what.
func (d *IPad) Declared(identifier string) (payload json.RawMessage, address string, signed []byte, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	took, ok := d.declared[identifier]
	return took.payload, took.address, took.signed, ok
}

// Faults are what the device reported of declarations that it could not apply.
func (d *IPad) Faults() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.faults...)
}
