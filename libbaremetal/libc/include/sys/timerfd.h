// Timers behind descriptors, as Linux' timerfd_create(2) (<baremetal/timerfd.h>).
// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TFD_NONBLOCK            O_NONBLOCK
#define TFD_CLOEXEC             O_CLOEXEC
#define TFD_TIMER_ABSTIME       1
#define TFD_TIMER_CANCEL_ON_SET 2

int timerfd_create(clockid_t clock, int flags);
int timerfd_settime(int descriptor, int flags, const struct itimerspec *wanted, struct itimerspec *old);
int timerfd_gettime(int descriptor, struct itimerspec *left);

#ifdef __cplusplus
}
#endif
