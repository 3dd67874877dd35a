package enroll

import (
	"context"
	"crypto/x509"
	"fmt"

	"github.com/smallstep/pkcs7"
	"github.com/smallstep/scep"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
)

func init() {
	// Requests come in DES to this day; answers of ours are AES.
	pkcs7.ContentEncryptionAlgorithm = pkcs7.EncryptionAlgorithmAES256CBC
}

// SCEPCapabilities answers GetCACaps (RFC 8894, section 3.5.2).
const SCEPCapabilities = "AES\nPOSTPKIOperation\nSHA-1\nSHA-256\nSHA-512\nSCEPStandard\n"

// SCEPCertificate answers GetCACert: the one certificate that a client encrypts
// for, DER.
func (s *Service) SCEPCertificate(ctx context.Context) ([]byte, error) {
	scep, err := s.scepIdentity(ctx)
	if err != nil {
		return nil, err
	}
	return scep.cert.Raw, nil
}

// SCEP answers a PKIOperation, DER. A request that is no SCEP message is an
// Invalid fault; one that is, but is not let in, is answered with a failure that
// the client understands, and refused says why.
func (s *Service) SCEP(ctx context.Context, message []byte) (answer []byte, refused, err error) {
	// The parser below was written for friendly input.
	defer func() {
		if p := recover(); p != nil {
			answer, refused, err = nil, nil, errs.E(errs.Invalid, "enrol.scep").Because(fmt.Errorf("panic: %v", p))
		}
	}()
	ra, err := s.scepIdentity(ctx)
	if err != nil {
		return nil, nil, err
	}
	request, err := scep.ParsePKIMessage(message)
	if err != nil {
		return nil, nil, errs.E(errs.Invalid, "enrol.scep").Because(err)
	}
	if request.MessageType != scep.PKCSReq && request.MessageType != scep.RenewalReq {
		return nil, nil, errs.E(errs.Invalid, "enrol.scep_type", "type", string(request.MessageType))
	}
	if err := request.DecryptPKIEnvelope(ra.cert, ra.key); err != nil {
		return nil, nil, errs.E(errs.Invalid, "enrol.scep").Because(err)
	}
	cert, err := s.admitSCEP(ctx, ra, request.CSRReqMessage)
	if err != nil && errs.KindOf(err) != errs.Denied && errs.KindOf(err) != errs.Invalid {
		return nil, nil, err
	}
	var reply *scep.PKIMessage
	if err != nil {
		refused = err
		reply, err = request.Fail(ra.cert, ra.key, scep.BadRequest)
	} else {
		reply, err = request.Success(ra.cert, ra.key, cert)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("answering SCEP: %w", err)
	}
	return reply.Raw, refused, nil
}

func (s *Service) admitSCEP(ctx context.Context, ra identity, request *scep.CSRReqMessage) (*x509.Certificate, error) {
	credential, err := s.openCredential(waySCEP, request.ChallengePassword)
	if err != nil {
		return nil, err
	}
	csr, err := parseRequest(request.CSR.Raw)
	if err != nil {
		return nil, err
	}
	admission := Admission{Credential: credential, KeyHash: Fingerprint(csr.RawSubjectPublicKeyInfo)}
	der, err := s.store.Admit(ctx, admission, func(owner, enrolment org.ID) (Issued, error) {
		return device(ra, csr.PublicKey, owner, enrolment, enrolment.String(), s.options.Now())
	})
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
