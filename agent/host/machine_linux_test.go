package host

import (
	"os"
	"path/filepath"
	"testing"
)

func picture(t *testing.T, files map[string]string) *Linux {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return &Linux{Root: root, State: root}
}

func TestHardwareOfALaptop(t *testing.T) {
	l := picture(t, map[string]string{
		"etc/os-release":                       "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\n",
		"etc/machine-id":                       "0123456789abcdef0123456789abcdef\n",
		"sys/class/dmi/id/sys_vendor":          "LENOVO\n",
		"sys/class/dmi/id/product_name":        "ThinkPad L13\n",
		"sys/class/dmi/id/product_uuid":        "4C4C4544-0042-3510-8052-B4C04F564433\n",
		"sys/class/dmi/id/product_serial":      "To be filled by O.E.M.\n",
		"sys/class/net/eth0/address":           "54:ee:75:00:11:22\n",
		"sys/class/net/eth0/addr_assign_type":  "0\n",
		"sys/class/net/eth0/device/x":          "",
		"sys/class/net/veth1/address":          "02:ee:75:00:11:22\n",
		"sys/class/net/veth1/addr_assign_type": "3\n",
	})
	h := l.Hardware()
	if h.OSName != "Debian GNU/Linux 12 (bookworm)" || h.Model != "ThinkPad L13" || h.ProductUUID != "4c4c4544-0042-3510-8052-b4c04f564433" {
		t.Errorf("read %+v", h)
	}
	if h.Serial != "" {
		t.Errorf("a maker's blank was taken for a serial: %q", h.Serial)
	}
	if len(h.MACs) != 1 || h.MACs[0] != "54:ee:75:00:11:22" {
		t.Errorf("built-in cards: %v", h.MACs)
	}
}

func TestConditionOfALaptop(t *testing.T) {
	l := picture(t, map[string]string{
		"sys/class/power_supply/BAT0/type":                                         "Battery\n",
		"sys/class/power_supply/BAT0/capacity":                                     "81\n",
		"sys/class/power_supply/BAT0/status":                                       "Discharging\n",
		"sys/class/power_supply/A_mouse/type":                                      "Battery\n",
		"sys/class/power_supply/A_mouse/scope":                                     "Device\n",
		"sys/class/power_supply/A_mouse/capacity":                                  "5\n",
		"sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c": "\x06\x00\x00\x00\x01",
		"proc/self/mountinfo":                                                      "22 1 253:1 / / rw - ext4 /dev/mapper/vg-root rw\n",
		"sys/dev/block/253:1/dm/uuid":                                              "LVM-abc\n",
		"sys/dev/block/253:1/slaves/dm-0/dm/uuid":                                  "CRYPT-LUKS2-abc\n",
		"run/systemd/sessions/2":                                                   "UID=1000\nUSER=1000\nACTIVE=1\nREMOTE=0\nTYPE=x11\nCLASS=user\n",
		"run/systemd/sessions/1":                                                   "UID=0\nACTIVE=0\nTYPE=tty\nCLASS=user\n",
		"etc/passwd":                                                               "root:x:0:0::/root:/bin/sh\nkind:x:1000:1000::/home/kind:/bin/sh\n",
		"etc/group":                                                                "sudo:x:27:technik,kind\n",
	})
	c := l.Condition()
	if c.Battery == nil || *c.Battery != 81 || c.Charging == nil || *c.Charging {
		t.Errorf("battery: %v %v", c.Battery, c.Charging)
	}
	if c.Encrypted == nil || !*c.Encrypted {
		t.Error("LVM on LUKS was not seen as encrypted")
	}
	if c.SecureBoot == nil || !*c.SecureBoot {
		t.Error("secure boot was not seen")
	}
	if c.Session != "x11" || c.PupilIsRoot == nil || !*c.PupilIsRoot {
		t.Errorf("session %q, root %v", c.Session, c.PupilIsRoot)
	}
	if c.DiskTotal == 0 {
		t.Error("disk was not measured")
	}
}

func TestAnEmptyMachineIsReadWithoutHarm(t *testing.T) {
	l := picture(t, nil)
	c := l.Condition()
	if c.Battery != nil || c.Encrypted != nil || c.SecureBoot != nil || c.PupilIsRoot != nil {
		t.Errorf("read something from nothing: %+v", c)
	}
	l.Note("nothing")
}
