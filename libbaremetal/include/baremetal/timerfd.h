// Timerfd: timers behind descriptors, which wake who reads, polls or watches them, as Linux'
// timerfd_create(2).
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// When a timer expires: nanoseconds; all zeros: never.
struct bm_timerfd_setting {
    uint64_t interval; // between expirations; 0: there is one alone
    uint64_t value;    // until the first one, or its time on the timer's clock; 0: the timer is disarmed
};

// Makes a timer that is disarmed and puts it into the lowest free descriptor. A read gives a uint64_t, the
// expirations since the last one, and waits while there are none. `realtime`: on the clock of
// bm_time_wall(), else on that of bm_time_monotonic(). `flags`: BM_O_NONBLOCK, BM_O_CLOEXEC. Returns the
// descriptor, -BM_EINVAL, -BM_ENOMEM or -BM_EMFILE. Any core, not in handlers, as the others.
int bm_timerfd_open(bool realtime, int flags);

// Arms or disarms a timer; `absolute`: the first expiration is a time. With `cancel`, of an absolute one on
// the realtime clock, reads fail with -BM_ECANCELED once that clock has been set. Fills *old, unless NULL,
// with what was left. Returns 0, -BM_EBADF, or -BM_EINVAL for a descriptor of something else.
int bm_timerfd_set(int descriptor, const struct bm_timerfd_setting *setting, bool absolute, bool cancel,
                   struct bm_timerfd_setting *old);

// Fills *setting with the time that is left of the descriptor's timer, and the interval. 0, -BM_EBADF or
// -BM_EINVAL.
int bm_timerfd_get(int descriptor, struct bm_timerfd_setting *setting);

#ifdef __cplusplus
}
#endif
