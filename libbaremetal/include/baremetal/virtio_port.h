// Named ports of the virtio console device: byte streams between the program and the host.
// SPDX-License-Identifier: MIT
//
// QEMU: -device virtio-serial-pci -chardev socket,id=c,path=p.sock,server=on,wait=off
// -device virtserialport,chardev=c,name=org.example.port
//
// Linked with baremetal::virtio_console. Linux shows such a port as /dev/virtio-ports/NAME. The functions do
// not wait: bm_wait_until (wait.h) does, with bm_virtio_port_readable for instance. Any core, not in
// handlers.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bm_virtio_port;

enum { BM_VIRTIO_PORT_NAME_MAX = 48 }; // bytes of a name, with the 0 at its end

// The port of that name, from now on open: the host is told so. NULL when there is none; the device tells of
// its ports some milliseconds after boot. A port that lies open is found again.
struct bm_virtio_port *bm_virtio_port_open(const char *name);

// Whether the host has its end open (VIRTIO 1.3 section 5.3.6.2, VIRTIO_CONSOLE_PORT_OPEN). Any context.
bool bm_virtio_port_connected(const struct bm_virtio_port *port);

// Takes up to `size` bytes that have come; returns how many, 0 when there are none now. Returns -BM_EIO when
// there are no more and the port or the device is gone.
long bm_virtio_port_read(struct bm_virtio_port *port, void *buffer, size_t size);

// Whether bm_virtio_port_read would return some, or fail. Any context.
bool bm_virtio_port_readable(const struct bm_virtio_port *port);

// Gives the device up to `size` bytes; returns how many it has taken, 0 while it still has the last ones.
// Returns -BM_EIO when the port or the device is gone.
long bm_virtio_port_write(struct bm_virtio_port *port, const void *data, size_t size);

// Whether bm_virtio_port_write would take some, or fail. Any context.
bool bm_virtio_port_writable(const struct bm_virtio_port *port);

#ifdef __cplusplus
}
#endif
