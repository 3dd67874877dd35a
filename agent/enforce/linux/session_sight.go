package linux

import (
	"path"
	"slices"
	"strings"

	"schulwart.org/agent/host"
)

// virtualMakers are words in what a main board says of itself where there is none.
var virtualMakers = [][2]string{
	{"qemu", "QEMU"}, {"kvm", "KVM"}, {"vmware", "VMware"}, {"virtualbox", "VirtualBox"}, {"innotek", "VirtualBox"}, {"xen", "Xen"}, {"bochs", "Bochs"}, {"parallels", "Parallels"},
	{"bhyve", "bhyve"}, {"apple virtualization", "Apple Virtualization"}, {"virtual machine", "Hyper-V"}, {"google compute engine", "Google"}, {"amazon ec2", "Amazon"}, {"openstack", "OpenStack"},
}

// virtualMachine names the maker of the virtual machine that this is; empty for
// none that can be seen. Firmware can be made to say anything, so this finds what
// is common and proves nothing.
func virtualMachine(tree host.Tree) string {
	said := ""
	for _, file := range []string{"sys_vendor", "product_name", "board_vendor", "bios_vendor"} {
		said += " " + strings.ToLower(sysfs(tree, "/sys/class/dmi/id/"+file))
	}
	for _, maker := range virtualMakers {
		if strings.Contains(said, maker[0]) {
			return maker[1]
		}
	}
	if kind := sysfs(tree, "/sys/hypervisor/type"); kind != "" {
		return kind
	}
	info, _ := tree.Read("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if strings.HasPrefix(line, "flags") && slices.Contains(strings.Fields(line), "hypervisor") {
			return "hypervisor"
		}
	}
	return ""
}

// remotePrograms run for a person while somebody elsewhere sees or steers a
// session, by the name of their file.
var remotePrograms = map[string]string{
	"sshd": "SSH", "sshd-session": "SSH", "x11vnc": "VNC", "x0vncserver": "VNC", "x0tigervncserver": "VNC", "Xvnc": "VNC", "Xtigervnc": "VNC", "vino-server": "VNC", "krfb": "VNC", "wayvnc": "VNC",
	"xrdp-chansrv": "RDP", "gnome-remote-desktop-daemon": "RDP", "nxnode.bin": "NX", "anydesk": "AnyDesk", "teamviewer": "TeamViewer", "TeamViewer_Desktop": "TeamViewer", "rustdesk": "RustDesk",
	"tmate": "tmate", "xpra": "Xpra", "chrome-remote-desktop-host": "Chrome Remote Desktop",
}

// remoteWays lists how the device is reached from elsewhere at the moment.
func remoteWays(programs []host.Program) []string {
	var ways []string
	for _, p := range programs {
		if way := remotePrograms[path.Base(p.Path)]; way != "" && !slices.Contains(ways, way) {
			ways = append(ways, way)
		}
	}
	slices.Sort(ways)
	return ways
}
