// The tests of virtio_net.c with packed rings, and with split ones in the same image.
// SPDX-License-Identifier: MIT
// @variants newlib-checked picolibc
// @cpus max
// @link virtio_net virtio_line virtio_packed
// @argument -netdev user,id=n,restrict=on
// @append log=info
// @forbid ^(error|fault|panic):
// @expect features [4-7c-f][0-9a-f]{8}$
// @expect answers: 600 of 600
// @expect one by one: 20 of 20
// @run packed
// @device virtio-net-pci,netdev=n,romfile=,packed=on
// @run packed, without event index
// @device virtio-net-pci,netdev=n,romfile=,packed=on,event_idx=off
// @run packed, one interrupt
// @device virtio-net-pci,netdev=n,romfile=,packed=on,vectors=1,rx_queue_size=1024
// @run packed, no interrupts but a line
// @device virtio-net-pci,netdev=n,romfile=,packed=on,vectors=0
// @run packed, memory-mapped
// @machines microvm
// @argument -global virtio-mmio.force-legacy=false
// @device virtio-net-device,netdev=n,packed=on
// @run a packed and a split one
// @argument -netdev user,id=m,restrict=on
// @device virtio-net-pci,netdev=n,romfile=,packed=on,mac=52:54:00:00:00:01
// @device virtio-net-pci,netdev=m,romfile=,mac=52:54:00:00:00:02
// @expect devices: 2
#include "virtio_net.c"
