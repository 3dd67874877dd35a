package catalog

import (
	"encoding/pem"

	"schulwart.org/policies/org"
)

// Certificates are authorities that a device believes, beside those that it
// brings along.
var Certificates = Family{
	Name: "certificates", Topic: TopicNetwork, Also: []Part{Browser},
	Fields: []Field{
		{Name: "roots", Kind: Entries, Key: "name", Most: 20, Merge: Union, Fields: []Field{
			{Name: "name", Kind: Text, Form: Line, Max: 60, Required: true, Merge: Nearest},
			{Name: "certificate", Kind: Text, Form: Certificate, Required: true, Merge: Nearest},
		}},
	},
	Platforms: map[org.Platform]Ability{org.Linux: Enforced, org.Windows: Unverified, org.MacOS: Unverified, org.IPadOS: Unverified},
	Apple: func(s Settings, _ org.Platform) []ApplePayload {
		var payloads []ApplePayload
		for _, root := range s.Items("roots") {
			payloads = append(payloads, ApplePayload{"com.apple.security.root", map[string]any{
				"PayloadCertificateFileName": root.Text("name") + ".cer", "PayloadContent": Data(certificateOf(root)),
			}})
		}
		return payloads
	},
	Windows: func(s Settings) WindowsForm {
		var form WindowsForm
		for _, root := range s.Items("roots") {
			form.Rules = append(form.Rules, WindowsRule{"certificate", root.Text("name"), map[string]string{"store": "Root", "pem": root.Text("certificate")}})
		}
		return form
	},
}

// certificateOf returns the certificate of an entry, as its authority signed it.
func certificateOf(entry Settings) []byte {
	block, _ := pem.Decode([]byte(entry.Text("certificate")))
	if block == nil {
		return nil
	}
	return block.Bytes
}
