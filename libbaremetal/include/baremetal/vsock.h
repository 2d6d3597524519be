// Sockets to the host and to other machines on it: AF_VSOCK, by baremetal::virtio_vsock.
// SPDX-License-Identifier: MIT
//
// Linux' vsock(7): streams between machines, each of which has a number, its CID, without any network. Under
// musl and for Linux executables socket(AF_VSOCK) makes one and the calls by descriptor do the rest; the
// functions here are for programs without those calls. All descriptors know read, write, poll and close. Any
// core, any context that may wait; errors are negative.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Machines and ports with a meaning: any, for naming a socket; this machine by the way within it, which is
// not there; the host.
#define BM_VSOCK_ANY UINT32_MAX
enum { BM_VSOCK_LOCAL = 1, BM_VSOCK_HOST = 2 };

// An address: Linux' struct sockaddr_vm.
struct bm_vsock_address {
    uint16_t family, reserved; // BM_AF_VSOCK, 0
    uint32_t port, cid;        // BM_VSOCK_ANY: any
    uint8_t flags, zero[3];    // without a meaning here; 0
} __attribute__((may_alias));

// Options at the level BM_AF_VSOCK, with Linux' numbers: the bytes of a connection's buffer, of 64 bits, 1 to
// 1 MiB, kept from the next connection on, with limits as on Linux; how long a connection may take to come
// about, struct bm_socket_time.
enum {
    BM_SO_VSOCK_BUFFER_SIZE = 0,
    BM_SO_VSOCK_BUFFER_MIN = 1,
    BM_SO_VSOCK_BUFFER_MAX = 2,
    BM_SO_VSOCK_CONNECT_TIMEOUT_OLD = 6,
    BM_SO_VSOCK_CONNECT_TIMEOUT = 8
};

// Makes a socket: socket(AF_VSOCK). `type`: BM_SOCK_STREAM, with BM_SOCK_NONBLOCK and BM_SOCK_CLOEXEC;
// `protocol`: 0 or BM_AF_VSOCK. Returns a descriptor, -BM_ESOCKTNOSUPPORT, -BM_EPROTONOSUPPORT, -BM_EMFILE or
// -BM_ENOMEM.
int bm_vsock_socket(int type, int protocol);

// A connection to `port` of the machine `cid`. Returns its descriptor; -BM_ECONNRESET: nobody listens there;
// -BM_ENODEV: this machine has no such device; -BM_ETIMEDOUT: no answer within two seconds; or an error of
// bm_vsock_socket.
int bm_vsock_connect(uint32_t cid, uint32_t port);

// A socket that takes connections to `port`, of which 128 may wait (BM_VSOCK_ANY: one above 1023 that is
// free, which bm_vsock_port tells). Returns its descriptor, -BM_EADDRINUSE, -BM_EACCES (below 1024, without
// the capability), or an error of bm_vsock_socket.
int bm_vsock_listen(uint32_t port);

// Waits for a connection to a descriptor of bm_vsock_listen. Returns the connection's descriptor; *peer
// (NULL: not asked for) becomes the address of who made it. -BM_EBADF, -BM_ENOTSOCK, -BM_EMFILE.
int bm_vsock_accept(int descriptor, struct bm_vsock_address *peer);

// Ends the direction `how` of a connection's `descriptor`: BM_SHUT_RD, BM_SHUT_WR or BM_SHUT_RDWR. Returns 0,
// -BM_ENOTCONN, -BM_EBADF or -BM_ENOTSOCK.
int bm_vsock_shutdown(int descriptor, int how);

// The port of a descriptor, or -BM_EBADF or -BM_ENOTSOCK.
int64_t bm_vsock_port(int descriptor);

// The machine's CID, or -BM_ENODEV.
int64_t bm_vsock_cid(void);

#ifdef __cplusplus
}
#endif
