package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"
)

func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"name":"a","device_url":"https://a","ca":"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----","lease_keys":[{"kid":"a"}],"bootstrap":"b"}`))
	f.Add([]byte("MIIBAAYJKoZIhvcNAQcCoIIB"))
	f.Add([]byte("MIAGCSqGSIb3DQEHAqCAMIACAQExADCABgkqhkiG9w0BBwEAAKCAAAAxAAAAAAAAAA=="))
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if said, err := parseInvitation(data, nil); err == nil && (said.Bootstrap == "" || len(said.LeaseKeys) == 0) {
			t.Error("an incomplete invitation was taken")
		}
		i := &Identity{}
		if chain, err := i.parseChain(data, &key.PublicKey); err == nil {
			t.Errorf("a certificate came out of nothing: %d", len(chain))
		}
		_, _ = ParseLink(string(data))
	})
}
