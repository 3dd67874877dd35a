package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"schulwart.org/policies/mdm"
	"schulwart.org/policies/org"
	"schulwart.org/server/api"
	"schulwart.org/server/e2e/ipad"
	"schulwart.org/server/lesson"
)

// tablets enrols n simulated iPads into the class.
func (h *house) tablets(n int, supervised bool) []*ipad.IPad {
	h.t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(h.app.Enroll.CAPEM()))
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, MaxIdleConnsPerHost: n}}
	link := plainLink(h.link(h.class, n))
	devices := make([]*ipad.IPad, n)
	for i := range devices {
		devices[i] = &ipad.IPad{
			UDID: fmt.Sprintf("00008020-%v-%010d", supervised, i), Serial: fmt.Sprintf("DMP%v%04d", supervised, i), Name: fmt.Sprint("iPad ", i+1), Supervised: supervised,
			Client: client, Now: time.Now, Authority: ipad.Trust(h.app.Enroll.CA()),
		}
	}
	each(h.t, devices, func(ctx context.Context, d *ipad.IPad) error {
		if err := d.Enrol(ctx, link); err != nil {
			return err
		}
		return d.Connect(ctx) // answers the first questions
	})
	return devices
}

// each does something with all tablets at once.
func each(t testing.TB, devices []*ipad.IPad, do func(context.Context, *ipad.IPad) error) {
	t.Helper()
	faults := make([]error, len(devices))
	var all sync.WaitGroup
	for i, d := range devices {
		all.Go(func() { faults[i] = do(context.Background(), d) })
	}
	all.Wait()
	must(t, errors.Join(faults...))
}

func woken(ctx context.Context, d *ipad.IPad) error { return d.Connect(ctx) }

func TestTwentyIPadsGetAModeThatLeavesByItself(t *testing.T) {
	h := newHouse(t)
	tablets := h.tablets(20, true)
	teacher := h.as(oert)
	until := soon(8 * time.Second)
	mode := teacher.start(order{"target": in(h.class), "kind": "sites", "sites": []string{"geogebra.org"}, "until": until})
	profiles := map[string]string{} // by serial number
	for _, device := range teacher.mode(mode.ID).Devices {
		sheet := api.Device{}
		h.as(schoolAdm).want(http.StatusOK, "GET", "/api/v1/devices/"+device.ID.String(), nil, &sheet)
		leases := made(h.app.Store.DeviceLeases(context.Background(), h.school.Authority, device.ID, time.Now()))(t)
		profiles[sheet.Serial] = "org.schulwart.mode." + leases[0].ID.String()
	}
	each(t, tablets, woken)
	for _, d := range tablets {
		profile, ok := d.Profile(profiles[d.Serial])
		if !ok || profile.RemovalDate == nil || !profile.RemovalDate.Equal(until) {
			t.Fatalf("%s has %+v", d.Name, profile.RemovalDate)
		}
	}
	teacher.reaches(mode.ID, lesson.Active, 20)
	await(t, "every profile to leave by itself", func() bool {
		for _, d := range tablets {
			if _, ok := d.Profile(profiles[d.Serial]); ok {
				return false
			}
		}
		return true
	})
	if time.Now().Before(until) {
		t.Error("a profile left early")
	}
	must(t, h.app.Tablet.Check(context.Background()))
	each(t, tablets, woken)
	teacher.reaches(mode.ID, lesson.Ended, 20)
}

func TestATabletThatCannotSaysSo(t *testing.T) {
	h := newHouse(t)
	tablet := h.tablets(1, false)[0]
	teacher := h.as(oert)
	mode := teacher.start(order{"target": in(h.class), "kind": "offline", "minutes": 20})
	if d := teacher.reaches(mode.ID, lesson.Deviating, 1).Devices[0]; d.Reason != "not_possible.supervision" {
		t.Errorf("%+v", d)
	}
	teacher.end(mode.ID)
	sites := teacher.start(order{"target": in(h.class), "kind": "sites", "sites": []string{"geogebra.org"}, "minutes": 20})
	must(t, tablet.Connect(context.Background()))
	teacher.reaches(sites.ID, lesson.Active, 1)
	teacher.end(sites.ID)
	must(t, tablet.Connect(context.Background()))
	teacher.reaches(sites.ID, lesson.Ended, 1)
	must(t, tablet.CheckOut(context.Background()))
	var refused ipad.Refused
	if err := tablet.Synchronize(context.Background()); !errors.As(err, &refused) || refused.Reason != mdm.RefusedLeft {
		t.Errorf("after leaving: %v", err)
	}
	var list api.List[api.Device]
	h.as(schoolAdm).want(http.StatusOK, "GET", "/api/v1/devices?q="+tablet.Serial, nil, &list)
	if len(list.Items) != 1 || list.Items[0].Enrolled || list.Items[0].ID == org.ID("") {
		t.Errorf("after leaving: %+v", list.Items)
	}
}
