package linux

import (
	"context"
	"path"
	"strings"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
)

// usbStorage takes from sticks and disks what makes them storage, and from
// everything that is one already. Keyboards, mice, printers and hubs stay: the
// kernel is told about single interfaces of a device (class 08), never about the
// whole of it.
// https://docs.kernel.org/usb/authorization.html
var usbStorage = Family{
	Of: catalog.USBStorage,
	Possible: func(d *Doors, _ catalog.Settings) *ddm.Reason {
		if !d.Commands.Has("udevadm") {
			return reason("usb.no-udev")
		}
		return nil
	},
	Files: func(s catalog.Settings, _ Before) (map[string]File, error) {
		switch s.Text("access") {
		case "blocked":
			files := polkitFile("usb-storage", `	if (action.id.indexOf("org.freedesktop.udisks2.") == 0 && action.lookup("drive.removable.bus") == "usb") return polkit.Result.NO;
`)
			files[usbRules] = File{Data: []byte(usbBlocked)}
			return files, nil
		case "read-only":
			return map[string]File{usbRules: {Data: []byte(usbReadOnly)}}, nil
		}
		return nil, nil
	},
	Apply: func(ctx context.Context, d *Doors, s catalog.Settings) error {
		if exists(d.Tree, "/run/udev/control") {
			if _, err := d.Commands.Run(ctx, host.Command{Name: "udevadm", Args: []string{"control", "--reload"}}); err != nil {
				return err
			}
		}
		switch s.Text("access") {
		case "blocked":
			return blockAttached(ctx, d)
		case "read-only":
			if err := freeAttached(ctx, d); err != nil {
				return err
			}
			return protectAttached(ctx, d, true)
		}
		if err := freeAttached(ctx, d); err != nil {
			return err
		}
		return protectAttached(ctx, d, false)
	},
	Look: func(_ context.Context, d *Doors, s catalog.Settings) *enforce.Reading {
		for _, disk := range usbDisks(d.Tree) {
			switch s.Text("access") {
			case "blocked":
				return differs("usb.attached", "device", disk)
			case "read-only":
				if sysfs(d.Tree, "/sys/block/"+disk+"/ro") != "1" {
					return differs("usb.attached", "device", disk)
				}
			}
		}
		return nil
	},
}

const (
	usbRules   = "/etc/udev/rules.d/99-schulwart-usb-storage.rules"
	usbBlocked = `ACTION!="remove", SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_interface", ATTR{bInterfaceClass}=="08", ATTR{authorized}="0"
ACTION!="remove", SUBSYSTEM=="block", ENV{ID_BUS}=="usb", ENV{UDISKS_IGNORE}="1"
`
	usbReadOnly = `ACTION!="remove", SUBSYSTEM=="block", ENV{ID_BUS}=="usb", ATTR{ro}=="0", RUN+="/usr/sbin/blockdev --setro /dev/%k"
`
	usbInterfaces = "/sys/bus/usb/devices"
	usbClass      = "08" // mass storage
)

// usbDisks are the disks that hang on USB now.
func usbDisks(tree host.Disk) []string {
	var disks []string
	for _, name := range tree.List("/sys/block") {
		if status, err := tree.Status("/sys/block/" + name); err == nil && strings.Contains(status.Link, "/usb") {
			disks = append(disks, name)
		}
	}
	return disks
}

func sysfs(tree host.Tree, path string) string {
	data, _ := tree.Read(path)
	return strings.TrimSpace(string(data))
}

// storageInterfaces are the interfaces that are storage, by what the kernel may do
// with them.
func storageInterfaces(tree host.Tree, authorized string) []string {
	var found []string
	for _, name := range tree.List(usbInterfaces) {
		at := path.Join(usbInterfaces, name)
		if strings.Contains(name, ":") && sysfs(tree, at+"/bInterfaceClass") == usbClass && sysfs(tree, at+"/authorized") == authorized {
			found = append(found, name)
		}
	}
	return found
}

// blockAttached takes away what hangs there already. Whatever was written is on
// the stick before: what cannot be let go of is left until it can.
func blockAttached(ctx context.Context, d *Doors) error {
	for _, disk := range usbDisks(d.Tree) {
		for _, mount := range mountsOf(d.Tree, disk) {
			if _, err := d.Commands.Run(ctx, host.Command{Name: "umount", Args: []string{"--", mount}}); err != nil {
				return err
			}
		}
	}
	for _, name := range storageInterfaces(d.Tree, "1") {
		if err := tell(ctx, d, path.Join(usbInterfaces, name, "authorized"), "0"); err != nil {
			return err
		}
	}
	return nil
}

// freeAttached gives back what was taken away.
func freeAttached(ctx context.Context, d *Doors) error {
	for _, name := range storageInterfaces(d.Tree, "0") {
		if err := tell(ctx, d, path.Join(usbInterfaces, name, "authorized"), "1"); err != nil {
			return err
		}
		// Told that it may, the kernel still waits to be told to look for a driver.
		if err := tell(ctx, d, "/sys/bus/usb/drivers_probe", name); err != nil {
			return err
		}
	}
	return nil
}

// protectAttached lets disks be read only, or written again.
func protectAttached(ctx context.Context, d *Doors, protect bool) error {
	flag, already := "--setrw", "0"
	if protect {
		flag, already = "--setro", "1"
	}
	for _, disk := range usbDisks(d.Tree) {
		if protect {
			for _, mount := range mountsOf(d.Tree, disk) {
				if _, err := d.Commands.Run(ctx, host.Command{Name: "mount", Args: []string{"-o", "remount,ro", "--", mount}}); err != nil {
					return err
				}
			}
		}
		for _, device := range append([]string{disk}, partitions(d.Tree, disk)...) {
			if sysfs(d.Tree, "/sys/class/block/"+device+"/ro") == already {
				continue
			}
			if _, err := d.Commands.Run(ctx, host.Command{Name: "blockdev", Args: []string{flag, "/dev/" + device}}); err != nil {
				return err
			}
		}
	}
	return nil
}

func partitions(tree host.Tree, disk string) []string {
	var found []string
	for _, name := range tree.List("/sys/block/" + disk) {
		if strings.HasPrefix(name, disk) {
			found = append(found, name)
		}
	}
	return found
}

// mountsOf are the places where a disk or one of its partitions is mounted,
// innermost first.
func mountsOf(tree host.Tree, disk string) []string {
	table, _ := tree.Read("/proc/self/mountinfo")
	var found []string
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		_, after, ok := strings.Cut(line, " - ")
		if source := strings.Fields(after); ok && len(fields) > 4 && len(source) > 1 && strings.HasPrefix(source[1], "/dev/"+disk) {
			found = append([]string{strings.NewReplacer(`\040`, " ", `\134`, `\`).Replace(fields[4])}, found...)
		}
	}
	return found
}

// tell writes a word to the kernel, which takes no file in place of its own.
func tell(ctx context.Context, d *Doors, path, word string) error {
	_, err := d.Commands.Run(ctx, host.Command{Name: "tee", Args: []string{"--", path}, Input: []byte(word)})
	return err
}
