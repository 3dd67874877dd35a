package gateway

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/smallstep/pkcs7"

	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
	"schulwart.org/server/checkin"
	"schulwart.org/server/enroll"
	"schulwart.org/server/errs"
	"schulwart.org/server/httpx"
)

// invite answers an enrolment link: to our agent as JSON, to Apple devices and to
// programs as the profile, to other browsers with the console's page that says what
// to do on this device.
func (g *Gateway) invite(w http.ResponseWriter, r *http.Request) error {
	token := r.PathValue("token")
	w.Header().Set("Cache-Control", "no-store")
	switch {
	case strings.Contains(r.Header.Get("Accept"), "application/json"):
		invitation, err := g.Enroll.Invitation(r.Context(), token)
		if err != nil {
			return err
		}
		g.count("invitation")
		return answer(w, invitation)
	case r.URL.Query().Has("signed") || apple(r.UserAgent()) || !strings.HasPrefix(r.UserAgent(), "Mozilla/"):
		profile, err := g.Enroll.Profile(r.Context(), token, r.URL.Query().Get("signed") != "0")
		if err != nil {
			return err
		}
		g.count("profile")
		w.Header().Set("Content-Type", profileType)
		w.Header().Set("Content-Disposition", `attachment; filename="schulwart.mobileconfig"`)
		_, err = w.Write(profile)
		return err
	}
	http.Redirect(w, r, g.Console+"/aufnehmen/"+url.PathEscape(token), http.StatusSeeOther)
	return nil
}

const profileType = "application/x-apple-aspen-config"

// profile hands out a profile that a declaration names. The device fetches it
// without a certificate; the address is the secret.
func (g *Gateway) profile(w http.ResponseWriter, r *http.Request) error {
	school := org.Branch{Authority: org.ID(r.PathValue("authority")), School: org.ID(r.PathValue("school"))}
	profile, err := g.Declarations.Profile(r.Context(), school, r.PathValue("identifier"), r.PathValue("version"), r.PathValue("seal"))
	if err != nil {
		return err
	}
	g.count("declared-profile")
	w.Header().Set("Content-Type", profileType)
	w.Header().Set("Cache-Control", "no-store")
	_, err = w.Write(profile)
	return err
}

// apple reports whether a browser runs on a device that takes profiles. Safari
// on an iPad calls itself a Macintosh by default; both take them.
func apple(agent string) bool {
	for _, name := range []string{"iPad", "iPhone", "iPod", "Macintosh", "Darwin"} {
		if strings.Contains(agent, name) {
			return true
		}
	}
	return false
}

// estAuthority answers cacerts (RFC 7030, section 4.1).
func (g *Gateway) estAuthority(w http.ResponseWriter, _ *http.Request) error {
	return certificates(w, g.Enroll.CA())
}

// estEnroll answers simpleenroll (RFC 7030, section 4.2.1), with the one-time
// password of the invitation.
func (g *Gateway) estEnroll(w http.ResponseWriter, r *http.Request) error {
	_, bootstrap, ok := r.BasicAuth()
	if !ok {
		return errs.E(errs.Denied, "token.credential")
	}
	request, err := estRequest(w, r)
	if err != nil {
		return err
	}
	cert, err := g.Enroll.Enroll(r.Context(), bootstrap, request)
	if err != nil {
		return err
	}
	g.count("enrolled")
	return certificates(w, cert)
}

// estRenew answers simplereenroll (RFC 7030, section 4.2.2). It is the one place
// where an expired certificate is good for something; a revoked one never is.
func (g *Gateway) estRenew(w http.ResponseWriter, r *http.Request) error {
	who, err := g.connected(r)
	if err != nil {
		return err
	}
	e, err := g.know(r.Context(), who)
	switch {
	case checkin.Reason(err) == mdm.RefusedExpired && enroll.Renewable(who.Expires, g.Now()):
	case err != nil:
		return err
	}
	if e.State == checkin.Left {
		return checkin.Refusal(mdm.RefusedLeft)
	}
	request, err := estRequest(w, r)
	if err != nil {
		return err
	}
	name := e.UDID
	if name == "" {
		name = who.x509.Subject.CommonName
	}
	cert, err := g.Enroll.Renew(r.Context(), e.Authority, e.ID, name, request)
	if err != nil {
		return err
	}
	g.count("renewed")
	return certificates(w, cert)
}

// estRequest reads a PKCS #10 request in base64 (RFC 8951 has the rules about
// its white space), or as DER from clients that read only half of the text.
func estRequest(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := httpx.Body(w, r, largestRequest)
	if err != nil {
		return nil, err
	}
	if len(body) > 0 && body[0] == 0x30 {
		return body, nil
	}
	der, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields(body), nil)))
	if err != nil {
		return nil, errs.E(errs.Invalid, "enrol.request").Because(err)
	}
	return der, nil
}

// certificates answers with a certs-only CMS message in base64.
func certificates(w http.ResponseWriter, der []byte) error {
	bundle, err := pkcs7.DegenerateCertificate(der)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/pkcs7-mime; smime-type=certs-only")
	w.Header().Set("Content-Transfer-Encoding", "base64")
	_, err = w.Write([]byte(base64.StdEncoding.EncodeToString(bundle)))
	return err
}

// scepRead answers the operations that clients GET (RFC 8894, section 4).
func (g *Gateway) scepRead(w http.ResponseWriter, r *http.Request) error {
	switch operation := r.URL.Query().Get("operation"); operation {
	case "GetCACaps":
		w.Header().Set("Content-Type", "text/plain")
		_, err := w.Write([]byte(enroll.SCEPCapabilities))
		return err
	case "GetCACert":
		cert, err := g.Enroll.SCEPCertificate(r.Context())
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/x-x509-ca-cert")
		_, err = w.Write(cert)
		return err
	case "PKIOperation":
		message, err := base64.StdEncoding.DecodeString(r.URL.Query().Get("message"))
		if err != nil {
			return errs.E(errs.Invalid, "enrol.scep").Because(err)
		}
		return g.pki(w, r, message)
	default:
		return errs.E(errs.Invalid, "enrol.scep_operation")
	}
}

// scepOperation answers PKIOperation by POST. Old clients repeat the message in
// the address, which then has six thousand characters; the body counts.
func (g *Gateway) scepOperation(w http.ResponseWriter, r *http.Request) error {
	if r.URL.Query().Get("operation") != "PKIOperation" {
		return errs.E(errs.Invalid, "enrol.scep_operation")
	}
	message, err := httpx.Body(w, r, largestRequest)
	if err != nil {
		return err
	}
	return g.pki(w, r, message)
}

func (g *Gateway) pki(w http.ResponseWriter, r *http.Request, message []byte) error {
	reply, refused, err := g.Enroll.SCEP(r.Context(), message)
	if err != nil {
		return err
	}
	if refused != nil {
		g.count("refused.scep")
		httpx.Log(r.Context(), g.Log, r, http.StatusOK, refused)
	} else {
		g.count("enrolled")
	}
	w.Header().Set("Content-Type", "application/x-pki-message")
	_, err = w.Write(reply)
	return err
}
