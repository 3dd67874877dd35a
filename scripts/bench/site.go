package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/policies/rollout"
	"schulwart.org/server/packages"
	rollouts "schulwart.org/server/rollout"
)

// siteDevices have a package of siteSize bytes, behind one line.
const (
	siteDevices = 60
	siteSize    = 20 << 20
)

// siteResult is what the server knows of a package that a site has.
type siteResult struct {
	Devices    int
	FromServer int64
	FromPeers  int64
}

// measureSite brings a package to all devices of a site, once from each other and
// once each from the server, and says what came over the line and what that cost
// the server.
func (b *bench) measureSite() error {
	server, err := b.startServer(filepath.Join(b.folder, "site"))
	if err != nil {
		return err
	}
	defer server.stop()
	crowd, err := start(b.agent, "simulate", "--devices", strconv.Itoa(siteDevices), "--seed", "77", "--speed", "6", "--url", server.Others[0], "--state", filepath.Join(b.folder, "site-devices"))
	if err != nil {
		return err
	}
	defer crowd.stop()
	if _, err := server.waitStreams(siteDevices); err != nil {
		return err
	}
	for _, alone := range []bool{false, true} {
		used, began := cpu(server.pid()), time.Now()
		var got siteResult
		if err := server.order(http.MethodPost, "/site", url.Values{"alone": {strconv.FormatBool(alone)}, "devices": {strconv.Itoa(siteDevices)}}, &got); err != nil {
			return err
		}
		used = cpu(server.pid()) - used
		how, budget := "with the cache", "≤ 1.3 times the package"
		if alone {
			how, budget = "without the cache", "none"
		}
		row("bytes from the server per site, "+how, fmt.Sprintf("%.1f MB, %.2f times", float64(got.FromServer)/1e6, float64(got.FromServer)/siteSize), budget,
			fmt.Sprintf("%d devices, %d MB; %.1f MB from each other, in %.0f s", got.Devices, siteSize>>20, float64(got.FromPeers)/1e6, time.Since(began).Seconds()))
		row("server CPU per 1,000 downloads, "+how, fmt.Sprintf("%.1f CPU-s", used.Seconds()*1000/siteDevices), "none", "upload, offers, files and reports; of "+strconv.Itoa(siteDevices))
	}
	return nil
}

// site takes a package in, rolls it out to the authority, and waits until so many
// devices have told where they had it from.
func (m *measured) site(ctx context.Context, alone bool, devices int) (siteResult, error) {
	pack, err := m.takeIn(ctx, strconv.FormatBool(alone))
	if err != nil {
		return siteResult{}, err
	}
	_, err = m.app.Rollouts.Create(ctx, operator, rollouts.New{
		Package: pack.ID, Level: org.Authority, Place: m.branch.Authority, Rings: []rollout.Ring{{Kind: rollout.RingAll}}, Gates: rollout.Gates{Failed: 100}, Line: rollout.Line{Alone: alone},
	})
	if err != nil {
		return siteResult{}, err
	}
	for end := time.Now().Add(150 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		shares, err := m.app.Peers.Shares(ctx, org.Branch{Authority: m.branch.Authority}, pack.SHA256)
		if err != nil {
			return siteResult{}, err
		}
		var got siteResult
		for _, share := range shares {
			got.Devices, got.FromServer, got.FromPeers = got.Devices+share.Devices, got.FromServer+share.FromServer, got.FromPeers+share.FromPeers
		}
		if got.Devices >= devices && got.FromServer+got.FromPeers >= int64(devices)*pack.Size {
			return got, nil
		}
	}
	return siteResult{}, errors.New("the package does not reach everybody")
}

// appImage is how a program with all that it needs begins, for amd64.
const appImage = "\x7fELF\x02\x01\x01\x00AI\x02\x00\x00\x00\x00\x00\x02\x00\x3e\x00"

// takeIn puts a package without meaning into the catalogue. Another word is
// another file.
func (m *measured) takeIn(ctx context.Context, word string) (packages.Package, error) {
	file := append([]byte(appImage), bytes.Repeat([]byte(word+"-"), siteSize/(len(word)+1))...)
	upload, err := m.app.Packages.Begin(ctx, operator, m.branch.Authority, "bench-"+word+".AppImage", int64(len(file)), rollout.Package{Name: "bench-" + word, Version: "1"})
	if err != nil {
		return packages.Package{}, err
	}
	_, pack, err := m.app.Packages.Append(ctx, operator, upload.ID, 0, bytes.NewReader(file))
	if err != nil {
		return packages.Package{}, err
	}
	return *pack, nil
}
