// Sockets: addresses, options and calls, as POSIX.1-2017 has them. Descriptors share one table with files.
// SPDX-License-Identifier: MIT
//
// Numbers and layouts are Linux' for x86-64, which the network, compiled once for all C libraries, speaks.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef _SOCKLEN_T_DECLARED
#define _SOCKLEN_T_DECLARED
typedef uint32_t socklen_t;
#endif
typedef uint16_t sa_family_t;

struct sockaddr {
    sa_family_t sa_family;
    char sa_data[14];
};

struct sockaddr_storage {
    sa_family_t ss_family;
    char ss_padding[6];
    uint64_t ss_alignment[15];
};

struct msghdr {
    void *msg_name;
    socklen_t msg_namelen;
    struct iovec *msg_iov;
    size_t msg_iovlen;
    void *msg_control;
    size_t msg_controllen;
    int msg_flags;
};

struct cmsghdr {
    size_t cmsg_len;
    int cmsg_level;
    int cmsg_type;
};

#define CMSG_ALIGN(length) (((length) + sizeof(size_t) - 1) & ~(sizeof(size_t) - 1))
#define CMSG_SPACE(length) (CMSG_ALIGN(sizeof(struct cmsghdr)) + CMSG_ALIGN(length))
#define CMSG_LEN(length)   (CMSG_ALIGN(sizeof(struct cmsghdr)) + (length))
#define CMSG_DATA(header)  ((unsigned char *)(header) + CMSG_ALIGN(sizeof(struct cmsghdr)))
#define CMSG_FIRSTHDR(message)                                                                               \
    ((message)->msg_controllen >= sizeof(struct cmsghdr) ? (struct cmsghdr *)(message)->msg_control          \
                                                         : (struct cmsghdr *)0)
#define CMSG_NXTHDR(message, header)                                                                         \
    (!(header) ? CMSG_FIRSTHDR(message)                                                                      \
     : (unsigned char *)(header) + CMSG_ALIGN((header)->cmsg_len) + CMSG_ALIGN(sizeof(struct cmsghdr)) >     \
             (unsigned char *)(message)->msg_control + (message)->msg_controllen                             \
         ? (struct cmsghdr *)0                                                                               \
         : (struct cmsghdr *)(void *)((unsigned char *)(header) + CMSG_ALIGN((header)->cmsg_len)))

struct linger {
    int l_onoff;
    int l_linger; // seconds
};

#define SOCK_STREAM   1
#define SOCK_DGRAM    2
#define SOCK_RAW      3
#define SOCK_NONBLOCK 0x800   // or-ed to the type: as O_NONBLOCK
#define SOCK_CLOEXEC  0x80000 // accepted: there is no exec

#define AF_UNSPEC 0
#define AF_UNIX   1 // not supported: EAFNOSUPPORT
#define AF_LOCAL  AF_UNIX
#define AF_INET   2
#define AF_INET6  10
#define PF_UNSPEC AF_UNSPEC
#define PF_UNIX   AF_UNIX
#define PF_LOCAL  AF_LOCAL
#define PF_INET   AF_INET
#define PF_INET6  AF_INET6

#define SOL_SOCKET 1

#define SO_DEBUG        1
#define SO_REUSEADDR    2
#define SO_TYPE         3
#define SO_ERROR        4
#define SO_DONTROUTE    5
#define SO_BROADCAST    6
#define SO_SNDBUF       7 // 128 KiB of a connection, always: other sizes are taken and become this one
#define SO_RCVBUF       8
#define SO_KEEPALIVE    9
#define SO_OOBINLINE    10
#define SO_NO_CHECK     11
#define SO_LINGER       13
#define SO_REUSEPORT    15
#define SO_RCVLOWAT     18
#define SO_SNDLOWAT     19
#define SO_RCVTIMEO     20
#define SO_SNDTIMEO     21
#define SO_BINDTODEVICE 25
#define SO_ACCEPTCONN   30
#define SO_PROTOCOL     38
#define SO_DOMAIN       39

#define MSG_OOB       0x0001
#define MSG_PEEK      0x0002
#define MSG_DONTROUTE 0x0004
#define MSG_CTRUNC    0x0008
#define MSG_TRUNC     0x0020
#define MSG_DONTWAIT  0x0040
#define MSG_EOR       0x0080
#define MSG_WAITALL   0x0100
#define MSG_NOSIGNAL  0x4000
#define MSG_MORE      0x8000

#define SHUT_RD   0
#define SHUT_WR   1
#define SHUT_RDWR 2

#define SOMAXCONN 255

int socket(int domain, int type, int protocol);
int bind(int descriptor, const struct sockaddr *address, socklen_t length);
int listen(int descriptor, int backlog);
int accept(int descriptor, struct sockaddr *__restrict address, socklen_t *__restrict length);
int accept4(int descriptor, struct sockaddr *__restrict address, socklen_t *__restrict length, int flags);
int connect(int descriptor, const struct sockaddr *address, socklen_t length);
ssize_t send(int descriptor, const void *data, size_t size, int flags);
ssize_t sendto(int descriptor, const void *data, size_t size, int flags, const struct sockaddr *address,
               socklen_t length);
ssize_t sendmsg(int descriptor, const struct msghdr *message, int flags);
ssize_t recv(int descriptor, void *buffer, size_t size, int flags);
ssize_t recvfrom(int descriptor, void *__restrict buffer, size_t size, int flags,
                 struct sockaddr *__restrict address, socklen_t *__restrict length);
ssize_t recvmsg(int descriptor, struct msghdr *message, int flags);
int shutdown(int descriptor, int how);
int getsockname(int descriptor, struct sockaddr *__restrict address, socklen_t *__restrict length);
int getpeername(int descriptor, struct sockaddr *__restrict address, socklen_t *__restrict length);
int getsockopt(int descriptor, int level, int option, void *__restrict value, socklen_t *__restrict length);
int setsockopt(int descriptor, int level, int option, const void *value, socklen_t length);
int sockatmark(int descriptor);
int socketpair(int domain, int type, int protocol, int descriptors[2]); // ENOSYS

#ifdef __cplusplus
}
#endif
