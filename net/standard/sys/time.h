// Durations, of SO_RCVTIMEO and SO_SNDTIMEO.
// SPDX-License-Identifier: MIT
#pragma once

struct timeval {
    long tv_sec;
    long tv_usec;
};
