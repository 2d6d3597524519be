// What a call may move to or from the program's memory. Weak: programs that map no file do not link it.
// SPDX-License-Identifier: MIT
#pragma once

#include <baremetal/file.h>
#include <baremetal/socket_ops.h>

extern const char bm_linux_reach_linked;

// The bytes at `data` that may be moved, from the first on, or -BM_EFAULT; `into`: they are written.
long bm_linux_reach(const struct bm_file *file, const void *data, size_t size, bool into)
    __attribute__((weak));

// Pieces of a call, and room for one that is shorter.
struct bm_linux_pieces {
    const struct bm_file_piece *pieces;
    int count;
    struct bm_file_piece one;
};

// Leaves those that may be moved. Returns 0 or -BM_EFAULT.
int bm_linux_reach_pieces(const struct bm_file *file, struct bm_linux_pieces *what, bool into)
    __attribute__((weak));
int bm_linux_reach_message(const struct bm_file *file, const struct bm_socket_message *message, bool into)
    __attribute__((weak));

// The same for who may be linked without.
static inline long bm_linux_reachable(const struct bm_file *file, const void *data, size_t size, bool into)
{
    return bm_linux_reach ? bm_linux_reach(file, data, size, into) : (long)size;
}
