// The arithmetic of a path: bottleneck, queue, chances, delays.
// SPDX-License-Identifier: MIT
#include "path.h"

#include <stddef.h>

#define BIT_NS 8000000000 // bits of a byte, times ns of a second

const char *path_problem(const struct path *path)
{
    const uint32_t chances[] = {path->loss, path->burst, path->burst_end, path->reorder, path->duplicate};
    for (size_t i = 0; i < sizeof(chances) / sizeof(*chances); i++)
        if (chances[i] > PATH_MILLION)
            return "a chance is more than a million millionths";
    if (path->delay > PATH_TIME_MAX || path->jitter > PATH_TIME_MAX || path->late > PATH_TIME_MAX)
        return "a delay is longer than a minute";
    if (path->rate > PATH_RATE_MAX)
        return "the rate is above 100 Gbit/s";
    if (path->queue > PATH_QUEUE_MAX)
        return "the queue is larger than 64 MiB";
    if (path->burst && !path->burst_end)
        return "bursts of losses never end";
    if (path->mtu && path->mtu < PATH_MTU_MIN)
        return "the largest packet is below 576 bytes";
    return NULL;
}

void path_start(struct path_state *state, uint64_t seed)
{
    *state = (struct path_state){.random = seed};
}

// splitmix64 (Steele, Lea, Flood 2014): any seed will do, neighbouring ones too.
static uint64_t draw(struct path_state *state)
{
    uint64_t z = (state->random += 0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

// Evenly below `bound`, which is less than 2^40: what the product cuts off is nothing.
static uint64_t draw_below(struct path_state *state, uint64_t bound)
{
    return (uint64_t)((unsigned __int128)draw(state) * bound >> 64);
}

static bool draw_chance(struct path_state *state, uint32_t millionths)
{
    return draw_below(state, PATH_MILLION) < millionths;
}

// Gilbert's model: a good state without these losses, a bad one in which all frames are lost.
static bool draw_burst(const struct path *path, struct path_state *state)
{
    const bool begins = draw_chance(state, path->burst), ends = draw_chance(state, path->burst_end);
    const bool lost = state->in_burst || begins;
    state->in_burst = lost && !ends;
    return lost;
}

// When the bottleneck has sent the frame; false: the queue has no room for it.
static bool pass_bottleneck(const struct path *path, struct path_state *state, uint64_t now, uint32_t size,
                            uint64_t *sent)
{
    *sent = now;
    if (!path->rate)
        return true;
    if (state->free_at <= now) {
        state->free_at = now;
        state->rest = 0;
    }
    // At most PATH_QUEUE_MAX bytes wait, so that the product stays below 2^59 and one frame's time.
    const uint64_t waiting = ((state->free_at - now) * (unsigned __int128)path->rate + BIT_NS - 1) / BIT_NS;
    const uint64_t queued = waiting + size;
    if (queued > (path->queue ? path->queue : PATH_QUEUE_MAX))
        return false;
    if (queued > state->counters.queued_max)
        state->counters.queued_max = queued;
    const uint64_t work = size * BIT_NS + state->rest;
    state->free_at += work / path->rate;
    state->rest = work % path->rate;
    *sent = state->free_at;
    return true;
}

struct path_fate path_send(const struct path *path, struct path_state *state, uint64_t now, uint32_t size)
{
    struct path_fate fate = {0};
    const bool alone = draw_chance(state, path->loss), burst = draw_burst(path, state);
    const bool late = draw_chance(state, path->reorder), twice = draw_chance(state, path->duplicate);
    const uint64_t jitter = draw_below(state, path->jitter + 1);
    struct path_counters *counters = &state->counters;
    counters->frames++;
    counters->bytes += size;
    if (path->mtu && size > path->mtu + PATH_LINK_HEADER) {
        counters->too_large++;
        fate.end = PATH_TOO_LARGE;
    } else if (!pass_bottleneck(path, state, now, size, &fate.at)) {
        counters->overflowed++;
        fate.end = PATH_OVERFLOWED;
    } else if (alone || burst) {
        counters->lost++;
        fate.end = PATH_LOST;
    } else {
        fate.at += path->delay + jitter;
        if (fate.at < state->last_arrival)
            fate.at = state->last_arrival;
        state->last_arrival = fate.at;
        if (late) {
            fate.at += path->late;
            counters->reordered++;
        }
        counters->duplicated += fate.twice = twice;
    }
    return fate;
}
