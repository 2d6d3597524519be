// Sockets within the machine: AF_UNIX.
// SPDX-License-Identifier: MIT
//
// Linux' unix(7): streams, datagrams and SOCK_SEQPACKET, with names that are paths or abstract, descriptors
// and credentials in messages. There is one process, whose number is 1 and whose user is 0. The calls by
// descriptor do the rest by struct bm_file_ops.socket (socket_ops.h).
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// An address: struct sockaddr_un. A path ends in a NUL or with the address; an abstract name begins with a
// NUL and has all bytes that the address has.
struct bm_local_address {
    uint16_t family; // BM_AF_UNIX
    char path[108];
} __attribute__((may_alias));

// Makes a socket: socket(AF_UNIX). `type`: BM_SOCK_STREAM, BM_SOCK_DGRAM or BM_SOCK_SEQPACKET, with
// BM_SOCK_NONBLOCK and BM_SOCK_CLOEXEC; BM_SOCK_RAW means datagrams; `protocol`: 0 or BM_AF_UNIX. Returns a
// descriptor, -BM_ESOCKTNOSUPPORT, -BM_EPROTONOSUPPORT, -BM_EMFILE or -BM_ENOMEM. Any core, any context that
// may wait.
int bm_local_socket(int type, int protocol);

// Makes two that are each other's peer: socketpair(AF_UNIX). `type` and `protocol` as above; `descriptors`
// are theirs. Returns 0 or an error as above.
int bm_local_pair(int type, int protocol, int descriptors[2]);

#ifdef __cplusplus
}
#endif
