package foreign

import (
	"encoding/pem"

	"schulwart.org/policies/catalog"
	"schulwart.org/policies/org"
)

var certificates = Forms{
	Apple: func(s catalog.Settings, _ org.Platform) []ApplePayload {
		var payloads []ApplePayload
		for _, root := range s.Items("roots") {
			payloads = append(payloads, ApplePayload{"com.apple.security.root", map[string]any{
				"PayloadCertificateFileName": root.Text("name") + ".cer", "PayloadContent": Data(certificateOf(root)),
			}})
		}
		return payloads
	},
	Windows: func(s catalog.Settings) WindowsForm {
		var form WindowsForm
		for _, root := range s.Items("roots") {
			form.Rules = append(form.Rules, WindowsRule{"certificate", root.Text("name"), map[string]string{"store": "Root", "pem": root.Text("certificate")}})
		}
		return form
	},
}

// certificateOf returns the certificate of an entry, as its authority signed it.
func certificateOf(entry catalog.Settings) []byte {
	block, _ := pem.Decode([]byte(entry.Text("certificate")))
	if block == nil {
		return nil
	}
	return block.Bytes
}
