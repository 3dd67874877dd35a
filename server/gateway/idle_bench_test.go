package gateway_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"schulwart.org/policies/mdm"
	"schulwart.org/server/gateway"
	"schulwart.org/server/gateway/gatewaytest"
	"schulwart.org/server/store/storetest"
)

// What an idle device costs in our own code, without TLS and net/http: one
// DeclarativeManagement message about tokens on a connection that is known.
func BenchmarkIdleCheckIn(b *testing.B) {
	r := gatewaytest.Start(b, storetest.Open(b))
	l := &laptop{t: &testing.T{}, rig: r, udid: "6a1f-0001", serial: "PF000001", client: r.Client()}
	l.key = newKey(l.t)
	l.enrol(r.Token(1))
	body, err := mdm.Encode(mdm.CheckIn{MessageType: mdm.DeclarativeManagement, Enrollment: mdm.Enrollment{UDID: l.udid}, Endpoint: mdm.EndpointTokens})
	if err != nil {
		b.Fatal(err)
	}
	cert, err := x509.ParseCertificate(l.cert)
	if err != nil {
		b.Fatal(err)
	}
	handler := r.Handler()
	state := &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}
	connection := gateway.ConnContext(ctx, nil)
	b.ReportAllocs()
	for b.Loop() {
		request := httptest.NewRequestWithContext(connection, http.MethodPut, "/mdm", bytes.NewReader(body))
		request.TLS = state
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		if answer.Code != http.StatusOK {
			b.Fatal(answer.Code, answer.Body)
		}
	}
}

// The same over TLS kept alive; the client's half of the work is in it.
func BenchmarkIdleCheckInOverTLS(b *testing.B) {
	r := gatewaytest.Start(b, storetest.Open(b))
	l := &laptop{t: &testing.T{}, rig: r, udid: "6a1f-0001", serial: "PF000001", client: r.Client()}
	l.key = newKey(l.t)
	l.enrol(r.Token(1))
	body, err := mdm.Encode(mdm.CheckIn{MessageType: mdm.DeclarativeManagement, Enrollment: mdm.Enrollment{UDID: l.udid}, Endpoint: mdm.EndpointTokens})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		request, _ := http.NewRequest(http.MethodPut, r.URL+"/mdm", bytes.NewReader(body))
		response, err := l.client.Do(request)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			b.Fatal(response.Status)
		}
	}
}
