package linux_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"schulwart.org/agent/enforce/linux"
	"schulwart.org/agent/host"
	"schulwart.org/policies/ddm"
	"schulwart.org/scripts/need"
)

// polkit starts the real polkitd and returns what it answers somebody about an
// action: "yes", "no" or "challenge".
func (b *realBook) polkit() func(action string, details ...string) string {
	b.t.Helper()
	need.Tool(b.t, "pkcheck")
	daemon := ""
	for _, path := range []string{"/usr/lib/polkit-1/polkitd", "/usr/libexec/polkitd"} {
		if _, err := os.Stat(path); err == nil {
			daemon = path
		}
	}
	if daemon == "" {
		need.Missing(b.t, "polkitd")
	}
	b.bus()
	b.starts(daemon, "--no-debug")
	who := exec.Command("sleep", "600")
	who.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: pupil, Gid: pupil}}
	must(b.t, who.Start())
	b.t.Cleanup(func() { _ = who.Process.Kill(); _ = who.Wait() })
	ask := func(action string, details ...string) string {
		args := []string{"--action-id", action, "--process", fmt.Sprint(who.Process.Pid)}
		for i := 0; i+1 < len(details); i += 2 {
			args = append(args, "--detail", details[i], details[i+1])
		}
		out, err := b.try(nil, "pkcheck", args...)
		switch {
		case err == nil:
			return "yes"
		case strings.Contains(err.Error(), "Not authorized"):
			return "no"
		case strings.Contains(err.Error(), "authentication"), strings.Contains(err.Error(), "challenge"), strings.Contains(err.Error(), "exit status 2"), strings.Contains(err.Error(), "exit status 3"):
			return "challenge"
		}
		return fmt.Sprintf("%s %v", out, err)
	}
	patiently(b.t, "polkit answers", func() bool {
		got := ask("org.freedesktop.login1.power-off")
		return got == "no" || got == "challenge" || got == "yes"
	})
	return ask
}

// allowed lets everybody do what an action is about, as an administrator might
// have; whatever is refused then is refused by us.
func (b *realBook) allows(prefix string) {
	b.t.Helper()
	b.write("/etc/polkit-1/rules.d/50-test.rules", `polkit.addRule(function(action, subject) { if (action.id.indexOf("`+prefix+`") == 0) return polkit.Result.YES; });`)
}

func TestNobodyMountsAStickOrSharesTheNetwork(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	for _, action := range []string{"org.freedesktop.UDisks2.policy", "org.freedesktop.NetworkManager.policy"} {
		if _, err := os.Stat("/usr/share/polkit-1/actions/" + action); err != nil {
			need.Missing(t, action)
		}
	}
	b := newRealBook(t, "/run")
	b.run("chmod", "755", "/etc/polkit-1/rules.d") // polkitd runs as its own user, and cp kept who may look
	b.allows("org.freedesktop.")
	before := b.tree("/etc")
	ask := b.polkit()
	const mount, hotspot, system, own = "org.freedesktop.udisks2.filesystem-mount", "org.freedesktop.NetworkManager.wifi.share.protected", "org.freedesktop.NetworkManager.settings.modify.system", "org.freedesktop.NetworkManager.settings.modify.own"
	says := func(want, action string, details ...string) {
		t.Helper()
		patiently(t, action+" is answered with "+want, func() bool { return ask(action, details...) == want })
	}
	says("yes", mount, "drive.removable.bus", "usb")
	says("yes", hotspot)
	usb, vpn := b.driver("usb-storage"), b.driver("vpn")
	b.set(usb, map[string]any{"access": "blocked"})
	b.isSet(vpn, map[string]any{"hotspot": false, "setup": false})
	says("no", mount, "drive.removable.bus", "usb")
	says("yes", mount, "drive.removable.bus", "sdio")
	says("no", hotspot)
	says("no", system)
	says("yes", own)
	must(t, usb.Set(t.Context(), nothing))
	must(t, vpn.Set(t.Context(), nothing))
	says("yes", mount, "drive.removable.bus", "usb")
	says("yes", hotspot)
	says("yes", system)
	b.same("/etc", before, b.tree("/etc"))
}

// The script that ends tunnels is run as NetworkManager runs it, with a stand-in
// for what it asks.
func TestATunnelOfOnesOwnIsEndedAndOneOfTheSchoolIsNot(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	b := newRealBook(t)
	b.set(b.driver("vpn"), map[string]any{"setup": false})
	b.write(b.own+"/bin/nmcli", `#!/bin/sh
case "$*" in
*connection.type*own|*connection.type*school) echo wireguard ;;
*connection.type*lan) echo 802-3-ethernet ;;
*connection.permissions*own|*connection.permissions*lan) echo user:pupil ;;
*down*) echo "$*" >>`+b.own+`/down ;;
esac
`)
	must(t, os.Chmod(b.own+"/bin/nmcli", 0o755))
	for _, connection := range []string{"own", "school", "lan", ""} {
		if _, err := b.try([]string{"PATH=" + b.own + "/bin:/usr/bin:/bin", "CONNECTION_UUID=" + connection}, "/etc/NetworkManager/dispatcher.d/10-schulwart-vpn", "wg0", "up"); err != nil {
			t.Errorf("%s: %v", connection, err)
		}
	}
	if down, _ := os.ReadFile(b.own + "/down"); string(down) != "connection down uuid own\n" {
		t.Errorf("ended: %q", down)
	}
}

func TestUSBStorageThatIsThereAlreadyIsLetGoOf(t *testing.T) {
	d := newSchoolbook()
	put := func(path, text string) { _, _ = d.tree.Write(path, []byte(text)) }
	link := func(path, to string) { _, _ = d.tree.Put(path, nil, host.FileStatus{Link: to}) }
	link("/sys/block/sda", "../devices/pci0000:00/0000:00:14.0/ata1/host0/block/sda")
	link("/sys/block/sdb", "../devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/host6/block/sdb")
	put("/sys/class/block/sdb/ro", "0\n")
	put("/sys/block/sdb/ro", "0\n")
	for name, class := range map[string]string{"1-2:1.0": "08", "1-3:1.0": "03", "1-2": ""} {
		link("/sys/bus/usb/devices/"+name, "../../../devices/"+name)
		put("/sys/bus/usb/devices/"+name+"/bInterfaceClass", class+"\n")
		put("/sys/bus/usb/devices/"+name+"/authorized", "1\n")
	}
	put("/proc/self/mountinfo", "30 1 8:1 / / rw - ext4 /dev/sda1 rw\n60 30 8:17 / /media/Mein\\040Stick rw - vfat /dev/sdb1 rw\n")
	mounted := true
	d.answers("udevadm", "")
	d.commands.Answer["umount"] = func(host.Command) ([]byte, error) { mounted = false; return nil, nil }
	d.commands.Answer["tee"] = func(c host.Command) ([]byte, error) {
		put(c.Args[1], string(c.Input)+"\n")
		if string(c.Input) == "0" {
			_ = d.tree.Remove("/sys/block/sdb")
		}
		return nil, nil
	}
	d.answers("blockdev", "")
	drivers := map[string]int{}
	var driver = linux.Families(d.doors())
	for i, one := range driver {
		drivers[string(one.Part())] = i
	}
	usb := driver[drivers["usb-storage"]]
	set(t, usb, settings(t, family("usb-storage"), map[string]any{"access": "blocked"}))
	wantState(t, usb, ddm.PartOK, "")
	if ran := strings.Join(d.commands.Ran(), "; "); mounted || ran != "umount -- /media/Mein Stick; tee -- /sys/bus/usb/devices/1-2:1.0/authorized" {
		t.Errorf("ran %s", ran)
	}
	set(t, usb, nothing)
	if ran := strings.Join(d.commands.Ran(), "; "); ran != "tee -- /sys/bus/usb/devices/1-2:1.0/authorized; tee -- /sys/bus/usb/drivers_probe" {
		t.Errorf("ran %s", ran)
	}
	if text, _ := d.tree.Read("/sys/bus/usb/devices/1-3:1.0/authorized"); string(text) != "1\n" {
		t.Error("the keyboard was touched")
	}
}

// Real CUPS with a printer that only exists here.
func TestPrintersAsCUPSOffersThem(t *testing.T) {
	if !inOwnMounts(t) {
		return
	}
	for _, tool := range []string{"cupsd", "lpadmin", "lpstat", "ippeveprinter"} {
		need.Tool(t, tool)
	}
	b := newRealBook(t, "/run", "/var/spool", "/var/cache", "/var/log")
	for _, dir := range []string{"/run/cups/certs", "/var/spool/cups/tmp", "/var/cache/cups", "/var/log/cups"} {
		must(t, os.MkdirAll(dir, 0o755))
	}
	b.write("/etc/cups/cupsd.conf", "Listen /run/cups/cups.sock\nLogLevel warn\nDefaultAuthType None\n<Location />\nOrder allow,deny\nAllow all\n</Location>\n<Location /admin>\nOrder allow,deny\nAllow all\n</Location>\n")
	b.starts("cupsd", "-f")
	patiently(t, "CUPS runs", func() bool {
		out, err := b.try(nil, "lpstat", "-r")
		return err == nil && out == "scheduler is running"
	})
	b.run("lpadmin", "-p", "Zuhause", "-E", "-v", "socket://127.0.0.1:9", "-m", "drv:///sample.drv/generpcl.ppd")
	b.run("lpadmin", "-d", "Zuhause")
	before := b.run("lpstat", "-v") + b.run("lpstat", "-d")
	b.bus()
	b.starts("ippeveprinter", "-p", "8631", "-n", "localhost", "-r", "off", "-f", "image/pwg-raster", "Testdrucker")
	driver := b.driver("printing")
	wanted := map[string]any{"default": "Kopierer, Raum 104", "printers": []any{
		map[string]any{"name": "Kopierer, Raum 104", "address": "ipp://localhost:8631/ipp/print", "place": "Raum 104"},
		map[string]any{"name": "Alter Drucker", "address": "socket://127.0.0.1:9100"},
	}}
	patiently(t, "the printers are set", func() bool {
		b.set(driver, wanted)
		return driver.Check(t.Context()).State == ddm.PartOK
	})
	b.reads(driver, ddm.PartOK, "")
	queues, first := b.run("lpstat", "-v"), b.run("lpstat", "-d")
	if !strings.Contains(queues, "ipp://localhost:8631/ipp/print") || !strings.Contains(queues, "socket://127.0.0.1:9100") || !strings.Contains(first, "Kopierer") {
		t.Errorf("CUPS offers %s, %s", queues, first)
	}
	if about := b.run("lpstat", "-l", "-p"); !strings.Contains(about, "Kopierer, Raum 104") || !strings.Contains(about, "Location: Raum 104") {
		t.Errorf("CUPS says %s", about)
	}
	b.mends(driver, wanted, func() { b.run("lpadmin", "-d", "Zuhause") })
	// A printer that does not answer is named, and keeps nobody else's.
	b.set(driver, map[string]any{"printers": []any{map[string]any{"name": "Weg", "address": "ipp://localhost:8632/ipp/print"}}})
	b.reads(driver, ddm.PartDeviating, "printing.unreachable")
	must(t, driver.Set(t.Context(), nothing))
	if after := b.run("lpstat", "-v") + b.run("lpstat", "-d"); after != before {
		t.Errorf("printers are %s, and were %s", after, before)
	}
}
