#!/usr/bin/env bash
# A stick on a real kernel: a Debian machine in QEMU, with a keyboard and a stick
# on its USB, runs TestAStickOnARealKernel; a second stick is plugged in where the
# test says so. Not part of .ci/run: it needs QEMU, a Debian mirror and minutes.
# Needs root (debootstrap). What was said is written to scripts/vm/usb.log.
set -Eeuo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

for tool in qemu-system-x86_64 debootstrap dpkg-deb cpio; do
  command -v "$tool" >/dev/null || { echo "missing: $tool"; exit 1; }
done
work=$(mktemp -d)
chmod 755 "$work"
machine=
clean() {
  [[ -z $machine ]] || kill "$machine" 2>/dev/null || true
  rm -rf "$work"
}
trap clean EXIT

root=$work/root
debootstrap --variant=minbase --include=udev,kmod,e2fsprogs,util-linux bookworm "$root" >"$work/debootstrap.log"
(
  cd "$work"
  package=$(apt-cache depends linux-image-amd64 | awk '/Depends:/ {print $2; exit}')
  apt-get download -qq "$package"
  dpkg-deb -x linux-image-*.deb kernel
)
kernel=$(echo "$work"/kernel/boot/vmlinuz-*)
version=${kernel##*/vmlinuz-}
mkdir -p "$root/lib/modules/$version"
cp -r "$work/kernel/lib/modules/$version/"modules.* "$root/lib/modules/$version/"
for part in block drivers/usb drivers/scsi drivers/hid drivers/ata fs/ext4 fs/mbcache.ko fs/jbd2 lib crypto drivers/input; do
  [[ -e $work/kernel/lib/modules/$version/kernel/$part ]] || continue
  mkdir -p "$root/lib/modules/$version/kernel/$(dirname "$part")"
  cp -r "$work/kernel/lib/modules/$version/kernel/$part" "$root/lib/modules/$version/kernel/$part"
done
chroot "$root" depmod "$version"
CGO_ENABLED=0 go test -tags nomsgpack,vm -c -o "$root/usb.test" ./agent/enforce/linux
cat >"$root/init" <<'INIT'
#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t tmpfs run /run; mount -t tmpfs tmp /tmp
uname -srv
/lib/systemd/systemd-udevd --daemon
modprobe -a xhci_pci usb_storage sd_mod ext4 usbhid
udevadm trigger; udevadm settle
/usb.test -test.run '^TestAStickOnARealKernel$' -test.v
sync; echo o >/proc/sysrq-trigger; sleep 60
INIT
chmod +x "$root/init"
rm -rf "$root"/usr/share/doc "$root"/usr/share/locale "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
(cd "$root" && find . -print0 | cpio --null --create --format=newc --quiet) | gzip -1 >"$work/initrd"
truncate -s 32M "$work/stick1" "$work/stick2"

mkfifo "$work/monitor"
exec 3<>"$work/monitor"
qemu-system-x86_64 -machine q35 -m 3G -nodefaults -no-reboot -display none -serial "file:$work/serial" -monitor stdio \
  -kernel "$kernel" -initrd "$work/initrd" -append "console=ttyS0 quiet panic=-1 rdinit=/init" \
  -device qemu-xhci -device usb-kbd -drive "if=none,id=one,file=$work/stick1,format=raw" -device usb-storage,drive=one \
  -drive "if=none,id=two,file=$work/stick2,format=raw" <&3 >"$work/monitor.log" &
machine=$!
plugged=
for _ in $(seq 600); do
  kill -0 "$machine" 2>/dev/null || break
  if [[ -z $plugged ]] && grep -q '^PLUG' "$work/serial" 2>/dev/null; then
    echo 'device_add usb-storage,drive=two' >&3
    plugged=1
  fi
  sleep 1
done
sed -n '/^Linux /,$p' "$work/serial" | tr -d '\r' | tee scripts/vm/usb.log
grep -q '^--- PASS: TestAStickOnARealKernel' scripts/vm/usb.log
