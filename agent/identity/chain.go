package identity

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
)

var errNoCertificates = errors.New("reading certificate: answer holds none")

// parseChain reads a certs-only answer (RFC 7030, section 4.1.3): the device's
// own certificate, first in the result, must be for its key.
func (i *Identity) parseChain(answer []byte, key *ecdsa.PublicKey) (chain [][]byte, err error) {
	der, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields(answer), nil)))
	if err != nil {
		return nil, fmt.Errorf("reading certificate: %w", err)
	}
	certificates, err := certsOnly(der)
	if err != nil {
		return nil, err
	}
	for _, c := range certificates {
		if public, ok := c.PublicKey.(*ecdsa.PublicKey); ok && public.Equal(key) {
			chain = append([][]byte{c.Raw}, chain...)
		} else if !c.IsCA || c.CheckSignatureFrom(c) != nil {
			chain = append(chain, c.Raw) // between; the authority itself is not sent along
		}
	}
	if len(chain) == 0 {
		return nil, errNoCertificates
	}
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return nil, fmt.Errorf("reading certificate: %w", err)
	}
	if public, ok := leaf.PublicKey.(*ecdsa.PublicKey); !ok || !public.Equal(key) {
		return nil, errors.New("reading certificate: it is not for this device's key")
	}
	return chain, nil
}

var oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}

// certsOnly returns the certificates of a SignedData without content and signers
// (RFC 5652, section 5.1), in DER as our server writes it. What else may stand in
// one is not looked at: the certificates speak for themselves.
func certsOnly(der []byte) ([]*x509.Certificate, error) {
	var message struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"explicit,tag:0"`
	}
	if rest, err := asn1.Unmarshal(der, &message); err != nil || len(rest) > 0 {
		return nil, errors.Join(errors.New("reading certificate: answer cannot be read"), err)
	}
	if !message.Type.Equal(oidSignedData) {
		return nil, errNoCertificates
	}
	var signed asn1.RawValue
	if _, err := asn1.Unmarshal(message.Content.Bytes, &signed); err != nil {
		return nil, fmt.Errorf("reading certificate: %w", err)
	}
	for rest := signed.Bytes; len(rest) > 0; {
		var field asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &field); err != nil {
			return nil, fmt.Errorf("reading certificate: %w", err)
		}
		if field.Class == asn1.ClassContextSpecific && field.Tag == 0 {
			certificates, err := x509.ParseCertificates(field.Bytes)
			if err != nil {
				return nil, fmt.Errorf("reading certificate: %w", err)
			}
			return certificates, nil
		}
	}
	return nil, errNoCertificates
}
