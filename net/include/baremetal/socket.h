// Sockets without a C library: TCP, UDP and raw IP, whose results say what went wrong without errno.
// SPDX-License-Identifier: MIT
//
// The calls of <sys/socket.h>, and whatever else speaks sockets, are thin layers above these functions, which
// are compiled once for all C libraries. Programs that have <sys/socket.h> use that; this is for what has no
// C library, or knows sockets by other names than descriptors.
//
// What the calls mean is POSIX.1-2017's (System Interfaces, section 2.10 Sockets, and the page of the
// function that each comment names), numbers and layouts are Linux' for x86-64. Results are 0 or more, or the
// negative of an error of <baremetal/error.h>. Every function may answer -BM_ENOBUFS or -BM_ENOMEM when
// memory is short, and -BM_ENETDOWN when lwIP gives no other reason.
//
// All functions may be called on any core in any context that may wait (wait.h): not in interrupt handlers or
// pollers, not with a spinlock or the network's lock (net.h) held, so not in a callback of lwIP. They serve
// the devices while they wait. Contexts may send and receive on one socket at the same time, of whom each
// gets what the others did not, and another may shut it down: who waits returns. None uses a socket any
// longer when bm_socket_close is called. Pointers are the caller's and are not kept.
//
// At exit, descriptors are closed, and of streams that are none the sending side ends. What was sent by
// either is waited for, at most 5 s, until it has been acknowledged (net.h).
#pragma once

#include <baremetal/file.h>
#include <baremetal/socket_ops.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bm_socket; // one socket; its members are the network's own

// Protocols, and levels of options.
enum {
    BM_IPPROTO_IP = 0,
    BM_IPPROTO_ICMP = 1,
    BM_IPPROTO_TCP = 6,
    BM_IPPROTO_UDP = 17,
    BM_IPPROTO_IPV6 = 41,
    BM_IPPROTO_ICMPV6 = 58,
    BM_IPPROTO_RAW = 255
};

// An IPv4 address with a port: struct sockaddr_in (POSIX <netinet/in.h>).
struct bm_socket_address4 {
    uint16_t family;  // BM_AF_INET
    uint16_t port;    // network byte order
    uint32_t address; // network byte order
    uint8_t zero[8];  // unused
};

// An IPv6 address with a port: struct sockaddr_in6 (RFC 3493 section 3.3).
struct bm_socket_address6 {
    uint16_t family; // BM_AF_INET6
    uint16_t port;   // network byte order
    uint32_t flow;   // flow information: unused
    uint8_t address[16];
    uint32_t scope; // number of the interface, of link-local addresses
};

// An address of any family: struct sockaddr, which `family` says the kind of.
union bm_socket_address {
    uint16_t family;               // BM_AF_INET or BM_AF_INET6
    struct bm_socket_address4 ip4; // of BM_AF_INET
    struct bm_socket_address6 ip6; // of BM_AF_INET6
} __attribute__((may_alias));

// Makes a socket: POSIX' socket. `family`: BM_AF_INET or BM_AF_INET6, whose sockets take IPv4 peers, too, as
// mapped addresses (RFC 3493 section 3.7). `type`: BM_SOCK_…; `protocol`: 0 or the one that the type means;
// of raw sockets any of 0 to 255. *socket is the new one. Returns 0, -BM_EAFNOSUPPORT, -BM_EPROTOTYPE,
// -BM_EPROTONOSUPPORT, -BM_ENOBUFS, or -BM_ENFILE: 2,048 are open.
int bm_socket_open(int family, int type, int protocol, struct bm_socket **socket);

// Ends a socket and gives its memory back: POSIX' close. What a stream has taken is still sent; with a linger
// of 0 s, or when received data was not read, the peer sees a reset (RFC 1122 section 4.2.2.13). The socket
// is gone whatever the result. Returns 0 or an error of what a linger waited for.
int bm_socket_close(struct bm_socket *socket);

// Gives a socket its own address and port: POSIX' bind. Port 0 is a free one, drawn at random. `address` is
// of the socket's family and has at least the `size` bytes of it. Returns 0, -BM_EINVAL (size; it has one),
// -BM_EAFNOSUPPORT, -BM_EADDRNOTAVAIL (no address of this machine) or -BM_EADDRINUSE.
int bm_socket_bind(struct bm_socket *socket, const union bm_socket_address *address, uint32_t size);

// Lets a stream take connections: POSIX' listen. `backlog`: how many may wait to be accepted, 1 to 255;
// others become the nearest. A socket without an address gets any address and a free port. Returns 0,
// -BM_EOPNOTSUPP (not a stream), -BM_EINVAL (it has a connection) or an error of bm_socket_bind.
int bm_socket_listen(struct bm_socket *socket, int backlog);

// Takes the connection that has waited longest, and waits for one: POSIX' accept, Linux' accept4. *accepted
// is its socket; `flags`: BM_SOCK_NONBLOCK for it. The peer's address goes to `address`, as
// bm_socket_peer puts it, unless it is NULL. Returns 0, -BM_EAGAIN (it does not block, or its time for
// receiving is up), -BM_EOPNOTSUPP (not a stream), -BM_EINVAL (it does not listen, or was shut down),
// -BM_ECONNABORTED or -BM_ENFILE.
int bm_socket_accept(struct bm_socket *socket, union bm_socket_address *address, uint32_t *size, int flags,
                     struct bm_socket **accepted);

// Gives a socket its peer: POSIX' connect. A stream waits for the peer's answer; the first call waits some
// seconds for the machine's address, too (net.h). `address` as of bm_socket_bind; BM_AF_UNSPEC of a datagram
// socket takes the peer away. The address any means loopback, as with Linux. An attempt that failed may be
// repeated; the one behind a result that SO_ERROR has told says -BM_ECONNABORTED. Returns 0, -BM_EINPROGRESS
// (it does not block, or BM_SO_SNDTIMEO is over: BM_POLLOUT tells the end, SO_ERROR the result),
// -BM_EALREADY, -BM_EISCONN, -BM_ECONNREFUSED, -BM_ETIMEDOUT, -BM_ENETUNREACH, -BM_EOPNOTSUPP (it listens; a
// stream with BM_AF_UNSPEC), -BM_EINVAL or -BM_EAFNOSUPPORT.
int bm_socket_connect(struct bm_socket *socket, const union bm_socket_address *address, uint32_t size);

// Sends: POSIX' sendto. A stream takes as many bytes as have room, at least one, and waits until there is;
// `address` has no meaning then. A datagram goes whole, to `address` with its `address_size` bytes, or with
// NULL to the peer. `flags`: BM_MSG_…. Returns how many bytes were taken, -BM_EAGAIN, -BM_ENOTCONN,
// -BM_EDESTADDRREQ, -BM_EPIPE (this side was shut down or the connection has ended; there is no signal),
// -BM_ECONNRESET, -BM_ETIMEDOUT, -BM_EMSGSIZE, -BM_ENETUNREACH, -BM_EOPNOTSUPP or -BM_EINVAL.
long bm_socket_send(struct bm_socket *socket, const void *data, size_t size, int flags,
                    const union bm_socket_address *address, uint32_t address_size);

// Receives: POSIX' recvfrom. A stream gives what has arrived, at most `size` bytes, and waits for the first;
// a datagram socket gives one, cut off at `size`. `flags`: BM_MSG_…. The sender's address goes to `address`,
// as bm_socket_peer puts it, unless it or `address_size` is NULL. Returns how many bytes there are, 0 at the
// end of a stream, -BM_EAGAIN, -BM_ENOTCONN, -BM_ECONNRESET (told once; from then on 0), -BM_ETIMEDOUT,
// -BM_ECONNREFUSED or -BM_EOPNOTSUPP.
long bm_socket_receive(struct bm_socket *socket, void *buffer, size_t size, int flags,
                       union bm_socket_address *address, uint32_t *address_size);

// The same two for a message in pieces: POSIX' sendmsg and recvmsg. `message` says the address and the
// pieces, of which one that is empty does not count; `flags`: BM_MSG_…. A stream takes or fills as many as
// fit, 64 at most. As above, and -BM_EMSGSIZE: more than 1,024 pieces, or of a datagram more than 64;
// -BM_EINVAL: no pieces where there should be, or more bytes in all than a size can say.
long bm_socket_send_message(struct bm_socket *socket, const struct bm_socket_message *message, int flags);
long bm_socket_receive_message(struct bm_socket *socket, struct bm_socket_message *message, int flags);

// How many bytes bm_socket_receive would give now: ioctl's FIONREAD; of datagrams the next one's. 0 or more.
int bm_socket_available(struct bm_socket *socket);

// Whether calls of the socket return -BM_EAGAIN where they would wait: POSIX' O_NONBLOCK, `on` or off.
// Returns 0.
int bm_socket_set_nonblocking(struct bm_socket *socket, bool on);

// Ends one or both directions: POSIX' shutdown. `how`: BM_SHUT_…. Who waits meanwhile returns: receiving with
// what has arrived and then 0, sending with what was taken or -BM_EPIPE, accepting with -BM_EINVAL,
// connecting with -BM_ECONNRESET. A socket that listens refuses from then on. As with Linux, receiving is
// ended on this side alone: the peer hears nothing. Returns 0, -BM_EINVAL or -BM_ENOTCONN (of datagrams it is
// done nevertheless).
int bm_socket_shutdown(struct bm_socket *socket, int how);

// The socket's own address, and its peer's: POSIX' getsockname and getpeername. *size says how many bytes
// `address` has room for, and then how many were put there; a longer address is cut off. Returns 0,
// -BM_EINVAL (one of them is NULL) or -BM_ENOTCONN (no peer).
int bm_socket_name(struct bm_socket *socket, union bm_socket_address *address, uint32_t *size);
int bm_socket_peer(struct bm_socket *socket, union bm_socket_address *address, uint32_t *size);

// What a socket has to say now, or at the time `deadline` (nanoseconds of bm_time_monotonic(); 0: now,
// UINT64_MAX: no limit) at the latest: POSIX' poll. Waits for one of `events`: BM_POLLIN (something to
// receive or to accept, or the end), BM_POLLOUT (room to send); BM_POLLERR and BM_POLLHUP are told without
// being asked for. Returns them, or 0 when the time has come.
int bm_socket_poll(struct bm_socket *socket, int events, uint64_t deadline);

// Reads and sets an option: POSIX' getsockopt and setsockopt. `level`: BM_SOL_SOCKET or BM_IPPROTO_…;
// `option`: BM_SO_…, BM_IP_…, BM_IPV6_… or BM_TCP_…. `value` has `size` bytes: an int, or what the option's
// comment says; reading, *size says how many it has room for, and then how many were put there: a longer one
// is cut off. Returns 0,
// -BM_EFAULT (NULL), -BM_EINVAL (size or value), -BM_ENOPROTOOPT (no such option), -BM_EDOM (a time),
// -BM_ENODEV (an interface) or -BM_EADDRNOTAVAIL (a group).
int bm_socket_option_get(struct bm_socket *socket, int level, int option, void *value, uint32_t *size);
int bm_socket_option_set(struct bm_socket *socket, int level, int option, const void *value, uint32_t size);

// Options of BM_IPPROTO_IP and BM_IPPROTO_IPV6 (RFC 3493 section 5).
enum {
    BM_IP_TOS = 1,
    BM_IP_TTL = 2,
    BM_IP_MULTICAST_IF = 32, // an address of this machine, 4 bytes
    BM_IP_MULTICAST_TTL = 33,
    BM_IP_MULTICAST_LOOP = 34,
    BM_IP_ADD_MEMBERSHIP = 35,  // struct bm_socket_group4
    BM_IP_DROP_MEMBERSHIP = 36, // the same
    BM_IPV6_CHECKSUM = 7,
    BM_IPV6_JOIN_GROUP = 20,  // struct bm_socket_group6
    BM_IPV6_LEAVE_GROUP = 21, // the same
    BM_IPV6_V6ONLY = 26
};

// Options of BM_IPPROTO_TCP.
enum {
    BM_TCP_NODELAY = 1,  // of a listening socket: of those that it accepts
    BM_TCP_CORK = 3,     // of a connection: segments that are not full wait, for 200 ms at most; 0 sends them
    BM_TCP_KEEPIDLE = 4, // seconds of silence before the first probe
    BM_TCP_KEEPINTVL = 5, // seconds between probes
    BM_TCP_KEEPCNT = 6,   // probes without an answer that end the connection
    // With -DBAREMETAL_TCP=own alone; elsewhere there are no such options (-BM_ENOPROTOOPT).
    BM_TCP_DEFER_ACCEPT = 9,  // of a listening socket, not 0: accepted with the first data, not before
    BM_TCP_INFO = 11,         // read only: struct tcp_info of <netinet/tcp.h>, or its beginning
    BM_TCP_USER_TIMEOUT = 18, // ms without an acknowledgement that end the connection (RFC 5482); 0: as usual
    BM_TCP_NOTSENT_LOWAT = 25 // nothing may be written while as many bytes are not sent; 0: no such bound
};

// A group and the interface that hears it: struct ip_mreq and struct ipv6_mreq (RFC 3493 section 5.2).
struct bm_socket_group4 {
    uint32_t group;     // network byte order
    uint32_t interface; // its address in network byte order; 0: the first one
} __attribute__((may_alias));
struct bm_socket_group6 {
    uint8_t group[16];
    uint32_t interface; // its number; 0: the first one
} __attribute__((may_alias));

#ifdef __cplusplus
}
#endif
