package desired

import (
	"encoding/base64"
	"encoding/json"
	"fmt"

	"schulwart.org/policies/catalog/foreign"
	"schulwart.org/policies/ddm"
	"schulwart.org/policies/mdm"
)

// Profile is what stands in the declaration of a family for Apple's devices
// before the server puts the address of the signed profile in its place.
type Profile struct {
	Family   string                 `json:"family"`
	Payloads []foreign.ApplePayload `json:"payloads"`
}

// ProfileOf returns the profile, not yet signed, that a declaration of the type
// ddm.TypeLegacyProfile stands for. Equal declarations have equal profiles.
func ProfileOf(declaration ddm.Declaration, organization string) ([]byte, error) {
	var said Profile
	if err := json.Unmarshal(declaration.Payload, &said); err != nil {
		return nil, fmt.Errorf("reading profile: %w", err)
	}
	profile := mdm.NewProfile(declaration.Identifier, "Schulwart: "+said.Family)
	profile.PayloadOrganization, profile.PayloadRemovalDisallowed = organization, true
	for i, payload := range said.Payloads {
		content, _ := plain(payload.Content).(map[string]any)
		profile.Add(payload.Type, fmt.Sprint(i+1), content)
	}
	return mdm.Encode(profile)
}

// plain returns a value as property lists know it: a number without a fraction is
// an integer, and bytes are bytes (foreign.Data).
func plain(value any) any {
	switch value := value.(type) {
	case map[string]any:
		if text, ok := value[foreign.DataKey].(string); ok && len(value) == 1 {
			data, _ := base64.StdEncoding.DecodeString(text)
			return data
		}
		for key, inner := range value {
			value[key] = plain(inner)
		}
	case []any:
		for i, inner := range value {
			value[i] = plain(inner)
		}
	case float64:
		if value == float64(int64(value)) {
			return int64(value)
		}
	}
	return value
}
