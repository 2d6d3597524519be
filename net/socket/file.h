// Sockets as descriptors, for the layers that have calls by number.
// SPDX-License-Identifier: MIT
#pragma once

struct bm_file;
struct bm_socket;

// A socket as a file that has no descriptor yet (bm_file_fill); it is closed with its last one.
struct bm_file *bm_socket_file(struct bm_socket *socket);

// Puts a socket into the lowest free descriptor; it is closed with its last descriptor. Returns the
// descriptor, or -BM_EMFILE: the socket is closed then. Any context that may wait.
int bm_socket_install(struct bm_socket *socket);

// The socket of a descriptor, which bm_socket_release gives back; it stays open meanwhile. Returns 0,
// -BM_EBADF or -BM_ENOTSOCK. Any core, not in handlers.
int bm_socket_acquire(int descriptor, struct bm_socket **socket);
void bm_socket_release(struct bm_socket *socket);
