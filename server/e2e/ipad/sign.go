package ipad

import (
	"crypto"
	"crypto/sha1" //nolint:gosec // what devices send to this day
	"encoding/asn1"
	"encoding/base64"
	"time"

	"github.com/smallstep/pkcs7"
)

// Sign returns the header value for a body: a detached CMS signature, SHA-1,
// with the time on the device's own clock.
func (d *IPad) Sign(body []byte) (string, error) {
	return d.sign(body, func(signed *pkcs7.SignedData) error {
		if err := signed.AddSigner(d.cert, d.key, pkcs7.SignerInfoConfig{}); err != nil || d.Now == nil {
			return err
		}
		// The library knows the machine's clock only: its signature is made anew.
		signer := &signed.GetSignedData().SignerInfos[0]
		at, err := asn1.Marshal(d.Now().UTC().Truncate(time.Second))
		if err != nil {
			return err
		}
		for i, attribute := range signer.AuthenticatedAttributes {
			if attribute.Type.Equal(pkcs7.OIDAttributeSigningTime) {
				signer.AuthenticatedAttributes[i].Value = asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: at}
			}
		}
		encoded, err := asn1.MarshalWithParams(signer.AuthenticatedAttributes, "set")
		if err != nil {
			return err
		}
		digest := sha1.Sum(encoded) //nolint:gosec // as above
		signer.EncryptedDigest, err = d.key.Sign(nil, digest[:], crypto.SHA1)
		return err
	})
}

// SignTimeless signs as a device that does not say when: the same body has the
// same signature for ever.
func (d *IPad) SignTimeless(body []byte) (string, error) {
	return d.sign(body, func(signed *pkcs7.SignedData) error {
		return signed.SignWithoutAttr(d.cert, d.key, pkcs7.SignerInfoConfig{})
	})
}

func (d *IPad) sign(body []byte, how func(*pkcs7.SignedData) error) (string, error) {
	signed, err := pkcs7.NewSignedData(body)
	if err != nil {
		return "", err
	}
	signed.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA1)
	if err := how(signed); err != nil {
		return "", err
	}
	signed.Detach()
	data, err := signed.Finish()
	return base64.StdEncoding.EncodeToString(data), err
}
