package simulate

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"schulwart.org/agent/host"
)

// personality is what makes one device differ from the next, always the same for
// a seed and a number.
type personality struct {
	hardware host.Hardware
	session  string
	slow     time.Duration // how long its drivers take, with --lag
	drops    time.Duration // mean time between two drop-outs, with --drop
	tampers  time.Duration // mean time between two tries to get around, with --tamper; zero for never
	battery  float64       // percent at the start
	drain    float64       // percent an hour
	plugged  bool
	crypted  bool
	disk     int64
	stubborn int    // not zero: one family of the base policy never takes effect
	behind   bool   // nobody has updated it for years
	fault    string // how every installation of an app ends; empty for well
	random   *rand.Rand
}

// models are laptops as German schools buy them.
var models = []struct {
	vendor, model string
	disk          int64
}{
	{"LENOVO", "ThinkPad L13 Gen 4", 238 << 30},
	{"LENOVO", "ThinkPad 11e Gen 6", 119 << 30},
	{"HP", "ProBook 440 G10", 476 << 30},
	{"HP", "ProBook x360 11 G7 EE", 119 << 30},
	{"Acer", "TravelMate B3", 119 << 30},
	{"Dell Inc.", "Latitude 3140", 238 << 30},
	{"FUJITSU", "LIFEBOOK E5412", 238 << 30},
}

// installFaults are the last words of an installer that schools hear most.
var installFaults = []string{
	"dpkg: error processing archive: cannot copy extracted data: No space left on device",
	"E: Unmet dependencies. Try 'apt --fix-broken install' with no packages",
	"E: Could not get lock /var/lib/dpkg/lock-frontend",
}

func personalityOf(seed uint64, number int, name string) *personality {
	r := rand.New(rand.NewPCG(seed, uint64(number))) //nolint:gosec // the same devices for the same seed
	made := models[r.IntN(len(models))]
	var id uuid.UUID
	for i := range id {
		id[i] = byte(r.UintN(256))
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	p := &personality{random: r, session: "x11", crypted: r.Float64() < 0.9, disk: made.disk}
	p.hardware = host.Hardware{
		Platform: "linux", OSName: "Debian GNU/Linux 12 (bookworm)", OSVersion: "12", Vendor: made.vendor, Model: made.model,
		Serial: fmt.Sprintf("SIM%02X%05d", byte(seed), number+1), Hostname: name, MachineID: fmt.Sprintf("%016x%016x", seed, number),
		ProductUUID: id.String(), MACs: []string{fmt.Sprintf("00:16:3e:%02x:%02x:%02x", byte(seed), byte(number>>8), byte(number))},
	}
	if p.behind = number%outdated == outdated/2; p.behind {
		p.hardware.OSName, p.hardware.OSVersion = "Debian GNU/Linux 11 (bullseye)", "11"
	}
	if r.Float64() < 0.04 {
		p.session = "wayland"
	}
	if r.Float64() < 0.25 {
		p.slow = time.Duration(300+r.IntN(2700)) * time.Millisecond
	}
	p.drops = time.Duration(20+r.IntN(60)) * time.Minute
	if r.Float64() < 0.15 {
		p.tampers = time.Duration(10+r.IntN(40)) * time.Minute
	}
	p.battery, p.drain, p.plugged = 35+65*r.Float64(), 8+8*r.Float64(), r.Float64() < 0.3
	if r.Float64() < 0.02 {
		p.stubborn = 1 + r.IntN(1<<16)
	}
	if r.Float64() < 0.04 {
		p.fault = installFaults[r.IntN(len(installFaults))]
	}
	return p
}

// due draws whether something that happens every mean time on average happens
// within the step.
func (p *personality) due(mean, step time.Duration) bool {
	return mean > 0 && p.random.Float64() < float64(step)/float64(mean)
}
