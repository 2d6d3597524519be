// Sockets as the calls by descriptor see them: operations of a kind of file, and the numbers that all kinds
// share.
// SPDX-License-Identifier: MIT
//
// For those who add a kind of socket, beside <baremetal/file.h>. The network's sockets are one kind
// (<baremetal/socket.h>), those within the machine (AF_UNIX, <baremetal/local.h>) another. Numbers and
// layouts are Linux' for x86-64.
#pragma once

#include <baremetal/file.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Families of addresses. BM_AF_UNSPEC: none, which takes a peer away again.
enum {
    BM_AF_UNSPEC = 0,
    BM_AF_UNIX = 1,
    BM_AF_INET = 2,
    BM_AF_INET6 = 10,
    BM_AF_NETLINK = 16,
    BM_AF_VSOCK = 40
};

// Types of sockets, and what may be or-ed to a type. BM_SOCK_CLOEXEC is kept with the descriptor alone: there
// is no exec.
enum {
    BM_SOCK_STREAM = 1,    // bytes in a row: TCP
    BM_SOCK_DGRAM = 2,     // messages: UDP
    BM_SOCK_RAW = 3,       // packets behind the IP header, or for IPv4 received with it
    BM_SOCK_SEQPACKET = 5, // messages of a connection: AF_UNIX alone
    BM_SOCK_NONBLOCK = 04000,
    BM_SOCK_CLOEXEC = 02000000
};

// Flags of sending and receiving. Of others only BM_MSG_OOB is refused; the rest is without effect.
enum {
    BM_MSG_OOB = 0x1,       // -BM_EOPNOTSUPP: there is no urgent data
    BM_MSG_PEEK = 0x2,      // what is received stays there
    BM_MSG_CTRUNC = 0x8,    // told: there was no room for all ancillary data
    BM_MSG_TRUNC = 0x20,    // a datagram's whole length is the result
    BM_MSG_DONTWAIT = 0x40, // as if the socket did not block
    BM_MSG_WAITALL = 0x100, // a stream: until the buffer is full
    BM_MSG_EOR = 0x80,      // the end of a record
    BM_MSG_NOSIGNAL = 0x4000,
    BM_MSG_MORE = 0x8000,            // more follows at once: a short segment may wait for it
    BM_MSG_CMSG_CLOEXEC = 0x40000000 // descriptors that are received get FD_CLOEXEC
};

// Directions that bm_socket_shutdown ends.
enum { BM_SHUT_RD = 0, BM_SHUT_WR = 1, BM_SHUT_RDWR = 2 };

union bm_socket_address; // <baremetal/socket.h>

// A message in pieces, with an address: struct msghdr (POSIX <sys/socket.h>).
struct bm_socket_message {
    union bm_socket_address *address; // of the peer; NULL: none, or not asked for
    uint32_t address_size;            // bytes of it; receiving: of the room, then of the address
    struct bm_file_piece *pieces;     // at most 1,024
    size_t count;                     // of the pieces
    void *control;                    // ancillary data, struct cmsghdr; networks have none
    size_t control_size;              // bytes of it; receiving: of the room, then of what is there
    int flags;                        // receiving: becomes BM_MSG_TRUNC and BM_MSG_CTRUNC, or 0
} __attribute__((may_alias));

// Options of BM_SOL_SOCKET, a level for all.
enum {
    BM_SOL_SOCKET = 1, // the level
    BM_SO_REUSEADDR = 2,
    BM_SO_TYPE = 3,      // read: BM_SOCK_…
    BM_SO_ERROR = 4,     // read: the error that waits, positive, or 0; it is then gone
    BM_SO_BROADCAST = 6, // datagrams to broadcast addresses are sent
    BM_SO_SNDBUF = 7,    // bytes: 131,072; others are taken and become that
    BM_SO_RCVBUF = 8,    // bytes that may wait to be received
    BM_SO_KEEPALIVE = 9,
    BM_SO_NO_CHECK = 11,     // UDP: without a checksum
    BM_SO_LINGER = 13,       // struct bm_socket_linger
    BM_SO_REUSEPORT = 15,    // as BM_SO_REUSEADDR: nothing is shared out, and of two one may listen
    BM_SO_PASSCRED = 16,     // AF_UNIX: what is received tells who sent it
    BM_SO_PEERCRED = 17,     // AF_UNIX, read: struct bm_socket_credentials of the peer
    BM_SO_RCVLOWAT = 18,     // read: 1
    BM_SO_SNDLOWAT = 19,     // read: 1
    BM_SO_RCVTIMEO = 20,     // struct bm_socket_time; 0: none
    BM_SO_SNDTIMEO = 21,     // the same
    BM_SO_BINDTODEVICE = 25, // set: the name of an interface, 15 bytes and a NUL at most; "": any
    BM_SO_ACCEPTCONN = 30,   // read: whether it listens
    BM_SO_PROTOCOL = 38,     // read: BM_IPPROTO_…
    BM_SO_DOMAIN = 39        // read: BM_AF_…
};

// A value of BM_SO_LINGER: struct linger (POSIX <sys/socket.h>).
struct bm_socket_linger {
    int on;      // 0: closing does not wait
    int seconds; // that it waits for what was sent; 0: a reset
} __attribute__((may_alias));

// A value of BM_SO_RCVTIMEO and BM_SO_SNDTIMEO: struct timeval (POSIX <sys/time.h>), the sum of both members.
struct bm_socket_time {
    int64_t seconds;      // 0 or more
    int64_t microseconds; // 0 to 999,999
} __attribute__((may_alias));

// A value of BM_SO_PEERCRED and of SCM_CREDENTIALS: struct ucred.
struct bm_socket_credentials {
    int32_t process;       // its number
    uint32_t owner, group; // their numbers
} __attribute__((may_alias));

// What sockets can do besides what files can (struct bm_file_ops.socket). Each returns 0 or more, or a
// negative error; NULL: -BM_EOPNOTSUPP. Called without locks, on any core, with a reference to the file. The
// functions of <baremetal/socket.h> say what each means. `address` has `size` bytes; where one is told, *size
// says for how many there is room, and then how many there are.
struct bm_socket_ops {
    int (*bind)(struct bm_file *file, const void *address, uint32_t size); // gives it an address of its own
    int (*listen)(struct bm_file *file, int backlog);                      // lets it take connections
    // `flags`: BM_SOCK_NONBLOCK. *accepted becomes a descriptor, or is given back by its operation `close`.
    int (*accept)(struct bm_file *file, void *address, uint32_t *size, int flags, struct bm_file **accepted);
    int (*connect)(struct bm_file *file, const void *address, uint32_t size);
    long (*send)(struct bm_file *file, const void *data, size_t size, int flags, const void *address,
                 uint32_t address_size);
    long (*receive)(struct bm_file *file, void *buffer, size_t size, int flags, void *address,
                    uint32_t *address_size);
    long (*send_message)(struct bm_file *file, const struct bm_socket_message *message, int flags);
    long (*receive_message)(struct bm_file *file, struct bm_socket_message *message, int flags);
    int (*shutdown)(struct bm_file *file, int how);
    int (*name)(struct bm_file *file, void *address, uint32_t *size);
    int (*peer)(struct bm_file *file, void *address, uint32_t *size);
    int (*option_get)(struct bm_file *file, int level, int option, void *value, uint32_t *size);
    int (*option_set)(struct bm_file *file, int level, int option, const void *value, uint32_t size);
};

#ifdef __cplusplus
}
#endif
