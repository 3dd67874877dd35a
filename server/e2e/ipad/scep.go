package ipad

import (
	"bytes"
	"context"
	"crypto/cipher"
	"crypto/des" //nolint:gosec // what old clients send
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/smallstep/pkcs7"
	"github.com/smallstep/scep"
	"github.com/smallstep/scep/x509util"
)

// ErrSCEP says that the authority refused the request in SCEP's own words.
var ErrSCEP = errors.New("ipad: SCEP request was refused")

var (
	oidData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidEnveloped     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 3}
	oidDES           = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 7}
	oidRSA           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidMessageType   = asn1.ObjectIdentifier{2, 16, 840, 1, 113733, 1, 9, 2}
	oidSenderNonce   = asn1.ObjectIdentifier{2, 16, 840, 1, 113733, 1, 9, 5}
	oidTransactionID = asn1.ObjectIdentifier{2, 16, 840, 1, 113733, 1, 9, 7}
	aes256           = []byte{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a} // 2.16.840.1.101.3.4.1.42
)

// scep gets the device's certificate.
func (d *IPad) scep(ctx context.Context) error {
	capabilities, err := d.get(ctx, d.profile.scepURL+"?operation=GetCACaps", "")
	if err != nil {
		return fmt.Errorf("GetCACaps: %w", err)
	}
	if !strings.Contains(string(capabilities), "POSTPKIOperation") {
		return errors.New("ipad: GetCACaps lacks POSTPKIOperation")
	}
	der, err := d.get(ctx, d.profile.scepURL+"?operation=GetCACert", "application/x-x509-ca-cert")
	if err != nil {
		return fmt.Errorf("GetCACert: %w", err)
	}
	ca, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	if d.key == nil {
		if d.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return err
		}
	}
	message, self, err := d.request(ca)
	if err != nil {
		return err
	}
	// The message travels in the body and, six thousand characters long, in the
	// address too.
	address := d.profile.scepURL + "?operation=PKIOperation&message=" + url.QueryEscape(base64.StdEncoding.EncodeToString(message))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(message))
	if err != nil {
		return err
	}
	answer, err := d.do(request, "application/x-pki-message")
	if err != nil {
		return fmt.Errorf("PKIOperation: %w", err)
	}
	return d.take(answer, self, ca)
}

// request makes a SHA-1 signed PKCSReq in a DES-CBC envelope.
func (d *IPad) request(ca *x509.Certificate) ([]byte, *x509.Certificate, error) {
	subject := pkix.Name{CommonName: d.UDID}
	for _, pair := range d.profile.subject {
		if pair[0][0] == "O" {
			subject.Organization = []string{pair[0][1]}
		}
	}
	csr, err := x509util.CreateCertificateRequest(rand.Reader, &x509util.CertificateRequest{
		CertificateRequest: x509.CertificateRequest{Subject: subject, SignatureAlgorithm: x509.SHA256WithRSA},
		ChallengePassword:  d.profile.challenge,
	}, d.key)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: subject, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	selfDER, err := x509.CreateCertificate(rand.Reader, template, template, d.key.Public(), d.key)
	if err != nil {
		return nil, nil, err
	}
	self, err := x509.ParseCertificate(selfDER)
	if err != nil {
		return nil, nil, err
	}
	envelope, err := desEnvelope(csr, ca)
	if err != nil {
		return nil, nil, err
	}
	signed, err := pkcs7.NewSignedData(envelope)
	if err != nil {
		return nil, nil, err
	}
	signed.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA1)
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce)
	err = signed.AddSigner(self, d.key, pkcs7.SignerInfoConfig{ExtraSignedAttributes: []pkcs7.Attribute{
		{Type: oidTransactionID, Value: scep.TransactionID(d.UDID)}, {Type: oidMessageType, Value: scep.PKCSReq}, {Type: oidSenderNonce, Value: scep.SenderNonce(nonce)},
	}})
	if err != nil {
		return nil, nil, err
	}
	message, err := signed.Finish()
	return message, self, err
}

func (d *IPad) take(answer []byte, self, ca *x509.Certificate) error {
	reply, err := scep.ParsePKIMessage(answer, scep.WithCACerts([]*x509.Certificate{ca}))
	if err != nil {
		return fmt.Errorf("reading CertRep: %w", err)
	}
	if reply.PKIStatus == scep.FAILURE {
		return ErrSCEP
	}
	outer, err := pkcs7.Parse(answer)
	if err != nil {
		return err
	}
	if !bytes.Contains(outer.Content, aes256) {
		return errors.New("ipad: the reply is not in AES")
	}
	if err := reply.DecryptPKIEnvelope(self, d.key); err != nil {
		return fmt.Errorf("opening CertRep: %w", err)
	}
	d.cert = reply.Certificate
	return nil
}

type envelopedData struct {
	Version    int
	Recipients []recipient `asn1:"set"`
	Content    encrypted
}

type recipient struct {
	Version   int
	Issuer    issuer
	Algorithm pkix.AlgorithmIdentifier
	Key       []byte
}

type issuer struct {
	Name   asn1.RawValue
	Serial *big.Int
}

type encrypted struct {
	Type      asn1.ObjectIdentifier
	Algorithm pkix.AlgorithmIdentifier
	Content   asn1.RawValue `asn1:"tag:0,optional"`
}

// desEnvelope encrypts for the certificate's holder (RFC 5652, section 6) with an
// algorithm that nobody should use, and old clients do.
func desEnvelope(content []byte, to *x509.Certificate) ([]byte, error) {
	key, iv := make([]byte, 8), make([]byte, 8)
	_, _ = rand.Read(key)
	_, _ = rand.Read(iv)
	block, err := des.NewCipher(key) //nolint:gosec // see above
	if err != nil {
		return nil, err
	}
	pad := 8 - len(content)%8
	padded := append(bytes.Clone(content), bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(padded, padded)
	wrapped, err := rsa.EncryptPKCS1v15(rand.Reader, to.PublicKey.(*rsa.PublicKey), key)
	if err != nil {
		return nil, err
	}
	parameters, err := asn1.Marshal(iv)
	if err != nil {
		return nil, err
	}
	inner, err := asn1.Marshal(envelopedData{
		Recipients: []recipient{{Issuer: issuer{asn1.RawValue{FullBytes: to.RawIssuer}, to.SerialNumber}, Algorithm: pkix.AlgorithmIdentifier{Algorithm: oidRSA, Parameters: asn1.NullRawValue}, Key: wrapped}},
		Content:    encrypted{Type: oidData, Algorithm: pkix.AlgorithmIdentifier{Algorithm: oidDES, Parameters: asn1.RawValue{FullBytes: parameters}}, Content: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, Bytes: padded}},
	})
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}{oidEnveloped, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: inner}})
}
