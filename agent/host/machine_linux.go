package host

import (
	"bufio"
	"bytes"
	"net"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Linux reads what a Linux machine tells in its files.
type Linux struct {
	// Root is put before every path; tests point it at a picture of a machine.
	Root string
	// State is where the agent keeps its files; its disk is the one measured.
	State string

	versions versions
}

// NewMachine returns this machine.
func NewMachine(stateDir string) Machine { return &Linux{Root: "/", State: stateDir} }

// Hardware reads DMI, machine id, release file and network cards.
func (l *Linux) Hardware() Hardware {
	release := l.release()
	hostname, _ := os.Hostname()
	return Hardware{
		Platform: "linux", OSName: release["PRETTY_NAME"], OSVersion: release["VERSION_ID"],
		Vendor: l.dmi("sys_vendor"), Model: l.dmi("product_name"), Serial: l.dmi("product_serial"),
		Hostname: hostname, MachineID: l.line("etc/machine-id"), ProductUUID: strings.ToLower(l.dmi("product_uuid")), MACs: l.macs(),
	}
}

// Condition reads battery, disk, session and protection.
func (l *Linux) Condition() Condition {
	c := Condition{Encrypted: l.encrypted(), SecureBoot: l.secureBoot()}
	c.Battery, c.Charging = l.battery()
	c.DiskFree, c.DiskTotal = disk(l.State)
	c.Session, c.PupilIsRoot = l.session()
	return c
}

// Note writes a line to the kernel's log.
func (l *Linux) Note(line string) {
	kmsg, err := os.OpenFile(l.path("dev/kmsg"), os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer kmsg.Close()
	_, _ = kmsg.WriteString("schulwart-agent: " + strings.ReplaceAll(line, "\n", " ") + "\n")
}

func (l *Linux) path(name string) string { return filepath.Join(l.Root, name) }

// line returns the first line of a file, empty if there is none.
func (l *Linux) line(name string) string {
	data, err := os.ReadFile(l.path(name))
	if err != nil {
		return ""
	}
	first, _, _ := bytes.Cut(data, []byte("\n"))
	return strings.TrimSpace(string(first))
}

func (l *Linux) release() map[string]string {
	data, err := os.ReadFile(l.path("etc/os-release"))
	if err != nil {
		data, _ = os.ReadFile(l.path("usr/lib/os-release"))
	}
	return variables(data)
}

// variables reads NAME=value lines as the shell does, as far as os-release and
// systemd use it.
func variables(data []byte) map[string]string {
	values := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		name, value, ok := strings.Cut(strings.TrimSpace(lines.Text()), "=")
		if ok && !strings.HasPrefix(name, "#") {
			values[name] = strings.Trim(value, `"'`)
		}
	}
	return values
}

// noIdentity is what boards say whose maker never filled the fields in.
var noIdentity = []string{
	"to be filled by o.e.m.", "default string", "system serial number", "system product name", "not specified", "none", "o.e.m.", "n/a",
	"03000200-0400-0500-0006-000700080009", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
}

func (l *Linux) dmi(field string) string {
	value := l.line("sys/class/dmi/id/" + field)
	for _, nothing := range noIdentity {
		if strings.EqualFold(value, nothing) {
			return ""
		}
	}
	return value
}

// macs lists cards that are built in: they hang on a PCI or SDIO bus and carry
// the address that their maker gave them (addr_assign_type 0). A dongle moves
// from laptop to laptop and identifies none.
func (l *Linux) macs() []string {
	cards, err := os.ReadDir(l.path("sys/class/net"))
	if err != nil {
		return nil
	}
	var macs []string
	for _, card := range cards {
		base := "sys/class/net/" + card.Name()
		device, err := filepath.EvalSymlinks(l.path(base + "/device"))
		if err != nil || strings.Contains(device, "/usb") || l.line(base+"/addr_assign_type") != "0" {
			continue
		}
		if mac, err := net.ParseMAC(l.line(base + "/address")); err == nil {
			macs = append(macs, mac.String())
		}
	}
	sort.Strings(macs)
	return macs
}

func (l *Linux) battery() (percent *int, charging *bool) {
	supplies, _ := os.ReadDir(l.path("sys/class/power_supply"))
	for _, supply := range supplies {
		base := "sys/class/power_supply/" + supply.Name()
		// Mice and pens have batteries too; their scope is "Device".
		if l.line(base+"/type") != "Battery" || l.line(base+"/scope") == "Device" {
			continue
		}
		if value, err := strconv.Atoi(l.line(base + "/capacity")); err == nil {
			percent = &value
			on := l.line(base+"/status") != "Discharging"
			charging = &on
			return percent, charging
		}
	}
	return nil, nil
}

func disk(path string) (free, total int64) {
	var stat unix.Statfs_t
	if unix.Statfs(path, &stat) != nil {
		return 0, 0
	}
	return int64(stat.Bavail) * stat.Bsize, int64(stat.Blocks) * stat.Bsize
}

// secureBoot reads the EFI variable: four bytes of attributes, then 1 if the
// firmware checks what it starts. A machine without EFI checks nothing.
func (l *Linux) secureBoot() *bool {
	on := false
	if _, err := os.Stat(l.path("sys/firmware")); err != nil {
		return nil
	}
	if _, err := os.Stat(l.path("sys/firmware/efi")); err == nil {
		data, err := os.ReadFile(l.path("sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"))
		if err != nil || len(data) < 5 {
			return nil
		}
		on = data[4] == 1
	}
	return &on
}

// encrypted follows the device below "/" down through device mapper: dm-crypt
// names its volumes CRYPT-….
func (l *Linux) encrypted() *bool {
	device := l.rootDevice()
	if device == "" {
		return nil
	}
	answer := l.crypt("sys/dev/block/"+device, 0)
	return &answer
}

// rootDevice returns "major:minor" of the device on which "/" lies, empty where
// that is no block device (containers).
func (l *Linux) rootDevice() string {
	data, err := os.ReadFile(l.path("proc/self/mountinfo"))
	if err != nil {
		return ""
	}
	for _, line := range strings.Split(string(data), "\n") {
		fields := strings.Fields(line)
		if len(fields) < 5 || fields[4] != "/" {
			continue
		}
		if _, err := os.Stat(l.path("sys/dev/block/" + fields[2])); err == nil {
			return fields[2]
		}
		// btrfs shows an anonymous device; its source names the real one.
		_, tail, _ := strings.Cut(line, " - ")
		source := strings.Fields(tail)
		var stat unix.Stat_t
		if len(source) > 1 && unix.Stat(l.path(source[1]), &stat) == nil && stat.Mode&unix.S_IFMT == unix.S_IFBLK {
			return strconv.FormatUint(uint64(unix.Major(stat.Rdev)), 10) + ":" + strconv.FormatUint(uint64(unix.Minor(stat.Rdev)), 10)
		}
	}
	return ""
}

func (l *Linux) crypt(block string, depth int) bool {
	if strings.HasPrefix(l.line(block+"/dm/uuid"), "CRYPT-") {
		return true
	}
	below, _ := os.ReadDir(l.path(block + "/slaves"))
	for _, slave := range below {
		if depth < 5 && l.crypt(block+"/slaves/"+slave.Name(), depth+1) {
			return true
		}
	}
	return false
}

// session says what kind of desktop is in front, and whether whoever sits there
// is in a group that may become root. Who it is, is neither kept nor returned.
func (l *Linux) session() (kind string, root *bool) {
	sessions, err := os.ReadDir(l.path("run/systemd/sessions"))
	if err != nil {
		return "", nil
	}
	kind = "none"
	for _, entry := range sessions {
		data, err := os.ReadFile(l.path("run/systemd/sessions/" + entry.Name()))
		if err != nil {
			continue
		}
		values := variables(data)
		if values["CLASS"] != "user" || values["ACTIVE"] != "1" || values["REMOTE"] == "1" {
			continue
		}
		switch values["TYPE"] {
		case "x11", "wayland":
			kind = values["TYPE"]
		case "tty":
			kind = "console"
		default:
			continue
		}
		may := values["UID"] == "0" || l.mayBecomeRoot(values["USER"], values["UID"])
		root = &may
		if kind != "console" {
			return kind, root
		}
	}
	return kind, root
}

// mayBecomeRoot looks whether the user with the id is in a group that sudo or
// polkit treat as administrators.
func (l *Linux) mayBecomeRoot(session, uid string) bool {
	name := l.loginOf(uid)
	data, _ := os.ReadFile(l.path("etc/group"))
	for _, line := range strings.Split(string(data), "\n") {
		fields := strings.Split(line, ":")
		if len(fields) < 4 || fields[0] != "sudo" && fields[0] != "wheel" && fields[0] != "admin" {
			continue
		}
		for _, member := range strings.Split(fields[3], ",") {
			if member != "" && (member == name || member == session) {
				return true
			}
		}
	}
	return false
}

func (l *Linux) loginOf(uid string) string {
	data, _ := os.ReadFile(l.path("etc/passwd"))
	for _, line := range strings.Split(string(data), "\n") {
		if fields := strings.Split(line, ":"); len(fields) > 2 && fields[2] == uid {
			return fields[0]
		}
	}
	return ""
}
