// The timing wheel: set, clear, advance.
// SPDX-License-Identifier: MIT
#include "wheel.h"

#include <stddef.h>
#include <string.h>

enum { BITS = 6, MASK = BM_TCP_WHEEL_SLOTS - 1, TOP = BM_TCP_WHEEL_LEVELS - 1 };
// What lies further away waits in the last slot before this, and is sorted again there.
static const uint32_t horizon = 1u << (BITS * BM_TCP_WHEEL_LEVELS);

void bm_tcp_wheel_start(struct bm_tcp_wheel *wheel, uint32_t now)
{
    memset(wheel, 0, sizeof *wheel);
    wheel->now = now;
}

// The slot of a moment: the lowest level whose current round holds it.
static void place(struct bm_tcp_wheel *wheel, struct bm_tcp_timer *timer)
{
    uint32_t at = timer->due, ahead = at - wheel->now;
    if ((int32_t)ahead <= 0)
        at = wheel->now + 1;
    else if (ahead >= horizon - (horizon >> BITS))
        at = wheel->now + horizon - (horizon >> BITS) - 1;
    unsigned level = 0;
    while (level < TOP && (at >> (BITS * level)) - (wheel->now >> (BITS * level)) >= BM_TCP_WHEEL_SLOTS)
        level++;
    unsigned slot = at >> (BITS * level) & MASK;
    struct bm_tcp_timer **head = &wheel->slots[level][slot];
    timer->next = *head;
    if (timer->next)
        timer->next->previous = &timer->next;
    timer->previous = head;
    *head = timer;
    wheel->busy[level] |= (uint64_t)1 << slot;
}

void bm_tcp_wheel_clear(struct bm_tcp_wheel *wheel, struct bm_tcp_timer *timer)
{
    if (!timer->previous)
        return;
    *timer->previous = timer->next;
    if (timer->next)
        timer->next->previous = timer->previous;
    struct bm_tcp_timer **first = &wheel->slots[0][0];
    if (!timer->next && timer->previous >= first &&
        timer->previous < first + BM_TCP_WHEEL_LEVELS * BM_TCP_WHEEL_SLOTS) {
        size_t index = (size_t)(timer->previous - first);
        wheel->busy[index / BM_TCP_WHEEL_SLOTS] &= ~((uint64_t)1 << (index & MASK));
    }
    timer->previous = NULL;
}

void bm_tcp_wheel_set(struct bm_tcp_wheel *wheel, struct bm_tcp_timer *timer, uint32_t due)
{
    bm_tcp_wheel_clear(wheel, timer);
    timer->due = due;
    place(wheel, timer);
    if (!wheel->any || (int32_t)(due - wheel->soonest) < 0)
        wheel->soonest = due;
    wheel->any = true;
}

static void cascade(struct bm_tcp_wheel *wheel, unsigned level)
{
    unsigned slot = wheel->now >> (BITS * level) & MASK;
    struct bm_tcp_timer *timer = wheel->slots[level][slot];
    wheel->slots[level][slot] = NULL;
    wheel->busy[level] &= ~((uint64_t)1 << slot);
    while (timer) {
        struct bm_tcp_timer *next = timer->next;
        timer->previous = NULL;
        // A moment that is now belongs to this millisecond's slot, which is emptied next.
        if (timer->due == wheel->now) {
            wheel->now--;
            place(wheel, timer);
            wheel->now++;
        } else {
            place(wheel, timer);
        }
        timer = next;
    }
}

// How far time can go at once: to the next busy slot of the lowest level, or to the end of its round.
static uint32_t stride(const struct bm_tcp_wheel *wheel, uint32_t now)
{
    unsigned slot = wheel->now & MASK;
    uint32_t step = BM_TCP_WHEEL_SLOTS - slot;
    uint64_t busy = slot == MASK ? 0 : wheel->busy[0] >> (slot + 1);
    if (busy)
        step = (uint32_t)__builtin_ctzll(busy) + 1;
    uint32_t left = now - wheel->now;
    return step < left ? step : left;
}

struct bm_tcp_timer *bm_tcp_wheel_next(struct bm_tcp_wheel *wheel, uint32_t now)
{
    for (;;) {
        struct bm_tcp_timer *timer = wheel->slots[0][wheel->now & MASK];
        if (timer) {
            bm_tcp_wheel_clear(wheel, timer);
            return timer;
        }
        if ((int32_t)(now - wheel->now) <= 0)
            return NULL;
        wheel->now += stride(wheel, now);
        for (unsigned level = TOP; level >= 1; level--) // from above: what falls may fall further
            if (!(wheel->now & ((1u << (BITS * level)) - 1)))
                cascade(wheel, level);
    }
}

bool bm_tcp_wheel_due(const struct bm_tcp_wheel *wheel, uint32_t *due)
{
    bool any = false;
    for (unsigned level = 0; level < BM_TCP_WHEEL_LEVELS; level++) {
        uint64_t busy = wheel->busy[level];
        if (!busy)
            continue;
        unsigned slot = wheel->now >> (BITS * level) & MASK, first = (slot + 1) & MASK;
        uint64_t turned = first ? busy >> first | busy << (BM_TCP_WHEEL_SLOTS - first) : busy;
        uint32_t ahead = (uint32_t)__builtin_ctzll(turned) + 1;
        uint32_t moment = ((wheel->now >> (BITS * level)) + ahead) << (BITS * level);
        if (!any || (int32_t)(moment - *due) < 0)
            *due = moment;
        any = true;
    }
    return any;
}

void bm_tcp_wheel_look(struct bm_tcp_wheel *wheel)
{
    wheel->any = bm_tcp_wheel_due(wheel, &wheel->soonest);
}
