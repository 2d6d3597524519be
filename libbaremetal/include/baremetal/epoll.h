// Epoll: descriptors that tell which of many files are ready, as Linux' epoll(7) does.
// SPDX-License-Identifier: MIT
//
// Waiting costs as much as there are files that are ready, however many are watched. Flags and operations
// have Linux' numbers. All functions: any core, not in handlers or pollers, with no lock held.
#pragma once

#include <baremetal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Beside BM_POLL… (file.h) in bm_epoll_event.events.
#define BM_EPOLL_EXCLUSIVE (1u << 28) // of several epolls that watch a file so, one that acts is woken
#define BM_EPOLL_WAKEUP    (1u << 29) // means nothing here
#define BM_EPOLL_ONESHOT   (1u << 30) // told once; then not until BM_EPOLL_MODIFY
#define BM_EPOLL_EDGE      (1u << 31) // told when something happens, not while it is so

enum {
    BM_EPOLL_ADD = 1,    // watches a descriptor
    BM_EPOLL_DELETE = 2, // watches it no longer
    BM_EPOLL_MODIFY = 3  // has other events told of it
};

// What is to be told, or has happened, and a number of the program's. Linux' struct epoll_event.
struct bm_epoll_event {
    uint32_t events; // BM_POLL… and the flags above; BM_POLLERR and BM_POLLHUP are always told
    uint64_t data;   // given back as it is
} __attribute__((packed));

// Makes an epoll and puts it into the lowest free descriptor, which can itself be polled. `flags`:
// BM_O_CLOEXEC. Returns the descriptor, -BM_EINVAL, -BM_ENOMEM or -BM_EMFILE.
int bm_epoll_open(int flags);

// Does one `operation` of BM_EPOLL_ADD, _DELETE and _MODIFY with a descriptor. The file is forgotten with its
// last descriptor. `event` is not read by BM_EPOLL_DELETE. Returns 0, -BM_EBADF, -BM_EINVAL (not an epoll,
// the epoll itself, or flags that do not go together), -BM_EEXIST, -BM_ENOENT, -BM_EPERM (a file that cannot
// tell, such as a regular one), -BM_ELOOP (epolls in a circle, or more than five in a row) or -BM_ENOMEM.
int bm_epoll_control(int epoll, int operation, int descriptor, const struct bm_epoll_event *event);

// Waits until something is ready, interrupted(arg) is true (its context is woken by name then; NULL: never)
// or the time `deadline` has come (nanoseconds of bm_time_monotonic(); UINT64_MAX: no limit; 0: does not
// wait). Fills events[], at most `max`; returns how many, 0, -BM_EBADF or -BM_EINVAL.
int bm_epoll_wait(int epoll, struct bm_epoll_event *events, int max, uint64_t deadline,
                  bool (*interrupted)(void *arg), void *arg);

#ifdef __cplusplus
}
#endif
