// Package ipad is a simulated iPad, written after the protocol's description and
// not after our server: it enrols by an unsigned profile, gets its certificate by
// SCEP as old clients do (SHA-1, DES), signs its messages with Mdm-Signature
// instead of mutual TLS, obeys commands, and removes profiles by its own clock.
// It stands for the protocol, not for the behaviour of iPadOS. Only tests use it.
package ipad

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/mdm"
)

// IPad is one device. Its fields are set before Enrol.
type IPad struct {
	UDID       string
	Serial     string
	Name       string
	Supervised bool
	Client     *http.Client // trusts the server; shows no certificate
	Now        func() time.Time
	// Authority is the certificate under which profiles must be signed; nil
	// accepts unsigned ones only.
	Authority *x509.CertPool

	mu        sync.Mutex
	profile   enrolment
	cert      *x509.Certificate
	key       *rsa.PrivateKey
	installed map[string]installed
	locked    bool
	handled   []string // request types in the order in which they came
	apps      []string // bundle identifiers of what was installed beside the system
	stranded  bool     // was locked to an app that it has not
	tokens    string   // of declarations, as last fetched
	declared  map[string]declared
	faults    []string // of declarations, as reported
}

type installed struct {
	profile mdm.Profile
	until   time.Time // zero: for ever
}

// enrolment is what the enrolment profile said.
type enrolment struct {
	serverURL, checkInURL, topic string
	scepURL, challenge           string
	subject                      [][][]string
}

// Refused is an answer that is not 200.
type Refused struct {
	Status int
	Reason string
}

func (r Refused) Error() string { return fmt.Sprintf("ipad: answered %d %s", r.Status, r.Reason) }

// Enrol follows an enrolment link to its end.
func (d *IPad) Enrol(ctx context.Context, link string) error {
	if err := d.InstallEnrolment(ctx, link); err != nil {
		return err
	}
	if err := d.Authenticate(ctx); err != nil {
		return err
	}
	return d.TokenUpdate(ctx)
}

// InstallEnrolment fetches the profile of the link and gets the certificate.
func (d *IPad) InstallEnrolment(ctx context.Context, link string) error {
	data, err := d.get(ctx, link+"?signed=0", "application/x-apple-aspen-config")
	if err != nil {
		return fmt.Errorf("fetching profile: %w", err)
	}
	profile, err := mdm.ParseProfile(data)
	if err != nil {
		return err
	}
	if d.profile, err = readEnrolment(profile); err != nil {
		return err
	}
	return d.scep(ctx)
}

func readEnrolment(profile mdm.Profile) (enrolment, error) {
	var e enrolment
	scep, management := 0, 0
	for _, payload := range profile.PayloadContent {
		switch payload["PayloadType"] {
		case "com.apple.security.scep":
			scep++
			content, _ := payload["PayloadContent"].(map[string]any)
			e.scepURL, _ = content["URL"].(string)
			e.challenge, _ = content["Challenge"].(string)
			if content["Keysize"] != uint64(2048) || content["Key Type"] != "RSA" || content["Key Usage"] != uint64(5) {
				return e, errors.New("ipad: not the key that old clients make")
			}
			sets, _ := content["Subject"].([]any)
			for _, set := range sets {
				pairs, _ := set.([]any)
				for _, pair := range pairs {
					parts, _ := pair.([]any)
					if len(parts) != 2 {
						return e, errors.New("ipad: Subject is not nested three deep")
					}
					e.subject = append(e.subject, [][]string{{parts[0].(string), parts[1].(string)}})
				}
			}
		case "com.apple.mdm":
			management++
			e.serverURL, _ = payload["ServerURL"].(string)
			e.checkInURL, _ = payload["CheckInURL"].(string)
			e.topic, _ = payload["Topic"].(string)
			if payload["SignMessage"] != true {
				return e, errors.New("ipad: SignMessage is not set")
			}
		}
	}
	if scep != 1 || management != 1 {
		return e, fmt.Errorf("ipad: %d SCEP and %d MDM payloads", scep, management)
	}
	if e.checkInURL == "" {
		e.checkInURL = e.serverURL
	}
	return e, nil
}

// Authenticate says who the device is, with as little as old clients say.
func (d *IPad) Authenticate(ctx context.Context) error {
	_, err := d.put(ctx, d.profile.checkInURL, mdm.CheckIn{
		MessageType: mdm.Authenticate, Enrollment: mdm.Enrollment{UDID: d.UDID}, Topic: d.profile.topic,
		DeviceName: d.Name, Model: "MK2K3FD", ModelName: "iPad", SerialNumber: d.Serial,
	})
	return err
}

// TokenUpdate says how the device is woken.
func (d *IPad) TokenUpdate(ctx context.Context) error {
	_, err := d.put(ctx, d.profile.checkInURL, mdm.CheckIn{
		MessageType: mdm.TokenUpdate, Enrollment: mdm.Enrollment{UDID: d.UDID}, Topic: d.profile.topic,
		PushMagic: "magic-" + d.UDID + d.Name, Token: []byte("token-" + d.UDID), UnlockToken: []byte("unlock-" + d.UDID),
	})
	return err
}

// CheckOut says goodbye, as when a person removes the enrolment profile. All
// managed profiles go with it.
func (d *IPad) CheckOut(ctx context.Context) error {
	_, err := d.put(ctx, d.profile.checkInURL, mdm.CheckIn{MessageType: mdm.CheckOut, Enrollment: mdm.Enrollment{UDID: d.UDID}, Topic: d.profile.topic})
	d.mu.Lock()
	defer d.mu.Unlock()
	d.installed = nil
	return err
}

// Lock makes the device answer NotNow to what it can only do unlocked.
func (d *IPad) Lock(locked bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.locked = locked
}

// Connect answers a push: it asks for commands until there are no more.
func (d *IPad) Connect(ctx context.Context) error {
	message := any(mdm.Result{Enrollment: mdm.Enrollment{UDID: d.UDID}, Status: mdm.Idle})
	for range 100 {
		body, err := d.put(ctx, d.profile.serverURL, message)
		if err != nil || len(body) == 0 {
			return err
		}
		command, err := mdm.ParseCommand(body)
		if err != nil {
			return err
		}
		if message, err = d.obey(ctx, command); err != nil {
			return err
		}
	}
	return errors.New("ipad: the session does not end")
}

// Send sends any message as this device and returns the answer.
func (d *IPad) Send(ctx context.Context, message any) ([]byte, error) {
	return d.put(ctx, d.profile.serverURL, message)
}

// manifest fetches what is advertised. Where that changes between the two
// questions, it begins anew, a few times.
func (d *IPad) manifest(ctx context.Context) (ddm.Manifest, error) {
	for range 3 {
		var tokens ddm.SyncTokens
		if err := d.declarative(ctx, mdm.EndpointTokens, &tokens); err != nil {
			return ddm.Manifest{}, err
		}
		var manifest ddm.Manifest
		if err := d.declarative(ctx, mdm.EndpointItems, &manifest); err != nil {
			return ddm.Manifest{}, err
		}
		if manifest.DeclarationsToken == tokens.SyncTokens.DeclarationsToken {
			return manifest, nil
		}
	}
	return ddm.Manifest{}, errors.New("ipad: manifest and tokens differ")
}

// Synchronize fetches all declarations, as the DeclarativeManagement command
// asks for, does what they say, and reports what became of each.
func (d *IPad) Synchronize(ctx context.Context) error {
	manifest, err := d.manifest(ctx)
	if err != nil {
		return err
	}
	var states ddm.DeclarationStates
	kept := map[string]bool{}
	for class, items := range manifest.Items() {
		for _, item := range items {
			var declaration ddm.Declaration
			if err := d.declarative(ctx, mdm.EndpointDeclaration+string(class)+"/"+item.Identifier, &declaration); err != nil {
				return err
			}
			if declaration.ServerToken != item.ServerToken {
				return errors.New("ipad: declaration is not the advertised one")
			}
			state := d.heed(ctx, declaration)
			kept[declaration.Identifier] = true
			switch class {
			case ddm.Configuration:
				states.Configurations = append(states.Configurations, state)
			case ddm.Activation:
				states.Activations = append(states.Activations, state)
			case ddm.Management:
				states.Management = append(states.Management, state)
			}
		}
	}
	d.leave(kept)
	d.mu.Lock()
	d.tokens = manifest.DeclarationsToken
	d.mu.Unlock()
	said, err := json.Marshal(states)
	if err != nil {
		return err
	}
	report := fmt.Sprintf(`{"StatusItems":{"device":{"identifier":{"serial-number":%q},"operating-system":{"family":"iPadOS","version":"18.1"}},"management":{"declarations":%s}},"Errors":[]}`, d.Serial, said)
	_, err = d.put(ctx, d.profile.checkInURL, mdm.CheckIn{MessageType: mdm.DeclarativeManagement, Enrollment: mdm.Enrollment{UDID: d.UDID}, Endpoint: mdm.EndpointStatus, Data: []byte(report)})
	return err
}

func (d *IPad) declarative(ctx context.Context, endpoint string, into any) error {
	data, err := d.put(ctx, d.profile.checkInURL, mdm.CheckIn{MessageType: mdm.DeclarativeManagement, Enrollment: mdm.Enrollment{UDID: d.UDID}, Endpoint: endpoint})
	if err != nil {
		return fmt.Errorf("asking for %s: %w", endpoint, err)
	}
	return json.Unmarshal(data, into)
}

// put sends a message with its signature, and no Content-Type.
func (d *IPad) put(ctx context.Context, url string, message any) ([]byte, error) {
	body, err := mdm.Encode(message)
	if err != nil {
		return nil, err
	}
	signature, err := d.Sign(body)
	if err != nil {
		return nil, err
	}
	return d.PutSigned(ctx, url, body, signature)
}

// PutSigned sends a body with a signature that need not fit.
func (d *IPad) PutSigned(ctx context.Context, url string, body []byte, signature string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if signature != "" {
		request.Header.Set("Mdm-Signature", signature)
	}
	return d.do(request, "")
}

// ServerURL returns where the device sends its reports.
func (d *IPad) ServerURL() string { return d.profile.serverURL }

// Certificate returns the device's identity.
func (d *IPad) Certificate() (*x509.Certificate, *rsa.PrivateKey) { return d.cert, d.key }

func (d *IPad) get(ctx context.Context, url, contentType string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return d.do(request, contentType)
}

func (d *IPad) do(request *http.Request, contentType string) ([]byte, error) {
	response, err := d.Client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, Refused{response.StatusCode, response.Header.Get(mdm.RefusalHeader)}
	}
	if got := response.Header.Get("Content-Type"); contentType != "" && got != contentType {
		return nil, fmt.Errorf("ipad: Content-Type is %q, not %q", got, contentType)
	}
	return body, nil
}
