package enroll

import (
	"context"
	"crypto/sha1" //nolint:gosec // Apple's CAFingerprint is SHA-1 by definition
	"fmt"

	"github.com/smallstep/pkcs7"

	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
)

// EnrolmentProfileID is the identifier of the profile that ties an Apple device
// to us.
const EnrolmentProfileID = "org.schulwart.enrolment"

// accessRights are all of Apple's rights (the sum of 2^0 to 2^12).
const accessRights = 8191

// Profile answers an Apple device that opened a token's link: a profile with a
// one-time challenge, good for one device. Signed as devices show it best,
// unsigned for clients that read no signatures.
func (s *Service) Profile(ctx context.Context, text string, signed bool) ([]byte, error) {
	token, err := s.open(ctx, text)
	if err != nil {
		return nil, err
	}
	if err := token.Valid(s.options.Now()); err != nil {
		return nil, err // a used-up token: an Apple device always comes with a new key
	}
	profile, err := s.profile(ctx, token)
	if err != nil {
		return nil, err
	}
	data, err := mdm.Encode(profile)
	if err != nil || !signed {
		return data, err
	}
	return s.SignProfile(ctx, data)
}

func (s *Service) profile(ctx context.Context, token Token) (mdm.Profile, error) {
	challenge, err := s.credential(waySCEP, token.ID)
	if err != nil {
		return mdm.Profile{}, err
	}
	issuer, err := s.SCEPCertificate(ctx)
	if err != nil {
		return mdm.Profile{}, err
	}
	fingerprint := sha1.Sum(issuer) //nolint:gosec // see above
	p := mdm.NewProfile(EnrolmentProfileID, token.Place.School)
	p.PayloadOrganization = s.options.Name
	p.Add("com.apple.security.root", "root", mdm.Payload{"PayloadDisplayName": s.root.cert.Subject.CommonName, "PayloadContent": s.root.cert.Raw})
	p.Add("com.apple.security.scep", "scep", mdm.Payload{
		"PayloadContent": map[string]any{
			"URL": s.options.DeviceURL + "/scep", "Name": "schulwart", "Challenge": challenge, "Keysize": 2048, "Key Type": "RSA", "Key Usage": 5,
			"Subject":       [][][]string{{{"O", organization(s.options.Name)}}, {{"CN", "iPad " + shortID(token.ID)}}},
			"CAFingerprint": fingerprint[:], "Retries": 3, "RetryDelay": 10,
		},
	})
	p.Add("com.apple.mdm", "mdm", mdm.Payload{
		"IdentityCertificateUUID": mdm.UUID(EnrolmentProfileID + ".scep"), "Topic": s.options.PushTopic,
		"ServerURL": s.options.DeviceURL + "/mdm", "CheckInURL": s.options.DeviceURL + "/checkin",
		"SignMessage": true, "AccessRights": accessRights, "CheckOutWhenRemoved": true, "ServerCapabilities": []string{"com.apple.mdm.bootstraptoken"},
	})
	return p, nil
}

// SignProfile signs a profile with the installation's certificate (CMS), so that
// devices show who sent it and refuse one that was changed.
func (s *Service) SignProfile(ctx context.Context, profile []byte) ([]byte, error) {
	signer, err := s.signerIdentity(ctx)
	if err != nil {
		return nil, err
	}
	signed, err := pkcs7.NewSignedData(profile)
	if err != nil {
		return nil, fmt.Errorf("signing profile: %w", err)
	}
	signed.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	if err := signed.AddSigner(signer.cert, signer.key, pkcs7.SignerInfoConfig{}); err != nil {
		return nil, fmt.Errorf("signing profile: %w", err)
	}
	signed.AddCertificate(s.root.cert)
	data, err := signed.Finish()
	if err != nil {
		return nil, fmt.Errorf("signing profile: %w", err)
	}
	return data, nil
}

func organization(name string) string {
	if name == "" {
		return "Schulwart"
	}
	return name
}

func shortID(id org.ID) string {
	text := id.String()
	return text[max(0, len(text)-6):]
}
