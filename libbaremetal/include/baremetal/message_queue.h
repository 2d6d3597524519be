// Message queues with names and priorities, behind descriptors: POSIX' mq_open and its kin, by Linux' rules.
// SPDX-License-Identifier: MIT
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// What a queue is made with when its maker does not say, and the most that can be asked for: Linux' numbers
// (mq_overview(7); the machine's one user has CAP_SYS_RESOURCE).
enum {
    BM_MESSAGE_COUNT = 10,          // messages
    BM_MESSAGE_SIZE = 8192,         // bytes of one
    BM_MESSAGE_COUNT_MAX = 65536,   // messages
    BM_MESSAGE_SIZE_MAX = 16 << 20, // bytes of one
    BM_MESSAGE_PRIORITIES = 32768,  // they are 0 … 32,767
    BM_MESSAGE_BYTES = 819200       // of all queues together, Linux' default of RLIMIT_MSGQUEUE
};

// A queue as it is.
struct bm_message_queue_state {
    int flags;     // BM_O_NONBLOCK, of the descriptor's open file
    int64_t max;   // messages that it holds
    int64_t size;  // bytes of a message, at most
    int64_t count; // messages in it
};

// Who is told once that a message has come into an empty queue for which nobody waits.
struct bm_message_queue_notice {
    // Tells it, or that it will not be told since the registration has ended. The structure is its owner's
    // again. Called by who sends, or ends the registration, without locks.
    void (*tell)(struct bm_message_queue_notice *notice, int event);
};
enum { BM_MESSAGE_ARRIVED = 1, BM_MESSAGE_NOTICE_REMOVED = 2 };

// Opens the queue of a name, or makes it, and puts it into the lowest free descriptor, which has FD_CLOEXEC.
// `name`: 1 … 255 bytes without a slash. `flags`: an access mode, BM_O_CREAT, BM_O_EXCL, BM_O_NONBLOCK.
// `mode`: the permissions of a new one, of which the umask takes some; kept and told. `wanted`: `max` and
// `size` of a new one, or NULL. `bytes`: what all queues together may come to, by Linux' rule of
// RLIMIT_MSGQUEUE. Returns the descriptor, -BM_EACCES (a slash), -BM_ENOENT, -BM_EEXIST, -BM_EINVAL,
// -BM_ENAMETOOLONG, -BM_EMFILE (also beyond `bytes`), -BM_ENOMEM. Any core, not in handlers, as all others.
int bm_message_queue_open(const char *name, int flags, unsigned mode,
                          const struct bm_message_queue_state *wanted, uint64_t bytes);

// Takes a queue's name away; it ends with its last descriptor. 0, -BM_ENOENT, -BM_EACCES or
// -BM_ENAMETOOLONG.
int bm_message_queue_unlink(const char *name);

// Sends a message through `descriptor`, which waits behind those of its priority and before those of lower
// ones, at most until `deadline` (nanoseconds of bm_time_monotonic(), UINT64_MAX: for ever) for room. Returns
// 0, -BM_EBADF, -BM_EINVAL (priority), -BM_EMSGSIZE, -BM_EAGAIN (BM_O_NONBLOCK), -BM_ETIMEDOUT, -BM_ENOMEM,
// or -BM_ERESTART when a signal ends the wait.
int bm_message_queue_send(int descriptor, const void *data, size_t size, unsigned priority,
                          uint64_t deadline);

// Takes the oldest message of the highest priority from `descriptor`, and waits for one until `deadline` as
// above. The buffer must have room for
// the largest message of the queue. Returns its bytes, with *priority unless that is NULL, or a negative
// error as above.
long bm_message_queue_receive(int descriptor, void *buffer, size_t size, unsigned *priority,
                              uint64_t deadline);

// Fills *state of `descriptor`, unless NULL, and sets or clears BM_O_NONBLOCK as *flags, unless NULL, says.
// 0, -BM_EBADF, or -BM_EINVAL for other flags.
int bm_message_queue_state(int descriptor, const int *flags, struct bm_message_queue_state *state);

// Registers who is told; NULL: ends the registration, if there is one. So does closing any descriptor of the
// queue. Returns 0, -BM_EBADF, or -BM_EBUSY while there is one.
int bm_message_queue_notify(int descriptor, struct bm_message_queue_notice *notice);

#ifdef __cplusplus
}
#endif
