// Sockets as descriptors, for the layers that have calls by number.
// SPDX-License-Identifier: MIT
#pragma once

struct bm_socket;

// Puts a socket into the lowest free descriptor; it is closed with its last descriptor. Returns the
// descriptor, or -BM_EMFILE: the socket is closed then. Any context that may wait.
int bm_socket_install(struct bm_socket *socket);

// The socket of a descriptor, which bm_socket_release gives back; it stays open meanwhile. Returns 0,
// -BM_EBADF or -BM_ENOTSOCK. Any core, not in handlers.
int bm_socket_acquire(int descriptor, struct bm_socket **socket);
void bm_socket_release(struct bm_socket *socket);
