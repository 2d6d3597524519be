// A hashed, hierarchical timing wheel (Varghese and Lauck, 1987), in milliseconds.
// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Level n has slots of 64^n ms; a timer falls to the level below when its slot's time has come.
enum { BM_TCP_WHEEL_LEVELS = 4, BM_TCP_WHEEL_SLOTS = 64 };

struct bm_tcp_timer {
    struct bm_tcp_timer *next, **previous; // previous NULL: not set
    uint32_t due;
};

struct bm_tcp_wheel {
    uint32_t now;     // all until here is done
    uint32_t soonest; // where `any`: no timer is due earlier
    bool any;
    uint64_t busy[BM_TCP_WHEEL_LEVELS];
    struct bm_tcp_timer *slots[BM_TCP_WHEEL_LEVELS][BM_TCP_WHEEL_SLOTS];
};

void bm_tcp_wheel_start(struct bm_tcp_wheel *wheel, uint32_t now);
// Sets a timer anew; what is due already is due at the next millisecond.
void bm_tcp_wheel_set(struct bm_tcp_wheel *wheel, struct bm_tcp_timer *timer, uint32_t due);
void bm_tcp_wheel_clear(struct bm_tcp_wheel *wheel, struct bm_tcp_timer *timer);
// A timer that is due by `now`, which is no longer set; NULL: none is left.
struct bm_tcp_timer *bm_tcp_wheel_next(struct bm_tcp_wheel *wheel, uint32_t now);
// The earliest moment when one may be due: false: none is set.
bool bm_tcp_wheel_due(const struct bm_tcp_wheel *wheel, uint32_t *due);
// Looks for what `soonest` is; timers that are set later move it, those that are cleared do not.
void bm_tcp_wheel_look(struct bm_tcp_wheel *wheel);
